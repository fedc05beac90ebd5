"""What the results of jobs change of records: values with their provenance."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from enrichment.decide.belief import decay_of
from enrichment.decide.decision import Decision
from enrichment.enums import JobStatus
from enrichment.record_state import Unreadable, with_unreadable
from enrichment.waterfall.planner import refreshes
from models.db.columns import new_id
from models.db.transaction import Transaction
from models.record.row import RecordUpdate, mark_enriched, update_records
from models.record.value import ConfirmedValue, NewValue, replace_values, verify_values
from resolvers.record.change import record_update
from workers.job.load import ClaimedJob
from workers.job.process import JobResult


def fields_after(result: JobResult) -> dict[str, Any]:
    """The record's fields once the result is written."""
    written = {name: decision.write.value for name, decision in result.decisions.items() if decision.write}
    return {**result.job.record.state.fields, **written}


def filled_after(result: JobResult) -> dict[str, Any]:
    """As `fields_after`, with what cannot be read: that fills its field too."""
    return with_unreadable(fields_after(result), _unreadable_after(result))


def _unreadable_after(result: JobResult) -> dict[str, Unreadable]:
    written = {name for name, decision in result.decisions.items() if decision.write}
    return {name: text for name, text in result.job.record.unreadable.items() if name not in written}


async def write_values(tx: Transaction, results: Sequence[JobResult], now: datetime) -> None:
    """Write the values decided on, with their provenance, and note when records were enriched."""
    changes: list[RecordUpdate] = []
    values: list[NewValue] = []
    confirmed: list[ConfirmedValue] = []
    unchanged: dict[bool, list[str]] = {
        False: [],
        True: [],
    }  # enriched without a new value, by whether it was a refresh
    for result in results:
        job = result.job
        writing = {name: decision for name, decision in result.decisions.items() if decision.write}
        values += [_value(result, name, decision, now) for name, decision in writing.items()]
        confirmed += [
            _confirmed(job, name, decision.verified_at, decision.confidence)
            for name, decision in result.decisions.items()
            if decision.verified_at is not None and decision.confidence is not None
        ]
        if writing:
            changes.append(_change(result, now))
        elif _enriches(result):
            unchanged[_refreshes(job)].append(job.record_id)
    await update_records(tx, changes, now)
    await replace_values(tx, values, now)
    await verify_values(tx, confirmed, now)
    for refreshed, record_ids in unchanged.items():
        await mark_enriched(tx, record_ids, now, refreshed=refreshed)


def _change(result: JobResult, now: datetime) -> RecordUpdate:
    job, record = result.job, result.job.record
    change = record_update(
        job.record_id,
        record.version,
        job.entity_type,
        record.external_id,
        fields_after(result),
        _unreadable_after(result),
    )
    enriches = _enriches(result)
    return replace(
        change,
        last_enriched_at=now if enriches else None,
        refreshed_at=now if enriches and _refreshes(job) else None,
    )


def _enriches(result: JobResult) -> bool:
    return result.status in {JobStatus.COMPLETED, JobStatus.PARTIAL}


def _refreshes(job: ClaimedJob) -> bool:
    return refreshes(job.trigger, forced=job.forced)


def _confirmed(job: ClaimedJob, name: str, observed_at: datetime, confidence: float) -> ConfirmedValue:
    decay = decay_of(job.entity_type, name, job.claimed_at, job.half_lives)
    after = decay.confirmed(job.record.state.current[name], confidence, observed_at)
    return ConfirmedValue(job.record_id, name, observed_at, after)


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
