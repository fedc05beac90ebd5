"""Objects as REST shows them: the keys of their GraphQL types, a nested record or job as its ids.

Enums and times stay as they are; `dump` writes them: values in lower case, ISO 8601 in UTC with a `Z`.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response

from enrichment.enums import FieldOutcomeReason, JobStatus
from models.conflict import Conflict
from models.credit.alert import AlertRow
from models.credit.entry import CreditEntry
from models.credit.usage import DailyUsage, UsageSlice
from models.job import Job, Step
from resolvers.config import ConfigView
from resolvers.conflict.trust import stated_confidence
from resolvers.credit.api import CreditUsage
from resolvers.erasure.api import EraseResult
from resolvers.errors import OperationError
from resolvers.pipeline import PipelineView
from resolvers.record.api import UpsertOutcome
from resolvers.record.ingest import RecordOutcome
from resolvers.refresh.freshness import Aging
from resolvers.stats import DayStats, FieldFillRate, ProviderStats, Stats

JsonObject = dict[str, Any]
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def dump(payload: Any) -> bytes:
    """JSON in UTF-8."""
    try:
        return orjson.dumps(payload, option=_OPTIONS)
    except TypeError:
        # A whole number of more than 64 bits, in a field that we keep as it came.
        return json.dumps(payload, default=_plain, ensure_ascii=True).encode()


def _plain(value: Any) -> Any:
    return json.loads(orjson.dumps(value, option=_OPTIONS))


def respond(payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(dump(payload), status, headers, "application/json")


def job_json(job: Job, conflicts: Sequence[Conflict], aging: Aging) -> JsonObject:
    """`job` comes with `record` and `steps` loaded; `conflicts` are those it raised."""
    return {
        "id": job.id,
        "entityType": job.entity_type,
        "recordId": job.record_id,
        "externalId": job.record.external_id,
        "trigger": job.trigger,
        "status": job.status,
        "priority": job.priority,
        "progress": job.progress,
        "runningStep": job.running_step,
        "attempts": job.attempts,
        "maxAttempts": job.max_attempts,
        "forced": job.forced,
        "steps": [step_json(step) for step in job.steps],
        "fieldOutcomes": [outcome_json(outcome) for outcome in job.outcomes],
        "fieldsUpdated": job.fields_updated,
        "fieldsVerified": job.fields_verified,
        "conflicts": [conflict_json(conflict, job.record.external_id, aging) for conflict in conflicts],
        "creditsUsed": job.credits_used,
        "error": error_json(job),
        "requestedBy": job.requested_by,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "finishedAt": job.finished_at,
        "nextAttemptAt": job.next_attempt_at,
        "updatedAt": job.updated_at,
    }


def step_json(step: Step) -> JsonObject:
    return {
        "provider": step.provider,
        "outcome": step.outcome,
        "skippedReason": step.skipped_reason,
        "detail": step.detail,
        "latencyMs": step.latency_ms,
        "creditsCharged": step.credits_charged,
        "fieldsFound": step.fields_found,
        "error": error_json(step),
        "askedAt": step.asked_at,
    }


def error_json(failed: Job | Step) -> JsonObject | None:
    if failed.error_code is None:
        return None
    return {
        "code": failed.error_code,
        "message": failed.error_message or "",
        "retryable": bool(failed.error_retryable),
    }


def outcome_json(outcome: Mapping[str, Any]) -> JsonObject:
    return {key: outcome.get(key) for key in ("field", "reason", "provider", "confidence", "detail")}


def conflict_json(conflict: Conflict, external_id: str, aging: Aging) -> JsonObject:
    candidates = [_candidate_json(candidate) for candidate in conflict.candidates]
    recommended = next((item for item in candidates if item["id"] == conflict.recommended_id), None)
    return {
        "id": conflict.id,
        "jobId": conflict.job_id,
        "recordId": conflict.record_id,
        "externalId": external_id,
        "entityType": conflict.entity_type,
        "field": conflict.field,
        "reason": conflict.reason,
        "status": conflict.status,
        "current": conflict.current and current_json(conflict, conflict.current, aging),
        "candidates": candidates,
        "recommended": recommended,
        "recommendedBecause": conflict.recommended_because,
        "resolution": conflict.resolution and {"rule": None, **conflict.resolution},
        "createdAt": conflict.created_at,
        "updatedAt": conflict.updated_at,
        "resolvedAt": conflict.resolved_at,
        "ageSeconds": conflict.age_seconds(aging.now),
    }


def _candidate_json(candidate: Mapping[str, Any]) -> JsonObject:
    return {**candidate, "statedConfidence": stated_confidence(candidate)}


def current_json(conflict: Conflict, value: Mapping[str, Any], aging: Aging) -> JsonObject:
    """The value when a conflict was raised, with the keys of any field value."""
    observed_at = datetime.fromisoformat(value["observedAt"])
    return {
        "field": conflict.field,
        "value": value.get("value"),
        "source": value["source"],
        "actor": value.get("actor"),
        "confidence": value["confidence"],
        "jobId": value.get("jobId"),
        "observedAt": value["observedAt"],
        "firstObservedAt": value["observedAt"],
        "verifiedAt": None,
        "verifiedCount": 0,
        "freshness": aging.of(conflict.entity_type, conflict.field, observed_at),
        "writtenAt": None,
        "replacedAt": None,
    }


def pipeline_json(pipeline: PipelineView) -> JsonObject:
    return {
        "paused": pipeline.paused,
        "pausedAt": pipeline.paused_at,
        "pausedBy": pipeline.paused_by,
        "reason": pipeline.reason,
        "pending": pipeline.pending,
        "inProgress": pipeline.in_progress,
        "oldestPendingAt": pipeline.oldest_pending_at,
    }


def config_json(view: ConfigView) -> JsonObject:
    return view.as_json()


def credits_json(usage: CreditUsage, entries: Sequence[CreditEntry], alerts: Sequence[AlertRow]) -> JsonObject:
    """`entries` are the newest lines of the ledger, `alerts` those of this month."""
    return {
        "balance": usage.balance,
        "reserved": usage.reserved,
        "used": usage.used,
        "wasted": usage.wasted,
        "maybeCharged": [_slice_json(part) for part in usage.maybe_charged],
        "granted": usage.granted,
        "monthlyLimit": usage.monthly_limit,
        "remaining": usage.remaining,
        "periodStart": usage.period_start,
        "periodEnd": usage.period_end,
        "byProvider": [_slice_json(part) for part in usage.by_provider],
        "byEntityType": [_slice_json(part) for part in usage.by_entity_type],
        "byTrigger": [_slice_json(part) for part in usage.by_trigger],
        "byDay": [_daily_json(day) for day in usage.by_day],
        "projectedExhaustionAt": usage.projected_exhaustion_at,
        "alerts": [_alert_json(alert) for alert in alerts],
        "entries": [entry_json(entry) for entry in entries],
    }


def _alert_json(alert: AlertRow) -> JsonObject:
    return {
        "month": alert.month,
        "threshold": alert.threshold,
        "used": alert.used,
        "most": alert.most,
        "raisedAt": alert.raised_at,
    }


def _slice_json(part: UsageSlice) -> JsonObject:
    return {"key": part.key, "credits": part.credits, "charges": part.charges}


def _daily_json(day: DailyUsage) -> JsonObject:
    return {"day": day.day, "credits": day.credits, "charges": day.charges}


def entry_json(entry: CreditEntry) -> JsonObject:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "amount": entry.amount,
        "reservedChange": entry.reserved_change,
        "jobId": entry.job_id,
        "recordId": entry.record_id,
        "provider": entry.provider,
        "entityType": entry.entity_type,
        "trigger": entry.trigger,
        "note": entry.note,
        "actor": entry.actor,
        "createdAt": entry.created_at,
    }


def stats_json(stats: Stats) -> JsonObject:
    return {
        "records": stats.records,
        "jobsByStatus": [{"status": status, "count": stats.jobs_by_status.get(status, 0)} for status in JobStatus],
        "matchRate": stats.match_rate,
        "fillRateBefore": stats.fill_rate_before,
        "fillRateAfter": stats.fill_rate_after,
        "fillRates": [_fill_rate_json(rate) for rate in stats.fill_rates],
        "providers": [_provider_stats_json(provider) for provider in stats.providers],
        "fieldOutcomes": [
            {"reason": reason, "count": stats.field_outcomes.get(reason, 0)} for reason in FieldOutcomeReason
        ],
        "conflictsOpen": stats.conflicts_open,
        "conflictsResolved": stats.conflicts_resolved,
        "creditsUsed": stats.credits_used,
        "fieldsVerified": stats.fields_verified,
        "byDay": [_day_json(day) for day in stats.by_day],
    }


def _fill_rate_json(rate: FieldFillRate) -> JsonObject:
    return {
        "entityType": rate.entity_type,
        "field": rate.field,
        "before": rate.before,
        "after": rate.after,
        "records": rate.records,
    }


def _provider_stats_json(provider: ProviderStats) -> JsonObject:
    return {
        "provider": provider.provider,
        "asked": provider.asked,
        "matched": provider.matched,
        "noMatch": provider.no_match,
        "errors": provider.errors,
        "skipped": provider.skipped,
        "latencyP50Ms": provider.latency_p50_ms,
        "latencyP95Ms": provider.latency_p95_ms,
        "credits": provider.credits,
    }


def _day_json(day: DayStats) -> JsonObject:
    return {
        "day": day.day,
        "jobs": day.jobs,
        "completed": day.completed,
        "failed": day.failed,
        "fieldsWritten": day.fields_written,
        "fieldsVerified": day.fields_verified,
        "credits": day.credits,
    }


def certificate_json(result: EraseResult) -> JsonObject:
    certificate = result.certificate
    return {
        "id": certificate.id,
        "entityType": certificate.entity_type,
        "reason": certificate.reason,
        "erasedAt": certificate.erased_at,
        "by": certificate.erased_by,
        "removed": certificate.removed,
        "notReached": certificate.not_reached,
        "others": [{"entityType": other.entity_type, "externalId": other.external_id} for other in result.others],
    }


def upserts_json(outcomes: Sequence[UpsertOutcome], sent: Sequence[Any]) -> JsonObject:
    """`sent` are the inputs that the outcomes answer, in order."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return {
        "results": [_upsert_json(outcome, sent[outcome.index]) for outcome in outcomes],
        **{outcome.value: counts[outcome] for outcome in RecordOutcome},
    }


def _upsert_json(outcome: UpsertOutcome, sent: Any) -> JsonObject:
    """`sent` is the input of this outcome: a refused one is recognized by what it called itself."""
    record, job, error = outcome.record, outcome.job, outcome.error
    return {
        "index": outcome.index,
        "outcome": outcome.outcome,
        "recordId": record and record.id,
        "externalId": record.external_id if record else _called(sent, "externalId"),
        "entityType": record.entity_type if record else _called(sent, "entityType"),
        "jobId": job and job.id,
        "folded": outcome.folded,
        "refusedFields": [
            {"field": refused.field, "value": refused.value, "reason": refused.reason}
            for refused in outcome.refused_fields
        ],
        "error": error and _record_error_json(error),
    }


def _called(sent: Any, key: str) -> str | None:
    value = sent.get(key) if isinstance(sent, Mapping) else None
    return str(value) if isinstance(value, str | int) else None


def _record_error_json(error: OperationError) -> JsonObject:
    return {
        "code": error.code,
        "message": error.message,
        "errors": [{"path": fault.path, "message": fault.message} for fault in error.faults],
    }
