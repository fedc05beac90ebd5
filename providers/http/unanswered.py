"""Replies of success that hold no answer: "pending", or an error in an envelope. Neither says that nobody is known."""

import re
from typing import Any

from providers.api import ProviderError
from providers.http.adapter import Reply
from providers.http.replies import at, items, json_or_nothing, mapping, text

_NOT_YET = frozenset({"pending", "processing", "queued", "in_progress", "accepted", "scheduled", "enqueued"})
_FAILED = frozenset({"error", "failed", "failure"})
_STATUS = ("status", "state")
_MISS = re.compile(r"not_?found|no_?(?:match|data|record|result)|unknown|missing|404")
_CREDITS = re.compile(r"quota|credit|payment|balance|402")
_TOO_FAST = re.compile(r"rate|throttl|too_?many|429")
_NAMES = ("code", "type", "id", "status", "message", "title")


def is_not_yet(reply: Reply) -> bool:
    """Whether a reply says that its answer comes later: by 202, or by its own status in a body of success."""
    if reply.status == 202:
        return True
    body = mapping(json_or_nothing(reply)) if reply.is_success else {}
    return body.get("pending") is True or _status(body) in _NOT_YET


def unanswered(provider: str, reply: Reply, wait: float | None = None) -> ProviderError | None:
    """The error of a reply of success that is no answer, from which nothing was read; None where it says "nobody".

    `wait` are the seconds that it asks to wait. What the provider writes is left out of the message.
    """
    if not reply.is_success:
        return None
    if is_not_yet(reply):
        message = f"{provider} has no answer yet"
        return ProviderError("unavailable", message, retryable=True, retry_after_seconds=wait)
    names = _error_names(mapping(json_or_nothing(reply)))
    if not names or _MISS.search(names):
        return None
    message = f"{provider} answered {reply.status} with an error"
    if _CREDITS.search(names):
        return ProviderError("out_of_credits", message, retryable=False, retry_after_seconds=wait)
    if _TOO_FAST.search(names):
        return ProviderError("rate_limited", message, retryable=True, retry_after_seconds=wait)
    return ProviderError("rejected", message, retryable=False)


def _error_names(body: Any) -> str:
    """What an error is called, in small letters; empty where the body has none."""
    found: list[str] = []
    for error in (*items(body.get("error")), *items(body.get("errors"))):
        named = (error, *(at(error, name) for name in _NAMES)) if error else ()
        found += ["an error" if error else "", *(str(name) for name in named if isinstance(name, str | int))]
    if _status(body) in _FAILED:
        found += ["an error", *(str(body.get(name)) for name in _NAMES)]
    return " ".join(filter(None, found)).casefold().replace(" ", "_").replace("-", "_")


def _status(body: Any) -> str:
    named = (text(body.get(name)) for name in _STATUS)
    return (next(filter(None, named), "") or "").casefold().replace(" ", "_").replace("-", "_")
