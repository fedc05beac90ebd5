"""What may be forgotten: decision snapshots, ended jobs to which nothing refers any more, steps, answers that are over.

A job stays, however old it is, while it is the latest of its record, wrote a value (which may be undone and explained),
raised a conflict, asked a question whose answer is kept (an erasure finds the answer by the job), runs again when
credits return, or is a refresh that is under way. Its steps may go before it, while it is the latest too, but not
where it may be tried again. An answer stays while its job is at work or may be tried again, which never pays twice for
it. What changed a value, the ledger and the audit log never go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.db.columns import to_micros
from models.db.rows import fetch, query_row
from models.db.statements import execute, marks


class OfEndedJobs(StrEnum):
    """What goes of an ended job: itself with its steps, or these alone."""

    JOBS = "jobs"
    STEPS = "steps"


_NOTHING_REFERS = (
    "NOT EXISTS (SELECT 1 FROM field_value v WHERE v.job_id = j.id)"
    " AND NOT EXISTS (SELECT 1 FROM conflict c WHERE c.job_id = j.id)"
    " AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.asked_by = j.id)"
)
_MAY_GO = {
    OfEndedJobs.JOBS: f"NOT j.short_of_credits AND {_NOTHING_REFERS} AND NOT EXISTS (SELECT 1 FROM refresh_plan p"
    " WHERE p.organization_id = j.organization_id AND p.job_id = j.id)"
    " AND EXISTS (SELECT 1 FROM job n WHERE n.record_id = j.record_id AND n.id > j.id)",
    OfEndedJobs.STEPS: f"j.status NOT IN ('failed', 'partial') AND {_NOTHING_REFERS}"
    " AND EXISTS (SELECT 1 FROM step s WHERE s.job_id = j.id)",
}
_ANSWER_IS_OVER = (
    "organization_id = ? AND state IN ('answered', 'maybe_charged') AND expires_at < ?"
    " AND (answered_at IS NULL OR answered_at < ?) AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = answer.asked_by"
    " AND j.status IN ('pending', 'in_progress', 'failed', 'partial'))"
)


@dataclass(frozen=True, slots=True)
class KeepDays:
    """Days for which each kind is kept that may be forgotten. None: for ever."""

    decisions: int = 60
    jobs: int | None = None
    steps: int | None = None
    answers: int | None = None  # once they are over
    events: int = 14
    webhooks: int = 14  # deliveries


@query_row
class Outdated:
    """How many rows of a kind would go, and when the oldest and the newest of them were written."""

    rows: int
    oldest: datetime | None
    newest: datetime | None


@query_row
class EndedJob:
    """An ended job, and whether it, or what is asked of it, may go."""

    id: str
    finished_at: datetime
    may_go: bool


async def outdated_decisions(organization_id: str, before: datetime) -> Outdated:
    """The decision snapshots from before this moment."""
    sql = (
        "SELECT COUNT(*) AS rows, MIN(decided_at) AS oldest, MAX(decided_at) AS newest FROM decision_snapshot"
        " WHERE organization_id = ? AND decided_at < ?"
    )
    return (await fetch(Outdated, sql, [organization_id, to_micros(before)]))[0]


async def outdated_jobs(organization_id: str, before: datetime) -> Outdated:
    """The jobs that ended before this moment and to which nothing refers."""
    sql = (
        "SELECT COUNT(*) AS rows, MIN(j.finished_at) AS oldest, MAX(j.finished_at) AS newest FROM job j"
        f" WHERE j.organization_id = ? AND j.finished_at < ? AND {_MAY_GO[OfEndedJobs.JOBS]}"
    )
    return (await fetch(Outdated, sql, [organization_id, to_micros(before)]))[0]


async def outdated_steps(organization_id: str, before: datetime, of: OfEndedJobs) -> Outdated:
    """The steps that go with the jobs that ended before this moment, or that go alone."""
    sql = (
        "SELECT COUNT(*) AS rows, MIN(s.asked_at) AS oldest, MAX(s.asked_at) AS newest FROM job j"
        f" JOIN step s ON s.job_id = j.id WHERE j.organization_id = ? AND j.finished_at < ? AND {_MAY_GO[of]}"
    )
    return (await fetch(Outdated, sql, [organization_id, to_micros(before)]))[0]


async def outdated_answers(organization_id: str, before: datetime) -> Outdated:
    """The answers that were over before this moment (see `Answer`), of no job that could still use them."""
    sql = (
        "SELECT COUNT(*) AS rows, MIN(COALESCE(answered_at, expires_at)) AS oldest,"
        f" MAX(COALESCE(answered_at, expires_at)) AS newest FROM answer WHERE {_ANSWER_IS_OVER}"
    )
    return (await fetch(Outdated, sql, [organization_id, to_micros(before), to_micros(before)]))[0]


async def delete_answers(organization_id: str, before: datetime, *, limit: int) -> int:
    """Delete so many of them. Returns how many there were."""
    chosen = f"SELECT id FROM answer WHERE {_ANSWER_IS_OVER} ORDER BY expires_at LIMIT ?"
    values = [organization_id, organization_id, to_micros(before), to_micros(before), limit]
    return await execute(f"DELETE FROM answer WHERE organization_id = ? AND id IN ({chosen})", values)


async def ended_jobs(
    organization_id: str, before: datetime, of: OfEndedJobs, *, after: tuple[datetime, str], limit: int
) -> list[EndedJob]:
    """The next jobs that ended before this moment, in order of their end and id, `after` one of them."""
    return await fetch(
        EndedJob,
        f"SELECT j.id, j.finished_at, {_MAY_GO[of]} AS may_go FROM job j"
        " WHERE j.organization_id = ? AND j.finished_at < ?"
        " AND (j.finished_at, j.id) > (?, ?) ORDER BY j.finished_at, j.id LIMIT ?",
        [organization_id, to_micros(before), to_micros(after[0]), after[1], limit],
    )


async def delete_jobs(ids: Sequence[str], before: datetime) -> int:
    """Delete these jobs with their steps, but for those that were taken up again. Returns how many."""
    if not ids:
        return 0
    sql = f"DELETE FROM job WHERE id IN ({marks(ids)}) AND finished_at < ?"
    return await execute(sql, [*ids, to_micros(before)])


async def delete_steps(ids: Sequence[str], before: datetime) -> int:
    """Delete the steps of these jobs, but for those that were taken up again. Returns how many."""
    if not ids:
        return 0
    jobs = f"SELECT id FROM job WHERE id IN ({marks(ids)}) AND finished_at < ?"
    return await execute(f"DELETE FROM step WHERE job_id IN ({jobs})", [*ids, to_micros(before)])
