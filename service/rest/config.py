"""`/config`: the rules of the organization."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers import config as configs
from resolvers.config import ConfigView
from resolvers.context import Context, Role
from service.http.json import respond
from service.http.request import read_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.parameters import IF_MATCH, IF_NONE_MATCH
from service.rest.request import expected_versions, is_known
from service.rest.shapes import config as shape


async def get_config(ctx: Context, request: Request) -> Response:
    view = await configs.get_config(ctx)
    if is_known(request, _tag(view)):
        return Response(status_code=304, headers={"ETag": _tag(view)})
    return _answer(view)


async def update_config(ctx: Context, request: Request) -> Response:
    changes = await read_object(request)
    expected = await _expected_version(ctx, request)
    return _answer(await configs.update_config(ctx, changes, expected_version=expected))


async def _expected_version(ctx: Context, request: Request) -> int | None:
    versions = expected_versions(request)
    if not versions:
        return None
    if len(versions) == 1:
        return versions[0]
    current = (await configs.get_config(ctx)).version
    return current if current in versions else versions[0]


def _answer(view: ConfigView) -> Response:
    return respond(shape.config_json(view), headers={"ETag": _tag(view)})


def _tag(view: ConfigView) -> str:
    return f'"{view.version}"'


_UPDATE_BODY = Body(shape=shape.CONFIG_CHANGES, examples=shape.CHANGES_EXAMPLES)
_UPDATED = RouteAnswer(
    description="Updated enrichment configuration",
    shape=shape.CONFIG,
    example=shape.EXAMPLE,
    headers=("ETag",),
)

OPERATIONS = (
    RestOperation(
        method="GET",
        path="/config",
        handler=get_config,
        id="getConfig",
        tag="Configuration",
        summary="Get auto-enrichment configuration",
        parameters=(IF_NONE_MATCH,),
        answer=RouteAnswer(
            description="Enrichment configuration", shape=shape.CONFIG, example=shape.EXAMPLE, headers=("ETag",)
        ),
    ),
    RestOperation(
        method="PATCH",
        path="/config",
        handler=update_config,
        id="updateConfig",
        tag="Configuration",
        summary="Update auto-enrichment configuration",
        description=(
            "Changes the given keys and leaves the others alone; `{}` changes nothing. Objects are merged"
            " key by key, lists are replaced. What is not valid is refused whole, with every fault named by"
            " its path. With `If-Match`, or a `version` in the body, a version that is no longer current is"
            " refused, so that nothing is overwritten unseen."
        ),
        role=Role.MANAGER,
        parameters=(IF_MATCH,),
        body=_UPDATE_BODY,
        answer=_UPDATED,
        refusals=("VERSION_MISMATCH",),
    ),
    RestOperation(
        method="PUT",
        path="/config",
        handler=update_config,
        id="replaceConfig",
        tag="Configuration",
        summary="Update auto-enrichment configuration (PUT)",
        description="The same as PATCH: an absent key is left alone.",
        role=Role.MANAGER,
        parameters=(IF_MATCH,),
        body=_UPDATE_BODY,
        answer=_UPDATED,
        refusals=("VERSION_MISMATCH",),
    ),
)
