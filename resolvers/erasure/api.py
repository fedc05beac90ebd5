"""Erase a record: everything that was held of it goes, a certificate says what, and it does not come back by itself."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from enrichment.enums import EntityType
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.erasure.certificate import certificates_by_id, erasure_page, find_erasure, lift
from models.erasure.table import Erasure
from models.record.search import RecordName
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.erasure.reason import check_reason
from resolvers.erasure.related_answers import own_fields_of
from resolvers.erasure.run import ErasedRecord, erasure_kind
from resolvers.errors import Fault, NotFound, OperationError, StateConflict, ValidationFailed
from resolvers.operation import OperationLost, begin_operation, run_operation
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.record.api import get_record
from resolvers.suppression.api import readable_hash_of
from resolvers.validation import check_external_ids

MOST_ERASED = 100


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
    repeats what is erased. Where this process dies, another finishes it.
    """
    ctx.require(Role.ADMIN)
    [outcome] = await _erase(ctx, entity_type, [external_id], reason, block_domain=block_domain)
    if outcome.result is None:
        assert outcome.error is not None  # an outcome is one of the two
        raise outcome.error
    return outcome.result


async def erase_records(
    ctx: Context, entity_type: EntityType, external_ids: Sequence[str], *, reason: str | None = None
) -> list[EraseOutcome]:
    """As `erase_record` for up to 100, each by itself; answers for each, in order."""
    ctx.require(Role.ADMIN)
    if len(external_ids) > MOST_ERASED:
        raise ValidationFailed("too many records", faults=[Fault("externalIds", f"at most {MOST_ERASED}")])
    return await _erase(ctx, entity_type, check_external_ids(external_ids, "externalIds"), reason, block_domain=False)


async def _erase(
    ctx: Context, entity_type: EntityType, external_ids: Sequence[str], reason: str | None, *, block_domain: bool
) -> list[EraseOutcome]:
    """Erase what can be erased, as one operation. The outcomes in order."""
    caller = ctx.require(Role.ADMIN)
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    await readable_hash_of(ctx.services)
    refused: dict[str, OperationError] = {}
    records: dict[str, str] = {}
    for external_id in external_ids:
        try:
            record = await get_record(ctx, entity_type, external_id)
            # Before it is stored with the operation, which a reason that tells of the record must not be.
            check_reason(reason, external_id, await own_fields_of(record))
            records[external_id] = record.id
        except OperationError as error:
            refused[external_id] = error
    erased = await _run(ctx, list(records.values()), reason, block_domain=block_domain) if records else {}
    certificates = await certificates_by_id(
        caller.organization_id, [record.certificate_id for record in erased.values() if record.error is None]
    )
    by_id = {certificate.id: certificate for certificate in certificates}
    return [
        EraseOutcome(external_id, error=refused[external_id])
        if external_id in refused
        else _outcome(external_id, erased.get(records[external_id]), by_id)
        for external_id in external_ids
    ]


async def _run(
    ctx: Context, record_ids: Sequence[str], reason: str | None, *, block_domain: bool
) -> dict[str, ErasedRecord]:
    """What became of these records, by id; one is missing where another process goes on with it."""
    erased: dict[str, ErasedRecord] = {}
    kind = erasure_kind(lambda record: erased.update({record.record_id: record}))
    scope = {
        "records": list(record_ids),
        "certificates": [new_id() for _ in record_ids],
        "reason": reason,
        "blockDomain": block_domain,
    }
    run = await unit_of_work(begin_operation)(ctx, kind, new_id(), scope)
    with suppress(OperationLost):
        await run_operation(kind, run)
    return erased


def _outcome(external_id: str, erased: ErasedRecord | None, certificates: Mapping[str, Erasure]) -> EraseOutcome:
    if erased is None:
        error = StateConflict("another process goes on with the erasure", state="running")
        return EraseOutcome(external_id, error=error)
    if erased.error is not None:
        return EraseOutcome(external_id, error=erased.error)
    return EraseOutcome(external_id, EraseResult(certificates[erased.certificate_id], list(erased.others)))


async def list_erasures(ctx: Context, args: PageArgs) -> Page[Erasure]:
    """The certificates, newest first."""
    caller = ctx.require(Role.ADMIN)
    return await erasure_page(caller.organization_id, args.keyset("erasures"))


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
