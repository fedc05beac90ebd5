"""`/credits`: what enrichment cost, and what is left."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context
from resolvers.credit import alerts
from resolvers.credit import api as credits
from resolvers.paging import PageArgs
from service.http.json import respond
from service.rest.operation import RestOperation, RouteAnswer
from service.rest.parameters import period
from service.rest.query import QueryParameters
from service.rest.shapes import credit as shape
from service.rest.shapes.credit import Credits

NEWEST_ENTRIES = 20


async def get_credits(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    start, end = query.moment("from"), query.moment("to")
    query.check()
    usage = await credits.get_credits(ctx, start, end)
    newest = await credits.list_credit_entries(ctx, PageArgs(first=NEWEST_ENTRIES))
    crossed = await alerts.list_alerts(ctx)
    return respond(Credits.of(usage, newest.items, crossed))


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/credits",
        handler=get_credits,
        id="getCredits",
        tag="Usage",
        summary="Get credit usage breakdown",
        description="Balance and limits now; usage of the period by provider, entity type, trigger, day.",
        parameters=period("this calendar month"),
        answer=RouteAnswer(description="Credit usage", shape=Credits, example=shape.EXAMPLE),
    ),
)
