"""Answers to requests that came with an idempotency key: the same request again is answered from here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from tortoise import fields
from tortoise.filters import escape_like
from tortoise.models import Model

from models.db.columns import Instant, id_field, to_micros
from models.db.rows import fetch_one, insert, projection, select
from models.db.statements import dump, execute
from models.db.transaction import Transaction


class IdempotentAnswer(Model):
    """One request of one caller. `status` is None while it is under way; `body` is what was answered, as text.

    `request` is the SHA-256 of what was asked, in hexadecimal digits.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    caller = fields.CharField(max_length=255)
    idempotency_key = fields.CharField(max_length=255)
    request = fields.CharField(max_length=64)
    status = fields.IntField(null=True)
    headers = fields.JSONField[dict[str, Any]]()
    body = fields.TextField()
    created_at: datetime = Instant()
    expires_at: datetime = Instant()

    class Meta:
        table = "idempotent_answer"


@projection(IdempotentAnswer)
class KeptAnswer:
    """See IdempotentAnswer."""

    id: str
    organization_id: str
    caller: str
    idempotency_key: str
    request: str
    created_at: datetime
    expires_at: datetime
    headers: Mapping[str, str]
    body: str = ""
    status: int | None = None


async def claim(tx: Transaction, begun: KeptAnswer, *, lost_before: datetime) -> KeptAnswer:
    """The row of this key: `begun`, where there was none, its time was over, or who began it has been lost.

    `lost_before`: a request that is under way since before then has lost its process.
    """
    replaced = ", ".join(
        f"{name} = excluded.{name}"
        for name in ("id", "request", "status", "headers", "body", "created_at", "expires_at")
    )
    over = (
        "idempotent_answer.expires_at <= excluded.created_at OR"
        f" (idempotent_answer.status IS NULL AND idempotent_answer.created_at < {to_micros(lost_before)})"
    )
    then = (
        f"ON CONFLICT (organization_id, caller, idempotency_key) DO UPDATE SET {replaced} WHERE {over}"
        f" RETURNING {select(KeptAnswer)}"
    )
    if await insert(tx, [begun], then=then):
        return begun
    found = await fetch_one(
        KeptAnswer,
        f"SELECT {select(KeptAnswer)} FROM idempotent_answer"
        " WHERE organization_id = ? AND caller = ? AND idempotency_key = ?",
        [begun.organization_id, begun.caller, begun.idempotency_key],
        using=tx,
    )
    assert found is not None  # its row is what the insertion met
    return found


async def keep(organization_id: str, answer_id: str, status: int, headers: Mapping[str, str], body: str) -> None:
    """Keep what a request was answered."""
    await execute(
        "UPDATE idempotent_answer SET status = ?, headers = ?, body = ? WHERE organization_id = ? AND id = ?",
        [status, dump(dict(headers)), body, organization_id, answer_id],
    )


async def forget(organization_id: str, answer_id: str) -> None:
    """Let the key be used anew."""
    await execute("DELETE FROM idempotent_answer WHERE organization_id = ? AND id = ?", [organization_id, answer_id])


async def forget_naming(tx: Transaction, organization_id: str, external_id: str, ids: Sequence[str]) -> int:
    """Remove the answers of an organization that hold a record's external id or one of these ids. Returns how many."""
    texts = [f'"externalId":{orjson.dumps(external_id).decode()}', *ids]
    holds = " OR ".join(["body LIKE ? ESCAPE '\\'"] * len(texts))
    values = [f"%{escape_like(text)}%" for text in texts]
    sql = f"DELETE FROM idempotent_answer WHERE organization_id = ? AND ({holds})"
    return await execute(sql, [organization_id, *values], using=tx)


async def forget_expired(organization_id: str, now: datetime) -> int:
    """Remove the answers of an organization whose time is over. Returns how many."""
    sql = "DELETE FROM idempotent_answer WHERE organization_id = ? AND expires_at <= ?"
    return await execute(sql, [organization_id, to_micros(now)])
