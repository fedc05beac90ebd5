"""Erase a record: everything that was held of it goes, a certificate says what, and it does not come back by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.enums import EntityType
from models.db.paging import fetch_page
from models.db.scrub import scrub
from models.db.transaction import Transaction, unit_of_work
from models.erasure.certificate import find_erasure, lift, note_not_reached, select_erasures
from models.erasure.table import Erasure
from models.record.search import RecordName, others_holding
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.erasure.reason import check_reason
from resolvers.erasure.related_answers import related_answers_of
from resolvers.erasure.transaction import ErasureRequest, RecordChanged, run_erasure
from resolvers.errors import Fault, NotFound, OperationError, StateConflict, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.record.api import get_record
from resolvers.suppression.api import readable_hash_of
from resolvers.validation import check_external_ids

MOST_ERASED = 100
_ATTEMPTS = 8  # while the record keeps changing
_MOST_OTHERS = 100
_MOST_TEXTS = 20


@dataclass(frozen=True, slots=True)
class EraseResult:
    """The certificate, and other records with the same e-mail address or profile, which were not erased."""

    certificate: Erasure
    others: list[RecordName]


@dataclass(frozen=True, slots=True)
class EraseOutcome:
    """What became of one of many records: the result, or why it was refused."""

    external_id: str
    result: EraseResult | None = None
    error: OperationError | None = None


async def erase_record(
    ctx: Context, entity_type: EntityType, external_id: str, *, reason: str | None = None, block_domain: bool = False
) -> EraseResult:
    """Remove a record and everything that was kept of it; the certificate says what was removed, and where.

    The same record, or the same person by e-mail, phone or profile, is refused from then on until the erasure is
    lifted; an account by its domain too with `block_domain`. Raises NotFound, and ValidationFailed for a reason that
    repeats what is erased.
    """
    ctx.require(Role.ADMIN)
    result = await _erase(ctx, entity_type, external_id, reason, block_domain=block_domain)
    await _scrub([result.certificate])
    return result


async def erase_records(
    ctx: Context, entity_type: EntityType, external_ids: Sequence[str], *, reason: str | None = None
) -> list[EraseOutcome]:
    """As `erase_record` for up to 100, each by itself; answers for each, in order."""
    ctx.require(Role.ADMIN)
    if len(external_ids) > MOST_ERASED:
        raise ValidationFailed("too many records", faults=[Fault("externalIds", f"at most {MOST_ERASED}")])
    outcomes: list[EraseOutcome] = []
    for external_id in check_external_ids(external_ids, "externalIds"):
        try:
            result = await _erase(ctx, entity_type, external_id, reason, block_domain=False)
            outcomes.append(EraseOutcome(external_id, result))
        except OperationError as error:
            outcomes.append(EraseOutcome(external_id, error=error))
    await _scrub([outcome.result.certificate for outcome in outcomes if outcome.result])
    return outcomes


async def list_erasures(ctx: Context, args: PageArgs) -> Page[Erasure]:
    """The certificates, newest first."""
    caller = ctx.require(Role.ADMIN)
    return await fetch_page(select_erasures(caller.organization_id), args.keyset())


async def get_erasure(ctx: Context, certificate_id: str) -> Erasure:
    """One certificate. Raises NotFound."""
    caller = ctx.require(Role.ADMIN)
    found = await find_erasure(caller.organization_id, check_id(certificate_id))
    if found is None:
        raise NotFound("no such certificate")
    return found


async def lift_erasure(ctx: Context, certificate_id: str) -> Erasure:
    """Let the erased person come back as a new record. Nothing that was erased returns.

    Raises NotFound, and StateConflict when it was lifted before.
    """
    found = await get_erasure(ctx, certificate_id)
    if not await _lift(ctx, found.id):
        raise StateConflict("the erasure was lifted before", state="lifted")
    return await get_erasure(ctx, found.id)


@unit_of_work
async def _lift(tx: Transaction, ctx: Context, erasure_id: str) -> bool:
    caller = ctx.require(Role.ADMIN)
    lifted = await lift(tx, caller.organization_id, erasure_id, ctx.services.now(), caller.user)
    if lifted:
        await note_change(tx, ctx, "erasure.lifted", erasure_id)
    return lifted


async def _erase(
    ctx: Context, entity_type: EntityType, external_id: str, reason: str | None, *, block_domain: bool
) -> EraseResult:
    caller = ctx.require(Role.ADMIN)
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    keyed_hash = await readable_hash_of(ctx)
    for attempt in range(1, _ATTEMPTS + 1):
        record = await get_record(ctx, entity_type, external_id)
        related = await related_answers_of(ctx.services, record)
        check_reason(reason, external_id, related.own_fields)
        others = await others_holding(
            record.organization_id, record.id, _personal_texts(related.own_fields), _MOST_OTHERS
        )
        try:
            erased = await run_erasure(ctx, keyed_hash, ErasureRequest(record, related, reason, block_domain))
        except RecordChanged:
            if attempt == _ATTEMPTS:
                raise StateConflict("the record keeps changing; try again", state="changing") from None
            continue
        await announce(ctx.services.redis, caller.organization_id, jobs=erased.jobs, conflicts=erased.conflicts)
        return EraseResult(await get_erasure(ctx, erased.certificate_id), others)
    raise AssertionError("unreachable")


async def _scrub(certificates: Sequence[Erasure]) -> None:
    """Get what was deleted out of the database's files; what could not be is added to the certificates."""
    if not certificates:
        return
    remaining = await scrub()
    if remaining is not None:
        for certificate in certificates:
            certificate.not_reached = [*certificate.not_reached, remaining]
            await note_not_reached(certificate.id, certificate.not_reached)


def _personal_texts(own_fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """E-mail addresses and profiles that the record has had, in lower case."""
    texts = {
        value.lower()
        for fields in own_fields
        for name in ("email", "linkedinUrl")
        if isinstance(value := fields.get(name), str)
    }
    return sorted(texts)[:_MOST_TEXTS]
