"""The contract of an adapter as files: what is asked, what the provider answers, and what has to be read from it.

Each case is a folder with three JSON files; `docs/providers.md` tells what they hold. They are run against an adapter
without a network, so that whoever adds a provider brings the answers that it was built by.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrichment.enums import EntityType
from providers.api import Answer, Finding, Pending, ProviderError, Question
from providers.http.adapter import Adapter, CallbackAdapter, Reply

REQUEST, ANSWER, EXPECTATION = "request.json", "answer.json", "expectation.json"
_FOLDER = "recorded"  # beside the adapter


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded exchange, as its files have it."""

    name: str
    request: Mapping[str, Any]
    answers: Sequence[Mapping[str, Any]]  # one, or one for each request of a look-up
    expectation: Mapping[str, Any]

    @property
    def question(self) -> Question:
        asked = self.request["question"]
        wanted = frozenset(asked.get("wanted", ()))
        return Question(EntityType(asked["entityType"]), asked["fields"], wanted, callback=asked.get("callback"))


def cases_of(folder: Path) -> list[Case]:
    """The cases below an adapter's folder, by name. Raises ValueError for one that lacks a file."""
    found: list[Case] = []
    for path in sorted((folder / _FOLDER).iterdir()):
        missing = [name for name in (REQUEST, ANSWER, EXPECTATION) if not (path / name).is_file()]
        if missing:
            raise ValueError(f"{path}: lacks {', '.join(missing)}")
        request, answer, expectation = (
            json.loads((path / name).read_text("utf-8")) for name in (REQUEST, ANSWER, EXPECTATION)
        )
        found.append(Case(path.name, request, answer if isinstance(answer, list) else [answer], expectation))
    return found


async def outcome_of(adapter: Adapter, case: Case) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """What the adapter makes of the recorded answers, as an expectation writes it, and what it sent for them."""
    account = _RecordedAccount(case)
    try:
        return _written(await _run(adapter, case, account)), account.sent
    except ProviderError as error:
        return _written_error(error), account.sent


async def _run(adapter: Adapter, case: Case, account: "_RecordedAccount") -> Answer | Pending:
    token = case.request.get("token")
    if case.request.get("delivered"):
        if not isinstance(adapter, CallbackAdapter):
            raise ValueError(f"{case.name}: the adapter takes no answers that are sent to it")
        return adapter.receive_callback(case.question, token or "", case.answers[0]["body"])
    if token is not None:
        return await adapter.poll(token, case.question, account)
    return await adapter.look_up(case.question, account)


class _RecordedAccount:
    """An account whose provider answers as recorded, in this order."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.key: str = case.request.get("key", "TEST_KEY")
        self.sent: list[Mapping[str, Any]] = []

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
        named = {"base": base, "params": params, "json": json, "form": form}
        self.sent.append({"method": method, "path": path, **{name: value for name, value in named.items() if value}})
        if len(self.sent) > len(self._case.answers):
            raise ValueError(f"{self._case.name}: more was sent than answers are recorded: {self.sent[-1]}")
        return _reply(self._case.answers[len(self.sent) - 1])

    def note_credits(self, left: float | None) -> None:
        """What is left is shown, and no part of an answer."""


def _reply(answer: Mapping[str, Any]) -> Reply:
    """A recorded reply; `text` is a body that is no JSON, or one with a blemish."""
    headers = {name.lower(): value for name, value in answer.get("headers", {}).items()}
    if "text" in answer:
        return Reply(answer["status"], headers, answer["text"].encode())
    body = answer.get("body")
    return Reply(answer["status"], headers, b"" if body is None else json.dumps(body).encode())


def _written(answer: Answer | Pending) -> Mapping[str, Any]:
    """An answer as an expectation writes it; what is as it is by default is left out."""
    if isinstance(answer, Pending):
        so_far = {} if answer.so_far is None else {"findings": _findings(answer.so_far.findings)}
        return {"outcome": "pending", "retryAfterSeconds": answer.retry_after_seconds, **so_far}
    if answer.opted_out:
        written: dict[str, Any] = {"outcome": "opted out"}
    else:
        written = {"outcome": "match" if answer.matched else "no match"}
    if answer.findings:
        written["findings"] = _findings(answer.findings)
    if answer.extra:
        written["extra"] = True
    if answer.stated is not None:
        written["stated"] = answer.stated
    return written


def _findings(findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        finding.field: {
            "value": finding.value,
            "confidence": finding.confidence,
            **({"observedAt": finding.observed_at.isoformat()} if finding.observed_at else {}),
        }
        for finding in findings
    }


def _written_error(error: ProviderError) -> Mapping[str, Any]:
    named = {"retryAfterSeconds": error.retry_after_seconds, "stated": error.stated}
    return {
        "outcome": "error",
        "code": error.code,
        "retryable": error.retryable,
        **({"maybeCharged": True} if error.maybe_charged else {}),
        **{name: value for name, value in named.items() if value is not None},
    }
