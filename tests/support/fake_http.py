"""An account at a provider that answers what a test lines up, and keeps what it was asked."""

import json as json_module
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrichment.enums import EntityType
from providers.api import Answer, Pending, ProviderError, Question
from providers.http.adapter import Reply

_SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sent:
    """One request as an adapter made it."""

    method: str
    path: str
    base: str
    params: Mapping[str, str]
    json: Any
    form: Mapping[str, str] | None
    headers: Mapping[str, str]


class FakeHttp:
    """The lined-up replies in their order; asking once more than there are is an error of the test."""

    def __init__(self, *replies: Reply | ProviderError, key: str = "TEST_KEY") -> None:
        self._replies = list(replies)
        self._key = key
        self.sent: list[Sent] = []
        self.credits: list[float | None] = []

    @property
    def key(self) -> str:
        return self._key

    async def send(
        self,
        method: str,
        path: str,
        *,
        base: str = "",
        params: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        self.sent.append(Sent(method, path, base, params or {}, json, form, headers or {}))
        reply = self._replies.pop(0)
        if isinstance(reply, ProviderError):
            raise reply
        return reply

    def note_credits(self, left: float | None) -> None:
        self.credits.append(left)


def reply(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with a JSON body, or with these bytes; None is an empty body."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json_module.dumps(body).encode()
    return Reply(status, headers or {}, raw)


def body_of(provider: str, case: str) -> Any:
    """The body of a documented answer, to be edited by a test."""
    return _read(provider, case)["response"]["body"]


def sample(provider: str, case: str, **headers: str) -> Reply:
    """A documented answer as it is; header names are written with _ for -."""
    response = _read(provider, case)["response"]
    named = {name.lower(): value for name, value in response["headers"].items()}
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    return reply(response["body"], response["status"], named)


def _read(provider: str, case: str) -> Any:
    return json_module.loads((_SAMPLES / provider / f"{case}.json").read_text("utf-8"))


def lead(*wanted: str, **fields: Any) -> Question:
    return Question(EntityType.LEAD, fields, frozenset(wanted))


def account(*wanted: str, **fields: Any) -> Question:
    return Question(EntityType.ACCOUNT, fields, frozenset(wanted))


def values(answer: Answer | Pending) -> dict[str, Any]:
    """What was found, by field."""
    assert isinstance(answer, Answer)
    return {finding.field: finding.value for finding in answer.findings}


def confidences(answer: Answer | Pending) -> dict[str, float]:
    assert isinstance(answer, Answer)
    return {finding.field: finding.confidence for finding in answer.findings}
