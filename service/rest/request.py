"""Reads what a REST request says beside its token and its JSON: the keys of a body, If-Match and If-None-Match."""

import re
from collections.abc import Collection
from typing import Any

from starlette.requests import Request

from resolvers.errors import BadRequest, Fault, ValidationFailed

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ETAGS = re.compile(rf"\s*{_ETAG}(?:\s*,\s*{_ETAG})*\s*")
NO_VERSION = 0  # versions start at 1: expecting this one is refused as stale


def refuse_unknown(body: dict[str, Any], known: Collection[str]) -> None:
    """Raises ValidationFailed naming every key that is not `known`."""
    message = f"unknown; known are {', '.join(known)}" if known else "unknown; this route reads no body"
    faults = [Fault(key, message) for key in body if key not in known]
    if faults:
        raise ValidationFailed("the body has unknown keys", faults=faults)


def text_or_none(body: dict[str, Any], key: str) -> str | None:
    """A text of the body, None where it is absent or null. Raises ValidationFailed for another type."""
    value = body.get(key)
    if value is not None and (not isinstance(value, str) or "\0" in value):
        message = "must be a text without NUL characters" if isinstance(value, str) else "must be a text"
        raise ValidationFailed(f"{key} {message}", faults=[Fault(key, message)])
    return value


def is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match says that the caller has this version already; a weak tag counts as its strong one."""
    text = ", ".join(request.headers.getlist("if-none-match")).strip()
    return text == "*" or tag in [known.removeprefix("W/") for known in re.findall(_ETAG, text)]


def expected_versions(request: Request) -> tuple[int, ...] | None:
    """The versions that If-Match names; None where it is absent or `*`. Raises BadRequest.

    A weak tag counts as its strong one. A tag that is not one of ours becomes NO_VERSION.
    """
    text = ", ".join(request.headers.getlist("if-match")).strip()
    if "if-match" not in request.headers or text == "*":
        return None
    if not _ETAGS.fullmatch(text):
        raise BadRequest("If-Match is not an entity tag", faults=[Fault("If-Match", 'must be like "3" or W/"3", or *')])
    tags = [tag.removeprefix("W/").strip('"') for tag in re.findall(_ETAG, text)]
    return tuple(int(tag) if re.fullmatch(r"[0-9]{1,9}", tag) else NO_VERSION for tag in tags)
