"""Enrich chosen records now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from enrichment.config import Config
from enrichment.vocabulary import ACTIVE_STATUSES, EntityType, JobTrigger
from models.database import execute, marks, transaction
from models.fields import to_micros
from models.job import Job
from models.queue import insert_jobs
from models.record import Record
from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.events import announce
from resolvers.intake import PRIORITY, job_of, job_row
from resolvers.organizations import config_of, organization_of
from resolvers.records import MOST_RECORDS, RecordFilter, filtered
from resolvers.wake import wake_workers

MOST_SELECTED = 10_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RecordSelection:
    """Which records of one entity type: by external ids, by a filter, or both. Neither: all of the type."""

    entity_type: EntityType
    external_ids: tuple[str, ...] | None = None
    filter: RecordFilter | None = None


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A chosen record that no job was started for: `not_found`, `cooldown` or `entity_type_off`."""

    external_id: str
    reason: str


@dataclass(slots=True)
class EnrichOutcome:
    """Jobs started, jobs that the request became part of, and records passed by."""

    queued: list[Job] = field(default_factory=list)
    folded: list[Job] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)


async def enrich_records(ctx: Context, selection: RecordSelection, *, force: bool = False) -> EnrichOutcome:
    """Start a job for each chosen record, ahead of everything automatic.

    `force` looks up again what enrichment itself wrote, and does not wait for the cooldown. Raises
    ValidationFailed when the selection is larger than 10,000 records.
    """
    caller = ctx.require(Role.USER)
    services = ctx.services
    now = services.now()
    config = config_of(await organization_of(caller.organization_id, services.registry, now))
    outcome = EnrichOutcome()
    if not config.entity_types.allows(selection.entity_type):
        named = selection.external_ids or ()
        outcome.skipped += [SkippedRecord(external_id, "entity_type_off") for external_id in named]
        return outcome
    records = await _select(caller.organization_id, selection, outcome)
    ready = [record for record in records if force or not _cools_down(record, config, now, outcome)]
    for start in range(0, len(ready), _AT_ONCE):
        await _start(ready[start : start + _AT_ONCE], config, now, caller.user, force, outcome)
    if outcome.queued or outcome.folded:
        changed = [job.id for job in outcome.queued + outcome.folded]
        await announce(services.redis, caller.organization_id, jobs=changed)
        await wake_workers(services.redis, len(changed))
    return outcome


async def _select(organization_id: str, selection: RecordSelection, outcome: EnrichOutcome) -> list[Record]:
    wanted = selection.external_ids
    if wanted is not None and len(wanted) > MOST_RECORDS:
        raise ValidationFailed(
            "too many ids",
            faults=[Fault("selection.externalIds", f"at most {MOST_RECORDS}; use a filter for more")],
        )
    rows = filtered(organization_id, selection.filter or RecordFilter()).filter(entity_type=selection.entity_type)
    if wanted is not None:
        rows = rows.filter(external_id__in=list(wanted))
    records = list(await rows.order_by("id").limit(MOST_SELECTED + 1))
    if len(records) > MOST_SELECTED:
        raise ValidationFailed(
            "the selection is too large", faults=[Fault("selection", f"more than {MOST_SELECTED} records")]
        )
    found = {record.external_id for record in records}
    missing = [external_id for external_id in dict.fromkeys(wanted or ()) if external_id not in found]
    outcome.skipped += [SkippedRecord(external_id, "not_found") for external_id in missing]
    return records


def _cools_down(record: Record, config: Config, now: datetime, outcome: EnrichOutcome) -> bool:
    last = record.last_enriched_at
    if last is None or last + timedelta(hours=config.cooldown_hours) <= now:
        return False
    outcome.skipped.append(SkippedRecord(record.external_id, "cooldown"))
    return True


async def _start(
    records: Sequence[Record], config: Config, now: datetime, user: str, force: bool, outcome: EnrichOutcome
) -> None:
    by_id = {record.id: record for record in records}
    moment = to_micros(now)
    rows = {
        record.id: job_row(_facts(record), JobTrigger.MANUAL, config, moment, user, forced=force) for record in records
    }

    async def body(tx: BaseDBAsyncClient) -> tuple[set[str], list[Job]]:
        added = await insert_jobs(tx, list(rows.values()))
        others = [record_id for record_id, row in rows.items() if row["id"] not in added]
        if not others:
            return added, []
        active = [status.value for status in ACTIVE_STATUSES]
        # A person's request moves a waiting job to the front, and lifts its cooldown if forced.
        await execute(
            "UPDATE job SET priority = ?, updated_at = ?, forced = (forced OR ?)"
            f" WHERE status = 'pending' AND record_id IN ({marks(others)})",
            [PRIORITY[JobTrigger.MANUAL], moment, force, *others],
            using=tx,
        )
        folded = Job.filter(record_id__in=others, status__in=active).using_db(tx)
        return added, list(await folded.prefetch_related("record", "steps"))

    added, folded = await transaction(body)
    outcome.queued += [job_of(row, by_id[record_id]) for record_id, row in rows.items() if row["id"] in added]
    outcome.folded += folded


def _facts(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "organization_id": record.organization_id,
        "entity_type": record.entity_type.value,
    }
