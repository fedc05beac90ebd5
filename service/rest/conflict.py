"""`/conflicts`: what waits for a person, and the decision on it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import ConflictStatus, EntityType, ResolutionAction
from enrichment.words import naming
from models.conflict.order import ConflictOrder
from models.conflict.queries import ConflictFilter
from models.conflict.shown import AnyConflict
from resolvers.conflict import api as conflicts
from resolvers.conflict.choice import UNSET, PartResolution, Resolution
from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.refresh.freshness import aging
from resolvers.validation import MAX_NAME
from service.http.json import respond
from service.http.request import read_object, read_optional_object
from service.rest.operation import Body, Parameter, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import CONFLICT_ID, PAGING, choice, one_of
from service.rest.query import QueryParameters
from service.rest.request import refuse_unknown, text_or_none
from service.rest.shapes import conflict as shape
from service.rest.shapes import resolution
from service.rest.shapes.conflict import Conflict


async def list_conflicts(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    entity_types = query.choices("entityType", EntityType)
    status = query.choices("status", ConflictStatus)
    search = query.text("search")
    order = query.choice("orderBy", ConflictOrder, ConflictOrder.CREATED_AT_DESC)
    page = query.page()
    query.check()
    wanted = (ConflictStatus.OPEN,) if status is None else status or tuple(ConflictStatus)
    filtered = ConflictFilter(entity_types=entity_types or (), status=wanted, search=search)
    found = await read_page(conflicts.list_conflicts(ctx, filtered, page, order=order))
    ages, name_of = await aging(ctx), naming(ctx.services.registry.names)
    shown = [Conflict.of(conflict, conflict.record.external_id, ages, name_of) for conflict in found.items]
    return respond_with_page(request, found, shown)


async def get_conflict(ctx: Context, request: Request) -> Response:
    return await _shown(ctx, await conflicts.get_conflict(ctx, request.path_params["id"]))


async def resolve_by_post(ctx: Context, request: Request) -> Response:
    return await _resolve(ctx, request, await read_optional_object(request))


async def resolve_by_put(ctx: Context, request: Request) -> Response:
    return await _resolve(ctx, request, await read_object(request))


async def _resolve(ctx: Context, request: Request, body: dict[str, Any]) -> Response:
    conflict = await conflicts.resolve_conflict(ctx, request.path_params["id"], read_resolution(body))
    return await _shown(ctx, conflict)


async def reopen(ctx: Context, request: Request) -> Response:
    refuse_unknown(await read_optional_object(request), ())
    return await _shown(ctx, await conflicts.reopen_conflict(ctx, request.path_params["id"]))


async def _shown(ctx: Context, conflict: AnyConflict) -> Response:
    name_of = naming(ctx.services.registry.names)
    return respond(Conflict.of(conflict, conflict.record.external_id, await aging(ctx), name_of))


def read_resolution(body: dict[str, Any]) -> Resolution | None:
    """The decision in the body; None, for the recommended one, where it is empty."""
    if not body:
        return None
    refuse_unknown(body, resolution.RESOLUTION_KEYS)
    parts = body.get("parts")
    return Resolution(
        action=_action(body) if parts is None or "action" in body else None,
        candidate_id=text_or_none(body, "candidateId"),
        value=_value(body),
        note=text_or_none(body, "note"),
        parts=None if parts is None else _parts(parts),
    )


def _value(body: dict[str, Any]) -> Any:
    return UNSET if body.get("value") is None else body["value"]


def _parts(parts: Any) -> list[PartResolution]:
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ValidationFailed("parts: must be a list of objects", faults=[Fault("parts", "must be a list of objects")])
    return [_part(part, f"parts[{index}].") for index, part in enumerate(parts)]


def _part(part: dict[str, Any], path: str) -> PartResolution:
    try:
        refuse_unknown(part, resolution.PartDecision.keys_sent())
        field = text_or_none(part, "field")
        if field is None:
            raise ValidationFailed("field: required", faults=[Fault("field", "required")])
        return PartResolution(field, _action(part), text_or_none(part, "candidateId"), _value(part))
    except ValidationFailed as refused:
        faults = [Fault(f"{path}{fault.path}", fault.message) for fault in refused.faults]
        raise ValidationFailed(f"{faults[0].path}: {faults[0].message}", faults=faults) from None


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
        description="Newest first, or as `orderBy` says; without `status` the open ones.",
        parameters=(
            choice("status", ConflictStatus, "Conflicts in which states; default: `open`."),
            choice("entityType", EntityType, "Conflicts of which entity types:"),
            Parameter(
                name="search",
                description="Part of a name, an e-mail, a domain or the external id of the record.",
                schema={"type": "string", "maxLength": MAX_NAME},
                example="acme",
            ),
            one_of("orderBy", ConflictOrder, "In which order.", ConflictOrder.CREATED_AT_DESC),
            *PAGING,
        ),
        answer=RouteAnswer(
            description="List of conflicts",
            shape=list[Conflict],
            example=[shape.EXAMPLE],
            headers=("Link",),
        ),
        refusals=("VALIDATION_FAILED",),
    ),
    RestOperation(
        method="GET",
        path="/conflicts/{id}",
        handler=get_conflict,
        id="getConflict",
        tag="Conflicts",
        summary="Get a conflict",
        parameters=(CONFLICT_ID,),
        answer=RouteAnswer(description="The conflict", shape=Conflict, example=shape.EXAMPLE),
        refusals=("NOT_FOUND",),
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
        body=Body(shape=resolution.RESOLUTION_REQUEST, examples=resolution.REQUEST_EXAMPLES, required=False),
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
        description=(
            "Accept a candidate, keep the current value or set another, an address or an employment also part by part;"
            " `{}`: the recommended."
        ),
        role=Role.USER,
        parameters=(CONFLICT_ID,),
        body=Body(shape=resolution.RESOLUTION_REQUEST, examples=resolution.REQUEST_EXAMPLES),
        answer=_RESOLVED,
        refusals=_REFUSALS,
    ),
    RestOperation(
        method="POST",
        path="/conflicts/{id}/reopen",
        handler=reopen,
        id="reopenConflict",
        tag="Conflicts",
        summary="Take back the decision on a conflict",
        description=(
            "The conflict is open again; values, their provenance and what was remembered of the decision are as"
            " before. Refused, without any change, where something newer was written, asked or decided since."
            " It takes no body; `{}` is as none."
        ),
        role=Role.USER,
        parameters=(CONFLICT_ID,),
        body=Body(shape=resolution.NOTHING_TO_SAY, examples={"nothing": {}}, required=False),
        answer=RouteAnswer(description="Conflict open again", shape=Conflict, example=shape.REOPENED_EXAMPLE),
        refusals=("NOT_FOUND", "CONFLICT_NOT_REOPENABLE", "ERASED"),
    ),
)
