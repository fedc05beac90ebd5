"""Enrich chosen records now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enrichment.config import Config
from enrichment.enums import ACTIVE_STATUSES, EntityType, JobTrigger
from models.db.columns import new_id, to_micros
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction, unit_of_work
from models.job import Job
from models.job_claims import insert_jobs
from models.record import Record
from models.record.page import RecordFilter, selected_records
from resolvers.context import Caller, Context, Role, Services
from resolvers.errors import Fault, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of
from resolvers.queue_wakeup import wake_workers
from resolvers.record.api import MOST_RECORDS, check_filter
from resolvers.record.ingest import PRIORITY, job_of, job_row
from resolvers.suppression.check import suppressed_records
from resolvers.validation import check_external_ids

MOST_SELECTED = 10_000
MOST_CREDITS = 1_000_000_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RecordSelection:
    """Which records of one entity type: by external ids, by a filter, or both. Neither: all of the type."""

    entity_type: EntityType
    external_ids: tuple[str, ...] | None = None
    filter: RecordFilter | None = None


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A chosen record that no job was started for: `not_found`, `cooldown`, `suppressed`, `entity_type_off` or
    `disabled`."""

    external_id: str
    reason: str


@dataclass(slots=True)
class EnrichOutcome:
    """Jobs started, jobs that the request became part of, and records passed by."""

    queued: list[Job] = field(default_factory=list)
    folded: list[Job] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)


async def enrich_records(
    ctx: Context, selection: RecordSelection, *, force: bool = False, max_credits: int | None = None
) -> EnrichOutcome:
    """Start a job for each chosen record, ahead of everything automatic.

    `force` looks up again what enrichment itself wrote, and does not wait for the cooldown. `max_credits` is the
    most that the jobs started by this request may cost together. Raises ValidationFailed when the selection is
    larger than 10,000 records.
    """
    caller = ctx.require(Role.USER)
    services = ctx.services
    now = services.now()
    if max_credits is not None and not 0 <= max_credits <= MOST_CREDITS:
        raise ValidationFailed("maxCredits cannot be", faults=[Fault("maxCredits", f"must be 0 to {MOST_CREDITS}")])
    config = config_of(await organization_of(caller.organization_id, services.registry, now))
    outcome = EnrichOutcome()
    records, missing = await select_records(caller.organization_id, selection)
    outcome.skipped += [SkippedRecord(external_id, "not_found") for external_id in missing]
    ready: list[Record] = []
    active = await with_active_job([record.id for record in records])
    barred = await suppressed_among(services, caller.organization_id, records)
    for record in records:
        reason = skip_reason(record, config, now, force=force, suppressed=record.id in barred)
        if reason is None or (reason == "cooldown" and record.id in active):
            ready.append(record)
        else:
            outcome.skipped.append(SkippedRecord(record.external_id, reason))
    request = _Request(config, now, caller.user, force, await _budget(caller, max_credits, now))
    for start in range(0, len(ready), _AT_ONCE):
        await _start(ready[start : start + _AT_ONCE], request, outcome)
    if outcome.queued or outcome.folded:
        changed = [job.id for job in outcome.queued + outcome.folded]
        await announce(services.redis, caller.organization_id, jobs=changed)
        await wake_workers(services.redis, len(changed))
    return outcome


async def with_active_job(record_ids: Sequence[str]) -> set[str]:
    """Those of the records that a job is at work on, which a request becomes part of."""
    found: set[str] = set()
    for start in range(0, len(record_ids), _AT_ONCE):
        some = list(record_ids[start : start + _AT_ONCE])
        sql = f"SELECT record_id FROM job WHERE status IN ('pending', 'in_progress') AND record_id IN ({marks(some)})"
        found |= {row["record_id"] for row in await query(sql, some)}
    return found


@dataclass(frozen=True, slots=True)
class _Request:
    config: Config
    now: datetime
    user: str
    force: bool
    budget_id: str | None


async def _budget(caller: Caller, most: int | None, now: datetime) -> str | None:
    if most is None:
        return None
    budget_id = new_id()
    await execute(
        "INSERT INTO credit_budget (id, organization_id, most, requested_by, created_at) VALUES (?, ?, ?, ?, ?)",
        [budget_id, caller.organization_id, most, caller.user, to_micros(now)],
    )
    return budget_id


async def select_records(organization_id: str, selection: RecordSelection) -> tuple[list[Record], list[str]]:
    """The chosen records, and the external ids that name none. Raises ValidationFailed for too many."""
    wanted = selection.external_ids
    if wanted is not None and len(wanted) > MOST_RECORDS:
        raise ValidationFailed(
            "too many ids", faults=[Fault("selection.externalIds", f"at most {MOST_RECORDS}; use a filter for more")]
        )
    named = check_filter(selection.filter or RecordFilter())
    if wanted is not None:
        check_external_ids(wanted, "selection.externalIds")
    records = await selected_records(organization_id, selection.entity_type, named, wanted, MOST_SELECTED + 1)
    if len(records) > MOST_SELECTED:
        raise ValidationFailed(
            "the selection is too large", faults=[Fault("selection", f"more than {MOST_SELECTED} records")]
        )
    found = {record.external_id for record in records}
    return records, [external_id for external_id in dict.fromkeys(wanted or ()) if external_id not in found]


async def suppressed_among(services: Services, organization_id: str, records: Sequence[Record]) -> set[str]:
    """The ids of those of the organization's records that no provider is asked about."""
    told = [(record.id, record.entity_type, record.fields) for record in records]
    return await suppressed_records(services, organization_id, told)


def skip_reason(record: Record, config: Config, now: datetime, *, force: bool, suppressed: bool = False) -> str | None:
    """Why no job would be started for a record; None when one would."""
    if not config.enabled:
        return "disabled"
    if not config.entity_types.allows(record.entity_type):
        return "entity_type_off"
    if suppressed:
        return "suppressed"
    last = record.last_enriched_at
    if not force and last is not None and last + timedelta(hours=config.cooldown_hours) > now:
        return "cooldown"
    return None


async def _start(records: Sequence[Record], request: _Request, outcome: EnrichOutcome) -> None:
    by_id = {record.id: record for record in records}
    moment = to_micros(request.now)
    rows = {
        record.id: job_row(
            _facts(record),
            JobTrigger.MANUAL,
            request.config,
            moment,
            request.user,
            forced=request.force,
            budget_id=request.budget_id,
        )
        for record in records
    }

    async def body(tx: Transaction) -> tuple[set[str], list[Job]]:
        added = await insert_jobs(tx, list(rows.values()))
        others = [record_id for record_id, row in rows.items() if row["id"] not in added]
        if not others:
            return added, []
        active = [status.value for status in ACTIVE_STATUSES]
        # A person's request moves a waiting job to the front, and lifts its cooldown if forced.
        await execute(
            "UPDATE job SET priority = ?, updated_at = ?, forced = (forced OR ?)"
            f" WHERE status = 'pending' AND record_id IN ({marks(others)})",
            [PRIORITY[JobTrigger.MANUAL], moment, request.force, *others],
            using=tx,
        )
        folded = Job.filter(record_id__in=others, status__in=active).using_db(tx)
        return added, list(await folded.prefetch_related("record", "steps"))

    added, folded = await unit_of_work(body)()
    outcome.queued += [job_of(row, by_id[record_id]) for record_id, row in rows.items() if row["id"] in added]
    outcome.folded += folded


def _facts(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "organization_id": record.organization_id,
        "entity_type": record.entity_type.value,
    }
