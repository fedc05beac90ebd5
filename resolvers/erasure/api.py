"""Erase a record: everything that was held of it goes, a certificate says what, and it does not come back by itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.enums import EntityType
from enrichment.identity import IdentifierKind, identifiers
from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.scrub import scrub
from models.db.statements import query
from models.db.transaction import Transaction, unit_of_work
from models.erasure import Erasure
from models.erasure_rows import lift, note_not_reached
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.erasure.related_answers import RelatedAnswers, related_answers_of
from resolvers.erasure.transaction import ErasureTransaction, RecordChanged
from resolvers.errors import Fault, NotFound, OperationError, StateConflict, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id, paginate
from resolvers.record.api import get_record
from resolvers.suppression.api import readable_hash_of
from resolvers.validation import check_external_ids, check_text

MOST_ERASED = 100
MAX_REASON = 500
_TRIES = 8  # while the record keeps changing
_MOST_OTHERS = 100
_TELLING_DIGITS = 8  # of a phone number, from its end
_SHORTEST_ID = 4  # a shorter external id may stand in any text


@dataclass(frozen=True, slots=True)
class RecordName:
    """A record by the CRM's own id."""

    entity_type: EntityType
    external_id: str


@dataclass(frozen=True, slots=True)
class EraseResult:
    """The certificate, and other records that hold the same e-mail address or profile, which were not erased."""

    certificate: Erasure
    others: list[RecordName]


@dataclass(frozen=True, slots=True)
class EraseOutcome:
    """How one of many ended."""

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
    return await paginate(Erasure.filter(organization_id=caller.organization_id), args)


async def get_erasure(ctx: Context, certificate_id: str) -> Erasure:
    """One certificate. Raises NotFound."""
    caller = ctx.require(Role.ADMIN)
    found = await Erasure.get_or_none(organization_id=caller.organization_id, id=check_id(certificate_id))
    if found is None:
        raise NotFound("no such certificate")
    return found


async def lift_erasure(ctx: Context, certificate_id: str) -> Erasure:
    """Let the erased person come back as a new record. Nothing that was erased returns.

    Raises NotFound, and StateConflict when it was lifted before.
    """
    caller = ctx.require(Role.ADMIN)
    found = await get_erasure(ctx, certificate_id)
    now = ctx.services.now()

    async def body(tx: Transaction) -> bool:
        lifted = await lift(tx, caller.organization_id, found.id, to_micros(now), caller.user)
        if lifted:
            await note_change(tx, ctx, "erasure.lifted", found.id)
        return lifted

    if not await unit_of_work(body)():
        raise StateConflict("the erasure was lifted before", state="lifted")
    return await get_erasure(ctx, found.id)


async def _erase(
    ctx: Context, entity_type: EntityType, external_id: str, reason: str | None, *, block_domain: bool
) -> EraseResult:
    caller = ctx.require(Role.ADMIN)
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    prints = await readable_hash_of(ctx)
    for attempt in range(1, _TRIES + 1):
        record = await get_record(ctx, entity_type, external_id)
        row = {
            "id": record.id,
            "organization_id": record.organization_id,
            "entity_type": record.entity_type,
            "external_id": record.external_id,
            "version": record.version,
            "fields": record.fields,
            "received": record.received,
        }
        traces = await related_answers_of(ctx.services, row)
        _check_reason(reason, external_id, traces)
        others = await _others(row, traces)
        work = ErasureTransaction(ctx, prints, row, traces, reason, block_domain)
        try:
            done = await unit_of_work(work.run)()
        except RecordChanged:
            if attempt == _TRIES:
                raise StateConflict("the record keeps changing; try again", state="changing") from None
            continue
        await announce(ctx.services.redis, caller.organization_id, jobs=done.jobs, conflicts=done.conflicts)
        return EraseResult(await get_erasure(ctx, done.certificate["id"]), others)
    raise AssertionError("unreachable")


async def _scrub(certificates: Sequence[Erasure]) -> None:
    """Get what was deleted out of the database's files; what could not be is added to the certificates."""
    if not certificates:
        return
    left = await scrub()
    if left is not None:
        for certificate in certificates:
            certificate.not_reached = [*certificate.not_reached, left]
            await note_not_reached(certificate.id, certificate.not_reached)


def _check_reason(reason: str | None, external_id: str, traces: RelatedAnswers) -> None:
    """The certificate outlives the record; its reason must not tell who it was."""
    if reason is None:
        return
    check_text(reason, "reason", longest=MAX_REASON)
    said = {one for word in (reason, *reason.split()) for one in identifiers(EntityType.CONTACT, {"reason": word})}
    known = {one for fields in traces.own for one in identifiers(EntityType.CONTACT, fields)}
    told = any(one in said for one in known if one.kind is not IdentifierKind.DOMAIN)
    digits = "".join(filter(str.isdigit, reason))
    told = told or any(one.value[-_TELLING_DIGITS:] in digits for one in known if one.kind is IdentifierKind.PHONE)
    texts = {f"{first} {last}" for first in _texts_of("firstName", traces) for last in _texts_of("lastName", traces)}
    texts |= {external_id} if len(external_id) >= _SHORTEST_ID else set()
    if told or any(_names(" ".join(reason.split()), text) for text in texts):
        raise ValidationFailed(
            "the reason repeats what is erased", faults=[Fault("reason", "must not tell who it was")]
        )


def _texts_of(name: str, traces: RelatedAnswers) -> set[str]:
    return {fields[name] for fields in traces.own if isinstance(fields.get(name), str)}


def _names(reason: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", reason, re.IGNORECASE) is not None


async def _others(row: Mapping[str, Any], traces: RelatedAnswers) -> list[RecordName]:
    """Other records of the organization that hold an e-mail address or a profile of this one."""
    texts = sorted(
        {
            value.lower()
            for fields in traces.own
            for name in ("email", "linkedinUrl")
            if isinstance(value := fields.get(name), str)
        }
    )[:20]
    if not texts:
        return []
    finds = (
        "INSTR(LOWER(CAST(fields AS TEXT)), ?) > 0"
        if dialect() == "sqlite"
        else "POSITION(? IN LOWER(fields::text)) > 0"
    )
    found = await query(
        "SELECT entity_type, external_id FROM record WHERE organization_id = ? AND id <> ?"
        f" AND ({' OR '.join([finds] * len(texts))}) ORDER BY id LIMIT ?",
        [row["organization_id"], row["id"], *texts, _MOST_OTHERS],
    )
    return [RecordName(EntityType(other["entity_type"]), other["external_id"]) for other in found]
