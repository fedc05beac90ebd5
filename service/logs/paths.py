"""Paths as they may be logged: without values of a caller."""

import re
from typing import Any

from starlette.types import Scope

LONGEST = 300
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KNOWN = ("/v1/auto-enrichment", "/v1", "/graphql")  # what routes begin with; the longest first


def logged_path(scope: Scope) -> str:
    """The path of a request: as it was sent where it holds our own ids alone, else its route's pattern.

    Of a path that no route has, or below a folder of files, only what known routes begin with: the rest may be
    anything, an external id or an address mistyped.
    """
    pattern = getattr(scope.get("route"), "path", None)
    sent = _sent(scope)
    if isinstance(pattern, str):
        values: dict[str, Any] = scope.get("path_params") or {}
        if not values and sent.rstrip("/") != pattern.rstrip("/"):
            return f"{pattern.rstrip('/')}/..."
        return sent if all(_ID.fullmatch(str(value).lower()) for value in values.values()) else pattern
    if sent in {"", "/", *_KNOWN}:
        return sent
    return next((f"{known}/..." for known in _KNOWN if sent.startswith(f"{known}/")), "/...")


def _sent(scope: Scope) -> str:
    """Still percent-encoded and without its query: safe in a log line."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw[:LONGEST].decode("ascii", "backslashreplace")
