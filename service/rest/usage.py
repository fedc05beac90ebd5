"""`/stats` and `/credits`: what enrichment did and what it cost."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers import stats
from resolvers.context import Context
from resolvers.credit import alerts
from resolvers.credit import api as credits
from resolvers.paging import PageArgs
from service.rest.examples import CREDITS, STATS
from service.rest.operation import RestOperation, RouteAnswer
from service.rest.parameters import period
from service.rest.query import QueryParameters
from service.rest.schemas.build import ref
from service.rest.serialize import credits_json, respond, stats_json

NEWEST_ENTRIES = 20


async def get_stats(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    start, end = query.moment("from"), query.moment("to")
    query.check()
    return respond(stats_json(await stats.get_stats(ctx, start, end)))


async def get_credits(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    start, end = query.moment("from"), query.moment("to")
    query.check()
    usage = await credits.get_credits(ctx, start, end)
    newest = await credits.list_credit_entries(ctx, PageArgs(first=NEWEST_ENTRIES))
    crossed = await alerts.list_alerts(ctx)
    return respond(credits_json(usage, newest.items, crossed))


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
        answer=RouteAnswer(description="Enrichment statistics", schema=ref("Stats"), example=STATS),
    ),
    RestOperation(
        method="GET",
        path="/credits",
        handler=get_credits,
        id="getCredits",
        tag="Usage",
        summary="Get credit usage breakdown",
        description="Balance and limits now; usage of the period by provider, entity type, trigger, day.",
        parameters=period("this calendar month"),
        answer=RouteAnswer(description="Credit usage", schema=ref("Credits"), example=CREDITS),
    ),
)
