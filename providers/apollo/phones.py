"""Apollo's phone numbers, which come minutes after the person: the pending token, and how the numbers are read.

They are sent to a webhook, maybe more than once and without a signature, or are polled for by the request's id.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from enrichment.catalogue import Refused, normalize
from providers.api import Answer, Pending, Question
from providers.apollo.parse import add_phones, reveals_mobile
from providers.http.adapter import Reply
from providers.http.inputs import known
from providers.http.replies import Findings, at, consumed, items, json_or_nothing, mapping, moment, positive, text
from providers.matching.identity import wrong_entity

NEVER_CAME = Answer(matched=True, detail="Apollo told no phone number")  # the person was found, and counted

PERSON_CREDITS, MOBILE_CREDITS = 1, 8  # as documented: of a person, and more where a mobile number is revealed
_SENT = 0.95  # confidence in a number that Apollo sends for somebody whom it found
_TOKEN = re.compile(r"(-?[0-9]{1,20})?\|([0-9A-Za-z]{0,64})\|([0-9]{1,4})(w?)")
_REQUEST_ID = re.compile(r"-?[0-9]{1,20}")
_PERSON_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_FINAL = frozenset({"request_id_unknown", "request_id_expired", "invalid_request_id"})

# Seconds until the first poll, and the longest pause; each pause doubles. With a webhook a poll is only a fallback.
_WITH_WEBHOOK, _WITHOUT = (300.0, 900.0), (10.0, 120.0)
_LONGEST_NAMED_PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """The pending phone numbers of one person.

    `request` is empty where they cannot be polled for, `person` where the first answer named no id. `polls` counts how
    often they were polled for.
    """

    request: str
    person: str
    polls: int = 0
    by_webhook: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any], *, by_webhook: bool) -> Self | None:
        """The numbers that a first answer promises; None when none can come."""
        request, person = body.get("request_id"), text(at(body, "person", "id")) or ""
        written = str(request) if isinstance(request, int | str) and not isinstance(request, bool) else ""
        if not _REQUEST_ID.fullmatch(written):
            written = ""
        if not written and not by_webhook:
            return None
        return cls(written, person if _PERSON_ID.fullmatch(person) else "", by_webhook=by_webhook)

    @classmethod
    def read(cls, token: str) -> Self | None:
        """Read a token; None for a malformed one."""
        found = _TOKEN.fullmatch(token)
        if found is None or not (found[1] or found[4]):
            return None
        return cls(found[1] or "", found[2], int(found[3]), bool(found[4]))

    def pending(self, *, at_least: float | None = None, so_far: Answer | None = None) -> Pending:
        """The pending answer; `at_least` are the seconds that Apollo asked to wait."""
        first, longest = _WITH_WEBHOOK if self.by_webhook else _WITHOUT
        pause = min(first * 2.0 ** min(self.polls, 10), longest)
        token = f"{self.request}|{self.person}|{self.polls % 10_000}{'w' if self.by_webhook else ''}"
        return Pending(token, max(pause, min(at_least or 0.0, _LONGEST_NAMED_PAUSE)), so_far=so_far)

    def again(self) -> Self:
        return replace(self, polls=self.polls + 1)

    def without_polling(self) -> Self:
        """The same without polling: only the webhook can bring the numbers."""
        return replace(self, request="")


ANYBODYS = Awaited("", "", by_webhook=True)
"""The pending numbers of whom nothing is known, because nobody saw the first answer."""


def still_to_come(awaited: Awaited, reply: Reply) -> Answer | Pending | None:
    """What a reply without numbers means; None when it is a failure."""
    body = json_or_nothing(reply)
    code = text(at(body, "error_code"))
    if reply.status == 404 and code == "result_pending":
        return awaited.again().pending(at_least=positive(at(body, "retry_after_seconds")))
    is_final = reply.status == 410 or (reply.status in {400, 404} and code in _FINAL)
    if awaited.by_webhook and (is_final or reply.status == 403):
        return awaited.without_polling().pending()  # the key may not poll, or there is nothing to poll for
    return NEVER_CAME if is_final else None


def is_about(payload: Mapping[str, Any], awaited: Awaited | None) -> bool:
    """Whether numbers that were sent can be those of the person; `awaited` is None while the person is unknown."""
    people = _people(payload)
    if people is None or not all(isinstance(person, dict) for person in people):
        return False
    request = str(payload.get("request_id"))
    if awaited is not None and awaited.request and _REQUEST_ID.fullmatch(request) and request != awaited.request:
        return False
    return not people or awaited is None or bool(_those(people, awaited))


def read_phones(question: Question, awaited: Awaited, payload: Mapping[str, Any]) -> Answer:
    """The numbers of the person, as the rest of an answer whose beginning was seen.

    Raises ProviderError when they are somebody else's.
    """
    if not is_about(payload, awaited):
        raise wrong_entity("Apollo")
    findings = Findings(question, _SENT, moment(payload.get("last_dispatched_at")))
    has_mobile = False
    for person in _those(_people(payload) or (), awaited):
        if not _fits(question, person):
            raise wrong_entity("Apollo")
        add_phones(findings, person.get("phone_numbers"))
        has_mobile = has_mobile or reveals_mobile(person.get("phone_numbers"))
    found, result = findings.all(), mapping(payload.get("webhook_result")) or payload
    stated = _consumed(result)
    if not found:
        return replace(NEVER_CAME, extra=has_mobile, stated=stated)
    return Answer(matched=True, findings=found, extra=has_mobile, stated=stated)


def _consumed(result: Mapping[str, Any]) -> float | None:
    """The credits that person and numbers consumed together.

    The figure of a result is that of all of it, except that of a mobile number alone, which is less than both can cost.
    """
    figure = consumed(result.get("credits_consumed"))
    return PERSON_CREDITS + figure if figure == MOBILE_CREDITS else figure


def _people(payload: Mapping[str, Any]) -> Sequence[Any] | None:
    """The people of a result, as the webhook or as a poll wraps it; None when it is no result."""
    result = mapping(payload.get("webhook_result")) or payload
    return items(result.get("people")) if "people" in result else None


def _those(people: Sequence[Any], awaited: Awaited) -> list[Mapping[str, Any]]:
    """The person of the pending numbers; where the first answer named no id, the only person."""
    if awaited.person:
        return [mapping(person) for person in people if text(at(person, "id")) == awaited.person]
    return [mapping(people[0])] if len(people) == 1 else []


def _fits(question: Question, person: Mapping[str, Any]) -> bool:
    """Whether an address or profile that comes with the numbers is the record's; one that agrees is enough."""
    named = [
        _canonical(question, field, ours) == _canonical(question, field, theirs)
        for field, ours, theirs in (
            ("email", known(question, "email"), text(person.get("email"))),
            ("linkedinUrl", known(question, "linkedinUrl"), text(person.get("linkedin_url"))),
        )
        if ours and theirs
    ]
    return any(named) or not named


def _canonical(question: Question, field: str, value: str) -> Any:
    try:
        return normalize(question.entity_type, field, value, hints=question.fields)
    except Refused:
        return value
