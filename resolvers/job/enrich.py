"""Enrich chosen records now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enrichment.config import Config
from enrichment.decide.start import NotStarted, why_not_started
from enrichment.enums import EntityType, JobTrigger
from models.credit.budget import NewBudget, add_budget
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.job import Job, transitions
from models.job.queries import active_jobs_of, bring_forward, records_with_active_job
from models.job.transitions import NewJob
from models.record import Record
from models.record.page import RecordFilter, selected_records
from resolvers.context import Caller, Context, Role, Services
from resolvers.errors import Fault, ValidationFailed
from resolvers.events.publisher import announce
from resolvers.job.new_job import PRIORITY, job_of, new_job
from resolvers.organizations import config_of, organization_of
from resolvers.queue_wakeup import wake_workers
from resolvers.record.api import MOST_RECORDS, check_filter
from resolvers.suppression.check import suppressed_records
from resolvers.tracing import keep_parent
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

    `force` looks up again what enrichment itself wrote, asks again what was answered before, and does not wait for
    the cooldown. `max_credits` is the
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
    active = await records_with_active_job(caller.organization_id, [record.id for record in records])
    suppressed = await suppressed_among(services, caller.organization_id, records)
    for record in records:
        reason = skip_reason(record, config, now, force=force, suppressed=record.id in suppressed)
        if reason is None or (reason is NotStarted.COOLDOWN and record.id in active):
            ready.append(record)
        else:
            outcome.skipped.append(SkippedRecord(record.external_id, reason))
    request = _Request(config, now, caller.user, force, await _budget(caller, max_credits, now))
    for start in range(0, len(ready), _AT_ONCE):
        await _start(caller.organization_id, ready[start : start + _AT_ONCE], request, outcome)
    if outcome.queued or outcome.folded:
        changed = [job.id for job in outcome.queued + outcome.folded]
        await announce(services.redis, caller.organization_id, jobs=changed)
        await keep_parent(services.redis, [job.id for job in outcome.queued])
        await wake_workers(services.redis, len(changed))
    return outcome


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
    await unit_of_work(add_budget)(NewBudget(budget_id, caller.organization_id, most, caller.user, now))
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
    return await suppressed_records(services, organization_id, records)


def skip_reason(record: Record, config: Config, now: datetime, *, force: bool, suppressed: bool) -> NotStarted | None:
    """Why no job would be started for a record; None when one would."""
    return why_not_started(
        config,
        record.entity_type,
        forced=force,
        last_enriched_at=record.last_enriched_at,
        at=now,
        suppressed=suppressed,
    )


async def _start(organization_id: str, records: Sequence[Record], request: _Request, outcome: EnrichOutcome) -> None:
    jobs = {
        record.id: new_job(
            organization_id,
            record.id,
            record.entity_type,
            JobTrigger.MANUAL,
            request.config,
            request.now,
            requested_by=request.user,
            forced=request.force,
            answers_since=request.now if request.force else None,
            budget_id=request.budget_id,
        )
        for record in records
    }
    created, folded = await _create_or_fold(organization_id, jobs, request)
    outcome.queued += [job_of(jobs[record.id], record) for record in records if jobs[record.id].id in created]
    outcome.folded += folded


@unit_of_work
async def _create_or_fold(
    tx: Transaction, organization_id: str, jobs: Mapping[str, NewJob], request: _Request
) -> tuple[set[str], list[Job]]:
    """The ids of the jobs created, and the active jobs of the records that have one already."""
    created = await transitions.create(tx, list(jobs.values()))
    others = [record_id for record_id, job in jobs.items() if job.id not in created]
    if not others:
        return created, []
    # A person's request moves a waiting job to the front, and lifts its cooldown if forced.
    await bring_forward(
        tx,
        organization_id,
        others,
        request.now,
        priority=PRIORITY[JobTrigger.MANUAL],
        forced=request.force,
        followed=request.force and request.budget_id is None,  # what follows is not within a budget
    )
    return created, await active_jobs_of(tx, organization_id, others)
