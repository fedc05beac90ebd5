"""What every request passes through: its id, log and metrics, safe headers, problems, a limit on its body."""

import re
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.db.acting import act_for_nobody
from models.db.columns import new_id
from resolvers.errors import PayloadTooLarge
from resolvers.tracing import Tracer, in_no_request, in_request
from service.http.errors import problem_of
from service.http.metrics import Metrics
from service.limits.headers import rate_limit_headers
from service.limits.limits import STATE as LIMITS
from service.logs.paths import logged_path

REQUEST_ID = "X-Request-Id"
_GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_CLIENT_GONE = 499  # nginx's number for a client that did not wait for its answer

# Pages may show only what we serve ourselves; a page that needs more says so itself.
_PAGE_POLICY = (
    b"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'"
)
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_REQUEST_ID, _POLICY, _CACHING = REQUEST_ID.lower().encode(), b"content-security-policy", b"cache-control"

_log = structlog.get_logger("service.requests")


class RequestMiddleware:
    """The outermost layer: every request gets an id and a log line, every answer safe headers."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: Tracer | None) -> None:
        self._app = app
        self._metrics = metrics
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        # A connection may give a request the context of the one before.
        structlog.contextvars.clear_contextvars()
        act_for_nobody()
        in_no_request()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if scope["type"] == "http":
            if self._tracer is None or scope["path"] in PROBES:
                await self._http(scope, receive, send)
            else:
                await self._traced(self._tracer, scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_at = time.perf_counter()
        status = _CLIENT_GONE

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started_at
            self._metrics.answered(scope["method"], _pattern(scope), status, seconds)
            level = "debug" if scope["path"] in PROBES else "info"
            event = {"method": scope["method"], "path": logged_path(scope), "status": status}
            getattr(_log, level)("request", **event, ms=round(seconds * 1000, 1))

    async def _traced(self, tracer: Tracer, scope: Scope, receive: Receive, send: Send) -> None:
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"").decode("latin-1")
        about = {"http.request.method": scope["method"], "request.id": scope["state"]["request_id"]}
        span = tracer.begin("request", "server", about, parent=parent)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.note({"http.response.status_code": message["status"]})
            await send(message)

        try:
            with in_request(span):
                await self._http(scope, receive, answer)
        finally:
            span.note({"http.route": _pattern(scope)})
            span.end(f"{scope['method']} {_pattern(scope)}")

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_at = time.perf_counter()
        code: int | None = None

        async def hear(*_: Any) -> Message:
            nonlocal code
            message = await receive()
            if message["type"] == "websocket.disconnect" and code is None:
                code = message.get("code")
            return message

        async def say(message: Message) -> None:
            nonlocal code
            if message["type"] == "websocket.close":
                code = message.get("code", 1000)
            await send(message)

        self._metrics.sockets.inc()
        try:
            await self._app(scope, hear, say)
        finally:
            self._metrics.sockets.dec()
            seconds = time.perf_counter() - started_at
            _log.info("websocket", path=logged_path(scope), code=code, seconds=round(seconds, 1))


class ProblemMiddleware:
    """Answers every error with a problem. It stands within the layers that add headers, which a refusal needs too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answering = False

        async def answer(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if answering:
                raise  # too late for another answer: the connection must break off
            await problem_of(Request(scope), error)(scope, receive, send)


class TrailingSlash:
    """Serves a path that ends with a slash as the one without. A slash that is part of an id is percent-encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            path: str = scope["path"]
            raw: bytes = scope.get("raw_path") or b""
            if len(path) > 1 and path.endswith("/") and (not raw or raw.endswith(b"/")):
                scope["path"] = path[:-1]
                if raw:
                    scope["raw_path"] = raw[:-1]
        await self._app(scope, receive, send)


class BodyLimitMiddleware:
    """Refuses a body over the limit: at once where its length is given, else as soon as it is over."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = _header(scope, b"content-length")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > self._max_bytes):
            raise self._too_large()
        seen = 0

        async def measured() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, measured, send)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"a request body may have {self._max_bytes} bytes at most", maxBytes=self._max_bytes)


def _request_id(scope: Scope) -> str:
    """The id the caller gave, if it is harmless in a log and a header; else a new one."""
    given = _header(scope, _REQUEST_ID)
    return given if _GOOD_REQUEST_ID.fullmatch(given) else new_id()


def _pattern(scope: Scope) -> str:
    """The route that answered, such as `/v1/auto-enrichment/jobs/{id}`."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "unmatched"


def _add_headers(scope: Scope, message: MutableMapping[str, Any]) -> None:
    """What an answer says already stays."""
    given: list[tuple[bytes, bytes]] = [
        (name, value) for name, value in message.get("headers", ()) if name.lower() != _REQUEST_ID
    ]
    known = {name.lower(): value for name, value in given}
    given.append((_REQUEST_ID, scope["state"]["request_id"].encode("latin-1")))
    given += [header for header in _SAFE_HEADERS if header[0] not in known]
    counted = scope["state"].get(LIMITS)
    if counted:
        given += rate_limit_headers(counted, time.monotonic())
    if _POLICY not in known:
        is_page = known.get(b"content-type", b"").startswith(b"text/html")
        given.append((_POLICY, _PAGE_POLICY if is_page else _DATA_POLICY))
    if _CACHING not in known and not scope["path"].startswith("/static/"):
        given.append((_CACHING, b"no-store"))  # answers are one organization's own
    message["headers"] = given


def _header(scope: Scope, name: bytes) -> str:
    """A header of the request, empty where there is none; the first of several."""
    return next((value.decode("latin-1") for known, value in scope["headers"] if known == name), "")
