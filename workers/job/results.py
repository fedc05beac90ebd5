"""Write how many jobs ended with a handful of statements: values, provenance, conflicts, steps and states.

Everything of a batch is written in one transaction, or nothing. The result of a job whose lease was lost is left out;
a job whose record has changed since it was read is not written, and is to be decided again; so is one that would
bring an erased person back, without those values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from enrichment.enums import JobTrigger
from models.db.transaction import Transaction, unit_of_work
from models.job import transitions
from models.job.leases import lock_held
from models.job.queries import take_followed
from models.record.row import lock_records
from resolvers.context import Services
from resolvers.job.new_job import new_job
from workers.job.attempt_end import write_attempts
from workers.job.conflicts import write_conflicts
from workers.job.erased_values import erased_in, note_withheld
from workers.job.log import log_results
from workers.job.process import JobResult
from workers.job.record_changes import write_values


class WriteStatus(StrEnum):
    """What became of a job's result."""

    DONE = "done"
    MOVED = "moved"  # the record has changed: decide again
    ERASED = "erased"  # some values would bring an erased person back: decide again without them
    LOST = "lost"  # the job is another's, or was cancelled


@dataclass(slots=True)
class WriteResult:
    """What a write did with each result, and the ids of the jobs and conflicts that changed, by organization."""

    statuses: list[WriteStatus]
    jobs: dict[str, list[str]] = field(default_factory=dict)
    conflicts: dict[str, list[str]] = field(default_factory=dict)


@unit_of_work
async def write_results(
    tx: Transaction, results: Sequence[JobResult], now: datetime, services: Services
) -> WriteResult:
    """Write these results. No two are of the same record."""
    versions = await lock_records(tx, [result.job.record_id for result in results])
    held = await lock_held(tx, [result.job.lease for result in results])
    batch = WriteResult([_status(result, held, versions) for result in results])
    await _keep_out_erased(tx, services, results, batch)
    done = [result for result, status in zip(results, batch.statuses, strict=True) if status is WriteStatus.DONE]
    if done:
        await write_values(tx, done, now)
        conflicts = await write_conflicts(tx, done, now)
        batch.conflicts = conflicts.by_organization()
        await write_attempts(tx, done, now)
        await log_results(tx, done, conflicts, now)
        for organization_id, job_id in await _follow(tx, done, now):
            batch.jobs.setdefault(organization_id, []).append(job_id)
        await note_withheld(tx, services, done, now)
    for result in done:
        batch.jobs.setdefault(result.job.organization_id, []).append(result.job.id)
    return batch


async def _keep_out_erased(
    tx: Transaction, services: Services, results: Sequence[JobResult], batch: WriteResult
) -> None:
    """Hold back the results that would bring an erased person back, also one who was erased since they were decided."""
    indexes = [index for index, status in enumerate(batch.statuses) if status is WriteStatus.DONE]
    erased = await erased_in(tx, services, [results[index] for index in indexes])
    for index, found in zip(indexes, erased, strict=True):
        if found:
            batch.statuses[index] = WriteStatus.ERASED
        for proposed, erasures in found:
            results[index].job.keep_out(proposed.values, erasures)


def _status(result: JobResult, held: set[str], versions: Mapping[str, int]) -> WriteStatus:
    if result.job.id not in held:
        return WriteStatus.LOST
    if versions.get(result.job.record_id) != result.job.record.version:
        return WriteStatus.MOVED
    return WriteStatus.DONE


async def _follow(tx: Transaction, results: Sequence[JobResult], now: datetime) -> list[tuple[str, str]]:
    """Start the run that a forced request asked for while another one was at work: (organization id, job id) of each.

    What a job was answered it pays for once, so that it cannot ask again itself.
    """
    configs = {result.job.id: result.job.config for result in results if result.status.is_final}
    followed = await take_followed(tx, list(configs)) if configs else []
    jobs = [
        new_job(
            job.organization_id,
            job.record_id,
            job.entity_type,
            JobTrigger.MANUAL,
            configs[job.id],
            now,
            forced=True,
            answers_since=job.answers_since,
        )
        for job in followed
    ]
    started = await transitions.create(tx, jobs) if jobs else set()
    return [(job.organization_id, job.id) for job in jobs if job.id in started]
