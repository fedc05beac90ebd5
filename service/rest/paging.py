"""A page of a list as a JSON array, with the way to the next one in `Link` (RFC 8288)."""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from msgspec import Raw
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from resolvers.errors import BadRequest, Fault
from resolvers.paging import Page, cursor_of
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


def _next_address(request: Request, cursor: str) -> str:
    # Not `request.url`, which cannot be read where the query is not UTF-8.
    here = URL(scope={**request.scope, "query_string": b""})
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{here}?{urlencode([*kept, ('cursor', cursor)])}"


def respond_with_page(request: Request, page: Page[Any], shown: Sequence[Shape] | Raw) -> Response:
    """The array; where there is more, with the address of the next page and the same query."""
    headers = {}
    if page.has_next:
        headers["Link"] = f'<{_next_address(request, cursor_of(page.items[-1].id, page.of))}>; rel="next"'
    return respond(shown, headers=headers)
