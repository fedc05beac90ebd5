"""Reads what a REST request says beside its token and its JSON: the keys of a body, If-Match and If-None-Match."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from starlette.requests import Request

from resolvers.errors import BadRequest, Fault, ValidationFailed

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ETAGS = re.compile(rf"\s*{_ETAG}(?:\s*,\s*{_ETAG})*\s*")
E = TypeVar("E", bound=StrEnum)

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


def refused(path: str, message: str) -> ValidationFailed:
    """The refusal of one thing in a body."""
    return ValidationFailed(f"{path}: {message}", faults=[Fault(path, message)])


def texts_or_none(body: dict[str, Any], key: str) -> list[str] | None:
    """A list of texts of the body, None where it is absent or null. Raises ValidationFailed."""
    sent = body.get(key)
    if sent is not None and not (isinstance(sent, list) and all(isinstance(item, str) for item in sent)):
        raise refused(key, "must be a list of texts")
    return sent


def flag(body: dict[str, Any], key: str) -> bool:
    """A flag of the body, false where it is absent or null. Raises ValidationFailed."""
    sent = body.get(key)
    if sent is not None and not isinstance(sent, bool):
        raise refused(key, "must be true or false")
    return bool(sent)


def member(key: str, word: str, kind: type[E]) -> E:
    """The member of an enum that a word names, in any case. Raises ValidationFailed."""
    try:
        return kind(word.strip().lower())
    except ValueError:
        raise refused(key, f"unknown value {word[:40]!r}; accepted are {', '.join(kind)}") from None


def moment_or_none(body: dict[str, Any], key: str) -> datetime | None:
    """An ISO 8601 date or time of the body, UTC unless it says otherwise; None where it is absent or null."""
    text = text_or_none(body, key)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused(key, "must be an ISO 8601 date or time, such as 2026-11-01T00:00:00Z") from None
