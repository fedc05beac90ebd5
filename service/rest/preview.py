"""`/preview`: what enriching records would write, from kept answers alone."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context, Role
from resolvers.cost.preview import preview_enrichment
from service.http.json import respond
from service.http.request import read_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.parameters import LIMIT
from service.rest.query import DEFAULT_LIMIT, QueryParameters
from service.rest.request import flag, refuse_unknown
from service.rest.selection import in_body, read_selection
from service.rest.shapes import preview as shape
from service.rest.shapes.preview import EnrichmentPreview, PreviewRequest


async def preview(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    page = query.page()
    query.check()
    body = await read_object(request)
    refuse_unknown(body, PreviewRequest.keys_sent())
    with in_body("selection"):
        found = await preview_enrichment(ctx, read_selection(body), force=flag(body, "force"))
    return respond(EnrichmentPreview.of(found, page.first or DEFAULT_LIMIT))


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/preview",
        handler=preview,
        id="previewEnrichment",
        refusals=("RATE_LIMITED",),
        tag="Records",
        summary="Preview the enrichment of records",
        description="What enriching them would write now, from kept answers alone. Nobody is asked, nothing is spent.",
        role=Role.USER,
        parameters=(LIMIT,),
        body=Body(shape=PreviewRequest, examples=shape.REQUEST_EXAMPLES),
        answer=RouteAnswer(description="The preview", shape=EnrichmentPreview, example=shape.EXAMPLE),
    ),
)
