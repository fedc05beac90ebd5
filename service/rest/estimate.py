"""`/estimate`: what enriching records would cost, without asking anybody."""

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import EntityType
from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from resolvers.errors import Fault, ValidationFailed
from resolvers.job.enrich import RecordSelection
from service.http.json import respond
from service.http.request import read_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.request import refuse_unknown, text_or_none
from service.rest.shapes import estimate as shape
from service.rest.shapes.estimate import Estimate, EstimateRequest


async def estimate(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, EstimateRequest.keys_sent())
    ids, force = body.get("externalIds"), body.get("force", False)
    if ids is not None and not (isinstance(ids, list) and all(isinstance(item, str) for item in ids)):
        raise _refused("externalIds", "must be a list of texts")
    if not isinstance(force, bool):
        raise _refused("force", "must be true or false")
    selection = RecordSelection(_entity_type(body), external_ids=None if ids is None else tuple(ids))
    try:
        return respond(Estimate.of(await estimate_enrichment(ctx, selection, force=force)))
    except ValidationFailed as refused:  # the body is the selection itself
        faults = [Fault(_in_the_body(fault.path), fault.message) for fault in refused.faults]
        raise ValidationFailed(_in_the_body(refused.message), faults=faults) from None


def _in_the_body(path: str) -> str:
    return path.removeprefix("selection").removeprefix(".")


def _entity_type(body: dict[str, object]) -> EntityType:
    try:
        return EntityType((text_or_none(body, "entityType") or "").strip().lower())
    except ValueError:
        raise _refused("entityType", f"must be one of {', '.join(EntityType)}") from None


def _refused(path: str, message: str) -> ValidationFailed:
    return ValidationFailed(f"{path}: {message}", faults=[Fault(path, message)])


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/estimate",
        handler=estimate,
        id="estimateEnrichment",
        tag="Usage",
        summary="Estimate what enriching records would cost",
        description="Whom a forced or plain request would ask, and the credits. Nobody is asked, nothing is spent.",
        body=Body(shape=EstimateRequest, examples=shape.REQUEST_EXAMPLES),
        answer=RouteAnswer(description="The estimate", shape=Estimate, example=shape.EXAMPLE),
    ),
)
