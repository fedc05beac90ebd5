"""Leases: who works on which job, and for how long.

A claim makes a job `in_progress` until `lease_until` and raises its `fence`; whoever writes later names the
fence it claimed with, so a worker that was thought dead can no longer change anything.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from enrichment.enums import ACTIVE_STATUSES, JobStatus
from models.credit.intent import PENDING_INTENT
from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.locks import lock_rows
from models.db.rows import bulk, projection
from models.db.statements import marks, query
from models.db.transaction import Transaction
from models.job.due import ANY_DUE
from models.job.row import Job
from models.suppression import suppresses

LEASE = timedelta(seconds=15)


@projection(Job)
class Lease:
    """A claimed job: valid while the row still has this fence and is in progress."""

    id: str
    fence: int


@projection(Job)
class LeaseProgress:
    """A claimed job, and how far it is: percent, the provider that is being asked, and the steps that have ended
    (`models.job.steps.so_far`).
    """

    id: str
    fence: int
    progress: int
    running_step: str | None
    steps_so_far: list[dict[str, Any]] | None  # None: those that the job has are shown


async def anything_to_rescue(now: datetime) -> bool:
    """Whether a job is due, has lost its worker, or waits for what has been sent, or a call has ended: one statement.

    An idle service asks this every second and nothing more.
    """
    moment = to_micros(now)
    [found] = await query(
        "SELECT EXISTS (SELECT 1 FROM job WHERE status = 'in_progress' AND lease_until < ?)"
        f" OR {ANY_DUE}"
        " OR EXISTS (SELECT 1 FROM answer JOIN job ON job.id = answer.asked_by WHERE answer.state = 'pending'"
        " AND answer.delivered_digest IS NOT NULL AND answer.due_at > ?"
        " AND job.status = 'pending' AND job.next_attempt_at > ?)"
        " OR EXISTS (SELECT 1 FROM answer WHERE delivered IS NOT NULL AND state <> 'pending')"
        f" OR EXISTS (SELECT 1 FROM call_intent WHERE ends_by < ? AND NOT {PENDING_INTENT}) AS found",
        [moment, "", moment, moment, moment, moment],
    )
    return bool(found["found"])


async def make_due(tx: Transaction, job_ids: Sequence[str], now: datetime) -> set[str]:
    """Let these jobs go on now, where they wait for later. Returns those that did."""
    moment = to_micros(now)
    await lock_rows(tx, "job", job_ids)
    due = await query(
        "UPDATE job SET next_attempt_at = ?, updated_at = ? WHERE status = 'pending' AND next_attempt_at > ?"
        f" AND id IN ({marks(job_ids)}) RETURNING id",
        [moment, moment, moment, *job_ids],
        using=tx,
    )
    return {row["id"] for row in due}


# Of jobs that are named by their ids. A partial index of active jobs does not serve it: by statistics of a time with
# few active jobs PostgreSQL would read all of them there, and compare each with each id.
IN_PROGRESS = "job.status || '' = 'in_progress'"
_VALID = f"job.fence = v.fence AND {IN_PROGRESS}"


async def renew(leases: Sequence[LeaseProgress], now: datetime, until: datetime) -> set[str]:
    """Prolong leases and note how far each job is, and since when. Returns the ids still held.

    A lease of which more than three quarters are left stays as it is: the row's indexes are not written then.

    A job whose result is being written meanwhile is not waited for: it is held, and its lease stays as it is.
    """
    if not leases:
        return set()
    source, parameter = bulk(leases)
    moved = "job.progress <> v.progress OR COALESCE(job.running_step, '') <> COALESCE(v.running_step, '')"
    at = f"CASE WHEN {moved} THEN CAST(? AS BIGINT) ELSE job.updated_at END"
    longer = "CASE WHEN job.lease_until < ? THEN CAST(? AS BIGINT) ELSE job.lease_until END"
    prolonged = [to_micros(until - (until - now) / 4), to_micros(until)]
    if dialect() == "sqlite":
        held = await query(
            f"UPDATE job SET lease_until = {longer}, progress = v.progress, running_step = v.running_step,"
            " steps_so_far = v.steps_so_far,"
            f" updated_at = {at} FROM {source} WHERE job.id = v.id AND {_VALID} RETURNING job.id",
            [*prolonged, to_micros(now), parameter],
        )
    else:
        held = await query(
            f"WITH v AS MATERIALIZED (SELECT * FROM {source}),"
            f" free AS (SELECT job.id FROM v JOIN job ON job.id = v.id WHERE {_VALID}"
            " ORDER BY job.id FOR NO KEY UPDATE OF job SKIP LOCKED),"
            f" renewed AS (UPDATE job SET lease_until = {longer}, progress = v.progress, running_step = v.running_step,"
            " steps_so_far = v.steps_so_far,"
            f" updated_at = {at} FROM v JOIN free ON free.id = v.id WHERE job.id = free.id)"
            f" SELECT job.id FROM v JOIN job ON job.id = v.id WHERE {_VALID}",
            [parameter, *prolonged, to_micros(now)],
        )
    return {row["id"] for row in held}


async def still_held(leases: Sequence[Lease]) -> set[str]:
    """The ids of those leases that hold at this moment."""
    if not leases:
        return set()
    source, parameter = bulk(leases)
    found = await query(f"SELECT job.id FROM {source} JOIN job ON job.id = v.id WHERE {_VALID}", [parameter])
    return {row["id"] for row in found}


async def lock_held(tx: Transaction, leases: Sequence[Lease]) -> set[str]:
    """The ids of those leases that still hold; the rows stay locked until the transaction ends."""
    if not leases:
        return set()
    source, parameter = bulk(leases)
    if dialect() == "sqlite":
        sql = f"UPDATE job SET fence = job.fence FROM {source} WHERE job.id = v.id AND {_VALID} RETURNING job.id"
    else:  # in the order in which everyone locks jobs
        sql = (
            f"SELECT job.id FROM {source} JOIN job ON job.id = v.id WHERE {_VALID}"
            " ORDER BY job.id FOR NO KEY UPDATE OF job"
        )
    return {row["id"] for row in await query(sql, [parameter], using=tx)}


async def lock_states(tx: Transaction, job_ids: Iterable[str]) -> dict[str, JobStatus]:
    """The states of those of the jobs that are there.

    Until the transaction ends nobody can erase their records or change their states.
    """
    found = await lock_rows(tx, "job", job_ids, columns="id, status", strength="SHARE")
    return {row["id"]: JobStatus(row["status"]) for row in found}


async def lock_active(tx: Transaction, job_ids: Iterable[str]) -> set[str]:
    """Those of the jobs that are pending or running; the others cannot start until the transaction ends."""
    locked = await lock_rows(tx, "job", job_ids, columns="id, status")
    return {row["id"] for row in locked if row["status"] in ACTIVE_STATUSES}


async def held_leases(leases: Sequence[Lease]) -> dict[str, bool]:
    """Those of the leases that still hold, by job id, and whether the job's organization suppresses anybody."""
    if not leases:
        return {}
    source, parameter = bulk(leases)
    found = await query(
        f"SELECT job.id, {suppresses('job.organization_id')} AS suppresses FROM {source}"
        f" JOIN job ON job.id = v.id WHERE {_VALID}",
        [parameter],
    )
    return {row["id"]: bool(row["suppresses"]) for row in found}
