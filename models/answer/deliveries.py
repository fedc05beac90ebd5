"""The statements on answers that a provider sends by itself to a question that is pending, or whose worker is gone."""

from collections.abc import Sequence
from datetime import datetime

from models.answer.row import Answer, AnswerKey, AnswerState
from models.db.columns import to_micros
from models.db.rows import fetch, fetch_one, projection, select
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction


@projection(Answer)
class DeliveryTarget:
    """A question that an answer was sent to. `delivered_digest`: of what was sent before, if anything was."""

    organization_id: str
    provider: str
    input_key: str
    asked_by: str
    state: AnswerState
    token: str | None
    delivered_digest: str | None


@projection(Answer)
class UnreadDelivery:
    """What was sent (JSON) for a question whose worker will not read it."""

    organization_id: str
    provider: str
    input_key: str
    asked_by: str
    fence: int | None
    delivered: str


_OF_TARGET = "organization_id = ? AND provider = ? AND input_key = ? AND asked_by = ?"


async def find_target(provider: str, job_id: str, input_key: str) -> DeliveryTarget | None:
    """The question of a job, by the digest of its input key."""
    sql = f"SELECT {select(DeliveryTarget)} FROM answer WHERE asked_by = ? AND provider = ? AND input_key = ?"
    return await fetch_one(DeliveryTarget, sql, [job_id, provider, input_key])


async def store_delivery(tx: Transaction, target: DeliveryTarget, payload: str, digest: str) -> bool:
    """Store what was sent (JSON) until the job, or upkeep, reads it.

    False where the question has moved on since it was read.
    """
    stored = await query(
        f"UPDATE answer SET delivered = ?, delivered_digest = ? WHERE {_OF_TARGET} AND state = ?"
        " AND delivered_digest IS NULL RETURNING id",
        [
            payload,
            digest,
            target.organization_id,
            target.provider,
            target.input_key,
            target.asked_by,
            target.state.value,
        ],
        using=tx,
    )
    return bool(stored)


async def note_refusal(target: DeliveryTarget, note: str) -> None:
    """Say with a pending question that something was refused that was sent to it."""
    await execute(
        f"UPDATE answer SET detail = ? WHERE {_OF_TARGET} AND state = 'pending'",
        [note, target.organization_id, target.provider, target.input_key, target.asked_by],
    )


async def discard_delivery(answer_key: AnswerKey, note: str) -> None:
    """Go on waiting, because what was sent was no answer to the question."""
    await execute(
        "UPDATE answer SET delivered = NULL, delivered_digest = NULL, detail = ?"
        f" WHERE {_OF_TARGET} AND state = 'pending'",
        [note, *answer_key.key, answer_key.job_id],
    )


_WORKER_IS_GONE = (
    "answer.delivered IS NOT NULL AND answer.state <> 'pending' AND (answer.state = 'maybe_charged' OR"
    " (answer.state = 'asking' AND COALESCE((SELECT MAX(i.ends_by) FROM call_intent i WHERE i.organization_id ="
    " answer.organization_id AND i.provider = answer.provider AND i.input_key = answer.input_key),"
    " answer.lease_until) < ? AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = answer.asked_by"
    " AND job.fence = answer.fence AND job.status = 'in_progress' AND job.lease_until >= ?)))"
)


async def unread_deliveries(now: datetime, limit: int) -> list[UnreadDelivery]:
    """What was sent for calls that are over, and whose worker has lost the job, or could not say how they ended."""
    moment = to_micros(now)
    return await fetch(
        UnreadDelivery,
        f"SELECT {select(UnreadDelivery, 'answer')} FROM answer WHERE {_WORKER_IS_GONE} ORDER BY asked_by LIMIT ?",
        [moment, moment, limit],
    )


async def forget_delivery(delivery: UnreadDelivery) -> None:
    """Leave the question as it was before something was sent that is no answer to it."""
    await execute(
        f"UPDATE answer SET delivered = NULL, delivered_digest = NULL WHERE {_OF_TARGET} AND state <> 'pending'",
        [delivery.organization_id, delivery.provider, delivery.input_key, delivery.asked_by],
    )


async def drop_delivered(delivery: UnreadDelivery) -> None:
    """Keep no copy of what was sent once it has been read; that it came stays known."""
    await execute(
        f"UPDATE answer SET delivered = NULL WHERE {_OF_TARGET} AND state <> 'pending'",
        [delivery.organization_id, delivery.provider, delivery.input_key, delivery.asked_by],
    )


async def jobs_to_wake(now: datetime) -> list[str]:
    """Jobs that still wait for an answer that has been sent: it came before they had begun to wait."""
    found = await query(
        "SELECT job.id FROM answer JOIN job ON job.id = answer.asked_by WHERE answer.state = 'pending'"
        " AND answer.delivered_digest IS NOT NULL AND answer.due_at > ?"
        " AND job.status = 'pending' AND job.next_attempt_at > ?",
        [to_micros(now), to_micros(now)],
    )
    return [row["id"] for row in found]


async def make_answers_due(tx: Transaction, job_ids: Sequence[str], now: datetime) -> None:
    """Let these jobs read what was sent for them when they run next."""
    await execute(
        "UPDATE answer SET due_at = ? WHERE state = 'pending' AND delivered_digest IS NOT NULL"
        f" AND asked_by IN ({marks(job_ids)})",
        [to_micros(now), *job_ids],
        using=tx,
    )
