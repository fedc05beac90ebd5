"""Which pages of other origins may call the service, what they may send, and what they may read of an answer."""

from collections.abc import Collection, Iterable

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from service.http.middleware import REQUEST_ID
from service.http.request import ORGANIZATION_HEADER
from service.limits.headers import NAMES as RATE_LIMIT_HEADERS
from service.rest.idempotency import HEADER as IDEMPOTENCY_KEY
from service.rest.idempotency import REPLAYED

ANY = "*"
SENT_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    ORGANIZATION_HEADER,
    REQUEST_ID,
    IDEMPOTENCY_KEY,
    "traceparent",
    "tracestate",
    "apollographql-client-name",
    "apollographql-client-version",
    "graphql-client-name",
    "graphql-client-version",
    "X-GraphQL-Event-Stream-Token",
)
READ_HEADERS = (
    "Allow",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    REQUEST_ID,
    REPLAYED,
    *RATE_LIMIT_HEADERS,
)
_KEPT_SECONDS = 600  # for which a browser keeps the answer to a preflight


def cross_origin(origins: Collection[str]) -> Middleware:
    """The layer that answers preflights, and adds to every answer from within it what a page may read."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=SENT_HEADERS,
        expose_headers=READ_HEADERS,
        max_age=_KEPT_SECONDS,
    )


def readable_by_pages(origins: Collection[str], headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers by which a page can read a refusal of a request that has not been understood.

    `headers`: what has been read of the request's. Where its origin is not among them, that of the only page that may
    call is named.
    """
    if not origins:
        return []
    sent = next((value.decode("latin-1") for name, value in headers if name.lower() == b"origin"), None)
    if ANY in origins:
        named = ANY
    elif sent is not None:
        named = sent if sent in origins else ""
    else:
        named = next(iter(origins)) if len(origins) == 1 else ""
    if not named:
        return [(b"vary", b"Origin")]
    readable = ", ".join(READ_HEADERS).encode()
    return [
        (b"access-control-allow-origin", named.encode("latin-1")),
        (b"access-control-expose-headers", readable),
        (b"vary", b"Origin"),
    ]
