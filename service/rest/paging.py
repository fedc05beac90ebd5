"""A page of a list as a JSON array, with the way to the next one in `Link` (RFC 8288)."""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from msgspec import Raw
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from resolvers.errors import BadRequest, Fault
from resolvers.paging import Page, row_cursor
from service.http.json import respond
from service.http.shape import Shape

T = TypeVar("T")


async def read_page(reading: Awaitable[Page[T]]) -> Page[T]:
    """The page, or BadRequest naming `cursor`: operations know it as `after`."""
    try:
        return await reading
    except BadRequest as error:
        if [fault.path for fault in error.faults] != ["after"]:
            raise
        message = error.faults[0].message
        raise BadRequest(f"cursor: {message}", faults=[Fault("cursor", message)]) from error


def next_link(request: Request, name: str, cursor: str) -> str:
    """What `Link` says of the next page: the same query, with this cursor as the parameter that takes it."""
    kept = [(known, value) for known, value in request.query_params.multi_items() if known != name]
    return f'<{_here(request)}?{urlencode([*kept, (name, cursor)])}>; rel="next"'


def _here(request: Request) -> str:
    """The address that was asked, without its query: below PUBLIC_URL, else at the host of the connection."""
    public_url: str | None = request.app.state.public_url
    if public_url is not None:
        raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
        return public_url.rstrip("/") + raw.decode("ascii", "replace").partition("?")[0]
    # Not `request.url`, which cannot be read where the query is not UTF-8.
    return str(URL(scope={**request.scope, "query_string": b""}))


def respond_with_page(request: Request, page: Page[Any], shown: Sequence[Shape] | Raw) -> Response:
    """The array; where there is more, with the address of the next page and the same query."""
    headers = {}
    if page.has_next:
        headers["Link"] = next_link(request, "cursor", row_cursor(page, page.items[-1].id))
    return respond(shown, headers=headers)
