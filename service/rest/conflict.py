"""`/conflicts`: what waits for a person, and the decision on it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import ConflictStatus, EntityType, ResolutionAction
from models.conflict.queries import ConflictFilter
from resolvers.conflict import api as conflicts
from resolvers.conflict.choice import UNSET, Resolution
from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.refresh.freshness import aging
from service.http.json import respond
from service.http.request import read_object, read_optional_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import CONFLICT_ID, PAGING, choice
from service.rest.query import QueryParameters
from service.rest.request import refuse_unknown, text_or_none
from service.rest.shapes import conflict as shape
from service.rest.shapes.conflict import Conflict


async def list_conflicts(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    entity_types = query.choices("entityType", EntityType)
    status = query.choices("status", ConflictStatus)
    page = query.page()
    query.check()
    wanted = (ConflictStatus.OPEN,) if status is None else status or tuple(ConflictStatus)
    filtered = ConflictFilter(entity_types=entity_types or (), status=wanted)
    found = await read_page(conflicts.list_conflicts(ctx, filtered, page))
    ages = await aging(ctx)
    shown = [Conflict.of(conflict, conflict.record.external_id, ages) for conflict in found.items]
    return respond_with_page(request, found, shown)


async def resolve_by_post(ctx: Context, request: Request) -> Response:
    return await _resolve(ctx, request, await read_optional_object(request))


async def resolve_by_put(ctx: Context, request: Request) -> Response:
    return await _resolve(ctx, request, await read_object(request))


async def _resolve(ctx: Context, request: Request, body: dict[str, Any]) -> Response:
    conflict = await conflicts.resolve_conflict(ctx, request.path_params["id"], _resolution(body))
    return respond(Conflict.of(conflict, conflict.record.external_id, await aging(ctx)))


def _resolution(body: dict[str, Any]) -> Resolution | None:
    """The decision in the body; None, for the recommended one, where it is empty."""
    if not body:
        return None
    refuse_unknown(body, shape.RESOLUTION_KEYS)
    return Resolution(
        action=_action(body),
        candidate_id=text_or_none(body, "candidateId"),
        value=UNSET if body.get("value") is None else body["value"],
        note=text_or_none(body, "note"),
    )


def _action(body: dict[str, Any]) -> ResolutionAction:
    named = text_or_none(body, "action")
    try:
        return ResolutionAction((named or "").strip().lower())
    except ValueError:
        accepted = ", ".join(ResolutionAction)
        message = f"{'required' if named is None else 'unknown'}; accepted are {accepted}"
        raise ValidationFailed(f"action: {message}", faults=[Fault("action", message)]) from None


_RESOLVED = RouteAnswer(description="Conflict resolved", shape=Conflict, example=shape.RESOLVED_EXAMPLE)
_REFUSALS = ("NOT_FOUND", "CONFLICT_ALREADY_RESOLVED")

OPERATIONS = (
    RestOperation(
        method="GET",
        path="/conflicts",
        handler=list_conflicts,
        id="listConflicts",
        tag="Conflicts",
        summary="Get enrichment conflicts needing review",
        description="Newest first; without `status` the open ones.",
        parameters=(
            choice("status", ConflictStatus, "Conflicts in which states; default: `open`."),
            choice("entityType", EntityType, "Conflicts of which entity types:"),
            *PAGING,
        ),
        answer=RouteAnswer(
            description="List of conflicts",
            shape=list[Conflict],
            example=[shape.EXAMPLE],
            headers=("Link",),
        ),
    ),
    RestOperation(
        method="POST",
        path="/conflicts/{id}/resolve",
        handler=resolve_by_post,
        id="resolveConflict",
        tag="Conflicts",
        summary="Resolve an enrichment conflict",
        description=(
            "No body, an empty one or `{}` applies the recommendation; otherwise as PUT. Repeating the"
            " decision that was made is not an error; another one is refused and shows the first."
        ),
        role=Role.USER,
        parameters=(CONFLICT_ID,),
        body=Body(shape=shape.RESOLUTION_REQUEST, examples=shape.REQUEST_EXAMPLES, required=False),
        answer=_RESOLVED,
        refusals=_REFUSALS,
    ),
    RestOperation(
        method="PUT",
        path="/conflicts/{id}/resolve",
        handler=resolve_by_put,
        id="decideConflict",
        tag="Conflicts",
        summary="Resolve an enrichment conflict (PUT)",
        description="Accept a candidate, keep the current value or set another; `{}`: the recommended.",
        role=Role.USER,
        parameters=(CONFLICT_ID,),
        body=Body(shape=shape.RESOLUTION_REQUEST, examples=shape.REQUEST_EXAMPLES),
        answer=_RESOLVED,
        refusals=_REFUSALS,
    ),
)
