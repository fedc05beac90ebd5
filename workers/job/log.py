"""What the log says of a batch of results: one row for each job that ended, by one statement for all.

A job that waits for its next attempt is no event; what it has written or asked by then is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.db.transaction import Transaction
from models.event.kinds import EventKind
from models.event.of_record import ended_by_record
from models.event.write import NewEvent, add_events
from workers.job.conflicts import WrittenConflicts
from workers.job.process import JobResult


async def log_results(
    tx: Transaction, results: Sequence[JobResult], conflicts: WrittenConflicts, now: datetime
) -> None:
    """Add to the log what became of these jobs and their records. No two are of the same record."""
    superseded = ended_by_record(conflicts.changed)
    raised: dict[str, list[str]] = {}
    for conflict in conflicts.changed:
        if conflict.id in conflicts.raised:
            raised.setdefault(conflict.record_id, []).append(conflict.id)
    events: list[NewEvent] = []
    for result in results:
        job = result.job
        data: dict[str, Any] = {"job": job.id}
        if fields := [name for name, decision in result.decisions.items() if decision.write]:
            data["fields"] = fields
        if ids := superseded.get(job.record_id):
            data["superseded"] = ids
        if ids := raised.get(job.record_id):
            data["raised"] = ids
        if result.status.is_final:
            data |= _end(result, fields)
            kind = EventKind.JOB_ENDED
        elif len(data) > 1:
            kind = EventKind.RECORD_ENRICHED
        else:
            continue
        events.append(NewEvent(job.organization_id, now, kind, job.entity_type, job.record_id, data))
    await add_events(tx, events)


def _end(result: JobResult, fields: Sequence[str]) -> dict[str, Any]:
    """How the job ended, whom it asked, and what it wrote in all, where earlier attempts wrote besides."""
    end: dict[str, Any] = {"status": result.status.value}
    if result.replies:
        end["steps"] = [(provider, reply.outcome.value) for provider, reply in result.replies]
    if result.job.fields_updated and (written := {*result.job.fields_updated, *fields}) != {*fields}:
        end["updated"] = sorted(written)
    return end
