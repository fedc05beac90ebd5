"""Who may work on which job: claims by a lease with a fencing token, and what becomes of lost ones.

A claim makes a job `in_progress` until `lease_until` and raises its `fence`; whoever writes later names the
fence it claimed with, so a worker that was thought dead can no longer change anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.statements import dump_rows, execute, insert_rows, marks, query, row_lock, rows
from models.db.transaction import Transaction
from models.suppression_list import SUPPRESSES

LEASE = timedelta(seconds=15)

_JOB = {
    "id": "text",
    "organization_id": "text",
    "record_id": "text",
    "entity_type": "text",
    "trigger_kind": "text",
    "status": "text",
    "priority": "integer",
    "max_attempts": "integer",
    "forced": "boolean",
    "budget_id": "text",
    "next_attempt_at": "integer",
    "fields_updated": "json",
    "outcomes": "json",
    "filled_before": "json",
    "filled_after": "json",
    "requested_by": "text",
    "created_at": "integer",
    "updated_at": "integer",
}


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed job: valid while the row still has this fence and is in progress."""

    job_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class LostJob:
    """A job whose worker vanished."""

    job_id: str
    organization_id: str
    failed: bool  # it had no attempt left


async def insert_jobs(tx: Transaction, jobs: Sequence[Mapping[str, Any]]) -> set[str]:
    """Add pending jobs; one whose record has an active job already, or is gone, is left out. Returns the ids added."""
    empty = dict.fromkeys(("fields_updated", "outcomes", "filled_before", "filled_after"), "[]")
    # A record that is being erased is waited for, and then is not there.
    lock = "" if dialect() == "sqlite" else " FOR KEY SHARE"
    there = f"EXISTS (SELECT 1 FROM record WHERE record.id = v.record_id{lock})"
    then = f"AND {there} ON CONFLICT DO NOTHING RETURNING id"
    added = await insert_rows(tx, "job", _JOB, [{**empty, "status": "pending", **job} for job in jobs], then=then)
    return {row["id"] for row in added}


async def organizations_with_due_jobs(now: datetime, limit: int) -> list[str]:
    """Some organizations, in random order, that have a job to run and are not paused."""
    found = await query(
        "SELECT o.id FROM organization o WHERE o.paused_at IS NULL AND EXISTS (SELECT 1 FROM job j"
        " WHERE j.organization_id = o.id AND j.status = 'pending' AND j.next_attempt_at <= ?)"
        " ORDER BY random() LIMIT ?",
        [to_micros(now), limit],
    )
    return [row["id"] for row in found]


async def claim(organization_id: str, now: datetime, limit: int, lease: timedelta = LEASE) -> list[dict[str, Any]]:
    """Take up to `limit` due jobs of one organization, unless it is paused. Returns their rows."""
    moment = to_micros(now)
    return await query(
        "UPDATE job SET status = 'in_progress', fence = fence + 1, attempts = attempts + 1, lease_until = ?,"
        " next_attempt_at = NULL, started_at = COALESCE(started_at, ?), updated_at = ?"
        " WHERE id IN (SELECT id FROM job WHERE organization_id = ? AND status = 'pending'"
        " AND next_attempt_at <= ? AND EXISTS"
        " (SELECT 1 FROM organization o WHERE o.id = job.organization_id AND o.paused_at IS NULL)"
        f" ORDER BY priority, next_attempt_at, id LIMIT ? {_job_lock()})"
        " RETURNING *",
        [moment + lease // timedelta(microseconds=1), moment, moment, organization_id, moment, limit],
    )


def _job_lock() -> str:
    lock = row_lock()
    return lock and lock.replace("FOR UPDATE", "FOR UPDATE OF job")


async def renew(leases: Sequence[Lease], until: datetime, progress: Mapping[str, tuple[int, str | None]]) -> set[str]:
    """Prolong leases and note how far each job is (percent, running step). Returns the ids still held."""
    items = [
        {
            "id": lease.job_id,
            "fence": lease.fence,
            "percent": progress.get(lease.job_id, (0, None))[0],
            "step": progress.get(lease.job_id, (0, None))[1],
        }
        for lease in leases
    ]
    columns = {"id": "text", "fence": "integer", "percent": "integer", "step": "text"}
    held = await query(
        "UPDATE job SET lease_until = ?, progress = v.percent, running_step = v.step"
        f" FROM {rows(columns)} WHERE job.id = v.id AND job.fence = v.fence AND job.status = 'in_progress'"
        " RETURNING job.id",
        [to_micros(until), dump_rows(items)],
    )
    return {row["id"] for row in held}


async def lock_held(tx: Transaction, leases: Sequence[Lease]) -> set[str]:
    """Which of these leases still hold; the rows stay locked until the transaction ends."""
    held = await query(
        f"UPDATE job SET fence = job.fence FROM {rows({'id': 'text', 'fence': 'integer'})}"
        " WHERE job.id = v.id AND job.fence = v.fence AND job.status = 'in_progress' RETURNING job.id",
        [dump_rows([{"id": lease.job_id, "fence": lease.fence} for lease in leases])],
        using=tx,
    )
    return {row["id"] for row in held}


async def hold_jobs(tx: Transaction, job_ids: Iterable[str]) -> set[str]:
    """Those of the jobs that are there; until the transaction ends nobody can erase their records."""
    ids = sorted(set(job_ids))
    if not ids:
        return set()
    if dialect() == "sqlite":
        sql = f"UPDATE job SET fence = fence WHERE id IN ({marks(ids)}) RETURNING id"
    else:
        sql = f"SELECT id FROM job WHERE id IN ({marks(ids)}) ORDER BY id FOR KEY SHARE"
    return {row["id"] for row in await query(sql, ids, using=tx)}


async def held_leases(leases: Sequence[Lease]) -> dict[str, bool]:
    """Those of the leases that still hold, by job id, and whether the job's organization suppresses anybody."""
    suppresses = SUPPRESSES.format(column="job.organization_id")
    found = await query(
        f"SELECT job.id, {suppresses} AS suppresses FROM {rows({'id': 'text', 'fence': 'integer'})}"
        " JOIN job ON job.id = v.id AND job.fence = v.fence WHERE job.status = 'in_progress'",
        [dump_rows([{"id": lease.job_id, "fence": lease.fence} for lease in leases])],
    )
    return {row["id"]: bool(row["suppresses"]) for row in found}


async def release_leases(leases: Sequence[Lease], now: datetime) -> int:
    """Return jobs that were claimed and not worked on; the attempt does not count."""
    if not leases:
        return 0
    return await execute(
        "UPDATE job SET status = 'pending', lease_until = NULL, next_attempt_at = ?, updated_at = ?,"
        " attempts = attempts - 1, progress = 0, running_step = NULL"
        f" FROM {rows({'id': 'text', 'fence': 'integer'})}"
        " WHERE job.id = v.id AND job.fence = v.fence AND job.status = 'in_progress'",
        [
            to_micros(now),
            to_micros(now),
            dump_rows([{"id": lease.job_id, "fence": lease.fence} for lease in leases]),
        ],
    )


async def requeue_lost(tx: Transaction, now: datetime) -> list[LostJob]:
    """Make jobs whose lease ran out pending again, or failed where no attempt is left."""
    moment = to_micros(now)
    lost = await query(
        "UPDATE job SET lease_until = NULL, progress = 0, running_step = NULL, updated_at = ?,"
        " status = CASE WHEN attempts < max_attempts THEN 'pending' ELSE 'failed' END,"
        " next_attempt_at = CASE WHEN attempts < max_attempts THEN CAST(? AS BIGINT) END,"
        " finished_at = CASE WHEN attempts < max_attempts THEN NULL ELSE CAST(? AS BIGINT) END,"
        " error_code = 'worker_lost', error_message = 'the worker stopped before the job ended',"
        " error_retryable = TRUE"
        " WHERE status = 'in_progress' AND lease_until < ? RETURNING id, organization_id, status",
        [moment, moment, moment, moment],
        using=tx,
    )
    return [LostJob(row["id"], row["organization_id"], row["status"] == "failed") for row in lost]
