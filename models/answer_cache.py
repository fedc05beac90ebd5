"""The statements on kept answers: take a question in hand, keep what was answered, give it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.db.columns import new_id, to_micros
from models.db.statements import dump, dump_rows, execute, insert_rows, load, marks, query, rows
from models.db.transaction import Transaction

Key = tuple[str, str, str]  # organization, provider, input key


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A job that is about to ask a provider. `input_key` is the SHA-256 of what decides the answer.

    `insists`: a person asked for it, also where an earlier call may have been charged.
    """

    organization_id: str
    provider: str
    input_key: str
    job_id: str
    insists: bool = False

    @property
    def key(self) -> Key:
        return self.organization_id, self.provider, self.input_key


class AnswerState(StrEnum):
    """See `models.answer.Answer`."""

    ASKING = "asking"
    ANSWERED = "answered"
    PENDING = "pending"
    MAYBE_CHARGED = "maybe_charged"


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """What is known of a question that is not simply this job's to ask.

    `answered`: `findings` (`{field, value, confidence, observedAt}`) may be reused, since `answered_at`.
    `pending`: the provider answers later; `findings` is what came at once, `due_at` when to ask with `token`.
    `asking`: another job asks just now. `maybe_charged`: a call ended without a reply. `delivered` is what the
    provider has sent by itself, as JSON. Times in microseconds.
    """

    state: AnswerState
    matched: bool
    findings: list[dict[str, Any]]
    detail: str
    answered_at: int | None
    token: str | None
    due_at: int | None
    expires_at: int | None
    reservation_id: str | None
    asked_by: str | None
    input_key: str = ""
    delivered: str | None = None


_KEY = {"organization_id": "text", "provider": "text", "input_key": "text", "job_id": "text"}
_SAME_KEY = (
    "answer.organization_id = v.organization_id AND answer.provider = v.provider AND answer.input_key = v.input_key"
)


def _keys(answer_keys: Sequence[AnswerKey]) -> str:
    return dump_rows(
        [
            {
                "organization_id": answer_key.organization_id,
                "provider": answer_key.provider,
                "input_key": answer_key.input_key,
                "job_id": answer_key.job_id,
            }
            for answer_key in answer_keys
        ]
    )


# What was sent before the job could keep that it waits for it, by a call whose end no worker saw.
_STAYS = "CASE WHEN answer.state = 'asking' AND answer.asked_by = excluded.asked_by THEN answer.{} END"


async def acquire(
    tx: Transaction, answer_keys: Sequence[AnswerKey], now: datetime, until: datetime
) -> tuple[set[AnswerKey], dict[Key, CachedAnswer]]:
    """Which inquiries are theirs to make, holding the question `until` then, and what is known of the others.

    A question that its job holds already, as after a crash, is given to it again; one that may have been charged
    is given only to an insisting job, and none to a job that is gone.
    """
    first = {answer_key.key: answer_key for answer_key in reversed(answer_keys)}
    items = [
        {
            "id": new_id(),
            "organization_id": answer_key.organization_id,
            "provider": answer_key.provider,
            "input_key": answer_key.input_key,
            "state": AnswerState.ASKING.value,
            "detail": "",
            "asked_by": answer_key.job_id,
            "lease_until": to_micros(until),
        }
        for answer_key in sorted(first.values(), key=lambda answer_key: answer_key.key)
    ]
    columns = dict.fromkeys(items[0], "text") | {"lease_until": "integer"}
    insisting = [answer_key.job_id for answer_key in first.values() if answer_key.insists]
    moment = to_micros(now)  # a number, and the ids are our own, so they may stand in the statement itself
    insists = f" OR (answer.state = 'maybe_charged' AND excluded.asked_by IN ({_quoted(insisting)}))"
    mine = await insert_rows(
        tx,
        "answer",
        columns,
        items,
        then="AND EXISTS (SELECT 1 FROM job WHERE job.id = v.asked_by)"
        " ON CONFLICT (organization_id, provider, input_key) DO UPDATE SET state = 'asking', matched = NULL,"
        " findings = NULL, detail = '', answered_at = NULL, expires_at = NULL, asked_by = excluded.asked_by,"
        " reservation_id = NULL, lease_until = excluded.lease_until,"
        f" delivered = {_STAYS.format('delivered')}, delivered_digest = {_STAYS.format('delivered_digest')}"
        f" WHERE (answer.state IN ('answered', 'maybe_charged') AND answer.expires_at <= {moment})"
        f" OR (answer.state = 'asking' AND (answer.lease_until < {moment} OR answer.asked_by = excluded.asked_by))"
        f"{insists if insisting else ''}"
        " RETURNING organization_id, provider, input_key",
    )
    taken = {(row["organization_id"], row["provider"], row["input_key"]) for row in mine}
    others = [answer_key for answer_key in first.values() if answer_key.key not in taken]
    known: list[dict[str, Any]] = []
    if others:
        sql = f"SELECT answer.* FROM answer JOIN {rows(_KEY)} ON {_SAME_KEY}"
        known = await query(sql, [_keys(others)], using=tx)
    return {first[key] for key in taken}, {
        (row["organization_id"], row["provider"], row["input_key"]): _read(row) for row in known
    }


def _quoted(ids: Sequence[str]) -> str:
    return ", ".join(f"'{one}'" for one in ids)


def _read(row: Mapping[str, Any]) -> CachedAnswer:
    return CachedAnswer(
        state=AnswerState(row["state"]),
        matched=bool(row["matched"]),
        findings=load(row["findings"]) or [],
        detail=row["detail"],
        answered_at=row["answered_at"],
        token=row["token"],
        due_at=row["lease_until"],
        expires_at=row["expires_at"],
        reservation_id=row["reservation_id"],
        asked_by=row["asked_by"],
        input_key=row["input_key"],
        delivered=row["delivered"],
    )


async def answered(answer_keys: Sequence[AnswerKey], now: datetime) -> dict[Key, CachedAnswer]:
    """The answers that are kept of these questions. Takes none in hand."""
    sql = f"SELECT answer.* FROM answer JOIN {rows(_KEY)} ON {_SAME_KEY}"
    found = await query(
        f"{sql} WHERE answer.state = 'answered' AND answer.expires_at > ?", [_keys(answer_keys), to_micros(now)]
    )
    return {(row["organization_id"], row["provider"], row["input_key"]): _read(row) for row in found}


async def pending_of(organization_id: str, provider: str, job_id: str) -> CachedAnswer | None:
    """The question of this job that its provider answers later, whatever the record says by now."""
    found = await query(
        "SELECT * FROM answer WHERE asked_by = ? AND organization_id = ? AND provider = ? AND state = 'pending'"
        " ORDER BY id DESC LIMIT 1",
        [job_id, organization_id, provider],
    )
    return _read(found[0]) if found else None


async def promised_to(job_ids: Sequence[str]) -> dict[str, dict[str, bool]]:
    """The providers whose answers these jobs wait for, by job, and whether a part of the answer came at once."""
    promised: dict[str, dict[str, bool]] = {}
    if job_ids:
        awaited = f"state = 'pending' AND asked_by IN ({marks(job_ids)})"
        for row in await query(f"SELECT asked_by, provider, findings FROM answer WHERE {awaited}", list(job_ids)):
            promised.setdefault(row["asked_by"], {})[row["provider"]] = bool(load(row["findings"]))
    return promised


_ASKED = {"provider": "text", "input_key": "text"}


async def known_answers(
    organization_id: str, asked: Sequence[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], CachedAnswer]:
    """What is known of an organization's questions (provider, input key) and has not expired; nothing is taken."""
    if not asked:
        return {}
    items = [{"provider": provider, "input_key": key} for provider, key in sorted(set(asked))]
    found = await query(
        f"SELECT answer.* FROM answer JOIN {rows(_ASKED)} ON answer.organization_id = ?"
        " AND answer.provider = v.provider AND answer.input_key = v.input_key"
        " WHERE answer.expires_at IS NULL OR answer.expires_at > ?",
        [dump_rows(items), organization_id, to_micros(now)],
    )
    return {(row["provider"], row["input_key"]): _read(row) for row in found}


_ANSWER = _KEY | {
    "state": "text",
    "matched": "boolean",
    "findings": "json",
    "detail": "text",
    "reservation_id": "text",
    "token": "text",
    "lease_until": "integer",
    "answered_at": "integer",
    "expires_at": "integer",
}
_CHANGED = ", ".join(f"{name} = v.{name}" for name in _ANSWER if name not in _KEY)
_UNREAD = "CASE WHEN v.state = 'pending' THEN answer.delivered END"


async def store(tx: Transaction, answers: Sequence[Mapping[str, Any]]) -> None:
    """Keep what became of questions that these jobs hold: answered, pending, or maybe charged."""
    if not answers:
        return
    await execute(
        f"UPDATE answer SET {_CHANGED}, delivered = {_UNREAD} FROM {rows(_ANSWER)}"
        f" WHERE {_SAME_KEY} AND answer.asked_by = v.job_id AND answer.state IN ('asking', 'pending')",
        [
            dump_rows(
                [
                    {name: answer.get(name) for name in _ANSWER} | {"findings": dump(answer["findings"])}
                    for answer in answers
                ]
            )
        ],
        using=tx,
    )


async def release(tx: Transaction, answer_keys: Sequence[AnswerKey]) -> None:
    """Let others ask what these jobs held without an answer."""
    if not answer_keys:
        return
    await execute(
        f"DELETE FROM answer WHERE state IN ('asking', 'pending') AND EXISTS (SELECT 1 FROM {rows(_KEY)}"
        f" WHERE {_SAME_KEY} AND answer.asked_by = v.job_id)",
        [_keys(answer_keys)],
        using=tx,
    )


async def forget_questions(tx: Transaction, job_ids: Sequence[str]) -> int:
    """Forget the questions that these jobs have in hand, or wait for. Returns how many."""
    if not job_ids:
        return 0
    return await execute(
        f"DELETE FROM answer WHERE state IN ('asking', 'pending') AND asked_by IN ({marks(job_ids)})",
        list(job_ids),
        using=tx,
    )


async def forget_orphans(before: int) -> int:
    """Forget the questions in hand since before this moment (microseconds) whose job is gone. Returns how many.

    A worker that dies just when its record is erased leaves one: its key is a digest of what it asked with.
    """
    return await execute(
        "DELETE FROM answer WHERE expires_at IS NULL AND state = 'asking' AND lease_until < ?"
        " AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = answer.asked_by)",
        [before],
    )
