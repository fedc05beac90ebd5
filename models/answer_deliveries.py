"""The statements on answers that a provider sends by itself to a question that is pending."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.answer_cache import AnswerKey, AnswerState
from models.db.columns import to_micros
from models.db.statements import execute, marks, query
from models.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that an answer was sent to. `digest`: of what was sent before, if anything was."""

    organization_id: str
    job_id: str
    state: AnswerState
    token: str | None
    digest: str | None


async def find_waiting(provider: str, job_id: str, input_key: str) -> Waiting | None:
    """The question of a job, by the digest of its input key."""
    found = await query(
        "SELECT organization_id, asked_by, state, token, delivered_digest FROM answer"
        " WHERE asked_by = ? AND provider = ? AND input_key = ?",
        [job_id, provider, input_key],
    )
    if not found:
        return None
    row = found[0]
    state = AnswerState(row["state"])
    return Waiting(row["organization_id"], row["asked_by"], state, row["token"], row["delivered_digest"])


async def make_due(tx: Transaction, job_ids: Sequence[str], now: datetime) -> set[str]:
    """Let these jobs go on now, where they wait for later. Returns those that did."""
    moment = to_micros(now)
    due = await query(
        "UPDATE job SET next_attempt_at = ?, updated_at = ? WHERE status = 'pending' AND next_attempt_at > ?"
        f" AND id IN ({marks(job_ids)}) RETURNING id",
        [moment, moment, moment, *job_ids],
        using=tx,
    )
    return {row["id"] for row in due}


async def take_delivery(
    tx: Transaction, waiting: Waiting, provider: str, input_key: str, payload: str, digest: str
) -> bool:
    """Keep what was sent (JSON) until the job reads it. False where the question has moved on since it was read."""
    taken = await query(
        "UPDATE answer SET delivered = ?, delivered_digest = ? WHERE organization_id = ? AND provider = ?"
        " AND input_key = ? AND asked_by = ? AND state = ? AND delivered_digest IS NULL RETURNING id",
        [payload, digest, waiting.organization_id, provider, input_key, waiting.job_id, waiting.state.value],
        using=tx,
    )
    return bool(taken)


async def note_refusal(waiting: Waiting, provider: str, input_key: str, note: str) -> None:
    """Say with a pending question that something was refused that was sent to it."""
    await execute(
        "UPDATE answer SET detail = ? WHERE organization_id = ? AND provider = ? AND input_key = ? AND asked_by = ?"
        " AND state = 'pending'",
        [note, waiting.organization_id, provider, input_key, waiting.job_id],
    )


async def forget_delivery(answer_key: AnswerKey, note: str) -> None:
    """Go on waiting, because what was sent was no answer to the question."""
    await execute(
        "UPDATE answer SET delivered = NULL, delivered_digest = NULL, detail = ? WHERE organization_id = ?"
        " AND provider = ? AND input_key = ? AND asked_by = ? AND state = 'pending'",
        [note, answer_key.organization_id, answer_key.provider, answer_key.input_key, answer_key.job_id],
    )


async def overslept(now: datetime) -> list[str]:
    """Jobs that still wait for an answer that has been sent: it came before they had lain down."""
    found = await query(
        "SELECT job.id FROM answer JOIN job ON job.id = answer.asked_by WHERE answer.state = 'pending'"
        " AND answer.delivered_digest IS NOT NULL AND answer.lease_until > ?"
        " AND job.status = 'pending' AND job.next_attempt_at > ?",
        [to_micros(now), to_micros(now)],
    )
    return [row["id"] for row in found]


async def answers_due(tx: Transaction, job_ids: Sequence[str], now: datetime) -> None:
    """What these jobs wait for has come."""
    await execute(
        "UPDATE answer SET lease_until = ? WHERE state = 'pending' AND delivered_digest IS NOT NULL"
        f" AND asked_by IN ({marks(job_ids)})",
        [to_micros(now), *job_ids],
        using=tx,
    )
