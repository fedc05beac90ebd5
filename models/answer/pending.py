"""The statements on answers that come later: which jobs wait for them, and those that nobody waits for any more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.answer.row import Answer, CachedAnswer
from models.db.columns import to_micros
from models.db.rows import fetch, projection, select
from models.db.statements import execute, load, marks, query
from models.db.transaction import Transaction


@projection(Answer)
class AbandonedAnswer:
    """A pending answer whose job has ended, and whose wait is over."""

    id: str
    organization_id: str
    provider: str
    findings: list[dict[str, Any]] | None
    reservation_id: str | None
    asked_by: str


async def pending_of(job_ids: Sequence[str]) -> dict[tuple[str, str], CachedAnswer]:
    """The questions of these jobs that their providers answer later, whatever the records say by now.

    By job and provider; of several the latest.
    """
    if not job_ids:
        return {}
    sql = f"SELECT {select(CachedAnswer)} FROM answer WHERE asked_by IN ({marks(job_ids)}) AND state = 'pending'"
    found = await fetch(CachedAnswer, f"{sql} ORDER BY id", list(job_ids))
    return {(answer.asked_by or "", answer.provider): answer for answer in found}


async def promised_to(job_ids: Sequence[str]) -> dict[str, dict[str, bool]]:
    """The providers whose answers these jobs wait for, by job, and whether a part of the answer came at once."""
    promised: dict[str, dict[str, bool]] = {}
    if job_ids:
        awaited = f"state = 'pending' AND asked_by IN ({marks(job_ids)})"
        for row in await query(f"SELECT asked_by, provider, findings FROM answer WHERE {awaited}", list(job_ids)):
            promised.setdefault(row["asked_by"], {})[row["provider"]] = bool(load(row["findings"]))
    return promised


async def abandoned_answers(before: datetime, limit: int) -> list[AbandonedAnswer]:
    """The pending answers whose wait was over before this moment, and whose job has ended."""
    return await fetch(
        AbandonedAnswer,
        f"SELECT {select(AbandonedAnswer)} FROM answer WHERE state = 'pending' AND expires_at < ? AND NOT EXISTS"
        " (SELECT 1 FROM job WHERE job.id = answer.asked_by AND job.status IN ('pending', 'in_progress'))"
        " ORDER BY id LIMIT ?",
        [to_micros(before), limit],
    )


async def delete_pending(tx: Transaction, answer_id: str) -> None:
    """Forget a pending answer that never came."""
    await execute("DELETE FROM answer WHERE id = ? AND state = 'pending'", [answer_id], using=tx)


async def end_pending(tx: Transaction, answer_id: str, now: datetime, expires_at: datetime) -> None:
    """Make what came at once of a pending answer the whole answer. `expires_at`: see Answer."""
    await execute(
        "UPDATE answer SET state = 'answered', matched = TRUE, answered_at = ?, expires_at = ?, token = NULL,"
        " reservation_id = NULL, due_at = NULL, lease_until = NULL, delivered = NULL"
        " WHERE id = ? AND state = 'pending'",
        [to_micros(now), to_micros(expires_at), answer_id],
        using=tx,
    )
