"""The least that a Python server can do for a page: one statement, whose JSON PostgreSQL builds, sent as it is."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.filled import ORGANIZATION
from models.db.statements import query

_NEWEST = "(SELECT * FROM job WHERE organization_id = ? ORDER BY id DESC LIMIT 51) AS j"
_GRAPHQL = f"""SELECT json_build_object('data', json_build_object('jobs', json_build_object('nodes', json_agg(
    json_build_object('id', j.id, 'entityType', j.entity_type, 'trigger', j.trigger_kind, 'status', j.status,
    'priority', j.priority, 'progress', j.progress, 'attempts', j.attempts, 'maxAttempts', j.max_attempts,
    'creditsUsed', j.credits_used, 'createdAt', to_timestamp(j.created_at / 1e6), 'startedAt',
    to_timestamp(j.started_at / 1e6), 'finishedAt', to_timestamp(j.finished_at / 1e6), 'record', json_build_object(
    'id', r.id, 'externalId', r.external_id, 'completeness', r.completeness, 'lastEnrichedAt',
    to_timestamp(r.last_enriched_at / 1e6))))))) AS page FROM {_NEWEST} JOIN record AS r ON r.id = j.record_id"""
_REST = f"""SELECT json_agg(json_build_object('id', j.id, 'entityType', j.entity_type, 'recordId', j.record_id,
    'externalId', r.external_id, 'trigger', j.trigger_kind, 'status', j.status, 'priority', j.priority,
    'progress', j.progress, 'runningStep', j.running_step, 'attempts', j.attempts, 'maxAttempts', j.max_attempts,
    'forced', j.forced, 'fieldsUpdated', j.fields_updated, 'fieldOutcomes', j.outcomes, 'creditsUsed', j.credits_used,
    'requestedBy', j.requested_by, 'createdAt', to_timestamp(j.created_at / 1e6), 'startedAt',
    to_timestamp(j.started_at / 1e6), 'finishedAt', to_timestamp(j.finished_at / 1e6), 'updatedAt',
    to_timestamp(j.updated_at / 1e6), 'steps', (SELECT json_agg(json_build_object('provider', s.provider, 'outcome',
    s.outcome, 'skippedReason', s.skipped_reason, 'detail', s.detail, 'latencyMs', s.latency_ms, 'creditsCharged',
    s.credits_charged, 'fieldsFound', s.fields_found, 'error', s.error_code, 'askedAt',
    to_timestamp(s.asked_at / 1e6)) ORDER BY s.position) FROM step AS s WHERE s.job_id = j.id))) AS page
    FROM {_NEWEST} JOIN record AS r ON r.id = j.record_id"""


async def _graphql(_: Request) -> Response:
    return Response((await query(_GRAPHQL, [ORGANIZATION]))[0]["page"], media_type="application/json")


async def _rest(_: Request) -> Response:
    return Response((await query(_REST, [ORGANIZATION]))[0]["page"], media_type="application/json")


ROUTES = [Route("/bare/graphql", _graphql, methods=["GET", "POST"]), Route("/bare/rest", _rest)]
