"""`/providers`: the sources of data, and how they do."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers.context import Context
from resolvers.provider import api as providers
from service.http.json import respond
from service.rest.operation import RestOperation, RouteAnswer
from service.rest.shapes import provider as shape
from service.rest.shapes.provider import Provider


async def list_providers(ctx: Context, _: Request) -> Response:
    return respond([Provider.of(view) for view in await providers.list_providers(ctx)])


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/providers",
        handler=list_providers,
        id="listProviders",
        tag="Usage",
        summary="List providers",
        description="Every source of data, in order of priority: what it gives, what it costs, and how it does.",
        answer=RouteAnswer(description="List of providers", shape=list[Provider], example=[shape.EXAMPLE]),
    ),
)
