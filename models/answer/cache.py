"""The statements on cached answers: lease a question, store what was answered, release it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.answer.row import Answer, AnswerKey, AnswerResult, AnswerState, CachedAnswer, Key
from models.db.columns import new_id, to_micros
from models.db.connection import dialect
from models.db.rows import bulk, columns_of, fetch, insert, projection, select
from models.db.statements import dump, execute, marks, query
from models.db.transaction import Transaction

_AT_ONCE = 1000  # questions in one statement


@projection(Answer)
class _Question:
    organization_id: str
    provider: str
    input_key: str


@projection(Answer)
class _HeldQuestion:
    organization_id: str
    provider: str
    input_key: str
    asked_by: str
    fence: int


@projection(Answer)
class _LeasedQuestion:
    id: str
    organization_id: str
    provider: str
    input_key: str
    state: AnswerState
    detail: str
    asked_by: str
    fence: int
    answers_since: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Acquired:
    """The questions that their jobs hold now, and what is known of the others."""

    held: set[AnswerKey]
    cached: Mapping[Key, CachedAnswer]


_SAME_QUESTION = (
    "answer.organization_id = v.organization_id AND answer.provider = v.provider AND answer.input_key = v.input_key"
)
_LEASED_BEFORE = "COALESCE(answer.fence, 0) <= v.fence"  # a worker that was thought dead changes nothing any more
_CALLED = (
    "EXISTS (SELECT 1 FROM call_intent i WHERE i.organization_id = v.organization_id AND i.provider = v.provider"
    " AND i.input_key = v.input_key)"
)
# What was sent before the job could store that it waits for it, by a call whose end no worker saw.
_STAYS = "CASE WHEN answer.state = 'asking' AND answer.asked_by = excluded.asked_by THEN answer.{} END"


async def acquire(tx: Transaction, answer_keys: Sequence[AnswerKey], now: datetime, until: datetime) -> Acquired:
    """Lease these questions `until` then to the jobs that want to ask them.

    A question that its job holds already, as after a crash, is leased to it again; one that may have been charged
    is leased only to an insisting job, one with an answer only to a job that this is too old for, or to another job
    where it is a part of one, and none to a job that is gone. While a call with the question has not ended nobody
    gets it, also not the job that made the call under an earlier lease. Of several jobs with one question the most
    demanding one gets it.
    """
    chosen: dict[Key, AnswerKey] = {}
    for answer_key in answer_keys:
        other = chosen.get(answer_key.key)
        if other is None or (other.answers_since, other.insists) < (answer_key.answers_since, answer_key.insists):
            chosen[answer_key.key] = answer_key
    questions = [
        _LeasedQuestion(
            new_id(),
            *answer_key.key,
            AnswerState.ASKING,
            "",
            answer_key.job_id,
            answer_key.fence,
            answer_key.answers_since,
            until,
        )
        for answer_key in sorted(chosen.values(), key=lambda answer_key: answer_key.key)
    ]
    insisting = [answer_key.job_id for answer_key in chosen.values() if answer_key.insists]
    moment = to_micros(now)  # a number, and the ids are our own, so they may stand in the statement itself
    insists = f" OR (answer.state = 'maybe_charged' AND excluded.asked_by IN ({_quoted(insisting)}))"
    leased = await insert(
        tx,
        questions,
        then=f"AND EXISTS (SELECT 1 FROM job WHERE job.id = v.asked_by) AND NOT {_CALLED}"
        " ON CONFLICT (organization_id, provider, input_key) DO UPDATE SET state = 'asking', matched = NULL,"
        " opted_out = NULL, is_part = NULL,"
        " findings = NULL, detail = '', answered_at = NULL, expires_at = NULL, asked_by = excluded.asked_by,"
        " fence = excluded.fence,"
        " answers_since = excluded.answers_since, reservation_id = NULL, due_at = NULL,"
        " lease_until = excluded.lease_until,"
        f" delivered = {_STAYS.format('delivered')}, delivered_digest = {_STAYS.format('delivered_digest')}"
        f" WHERE (answer.state = 'maybe_charged' AND answer.expires_at <= {moment})"
        f" OR (answer.state = 'answered' AND COALESCE(answer.asked_by, '') <> excluded.asked_by"
        f" AND CASE WHEN answer.is_part THEN TRUE WHEN answer.opted_out THEN answer.expires_at <= {moment}"
        " ELSE answer.answered_at <= excluded.answers_since"
        f" OR (NOT answer.matched AND answer.expires_at <= {moment}) END)"
        f" OR (answer.state = 'asking' AND (answer.lease_until < {moment} OR answer.asked_by = excluded.asked_by))"
        f"{insists if insisting else ''}"
        " RETURNING organization_id, provider, input_key",
    )
    held = {(row["organization_id"], row["provider"], row["input_key"]) for row in leased}
    others = [key for key in chosen if key not in held]
    cached = await _cached(others, using=tx)
    return Acquired({chosen[key] for key in held}, {answer.key: answer for answer in cached})


def _quoted(ids: Sequence[str]) -> str:
    return ", ".join(f"'{job_id}'" for job_id in ids)


async def _cached(
    keys: Sequence[Key], condition: str = "", values: Sequence[object] = (), *, using: Transaction | None = None
) -> list[CachedAnswer]:
    """What is known of these questions, where the `condition` on the answer holds."""
    if not keys:
        return []
    source, parameter = bulk([_Question(*key) for key in keys])
    where = f" WHERE {condition}" if condition else ""
    sql = f"SELECT {select(CachedAnswer, 'answer')} FROM {source} JOIN answer ON {_SAME_QUESTION}{where}"
    return await fetch(CachedAnswer, sql, [parameter, *values], using=using)


async def answered(answer_keys: Sequence[AnswerKey]) -> dict[Key, CachedAnswer]:
    """The cached answers to these questions, however old. Leases none."""
    keys = [answer_key.key for answer_key in answer_keys]
    return {answer.key: answer for answer in await _cached(keys, "answer.state = 'answered'")}


async def known(organization_id: str, questions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CachedAnswer]:
    """What is known of an organization's questions (provider, input key), however old. Leases none."""
    keys = [(organization_id, provider, key) for provider, key in sorted(set(questions))]
    return {(answer.provider, answer.input_key): answer for answer in await _cached(keys)}


async def every_answer(organization_id: str, questions: Sequence[tuple[str, str]]) -> list[CachedAnswer]:
    """The answers to these questions (provider, input key) that are stored, however old."""
    found: list[CachedAnswer] = []
    for start in range(0, len(questions), _AT_ONCE):
        keys = [(organization_id, provider, key) for provider, key in questions[start : start + _AT_ONCE]]
        found += await _cached(keys, "answer.state = 'answered'")
    return found


async def answered_keys(
    organization_id: str, provider: str, input_keys: Collection[str], answers_since: datetime, now: datetime
) -> set[str]:
    """Those of a provider's questions with a stored answer that serves a job: see AnswerKey."""
    found: set[str] = set()
    wanted = sorted(input_keys)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        rows = await query(
            "SELECT input_key FROM answer WHERE organization_id = ? AND provider = ? AND state = 'answered'"
            " AND is_part IS NOT TRUE"
            " AND CASE WHEN opted_out THEN expires_at > ? ELSE answered_at > ? AND (matched OR expires_at > ?) END"
            f" AND input_key IN ({marks(some)})",
            [organization_id, provider, to_micros(now), to_micros(answers_since), to_micros(now), *some],
        )
        found |= {row["input_key"] for row in rows}
    return found


async def _lock(tx: Transaction, questions: Sequence[_Question]) -> None:
    """Lock what is there of these questions in the order of `acquire`, in which a worker may be just now."""
    if dialect() != "sqlite":
        source, parameter = bulk(questions)
        by_key = ", ".join(f'answer.{name} COLLATE "C"' for name in columns_of(_Question))
        sql = f"SELECT answer.id FROM {source} JOIN answer ON {_SAME_QUESTION} ORDER BY {by_key} FOR UPDATE OF answer"
        await query(sql, [parameter], using=tx)


_RESULT = columns_of(AnswerResult, without=columns_of(_HeldQuestion, without=["fence"]))
_CHANGED = ", ".join(f"{name} = v.{name}" for name in _RESULT)
_UNREAD = "CASE WHEN v.state = 'pending' THEN answer.delivered END"


async def store(tx: Transaction, results: Sequence[AnswerResult]) -> None:
    """Store what became of questions that their jobs hold.

    An answer is stored too that comes after all to a question that may have been charged.
    """
    if not results:
        return
    await _lock(tx, [_Question(result.organization_id, result.provider, result.input_key) for result in results])
    source, parameter = bulk(results)
    await execute(
        f"UPDATE answer SET {_CHANGED}, lease_until = NULL, delivered = {_UNREAD} FROM {source}"
        f" WHERE {_SAME_QUESTION} AND answer.asked_by = v.asked_by AND {_LEASED_BEFORE}"
        " AND (answer.state IN ('asking', 'pending') OR (answer.state = 'maybe_charged' AND v.state = 'answered'))",
        [parameter],
        using=tx,
    )


async def replace_findings(
    tx: Transaction, key: Key, answered_at: datetime, findings: Sequence[Mapping[str, Any]]
) -> None:
    """Keep of the answer that was given then no more than these findings."""
    await execute(
        "UPDATE answer SET findings = ? WHERE organization_id = ? AND provider = ? AND input_key = ?"
        " AND state = 'answered' AND answered_at = ?",
        [dump(list(findings)), *key, to_micros(answered_at)],
        using=tx,
    )


async def release(tx: Transaction, answer_keys: Sequence[AnswerKey]) -> None:
    """Let others ask what these jobs held without an answer."""
    if not answer_keys:
        return
    await _lock(tx, [_Question(*answer_key.key) for answer_key in answer_keys])
    source, parameter = bulk(
        [_HeldQuestion(*answer_key.key, answer_key.job_id, answer_key.fence) for answer_key in answer_keys]
    )
    await execute(
        f"DELETE FROM answer WHERE state IN ('asking', 'pending') AND EXISTS (SELECT 1 FROM {source}"
        f" WHERE {_SAME_QUESTION} AND answer.asked_by = v.asked_by AND {_LEASED_BEFORE})",
        [parameter],
        using=tx,
    )


async def delete_questions(tx: Transaction, job_ids: Sequence[str]) -> int:
    """Forget the questions that these jobs hold, or wait for. Returns how many."""
    if not job_ids:
        return 0
    return await execute(
        f"DELETE FROM answer WHERE state IN ('asking', 'pending') AND asked_by IN ({marks(job_ids)})",
        list(job_ids),
        using=tx,
    )


async def delete_orphans(before: datetime) -> int:
    """Forget the questions leased until before this moment whose job is gone. Returns how many.

    A worker that dies just when its record is erased leaves one: its key is a digest of what it asked with.
    """
    return await execute(
        "DELETE FROM answer WHERE expires_at IS NULL AND state = 'asking' AND lease_until < ?"
        " AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = answer.asked_by)",
        [to_micros(before)],
    )


async def has_answers(organization_id: str, provider: str) -> bool:
    """Whether anything is stored of what this provider was asked."""
    sql = "SELECT 1 AS one FROM answer WHERE organization_id = ? AND provider = ? LIMIT 1"
    return bool(await query(sql, [organization_id, provider]))
