"""Write how many jobs ended with a handful of statements: values, provenance, conflicts, steps and states.

Everything of a batch is written in one transaction, or nothing. A job whose lease was lost leaves no trace; one
whose record has changed since it was read is handed back to be decided again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.decide.field import ConflictQuestion, Decision
from enrichment.decide.merge import Candidate
from enrichment.enums import FieldOutcomeReason, JobStatus, JobTrigger
from enrichment.waterfall.planner import refreshes
from models.conflict_queue import raise_conflicts, supersede
from models.db.columns import new_id, to_micros
from models.db.statements import dump, dump_rows, execute, insert_rows, rows
from models.db.transaction import Transaction, unit_of_work
from models.decision_log import insert_hearings
from models.job_claims import lock_held
from models.record.row import RecordUpdate, lock_records, mark_enriched, update_records
from models.record.value import ConfirmedValue, NewValue, replace_values, verify_values
from resolvers.record.change import record_update
from workers.job.process import JobResult


class WriteStatus(StrEnum):
    """What became of an ending."""

    DONE = "done"
    MOVED = "moved"  # the record has changed: decide again
    LOST = "lost"  # the job is another's, or was cancelled


@dataclass(slots=True)
class WriteResult:
    """What a write did: for each ending, and whom to tell of."""

    results: list[WriteStatus]
    jobs: dict[str, list[str]] = field(default_factory=dict)  # by organization
    conflicts: dict[str, list[str]] = field(default_factory=dict)


async def write_results(results: Sequence[JobResult], now: datetime) -> WriteResult:
    """Write these endings. No two are of the same record."""
    moment = to_micros(now)

    async def body(tx: Transaction) -> WriteResult:
        versions = await lock_records(tx, [result.job.record_id for result in results])
        held = await lock_held(tx, [result.job.lease for result in results])
        statuses = [_fate(result, held, versions) for result in results]
        done = [result for result, status in zip(results, statuses, strict=True) if status is WriteStatus.DONE]
        batch = WriteResult(statuses)
        if done:
            await _write_values(tx, done, now)
            await _write_conflicts(tx, done, moment, batch)
            await _write_steps(tx, done, moment)
            await _write_jobs(tx, done, moment)
            await insert_hearings(tx, [_hearing(result, moment) for result in done if result.hearing is not None])
        for result in done:
            batch.jobs.setdefault(result.job.organization_id, []).append(result.job.id)
        return batch

    return await unit_of_work(body)()


def _fate(result: JobResult, held: set[str], versions: Mapping[str, int]) -> WriteStatus:
    if result.job.id not in held:
        return WriteStatus.LOST
    if versions.get(result.job.record_id) != result.job.snapshot.version:
        return WriteStatus.MOVED
    return WriteStatus.DONE


def _fields_after(result: JobResult) -> dict[str, Any]:
    written = {name: decision.write.value for name, decision in result.decisions.items() if decision.write}
    return {**result.job.snapshot.fields, **written}


async def _write_values(tx: Transaction, results: Sequence[JobResult], now: datetime) -> None:
    changes: list[RecordUpdate] = []
    values: list[NewValue] = []
    confirmed: list[ConfirmedValue] = []
    for result in results:
        job = result.job
        writing = {name: decision for name, decision in result.decisions.items() if decision.write}
        values += [_value(result, name, decision, now) for name, decision in writing.items()]
        confirmed += [
            ConfirmedValue(job.record_id, name, decision.verified_at, decision.confidence)
            for name, decision in result.decisions.items()
            if decision.verified_at is not None and decision.confidence is not None
        ]
        if writing:
            fields = _fields_after(result)
            changes.append(
                record_update(job.record_id, job.snapshot.version, job.entity_type, job.snapshot.external_id, fields)
            )
    await update_records(tx, changes, now)
    await replace_values(tx, values, now)
    await verify_values(tx, confirmed, now)
    enriched = [result.job for result in results if result.status in {JobStatus.COMPLETED, JobStatus.PARTIAL}]
    for again in (False, True):
        ids = [job.record_id for job in enriched if refreshes(job.trigger, forced=job.forced) is again]
        await mark_enriched(tx, ids, now, refreshed=again)


def _value(result: JobResult, name: str, decision: Decision, now: datetime) -> NewValue:
    assert decision.write is not None  # the caller picks those that write
    return NewValue(
        id=new_id(),
        organization_id=result.job.organization_id,
        record_id=result.job.record_id,
        field=name,
        value=decision.write.value,
        source=decision.write.provider,
        confidence=decision.write.confidence,
        job_id=result.job.id,
        observed_at=decision.write.observed_at,
        written_at=now,
    )


async def _write_conflicts(tx: Transaction, results: Sequence[JobResult], moment: int, batch: WriteResult) -> None:
    raised = [
        _conflict(result, name, decision.question, moment)
        for result in results
        for name, decision in result.decisions.items()
        if decision.question is not None
    ]
    answered = {FieldOutcomeReason.WRITTEN, FieldOutcomeReason.SAME, FieldOutcomeReason.VERIFIED}
    settled = [
        (result.job.record_id, name)
        for result in results
        for name, decision in result.decisions.items()
        if decision.reason in answered
    ]
    organization_of = {result.job.record_id: result.job.organization_id for result in results}
    for row in await raise_conflicts(tx, raised):
        batch.conflicts.setdefault(organization_of[row["record_id"]], []).append(row["id"])
    for conflict_id, organization_id in (await supersede(tx, settled, moment)).items():
        batch.conflicts.setdefault(organization_id, []).append(conflict_id)


def _conflict(result: JobResult, name: str, question: ConflictQuestion, moment: int) -> dict[str, Any]:
    job = result.job
    candidates = [(new_id(), candidate) for candidate in question.candidates]
    recommended = next((key for key, candidate in candidates if candidate is question.recommended), None)
    current = job.snapshot.current.get(name)
    shown = None
    if current is not None and current.value is not None:
        shown = {
            "value": current.value,
            "source": current.source,
            "confidence": current.confidence,
            "observedAt": _iso(current.observed_at),
        }
    providers = dict.fromkeys(candidate.provider for candidate in question.candidates)
    return {
        "id": new_id(),
        "organization_id": job.organization_id,
        "record_id": job.record_id,
        "job_id": job.id,
        "entity_type": job.entity_type.value,
        "field": name,
        "reason": question.reason.value,
        "current": None if shown is None else dump(shown),
        "candidates": dump([_candidate(key, candidate) for key, candidate in candidates]),
        "providers": f" {' '.join(providers)} ",
        "recommended_id": recommended,
        "recommended_because": question.because,
        "created_at": moment,
        "updated_at": moment,
    }


def _candidate(key: str, candidate: Candidate) -> dict[str, Any]:
    return {
        "id": key,
        "value": candidate.value,
        "provider": candidate.provider,
        "confidence": candidate.confidence,
        "statedConfidence": candidate.stated,
        "observedAt": _iso(candidate.observed_at),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


_STEP = {
    "id": "text",
    "organization_id": "text",
    "job_id": "text",
    "position": "integer",
    "provider": "text",
    "outcome": "text",
    "skipped_reason": "text",
    "detail": "text",
    "latency_ms": "integer",
    "credits_charged": "integer",
    "fields_found": "json",
    "candidates": "json",
    "error_code": "text",
    "error_message": "text",
    "error_retryable": "boolean",
    "asked_at": "integer",
}
_RENEWED = [name for name in _STEP if name not in {"id", "organization_id", "job_id", "provider"}]


async def _write_steps(tx: Transaction, results: Sequence[JobResult], moment: int) -> None:
    steps = [
        {
            **step,
            "id": new_id(),
            "organization_id": result.job.organization_id,
            "job_id": result.job.id,
            "fields_found": dump(step["fields_found"]),
            "candidates": dump(step["candidates"]),
            "asked_at": moment,
        }
        for result in results
        for step in result.steps
    ]
    renewed = ", ".join(f"{name} = excluded.{name}" for name in _RENEWED)
    await insert_rows(tx, "step", _STEP, steps, then=f"ON CONFLICT (job_id, provider) DO UPDATE SET {renewed}")


_ENDED = {
    "id": "text",
    "status": "text",
    "attempts": "integer",
    "progress": "integer",
    "fields_updated": "json",
    "outcomes": "json",
    "filled_before": "json",
    "filled_after": "json",
    "matched": "boolean",
    "credits_used": "integer",
    "short_of_credits": "boolean",
    "error_code": "text",
    "error_message": "text",
    "error_retryable": "boolean",
    "next_attempt_at": "integer",
    "finished_at": "integer",
}


async def _write_jobs(tx: Transaction, results: Sequence[JobResult], moment: int) -> None:
    renewed = ", ".join(f"{name} = v.{name}" for name in _ENDED if name != "id")
    await execute(
        f"UPDATE job SET {renewed}, lease_until = NULL, running_step = NULL, updated_at = ?"
        f" FROM {rows(_ENDED)} WHERE job.id = v.id",
        [moment, dump_rows([_ended(result, moment) for result in results])],
        using=tx,
    )


def _ended(result: JobResult, moment: int) -> dict[str, Any]:
    job = result.job
    before = job.filled_before or _filled(result, job.snapshot.fields)
    updated = dict.fromkeys([*job.fields_updated, *(n for n, d in result.decisions.items() if d.write)])
    waits = result.next_attempt_at
    return {
        "id": job.id,
        "status": result.status.value,
        "attempts": job.attempts if result.counts else job.attempts - 1,
        "progress": 100 if result.status.is_final else job.progress,
        "fields_updated": dump(list(updated)),
        "outcomes": dump(_outcomes(result)),
        "filled_before": dump(before),
        "filled_after": dump(_filled(result, _fields_after(result))),
        "matched": result.matched,
        "credits_used": result.credits_used,
        # A refresh is taken up again by the next one, within its budget.
        "short_of_credits": result.short_of_credits
        and result.status.is_final
        and job.trigger is not JobTrigger.SCHEDULED_REFRESH,
        "error_code": result.error_code,
        "error_message": result.error_message,
        "error_retryable": result.error_retryable,
        "next_attempt_at": None if waits is None else to_micros(waits),
        "finished_at": moment if result.status.is_final else None,
    }


def _hearing(result: JobResult, moment: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": result.job.organization_id,
        "record_id": result.job.record_id,
        "job_id": result.job.id,
        "decided_at": moment,
        "body": result.hearing,
    }


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
        kept = earlier.get(name)
        if kept is not None and decision.reason in _REPEATS.get(kept["reason"], ()):
            shown.append(kept)
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
