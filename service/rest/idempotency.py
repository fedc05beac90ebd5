"""`Idempotency-Key` on every POST of REST: the same request again is answered as the first time, and done once."""

from collections.abc import Awaitable, Callable, Collection
from hashlib import sha256

import orjson
from starlette.requests import Request
from starlette.responses import Response

from resolvers import idempotency
from resolvers.context import Context
from resolvers.idempotency import FirstAnswer
from service.http.errors import problem_of
from service.http.json import dump

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("content-type", "etag", "location")


async def answer_once(
    ctx: Context, request: Request, answer: Callable[[], Awaitable[Response]], *, shown_once: Collection[str] = ()
) -> Response:
    """The answer, or that of the same request before, in which the keys `shown_once` are null.

    Raises as `idempotency.begin` does.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return await answer()
    begun = await idempotency.begin(ctx, key, await _fingerprint(request))
    if isinstance(begun, FirstAnswer):
        return Response(begun.body, begun.status, {**begun.headers, REPLAYED: "true"})
    try:
        response = await answer()
    except Exception as error:  # what is refused is an answer too
        response = problem_of(request, error)
    headers = {name: value for name in _KEPT_HEADERS if (value := response.headers.get(name)) is not None}
    text = _without(bytes(response.body), shown_once if response.status_code < 300 else ())
    await idempotency.end(ctx, begun, FirstAnswer(response.status_code, headers, text))
    return response


def _without(body: bytes, keys: Collection[str]) -> str:
    return dump(orjson.loads(body) | dict.fromkeys(keys)).decode() if keys else body.decode()


async def _fingerprint(request: Request) -> str:
    asked = sha256(f"{request.method} {request.scope['path']}?".encode())
    asked.update(request.scope.get("query_string", b""))
    asked.update(b"\n")
    asked.update(await request.body())
    return asked.hexdigest()
