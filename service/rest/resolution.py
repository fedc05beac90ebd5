"""`/resolutions`: decisions on conflicts, which can be taken back."""

from enum import StrEnum
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import ConflictReason, EntityType
from enrichment.words import naming
from models.conflict.queries import ConflictFilter
from resolvers.conflict.api import resolve_conflicts
from resolvers.conflict.take_back_many import undo_resolutions
from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.refresh.freshness import aging
from service.http.json import respond
from service.http.request import read_object
from service.rest.conflict import read_resolution
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.request import member, moment_or_none, refuse_unknown, refused, text_or_none, texts_or_none
from service.rest.shapes import resolving_many
from service.rest.shapes import taking_back as shape
from service.rest.shapes.resolving_many import ResolveConflictsAnswer, ResolveConflictsRequest
from service.rest.shapes.taking_back import ResolvedFilter, UndoResolutionsAnswer, UndoResolutionsRequest

E = TypeVar("E", bound=StrEnum)


async def resolve_many(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, ResolveConflictsRequest.keys_sent())
    ids, decision = texts_or_none(body, "ids"), body.get("resolution")
    if ids is None:
        raise refused("ids", "required")
    if decision is not None and not isinstance(decision, dict):
        raise refused("resolution", "must be an object")
    many = await resolve_conflicts(ctx, ids, read_resolution(decision or {}))
    name_of = naming(ctx.services.registry.names)
    return respond(ResolveConflictsAnswer.of(many, await aging(ctx), name_of))


async def undo(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, UndoResolutionsRequest.keys_sent())
    taken_back = await undo_resolutions(
        ctx, ids=texts_or_none(body, "ids"), wanted=_filter(body), resolution_id=text_or_none(body, "resolutionId")
    )
    name_of = naming(ctx.services.registry.names)
    return respond(UndoResolutionsAnswer.of(taken_back, await aging(ctx), name_of))


def _filter(body: dict[str, Any]) -> ConflictFilter | None:
    """The filter in the body. Raises ValidationFailed with the path of what is wrong in it."""
    sent = body.get("filter")
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise refused("filter", "must be an object")
    try:
        return _read(sent)
    except ValidationFailed as refusal:
        faults = [Fault(f"filter.{fault.path}", fault.message) for fault in refusal.faults]
        raise ValidationFailed(f"{faults[0].path}: {faults[0].message}", faults=faults) from None


def _read(sent: dict[str, Any]) -> ConflictFilter:
    refuse_unknown(sent, ResolvedFilter.keys_sent())
    entity_type = text_or_none(sent, "entityType")
    return ConflictFilter(
        entity_types=() if entity_type is None else (member("entityType", entity_type, EntityType),),
        external_id=text_or_none(sent, "externalId"),
        record_id=text_or_none(sent, "recordId"),
        job_id=text_or_none(sent, "jobId"),
        field=text_or_none(sent, "field"),
        reason=tuple(member("reason", word, ConflictReason) for word in texts_or_none(sent, "reason") or ()),
        provider=text_or_none(sent, "provider"),
        created_after=moment_or_none(sent, "createdAfter"),
        created_before=moment_or_none(sent, "createdBefore"),
    )


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/conflicts/resolve",
        handler=resolve_many,
        id="resolveConflicts",
        tag="Conflicts",
        summary="Resolve many conflicts in the same way",
        description="Each has its own outcome. The whole can be taken back by its `resolutionId`.",
        role=Role.USER,
        body=Body(shape=ResolveConflictsRequest, examples=resolving_many.REQUEST_EXAMPLES),
        answer=RouteAnswer(
            description="The outcome of each", shape=ResolveConflictsAnswer, example=resolving_many.EXAMPLE
        ),
    ),
    RestOperation(
        method="POST",
        path="/resolutions/undo",
        handler=undo,
        id="undoResolutions",
        tag="Conflicts",
        summary="Take back many decisions on conflicts",
        description=(
            "By the ids of the conflicts, by a filter (the latest 1,000), or all of one decision on many by its"
            " `resolutionId`, which ends where it is still at work. Each decision has its own outcome; what was"
            " changed since is left alone."
        ),
        role=Role.USER,
        body=Body(shape=UndoResolutionsRequest, examples=shape.REQUEST_EXAMPLES),
        answer=RouteAnswer(
            description="The outcome of each decision", shape=UndoResolutionsAnswer, example=shape.EXAMPLE
        ),
        refusals=("NOT_FOUND",),
    ),
)
