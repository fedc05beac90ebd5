"""What the result of an attempt leaves with the job: its end, its steps, and its decision snapshot."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import FieldOutcomeReason, JobStatus, JobTrigger
from enrichment.packed_json import pack
from enrichment.waterfall.reply import Reply
from enrichment.words import NOT_ASKED
from models.db.columns import new_id
from models.db.transaction import Transaction
from models.decision_log import NewSnapshot, insert_snapshots
from models.job import transitions
from models.job.ended_attempt import AttemptEnd
from models.job.steps import NewStep, StepSoFar, so_far, write_steps
from workers.job.candidates import candidate_json
from workers.job.process import Course, JobResult
from workers.job.record_changes import filled_after


async def write_attempts(tx: Transaction, results: Sequence[JobResult], now: datetime) -> None:
    """Write the ends of these attempts, whose leases are locked in the transaction."""
    steps = [
        _step(result, position, provider, reply, now)
        for result in results
        for position, (provider, reply) in enumerate(result.replies, 1)
    ]
    await write_steps(tx, steps, with_steps={result.job.id for result in results if result.job.earlier_steps})
    await transitions.finish(tx, [_end(result, now) for result in results if result.status.is_final], now)
    await transitions.wait(tx, [_end(result, now) for result in results if not result.status.is_final], now)
    snapshots = [_snapshot(result, result.snapshot, now) for result in results if result.snapshot is not None]
    await insert_snapshots(tx, snapshots)


_NEVER_TAKEN_UP = (JobStatus.COMPLETED, JobStatus.SKIPPED)  # a retry takes up the others


def steps_so_far(course: Course) -> list[dict[str, Any]]:
    """What is shown of the questions that have been answered, failed or passed over, before the attempt has ended."""
    replies = enumerate(course.session.replies_by_provider(given=True), 1)
    return so_far(
        StepSoFar(position=position, provider=provider, asked_at=course.job.claimed_at, **_shown(reply))
        for position, (provider, reply) in replies
    )


def _step(result: JobResult, position: int, provider: str, reply: Reply, now: datetime) -> NewStep:
    candidates = [candidate_json(candidate, name) for name, candidate in reply.candidates.items()]
    packed = bool(candidates) and result.status in _NEVER_TAKEN_UP
    return NewStep(
        id=new_id(),
        organization_id=result.job.organization_id,
        job_id=result.job.id,
        position=position,
        provider=provider,
        candidates=[] if packed else candidates,
        packed_candidates=pack(candidates) if packed else None,
        answered_question=reply.answered,
        asked_at=now,
        **_shown(reply),
    )


def _shown(reply: Reply) -> dict[str, Any]:
    """What a step shows of the reply."""
    return {
        "outcome": reply.outcome,
        "skipped_reason": reply.skipped,
        "detail": reply.detail or (NOT_ASKED[reply.skipped] if reply.skipped else ""),
        "latency_ms": reply.latency_ms,
        "credits_charged": reply.credits,
        "fields_found": sorted(reply.candidates),
        "error_code": reply.error.code if reply.error else None,
        "error_message": reply.error.message if reply.error else None,
        "error_retryable": reply.error.retryable if reply.error else None,
    }


def _end(result: JobResult, now: datetime) -> AttemptEnd:
    job = result.job
    written = [name for name, decision in result.decisions.items() if decision.write]
    return AttemptEnd(
        id=job.id,
        fence=job.lease.fence,
        status=result.status,
        attempts=job.attempts if result.counts else job.attempts - 1,
        progress=100 if result.status.is_final else job.progress,
        fields_updated=list(dict.fromkeys([*job.fields_updated, *written])),
        outcomes=_outcomes(result),
        filled_before=job.filled_before or _filled(result, job.record.filled),
        filled_after=_filled(result, filled_after(result)),
        matched=result.matched,
        credits_used=result.credits_used,
        # A refresh is taken up again by the next one, within its budget.
        short_of_credits=result.short_of_credits
        and result.status.is_final
        and job.trigger is not JobTrigger.SCHEDULED_REFRESH,
        error_code=result.error_code,
        error_message=result.error_message,
        error_retryable=result.error_retryable,
        next_attempt_at=result.next_attempt_at,
        finished_at=now if result.status.is_final else None,
    )


def _snapshot(result: JobResult, packed: bytes, now: datetime) -> NewSnapshot:
    return NewSnapshot(
        id=new_id(),
        organization_id=result.job.organization_id,
        record_id=result.job.record_id,
        job_id=result.job.id,
        decided_at=now,
        packed=packed,
    )


def _filled(result: JobResult, fields: Mapping[str, Any]) -> list[str]:
    known = fields_of(result.job.entity_type).values()
    return [field.name for field in known if field.enrichable and fields.get(field.name) is not None]


# What another attempt says of a field that an earlier one wrote, or verified.
_REPEATS = {
    FieldOutcomeReason.WRITTEN: (FieldOutcomeReason.SAME, FieldOutcomeReason.VERIFIED),
    FieldOutcomeReason.VERIFIED: (FieldOutcomeReason.SAME,),
}


def _outcomes(result: JobResult) -> list[dict[str, Any]]:
    """How each field ended. What an earlier attempt of this job wrote or verified stays so."""
    if not result.decisions:
        return list(result.job.earlier_outcomes)  # it ended without asking anybody this time
    earlier = {outcome["field"]: outcome for outcome in result.job.earlier_outcomes}
    shown: list[dict[str, Any]] = []
    for name, decision in result.decisions.items():
        before = earlier.get(name)
        if before is not None and decision.reason in _REPEATS.get(before["reason"], ()):
            shown.append(before)
            continue
        shown.append(
            {
                "field": name,
                "reason": decision.reason.value,
                "provider": decision.provider,
                "confidence": decision.confidence,
                "detail": decision.detail,
            }
        )
    return shown
