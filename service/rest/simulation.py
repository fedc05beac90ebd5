"""`/simulate`: what a past period would have led to under other rules."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context, Role
from resolvers.simulation.api import simulate_config
from service.http.json import respond
from service.http.request import read_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.parameters import LIMIT, period
from service.rest.query import DEFAULT_LIMIT, QueryParameters
from service.rest.shapes import config, simulation
from service.rest.shapes.simulation import Simulation


async def simulate(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    start, end, page = query.moment("from"), query.moment("to"), query.page()
    query.check()
    found = await simulate_config(ctx, await read_object(request), start, end)
    return respond(Simulation.of(found, page.first or DEFAULT_LIMIT))


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/simulate",
        handler=simulate,
        id="simulateConfig",
        tag="Configuration",
        summary="Simulate a change of the configuration",
        description=(
            "Takes the decisions of a past period again under the present configuration with the keys of the body laid"
            " over, as `PATCH /config` would. No provider is asked, nothing is written."
        ),
        role=Role.USER,
        parameters=(*period("from the first decision"), LIMIT),
        body=Body(shape=config.CONFIG_CHANGES, examples=config.CHANGES_EXAMPLES),
        answer=RouteAnswer(description="What would be otherwise", shape=Simulation, example=simulation.EXAMPLE),
        refusals=("RATE_LIMITED",),
    ),
)
