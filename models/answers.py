"""The statements on kept answers: take a question in hand, keep what was answered, give it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from models.database import dump, dump_rows, execute, insert_rows, load, query, rows
from models.fields import new_id, to_micros

Key = tuple[str, str, str]  # organization, provider, input key


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A job that is about to ask a provider. `input_key` is the SHA-256 of what decides the answer."""

    organization_id: str
    provider: str
    input_key: str
    job_id: str

    @property
    def key(self) -> Key:
        return self.organization_id, self.provider, self.input_key


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that may be reused. `findings` are `{field, value, confidence, observedAt}`."""

    matched: bool
    findings: list[dict[str, Any]]
    detail: str
    answered_at: int


_KEY = {"organization_id": "text", "provider": "text", "input_key": "text", "job_id": "text"}
_SAME_KEY = (
    "answer.organization_id = v.organization_id AND answer.provider = v.provider AND answer.input_key = v.input_key"
)


def _keys(inquiries: Sequence[Inquiry]) -> str:
    return dump_rows(
        [
            {
                "organization_id": inquiry.organization_id,
                "provider": inquiry.provider,
                "input_key": inquiry.input_key,
                "job_id": inquiry.job_id,
            }
            for inquiry in inquiries
        ]
    )


async def take(
    tx: BaseDBAsyncClient, inquiries: Sequence[Inquiry], now: datetime, until: datetime
) -> tuple[set[Inquiry], dict[Key, Kept]]:
    """Which inquiries are theirs to make, holding the question `until` then, and which are answered already.

    The others are in another job's hand: ask again a little later. A question that its job already holds, as
    after a crash, is given to it again.
    """
    first = {inquiry.key: inquiry for inquiry in reversed(inquiries)}
    items = [
        {
            "id": new_id(),
            "organization_id": inquiry.organization_id,
            "provider": inquiry.provider,
            "input_key": inquiry.input_key,
            "state": "asking",
            "detail": "",
            "asked_by": inquiry.job_id,
            "lease_until": to_micros(until),
        }
        for inquiry in sorted(first.values(), key=lambda inquiry: inquiry.key)
    ]
    columns = dict.fromkeys(items[0], "text") | {"lease_until": "integer"}
    moment = to_micros(now)  # a number, so it may stand in the statement itself
    mine = await insert_rows(
        tx,
        "answer",
        columns,
        items,
        then="ON CONFLICT (organization_id, provider, input_key) DO UPDATE SET state = 'asking', matched = NULL,"
        " findings = NULL, detail = '', answered_at = NULL, expires_at = NULL, asked_by = excluded.asked_by,"
        " lease_until = excluded.lease_until"
        f" WHERE (answer.state = 'answered' AND answer.expires_at <= {moment})"
        f" OR (answer.state = 'asking' AND (answer.lease_until < {moment} OR answer.asked_by = excluded.asked_by))"
        " RETURNING organization_id, provider, input_key",
    )
    taken = {(row["organization_id"], row["provider"], row["input_key"]) for row in mine}
    known = await query(
        "SELECT answer.organization_id, answer.provider, answer.input_key, answer.matched, answer.findings,"
        f" answer.detail, answer.answered_at FROM answer JOIN {rows(_KEY)} ON {_SAME_KEY}"
        " WHERE answer.state = 'answered'",
        [_keys([inquiry for inquiry in first.values() if inquiry.key not in taken])],
        using=tx,
    )
    kept = {
        (row["organization_id"], row["provider"], row["input_key"]): Kept(
            bool(row["matched"]), load(row["findings"]) or [], row["detail"], row["answered_at"]
        )
        for row in known
    }
    return {first[key] for key in taken}, kept


async def keep(tx: BaseDBAsyncClient, answers: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was answered to questions that these jobs hold."""
    if not answers:
        return
    columns = _KEY | {
        "matched": "boolean",
        "findings": "json",
        "detail": "text",
        "answered_at": "integer",
        "expires_at": "integer",
    }
    await execute(
        "UPDATE answer SET state = 'answered', matched = v.matched, findings = v.findings, detail = v.detail,"
        " answered_at = v.answered_at, expires_at = v.expires_at, lease_until = NULL"
        f" FROM {rows(columns)} WHERE {_SAME_KEY} AND answer.asked_by = v.job_id AND answer.state = 'asking'",
        [dump_rows([{**answer, "findings": dump(answer["findings"])} for answer in answers])],
        using=tx,
    )


async def give_up(tx: BaseDBAsyncClient, inquiries: Sequence[Inquiry]) -> None:
    """Let others ask what these jobs held without an answer."""
    if not inquiries:
        return
    await execute(
        f"DELETE FROM answer WHERE state = 'asking' AND EXISTS (SELECT 1 FROM {rows(_KEY)}"
        f" WHERE {_SAME_KEY} AND answer.asked_by = v.job_id)",
        [_keys(inquiries)],
        using=tx,
    )
