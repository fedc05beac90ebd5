"""The steps of jobs: one for each provider within a job, renewed with every attempt."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from enrichment.enums import ACTIVE_STATUSES, AnsweredQuestion, StepOutcome
from enrichment.packed_json import unpack
from models.db.copying import add_rows
from models.db.distribute import unique_target
from models.db.rows import columns_of, encode, fetch, insert, projection, select
from models.db.statements import execute, load, marks
from models.db.transaction import Transaction
from models.job.row import Step


@projection(Step)
class NewStep:
    """One provider's part in an attempt. `candidates` are JSON objects as `workers.job.candidates` writes them.

    They are in `packed_candidates` instead where no attempt follows, which an earlier version might take up.
    """

    id: str
    organization_id: str
    job_id: str
    position: int
    provider: str
    outcome: StepOutcome
    skipped_reason: str | None
    detail: str
    latency_ms: int | None
    credits_charged: int
    fields_found: list[str]
    candidates: list[dict[str, Any]]
    packed_candidates: bytes | None
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    answered_question: AnsweredQuestion | None
    asked_at: datetime


@projection(Step)
class StepSoFar:
    """What is shown of a step that has ended in an attempt that has not."""

    position: int
    provider: str
    outcome: StepOutcome
    skipped_reason: str | None
    detail: str
    latency_ms: int | None
    credits_charged: int
    fields_found: list[str]
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    asked_at: datetime


@projection(Step)
class EarlierStep:
    """What the attempts before had of one provider."""

    job_id: str
    provider: str
    outcome: StepOutcome
    skipped_reason: str | None
    detail: str
    latency_ms: int | None
    credits_charged: int
    candidates: list[dict[str, Any]]
    packed_candidates: bytes | None
    answered_question: AnsweredQuestion | None


@projection(Step)
class StatedCandidates:
    """What a provider stated in a job, and when it was asked: `{field, value, confidence, statedConfidence,
    observedAt}` each.
    """

    job_id: str
    provider: str
    candidates: list[dict[str, Any]]
    packed_candidates: bytes | None
    asked_at: datetime


_Stored = TypeVar("_Stored", EarlierStep, StatedCandidates)
_ACTIVE = ", ".join(f"'{status}'" for status in sorted(ACTIVE_STATUSES))
_RENEWED = columns_of(NewStep, without=("id", "organization_id", "job_id", "provider"))


def so_far(steps: Iterable[StepSoFar]) -> list[dict[str, Any]]:
    """These steps for `Job.steps_so_far`: objects of their columns."""
    return [{**step, "fields_found": load(step["fields_found"])} for step in encode(steps)]


async def write_steps(tx: Transaction, steps: Sequence[NewStep], *, with_steps: Collection[str]) -> None:
    """Add steps, or renew those that their jobs have of the same providers.

    `with_steps`: the ids of the jobs that have any. Of most jobs all steps are new, which takes less.
    """
    await add_rows(tx, [step for step in steps if step.job_id not in with_steps])
    renewed = ", ".join(f"{name} = excluded.{name}" for name in _RENEWED)
    await insert(
        tx,
        [step for step in steps if step.job_id in with_steps],
        then=f"ON CONFLICT ({unique_target('job_id, provider')}) DO UPDATE SET {renewed}",
    )


async def steps_of(job_ids: Sequence[str]) -> dict[str, list[EarlierStep]]:
    """The steps of these jobs, in order of their position, by job."""
    found: dict[str, list[EarlierStep]] = {}
    if job_ids:
        sql = f"SELECT {select(EarlierStep)} FROM step WHERE job_id IN ({marks(job_ids)}) ORDER BY position"
        for step in _unpacked(await fetch(EarlierStep, sql, list(job_ids))):
            found.setdefault(step.job_id, []).append(step)
    return found


async def candidates_of_jobs(tx: Transaction, job_ids: Sequence[str]) -> list[StatedCandidates]:
    """What each provider stated in these jobs."""
    if not job_ids:
        return []
    sql = f"SELECT {select(StatedCandidates)} FROM step WHERE job_id IN ({marks(job_ids)})"
    return _unpacked(await fetch(StatedCandidates, sql, list(job_ids), using=tx))


async def candidates_of_record(record_id: str, *, since_job: str) -> list[StatedCandidates]:
    """What each provider stated in a record's jobs, from this one on, the latest first."""
    sql = (
        f"SELECT {select(StatedCandidates, 'step')} FROM step JOIN job ON job.id = step.job_id"
        " WHERE job.record_id = ? AND job.id >= ? ORDER BY step.asked_at DESC, step.position"
    )
    return _unpacked(await fetch(StatedCandidates, sql, [record_id, since_job]))


async def every_candidate(record_id: str) -> list[dict[str, Any]]:
    """The candidates that providers stated in all jobs of a record, written or not."""
    sql = f"SELECT {select(StatedCandidates)} FROM step WHERE job_id IN (SELECT id FROM job WHERE record_id = ?)"
    steps = _unpacked(await fetch(StatedCandidates, sql, [record_id]))
    return [candidate for step in steps for candidate in step.candidates]


def _unpacked(steps: Sequence[_Stored]) -> list[_Stored]:
    """These steps with their candidates, however they are stored."""
    return [
        step
        if step.packed_candidates is None
        else replace(step, candidates=unpack(step.packed_candidates), packed_candidates=None)
        for step in steps
    ]


async def add_credits(tx: Transaction, job_id: str, provider: str, credits: int) -> None:
    """Show credits that were charged after the attempt with the job and its step."""
    await execute("UPDATE job SET credits_used = credits_used + ? WHERE id = ?", [credits, job_id], using=tx)
    await execute(
        "UPDATE step SET credits_charged = credits_charged + ? WHERE job_id = ? AND provider = ?",
        [credits, job_id, provider],
        using=tx,
    )


async def note_cost_of_ended(tx: Transaction, job_ids: Sequence[str]) -> None:
    """Let those of these jobs that have ended show all that was charged for them."""
    await execute(
        "UPDATE job SET credits_used = (SELECT COALESCE(SUM(-amount), 0) FROM credit_entry WHERE kind = 'charge'"
        f" AND job_id = job.id) WHERE status NOT IN ({_ACTIVE}) AND id IN ({marks(job_ids)})",
        list(job_ids),
        using=tx,
    )
