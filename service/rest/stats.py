"""`/stats`: what enrichment did in a period."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers import stats
from resolvers.context import Context
from service.http.json import respond
from service.rest.operation import RestOperation, RouteAnswer
from service.rest.parameters import period
from service.rest.query import QueryParameters
from service.rest.shapes import stats as shape
from service.rest.shapes.stats import Stats


async def get_stats(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    start, end = query.moment("from"), query.moment("to")
    query.check()
    return respond(Stats.of(await stats.get_stats(ctx, start, end)))


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/stats",
        handler=get_stats,
        id="getStats",
        tag="Usage",
        summary="Get enrichment statistics",
        description="Of the jobs created in a period: match rate, fill rates, providers, conflicts, days.",
        parameters=period("all time"),
        answer=RouteAnswer(description="Enrichment statistics", shape=Stats, example=shape.EXAMPLE),
    ),
)
