"""Records: what the CRM sends, and what we hold of it with its provenance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from models.db.printed import Printed
from models.db.wanted import EVERYTHING, Wanted
from models.job.shown import ShownJob
from models.record import Record
from models.record.order import RecordOrder
from models.record.page import (
    RecordFilter,
    current_values,
    find_record,
    record_page,
    shown_records,
    value_page,
)
from models.record.row import RecordRow
from models.record.shown import ShownRecord, ShownValue
from resolvers.context import Context, Role
from resolvers.erasure.reimport_guard import ReimportGuard
from resolvers.errors import Erased, Fault, NotFound, OperationError, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.job.new_job import PendingJob
from resolvers.organizations import config_of, organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.queue_wakeup import wake_workers
from resolvers.record.ingest import Ingestion, IngestResult, take_in
from resolvers.record.input import RecordInput, record_input
from resolvers.record.store import RecordOutcome
from resolvers.tracing import keep_parent
from resolvers.validation import MAX_EXTERNAL_ID, MAX_NAME, check_external_ids, check_text

MOST_RECORDS = 1000
MAX_SEARCH = 200
ID_ALONE: Wanted = {"id": EVERYTHING}  # of a job


class Identified(Protocol):
    """A row with an id."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A value that cannot be read, and why, in plain words. The record keeps it as it was sent."""

    field: str
    value: Any
    reason: str


@dataclass(slots=True)
class UpsertOutcome:
    """What became of one record of a request; `index` is its position there."""

    index: int
    outcome: RecordOutcome
    record: RecordRow | None = None
    job: ShownJob | PendingJob | None = None
    folded: bool = False  # the job had been started before; this change is part of it
    refused_fields: list[RefusedField] = field(default_factory=list)
    late_fields: Sequence[str] = ()  # those that the CRM or a reviewer set after what was sent was observed
    error: OperationError | None = None

    @property
    def is_change(self) -> bool:
        """Whether the record is new, or otherwise than it was."""
        return self.outcome in {RecordOutcome.CREATED, RecordOutcome.CHANGED}


async def upsert_records(
    ctx: Context, inputs: Sequence[Mapping[str, Any]], shown: Wanted = EVERYTHING
) -> list[UpsertOutcome]:
    """Store up to 1,000 records and start the jobs that the triggers ask for. Answers for each, in order.

    `shown`: what is to be shown of jobs that had been started before.

    A bad record is refused alone. A record named twice is ingested twice, in order. Raises ValidationFailed
    for more than 1,000.
    """
    caller = ctx.require(Role.USER)
    if len(inputs) > MOST_RECORDS:
        raise ValidationFailed(
            f"at most {MOST_RECORDS} records at once, not {len(inputs)}",
            faults=[Fault("records", f"at most {MOST_RECORDS}")],
        )
    services = ctx.services
    now = services.now()
    config = config_of(await organization_of(caller.organization_id, services.registry, now))
    guard = await ReimportGuard.of(services)
    ingestion = Ingestion(caller.organization_id, config, guard, now, caller.user, shown)
    outcomes: dict[int, UpsertOutcome] = {}
    started: list[str] = []
    superseded: list[str] = []
    for records in _in_rounds(inputs, outcomes):
        result = await take_in(ingestion, records)
        outcomes |= _outcomes(result)
        started += [record.job.id for record in result.ingested.values() if record.job and not record.folded]
        superseded += result.superseded
    if changed := any(outcome.is_change for outcome in outcomes.values()):
        await announce(services.redis, caller.organization_id, jobs=started, conflicts=superseded, log=changed)
    if started:
        await keep_parent(services.redis, started)
        await wake_workers(services.redis, len(started))
    return [outcomes[index] for index in range(len(inputs))]


def _in_rounds(
    inputs: Sequence[Mapping[str, Any]], outcomes: dict[int, UpsertOutcome]
) -> list[list[tuple[int, RecordInput]]]:
    """The records with their indexes: each once, and then what else was sent of them; a bad one is refused."""
    first: list[tuple[int, RecordInput]] = []
    later: list[tuple[int, RecordInput]] = []
    seen: set[tuple[EntityType, str]] = set()
    for index, raw in enumerate(inputs):
        try:
            record = record_input(raw, index)
        except ValidationFailed as error:
            outcomes[index] = UpsertOutcome(index, RecordOutcome.REFUSED, error=error)
            continue
        key = record.entity_type, record.external_id
        (later if key in seen else first).append((index, record))
        seen.add(key)
    return [records for records in (first, later) if records]


def _outcomes(result: IngestResult) -> dict[int, UpsertOutcome]:
    """What became of each record, by its index."""
    found = {
        index: UpsertOutcome(index, RecordOutcome.REFUSED, error=_erased(certificate_id))
        for index, certificate_id in result.erased.items()
    }
    for index, ingested in result.ingested.items():
        found[index] = UpsertOutcome(
            index,
            ingested.outcome,
            record=ingested.record,
            job=ingested.job,
            folded=ingested.folded,
            late_fields=ingested.late_fields,
            refused_fields=[RefusedField(name, *why) for name, why in ingested.refused.items()],
        )
    return found


def _erased(certificate_id: str) -> Erased:
    message = f"this record was erased (certificate {certificate_id}); an admin may lift the erasure"
    return Erased(message, certificateId=certificate_id)


async def get_record(ctx: Context, entity_type: EntityType, external_id: str) -> Record:
    """One record by the CRM's own id. Raises NotFound, and ValidationFailed for what cannot be an external id."""
    caller = ctx.require(Role.VIEWER)
    check_text(external_id, "externalId", longest=MAX_EXTERNAL_ID)
    found = await find_record(caller.organization_id, entity_type, external_id)
    if found is None:
        raise NotFound(f"no {entity_type.value} with this external id")
    return found


async def get_record_by_id(ctx: Context, record_id: str, shown: Wanted = EVERYTHING) -> ShownRecord:
    """What is to be shown of one record. Raises NotFound, and BadRequest for what cannot be an id."""
    caller = ctx.require(Role.VIEWER)
    found = await shown_records(caller.organization_id, [check_id(record_id)], shown)
    if not found:
        raise NotFound("no record with this id")
    return found[0]


def check_filter(wanted: RecordFilter) -> RecordFilter:
    """The filter as it is. Raises ValidationFailed for one that cannot be."""
    if wanted.external_ids is not None:
        if len(wanted.external_ids) > MOST_RECORDS:
            raise ValidationFailed("too many ids", faults=[Fault("externalIds", f"at most {MOST_RECORDS}")])
        check_external_ids(wanted.external_ids, "externalIds")
    if wanted.search is not None:
        check_text(wanted.search.strip().lower(), "search", longest=MAX_SEARCH)
    return wanted


async def list_records(
    ctx: Context,
    wanted: RecordFilter,
    page: PageArgs,
    shown: Wanted | Printed = EVERYTHING,
    order: RecordOrder = RecordOrder.CREATED_AT_DESC,
) -> Page[ShownRecord]:
    """Records, in this order, with what is to be shown of them."""
    caller = ctx.require(Role.VIEWER)
    return await record_page(caller.organization_id, check_filter(wanted), page.keyset("records", order), shown)


async def provenance(ctx: Context, record: Identified) -> list[ShownValue]:
    """The current value of every filled field, in catalogue order."""
    return (await provenance_of_many(ctx, [record.id]))[record.id]


async def provenance_of_many(
    ctx: Context, record_ids: Sequence[str], shown: Wanted = EVERYTHING
) -> dict[str, list[ShownValue]]:
    """As `provenance`, for many records at once."""
    caller = ctx.require(Role.VIEWER)
    found: dict[str, list[ShownValue]] = {record_id: [] for record_id in record_ids}
    for value in await current_values(caller.organization_id, record_ids, shown):
        found[value.record_id].append(value)
    return {record_id: filled(values) for record_id, values in found.items()}


def filled(values: Iterable[ShownValue]) -> list[ShownValue]:
    """Of the current values of a record those that fill a field, in catalogue order."""
    return sorted(
        (value for value in values if value.value is not None), key=lambda value: _ORDER.get(value.field, len(_ORDER))
    )


_ORDER = {name: index for kind in EntityType for index, name in enumerate(fields_of(kind))}


async def history(
    ctx: Context, record: Identified, name: str | None, page: PageArgs, shown: Wanted = EVERYTHING
) -> Page[ShownValue]:
    """Every value that a record's fields (or one field) ever had, newest first."""
    caller = ctx.require(Role.VIEWER)
    if name is not None:
        check_text(name, "field", longest=MAX_NAME)
    return await value_page(caller.organization_id, record.id, name, page.keyset("history"), shown)
