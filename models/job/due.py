"""Which pending jobs are due: found by the heads of the index `job_due`, however many jobs wait.

The index has the pending jobs by organization, priority and when they are due. The first of an organization and
priority is the one that is due first, so that one look at each of them tells whether any is: a handful for an
organization, whether it has ten jobs that wait or a million.
"""

from datetime import datetime
from typing import Any

from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.locks import skip_locked
from models.db.statements import query

_FIRST = "ORDER BY j.organization_id, j.priority, j.next_attempt_at, j.id LIMIT 1"
_HEADS = (
    "WITH RECURSIVE head(id) AS (SELECT (SELECT j.id FROM job j WHERE j.status = 'pending' AND j.organization_id > ?"
    f" {_FIRST}) UNION ALL SELECT (SELECT j.id FROM job j WHERE j.status = 'pending'"
    f" AND (j.organization_id, j.priority) > (last.organization_id, last.priority) {_FIRST})"
    " FROM head JOIN job last ON last.id = head.id)"
)
_DUE_HEADS = (
    "FROM head JOIN job j ON j.id = head.id JOIN organization o ON o.id = j.organization_id"
    " WHERE j.next_attempt_at <= ? AND o.paused_at IS NULL"
)
PRIORITIES = 4  # the most that the jobs of one organization have
ANY_DUE = f"EXISTS ({_HEADS} SELECT 1 {_DUE_HEADS})"
"""The condition that a job of any organization is due. Its parameters: an empty text, and the moment."""


async def organizations_with_due_jobs(now: datetime, limit: int, *, after: str = "") -> list[str]:
    """Up to `limit` organizations that have a job to run and are not paused, in order of their ids from `after` on.

    As soon as enough are found the others are not looked at: who asks goes on after the last of them, and begins anew
    where fewer are left.
    """
    found = await query(f"{_HEADS} SELECT o.id {_DUE_HEADS} LIMIT ?", [after, to_micros(now), limit * PRIORITIES])
    return list(dict.fromkeys(row["id"] for row in found))[:limit]


_LEVELS = (
    "level(priority) AS (SELECT (SELECT priority FROM job WHERE organization_id = ? AND status = 'pending'"
    " ORDER BY priority LIMIT 1) UNION ALL SELECT (SELECT j.priority FROM job j WHERE j.organization_id = ?"
    " AND j.status = 'pending' AND j.priority > level.priority ORDER BY j.priority LIMIT 1)"
    " FROM level WHERE level.priority IS NOT NULL)"
)


class DueJobs:
    """The due jobs of one organization as parts of a statement: the lowest `priority` first, then who waits longest.

    PostgreSQL reads each priority by itself, and of it the due jobs alone. In one read of all it would go through those
    that wait for later, too: by the index they stand before the due ones of the next priority.
    """

    def __init__(self, organization_id: str, now: datetime, limit: int) -> None:
        self._values = [organization_id, to_micros(now), limit]
        self._by_level = dialect() != "sqlite"

    @property
    def opening(self) -> tuple[str, list[Any]]:
        """How the statement begins, with the values of its parameters."""
        organization_id = self._values[0]
        return (f"WITH RECURSIVE {_LEVELS}, ", [organization_id] * 2) if self._by_level else ("WITH ", [])

    def first(self, columns: str, condition: str, *, lock: bool) -> tuple[str, list[Any]]:
        """A query of the first due jobs that meet a condition, with its values. With `lock` it passes by those held."""
        if not self._by_level:
            return (
                f"SELECT {columns} FROM job WHERE organization_id = ? AND {condition} AND next_attempt_at <= ?"
                " ORDER BY priority, next_attempt_at, id LIMIT ?"
            ), self._values
        return (
            "SELECT due.* FROM (SELECT priority FROM level WHERE priority IS NOT NULL ORDER BY priority) AS level"
            f" CROSS JOIN LATERAL (SELECT {columns} FROM job WHERE organization_id = ? AND {condition}"
            " AND next_attempt_at <= ? AND priority = level.priority"
            f" ORDER BY next_attempt_at, id LIMIT ? {skip_locked('job') if lock else ''}) AS due"
            " ORDER BY level.priority LIMIT ?"
        ), [*self._values, self._values[-1]]
