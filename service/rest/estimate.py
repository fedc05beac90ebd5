"""`/estimate`: what enriching records would cost, without asking anybody."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from service.http.json import respond
from service.http.request import read_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.request import flag, refuse_unknown
from service.rest.selection import in_body, read_selection
from service.rest.shapes import estimate as shape
from service.rest.shapes.estimate import Estimate, EstimateRequest


async def estimate(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, EstimateRequest.keys_sent())
    with in_body("selection"):
        selection, force = read_selection(body), flag(body, "force")
        return respond(Estimate.of(await estimate_enrichment(ctx, selection, force=force)))


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/estimate",
        handler=estimate,
        id="estimateEnrichment",
        refusals=("RATE_LIMITED",),
        tag="Usage",
        summary="Estimate what enriching records would cost",
        description="Whom a forced or plain request would ask, and the credits. Nobody is asked, nothing is spent.",
        body=Body(shape=EstimateRequest, examples=shape.REQUEST_EXAMPLES),
        answer=RouteAnswer(description="The estimate", shape=Estimate, example=shape.EXAMPLE),
    ),
)
