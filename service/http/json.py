"""Writes JSON: values of the API, whatever the address that answers them."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_ENCODER = msgspec.json.Encoder()


def dump(payload: Any) -> bytes:
    """JSON in UTF-8: enums as their values, moments in ISO 8601, UTC as `Z`. Raises TypeError for what has no JSON."""
    try:
        return _ENCODER.encode(payload)
    except UnicodeEncodeError:  # half of a surrogate pair, in a text that we keep as it came
        return json.dumps(msgspec.to_builtins(payload), ensure_ascii=True).encode()


def respond(payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(dump(payload), status, headers, "application/json")


def as_json(payload: Any) -> Any:
    """The value as a client reads it: only objects, lists, texts, numbers, flags and null."""
    return msgspec.json.decode(dump(payload))
