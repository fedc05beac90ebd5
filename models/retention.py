"""What may be forgotten: decision snapshots, and ended jobs that nothing refers to any more, with their steps.

A job stays, however old it is, while it is the latest of its record, wrote a value (which may be undone and explained),
raised a conflict, asked a question whose answer is kept (an erasure finds the answer by the job), runs again when
credits return, or is a refresh that is under way. What changed a value, the ledger and the audit log never go.
"""

from collections.abc import Sequence
from datetime import datetime

from models.db.columns import to_micros
from models.db.rows import fetch, query_row
from models.db.statements import execute, marks

_MAY_GO = (
    "NOT j.short_of_credits AND NOT EXISTS (SELECT 1 FROM field_value v WHERE v.job_id = j.id)"
    " AND NOT EXISTS (SELECT 1 FROM conflict c WHERE c.job_id = j.id)"
    " AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.asked_by = j.id)"
    " AND NOT EXISTS (SELECT 1 FROM refresh_plan p WHERE p.organization_id = j.organization_id AND p.job_id = j.id)"
    " AND EXISTS (SELECT 1 FROM job n WHERE n.record_id = j.record_id AND n.id > j.id)"
)


@query_row
class Outdated:
    """How many rows of a kind would go, and when the oldest and the newest of them were written."""

    rows: int
    oldest: datetime | None
    newest: datetime | None


@query_row
class EndedJob:
    """An ended job, and whether nothing refers to it any more."""

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
        f" WHERE j.organization_id = ? AND j.finished_at < ? AND {_MAY_GO}"
    )
    return (await fetch(Outdated, sql, [organization_id, to_micros(before)]))[0]


async def outdated_steps(organization_id: str, before: datetime) -> Outdated:
    """The steps of those jobs."""
    sql = (
        "SELECT COUNT(*) AS rows, MIN(s.asked_at) AS oldest, MAX(s.asked_at) AS newest FROM job j"
        f" JOIN step s ON s.job_id = j.id WHERE j.organization_id = ? AND j.finished_at < ? AND {_MAY_GO}"
    )
    return (await fetch(Outdated, sql, [organization_id, to_micros(before)]))[0]


async def ended_jobs(
    organization_id: str, before: datetime, *, after: tuple[datetime, str], limit: int
) -> list[EndedJob]:
    """The next jobs that ended before this moment, in order of their end and id, `after` one of them."""
    return await fetch(
        EndedJob,
        f"SELECT j.id, j.finished_at, {_MAY_GO} AS may_go FROM job j WHERE j.organization_id = ? AND j.finished_at < ?"
        " AND (j.finished_at, j.id) > (?, ?) ORDER BY j.finished_at, j.id LIMIT ?",
        [organization_id, to_micros(before), to_micros(after[0]), after[1], limit],
    )


async def delete_jobs(ids: Sequence[str], before: datetime) -> int:
    """Delete these jobs with their steps, but for those that were taken up again. Returns how many."""
    if not ids:
        return 0
    sql = f"DELETE FROM job WHERE id IN ({marks(ids)}) AND finished_at < ?"
    return await execute(sql, [*ids, to_micros(before)])
