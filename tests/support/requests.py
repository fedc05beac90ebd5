"""Requests as Starlette hands them to a route."""

from starlette.requests import Request
from starlette.types import Message


def request(*, query: str = "", body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/auto-enrichment/config",
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers or []],
        "server": ("test", 80),
        "scheme": "http",
    }
    return Request(scope, receive)
