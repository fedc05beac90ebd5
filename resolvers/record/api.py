"""Records: what the CRM sends, and what we hold of it with its provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from models.job import Job
from models.record import FieldValue, Record
from resolvers.context import Context, Role
from resolvers.erasure.reimport_guard import ReimportGuard
from resolvers.errors import Erased, Fault, NotFound, OperationError, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of
from resolvers.paging import Page, PageArgs, paginate
from resolvers.queue_wakeup import wake_workers
from resolvers.record.ingest import IngestedRecord, RecordOutcome, clean_all, ingest
from resolvers.validation import MAX_EXTERNAL_ID, MAX_NAME, check_external_ids, check_text

MOST_RECORDS = 1000
MOST_FIELDS = 300
MOST_BYTES = 65_536
MOST_DEPTH = 12
MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class RecordInput:
    """One record as the CRM has it."""

    entity_type: EntityType
    external_id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A value that was not stored, and why, in plain words."""

    field: str
    value: Any
    reason: str


@dataclass(slots=True)
class UpsertOutcome:
    """What became of one record of a request, at its place (`index`)."""

    index: int
    outcome: RecordOutcome
    record: Record | None = None
    job: Job | None = None
    folded: bool = False  # the job had been started before; this change is part of it
    refused_fields: list[RefusedField] = field(default_factory=list)
    error: OperationError | None = None


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records. `completeness_below` is 0 to 1; `search` looks in names, e-mail, domain and external id."""

    entity_type: EntityType | None = None
    external_ids: tuple[str, ...] | None = None
    search: str | None = None
    completeness_below: float | None = None
    enriched_before: datetime | None = None
    never_enriched: bool | None = None


def record_input(raw: Any, index: int) -> RecordInput:
    """One `{entityType, externalId, fields}`. Raises ValidationFailed naming every fault."""
    faults: list[Fault] = []
    path = f"records[{index}]"
    if not isinstance(raw, Mapping):
        raise ValidationFailed("not a record", faults=[Fault(path, "must be an object")])
    faults += [
        Fault(f"{path}.{str(name)[:64]}", "unknown key")
        for name in raw
        if name not in {"entityType", "externalId", "fields"}
    ]
    entity_type = _entity_type(raw.get("entityType"), f"{path}.entityType", faults)
    external_id = _external_id(raw.get("externalId"), f"{path}.externalId", faults)
    fields = raw.get("fields")
    if not isinstance(fields, Mapping):
        faults.append(Fault(f"{path}.fields", "must be an object"))
    else:
        _check_fields(fields, f"{path}.fields", faults)
    if faults:
        raise ValidationFailed("the record is not valid", faults=faults)
    assert entity_type is not None  # or there was a fault
    assert external_id is not None
    assert isinstance(fields, Mapping)
    return RecordInput(entity_type, external_id, fields)


def _entity_type(raw: Any, path: str, faults: list[Fault]) -> EntityType | None:
    folded = raw.strip().lower() if isinstance(raw, str) else ""
    if folded in set(EntityType):
        return EntityType(folded)
    faults.append(Fault(path, "must be lead, contact or account"))
    return None


def _external_id(raw: Any, path: str, faults: list[Fault]) -> str | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    text = raw.strip() if isinstance(raw, str) else ""
    if not text or len(text) > MAX_EXTERNAL_ID or not text.isprintable():
        faults.append(Fault(path, f"must be a text of 1 to {MAX_EXTERNAL_ID} printable characters"))
        return None
    return text


def _check_fields(fields: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    if len(fields) > MOST_FIELDS:
        faults.append(Fault(path, f"at most {MOST_FIELDS} fields"))
        return
    if not all(0 < len(name) <= 128 and name.isprintable() for name in fields):
        faults.append(Fault(path, "field names must be texts of 1 to 128 printable characters"))
        return
    if not _is_shallow(fields, MOST_DEPTH):
        faults.append(Fault(path, f"nested deeper than {MOST_DEPTH} levels"))
        return
    try:
        size = len(orjson.dumps(fields))
    except (TypeError, ValueError):
        faults.append(Fault(path, "holds something that JSON in UTF-8 cannot say"))
        return
    if size > MOST_BYTES:
        faults.append(Fault(path, f"larger than {MOST_BYTES} bytes"))
    elif _holds_nul(fields):
        faults.append(Fault(path, "holds a NUL character"))


def _is_shallow(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        return levels > 0 and all(_is_shallow(part, levels - 1) for part in value.values())
    if isinstance(value, list):
        return levels > 0 and all(_is_shallow(part, levels - 1) for part in value)
    return True


def _holds_nul(value: Any) -> bool:
    """PostgreSQL's JSONB cannot store NUL, in names or values."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(name) or _holds_nul(part) for name, part in value.items())
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


async def upsert_records(ctx: Context, inputs: Sequence[Mapping[str, Any]]) -> list[UpsertOutcome]:
    """Store up to 1,000 records and start the jobs that the triggers ask for. Answers for each, in order.

    A bad record is refused alone. A record named twice is taken in twice, in order. Raises ValidationFailed
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
    outcomes: dict[int, UpsertOutcome] = {}
    rounds = _in_rounds(inputs, outcomes)
    started: list[str] = []
    superseded: list[str] = []
    watch = await ReimportGuard.of(services)
    for turn_inputs in rounds:
        messages = await clean_all(
            [(index, record.entity_type, record.external_id, record.fields) for index, record in turn_inputs]
        )
        intake = await ingest(caller.organization_id, messages, config, watch, now, caller.user)
        for index, certificate in intake.erased.items():
            outcomes[index] = UpsertOutcome(index, RecordOutcome.REFUSED, error=_erased(certificate))
        for message in messages:
            if message.index in intake.erased:
                continue
            taken = intake.ingested[message.index]
            refused = [RefusedField(name, *why) for name, why in message.cleaned.refused.items()]
            outcomes[message.index] = _outcome(message.index, taken, refused)
            if taken.job is not None and not taken.folded:
                started.append(taken.job.id)
        superseded += intake.superseded
    if started or superseded:
        await announce(services.redis, caller.organization_id, jobs=started, conflicts=superseded)
    if started:
        await wake_workers(services.redis, len(started))
    return [outcomes[index] for index in range(len(inputs))]


def _in_rounds(
    inputs: Sequence[Mapping[str, Any]], outcomes: dict[int, UpsertOutcome]
) -> list[list[tuple[int, RecordInput]]]:
    """The records with their places, each named once in a round; a bad one is refused in `outcomes`."""
    rounds: list[list[tuple[int, RecordInput]]] = []
    seen: dict[tuple[EntityType, str], int] = {}
    for index, raw in enumerate(inputs):
        try:
            record = record_input(raw, index)
        except ValidationFailed as error:
            outcomes[index] = UpsertOutcome(index, RecordOutcome.REFUSED, error=error)
            continue
        turn = seen.get((record.entity_type, record.external_id), 0)
        seen[record.entity_type, record.external_id] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append((index, record))
    return rounds


def _erased(certificate_id: str) -> Erased:
    message = f"this record was erased (certificate {certificate_id}); an admin may lift the erasure"
    return Erased(message, certificateId=certificate_id)


def _outcome(index: int, taken: IngestedRecord, refused: list[RefusedField]) -> UpsertOutcome:
    return UpsertOutcome(
        index, taken.outcome, record=taken.record, job=taken.job, folded=taken.folded, refused_fields=refused
    )


async def get_record(ctx: Context, entity_type: EntityType, external_id: str) -> Record:
    """One record by the CRM's own id. Raises NotFound, and ValidationFailed for what cannot be an external id."""
    caller = ctx.require(Role.VIEWER)
    check_text(external_id, "externalId", longest=MAX_EXTERNAL_ID)
    found = await Record.get_or_none(
        organization_id=caller.organization_id, entity_type=entity_type, external_id=external_id
    )
    if found is None:
        raise NotFound(f"no {entity_type.value} with this external id")
    return found


def filtered(organization_id: str, wanted: RecordFilter) -> QuerySet[Record]:
    """The records of an organization that a filter names. Raises ValidationFailed for a filter that cannot be."""
    rows = Record.filter(organization_id=organization_id)
    if wanted.entity_type is not None:
        rows = rows.filter(entity_type=wanted.entity_type)
    if wanted.external_ids is not None:
        if len(wanted.external_ids) > MOST_RECORDS:
            raise ValidationFailed("too many ids", faults=[Fault("externalIds", f"at most {MOST_RECORDS}")])
        rows = rows.filter(external_id__in=check_external_ids(wanted.external_ids, "externalIds"))
    if wanted.search is not None and (text := wanted.search.strip().lower()):
        rows = rows.filter(search_text__contains=check_text(text, "search", longest=MAX_SEARCH))
    if wanted.completeness_below is not None:
        rows = rows.filter(completeness__lt=wanted.completeness_below)
    if wanted.enriched_before is not None:
        rows = rows.filter(last_enriched_at__lt=wanted.enriched_before)
    if wanted.never_enriched is not None:
        rows = rows.filter(Q(last_enriched_at__isnull=wanted.never_enriched))
    return rows


async def list_records(ctx: Context, wanted: RecordFilter, page: PageArgs) -> Page[Record]:
    """Records, newest first."""
    caller = ctx.require(Role.VIEWER)
    return await paginate(filtered(caller.organization_id, wanted), page)


async def provenance(ctx: Context, record: Record) -> list[FieldValue]:
    """The current value of every filled field, in catalogue order."""
    return (await provenance_of_many(ctx, [record.id]))[record.id]


async def provenance_of_many(ctx: Context, record_ids: Sequence[str]) -> dict[str, list[FieldValue]]:
    """As `provenance`, for many records at once."""
    caller = ctx.require(Role.VIEWER)
    found: dict[str, list[FieldValue]] = {record_id: [] for record_id in record_ids}
    rows = FieldValue.filter(
        organization_id=caller.organization_id, record_id__in=list(record_ids), replaced_at__isnull=True
    )
    for value in await rows:
        if value.value is not None:
            found[value.record_id].append(value)
    order = {name: index for kind in EntityType for index, name in enumerate(fields_of(kind))}
    for values in found.values():
        values.sort(key=lambda value: order.get(value.field, len(order)))
    return found


async def history(ctx: Context, record: Record, name: str | None, page: PageArgs) -> Page[FieldValue]:
    """Every value that a record's fields (or one field) ever had, newest first."""
    caller = ctx.require(Role.VIEWER)
    rows = FieldValue.filter(organization_id=caller.organization_id, record_id=record.id)
    if name is not None:
        rows = rows.filter(field=check_text(name, "field", longest=MAX_NAME))
    return await paginate(rows, page)
