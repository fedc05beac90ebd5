"""Apollo: people by what is known of them, and organizations; phone numbers only where somebody set them up.

A person costs one credit, and eight more where a mobile number is revealed; nobody found costs nothing. A revealed
number is never in the first answer: it is sent to a webhook, and can be polled (see `providers.apollo.phones`).
The answer states no confidence; ours follows from what somebody was recognized by and how each field comes about.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.apollo.bulk import BULK, COMPANIES_PATH, PEOPLE_PATH, matches_of, send_many
from providers.apollo.parse import (
    COMPANY_FIELDS,
    EMPLOYER_FIELDS,
    PERSON_FIELDS,
    PHONE_FIELDS,
    domains_of,
    identity_of,
    read_company,
    read_person,
)
from providers.apollo.phones import (
    ANYBODYS,
    MOBILE_CREDITS,
    PERSON_CREDITS,
    Awaited,
    is_about,
    read_phones,
    still_to_come,
)
from providers.apollo.request import COMPANY, PERSON, Lookup, company_by, company_more, headers, person_by, person_more
from providers.bulk import Batch, Outcome
from providers.http.adapter import Http, KeyCheck, Limit, Pending, Reply
from providers.http.bulk import read_each, shared
from providers.http.inputs import is_account, wants_any
from providers.http.replies import (
    at,
    consumed,
    failure,
    json_or_nothing,
    mapping,
    moment,
    number,
    retry_after,
    seconds_until,
    text,
    unreadable,
)
from providers.http.scopes import COMPANIES, PEOPLE, tried, unusable
from providers.matching.company_fit import NOT_IT, fit_of_company, less_sure
from providers.matching.identity import is_asked_person, wrong_entity

_INSUFFICIENT = b"insufficient credits"
_ENRICHING = frozenset({"/people/match", "/organizations/enrich", PEOPLE_PATH, COMPANIES_PATH})
_SINGLE = {PEOPLE_PATH: "/people/match", COMPANIES_PATH: "/organizations/enrich"}
_POLL = "/webhook_result/"
_OTHER_CALLS = 200  # a minute, of each
_MINUTE = 60.0  # the shortest of the windows in which calls are counted


_PHONES_ON = "phone numbers of people come minutes later, and cost more where one is found"
_PHONES_OFF = "phone numbers of people are not asked for: an operator switches that on by APOLLO_PHONES"


class Apollo:
    """The adapter. `wall` gives seconds since 1970.

    With `phones`, phone numbers are revealed where they are wanted. Apollo sends them to the question's callback; a
    question without one is polled for.
    """

    scopes = frozenset({PEOPLE, COMPANIES})
    bases: Mapping[str, str] = {"": "https://api.apollo.io/api/v1"}
    calls_per_minute = 1000  # of paid plans; each reply names the limit, so that a smaller one is kept to

    def __init__(self, *, phones: bool = False, wall: Callable[[], float] = time.time) -> None:
        self._phones = phones
        self._wall = wall
        self._of_person = PERSON_FIELDS | (PHONE_FIELDS if phones else frozenset())
        self.info = ProviderInfo(
            id="apollo",
            name="Apollo",
            gives={
                EntityType.LEAD: self._of_person | EMPLOYER_FIELDS,
                EntityType.CONTACT: self._of_person | EMPLOYER_FIELDS,
                EntityType.ACCOUNT: COMPANY_FIELDS,
            },
            needs="an e-mail address, a LinkedIn profile, a name with an employer, or a company's domain or name",
            price=PERSON_CREDITS,
            extra_price=MOBILE_CREDITS if phones else 0,
            extra_for={EntityType.LEAD: PHONE_FIELDS, EntityType.CONTACT: PHONE_FIELDS} if phones else {},
            answer_lifetime_days=90,
            miss_lifetime_days=30,
            remote=True,
            needs_key=True,
            attribution="Apollo",
            remarks=(_PHONES_ON if phones else _PHONES_OFF,),
        )

    def limit_of(self, base: str, path: str) -> Limit:
        """Calls are counted for each endpoint by itself; those for many as those for one, whose pauses hold too."""
        path = _SINGLE.get(path, path)
        endpoint = path.strip("/").partition("/")[0] if path.startswith(_POLL) else path.strip("/")
        return Limit(endpoint, self.calls_per_minute if path in _ENRICHING else _OTHER_CALLS)

    def input_key(self, question: Question) -> str | None:
        lookup = self._look_up_of(question)
        return None if lookup is None else _key_of(question, lookup)

    def broader_key(self, question: Question) -> str | None:
        """The key of the same person with phone numbers, which may have been paid for already."""
        lookup = self._look_up_of(question)
        if lookup is None or lookup.kind != PERSON or lookup.phones or not self._phones:
            return None
        return _key_of(question, replace(lookup, phones=True))

    def asks_extra(self, question: Question) -> bool:
        """Whether phone numbers are asked for."""
        lookup = self._look_up_of(question)
        return lookup is not None and lookup.phones

    def scope_of(self, question: Question) -> str:
        """Keys are given access to each call by itself."""
        lookup = self._look_up_of(question)
        return COMPANIES if lookup is not None and lookup.kind == COMPANY else PEOPLE

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        lookup = self._look_up_of(question)
        if lookup is None:
            raise ProviderError("rejected", f"Apollo needs {self.info.needs}", retryable=False)
        reply = await self._send(lookup, question.callback, http)
        body = reply.json() if reply.status == 200 else None
        if reply.status != 200 or at(body, "error"):
            raise await self._refusal(reply, http)
        if not isinstance(body, dict):
            raise unreadable("Apollo")
        stated = consumed(body.get("credits_consumed"))
        if lookup.kind == COMPANY:
            return _of_company(question, lookup, mapping(body.get("organization")), stated)
        return _of_person(question, lookup, body, stated)

    def batch_of(self, question: Question) -> Batch | None:
        """People without phone numbers, and companies, go ten at a time."""
        lookup = self._look_up_of(question)
        return None if lookup is None or lookup.phones else Batch(lookup.kind, BULK)

    async def look_up_many(self, questions: Sequence[Question], http: Http) -> Sequence[Outcome]:
        """All of one kind, by one request."""
        lookups = [lookup for question in questions if (lookup := self._look_up_of(question)) is not None]
        reply = await send_many(lookups, http)
        body = reply.json() if reply.status == 200 else None
        if reply.status != 200 or at(body, "error") or at(body, "status") == "failed":
            raise await self._refusal(reply, http)
        found = matches_of(body, lookups)
        figures = shared(consumed(at(body, "credits_consumed")), [bool(item) for item in found])
        asked = list(zip(lookups, found, figures, strict=True))

        def read(question: Question, item: tuple[Lookup, Mapping[str, Any], float | None]) -> Outcome:
            lookup, record, stated = item
            if lookup.kind == COMPANY:
                return _of_company(question, lookup, record, stated)
            return _of_person(question, lookup, {"person": record}, stated)

        return read_each("Apollo", questions, asked, read)

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """The phone numbers of somebody whom `look_up` found."""
        awaited = _awaited(token)
        if not awaited.request:
            return awaited.again().pending()
        reply = await http.send("GET", f"{_POLL}{awaited.request}", headers=headers(http))
        if reply.status == 200:
            return read_phones(question, awaited, mapping(reply.json()))
        later = still_to_come(awaited, reply)
        if later is None:
            raise await self._refusal(reply, http)
        return later

    def is_about(self, payload: Mapping[str, Any], token: str | None) -> bool:
        """Whether numbers that were sent can be those that are pending."""
        return is_about(payload, None if token is None else _awaited(token))

    def receive_callback(self, question: Question, token: str | None, payload: Mapping[str, Any]) -> Answer:
        """The phone numbers that were sent of somebody whom `look_up` found, or may have.

        Without a token nobody saw the first answer: the numbers are a part of it. A token may name neither the request
        nor the person, and the numbers are the rest of an answer that was seen all the same.
        """
        if token is None:
            return replace(read_phones(question, ANYBODYS, payload), is_part=True)
        return read_phones(question, _awaited(token), payload)

    async def check_key(self, http: Http) -> KeyCheck:
        """Check the key by the usage call, which is free; some keys allow other calls only."""
        reply = await _usage(http)
        if reply.status == 200:
            left, renews_at = _left(reply.json())
            http.note_credits(left)
            detail = "the key works; what is left of its credits was read, which is free"
            return KeyCheck(valid=True, detail=detail, credits_left=left, renews_at=renews_at, may=await _may(http))
        if reply.status == 403 and text(at(json_or_nothing(reply), "error_code")) == "API_INACCESSIBLE":
            may = await _may(http)
            return KeyCheck(any(may.values()) or not may, "the key is known, but may not read its usage", may=may)
        refusal = failure("Apollo", reply, wait=retry_after(reply, self._wall()))
        return unusable(refusal)

    def _look_up_of(self, question: Question) -> Lookup | None:
        """The look-up that gives most. A company alone is looked up once for all who work there."""
        if not is_account(question) and wants_any(question, self._of_person):
            by = person_by(question)
            if by is not None:
                phones = self._phones and wants_any(question, PHONE_FIELDS)
                return Lookup(PERSON, by, phones, person_more(question))
        if not wants_any(question, COMPANY_FIELDS if is_account(question) else EMPLOYER_FIELDS):
            return None
        company = company_by(question)
        return Lookup(COMPANY, company, more=company_more(question)) if company else None

    async def _send(self, lookup: Lookup, callback: str | None, http: Http) -> Reply:
        if lookup.kind == COMPANY:
            return await http.send("GET", "/organizations/enrich", params=lookup.params, headers=headers(http))
        params = {**lookup.params, "reveal_personal_emails": "false", "reveal_phone_number": "false"}
        if lookup.phones:
            params["reveal_phone_number"] = "true"
            params |= {"webhook_url": callback} if callback else {"poll_only": "true"}
        return await http.send("POST", "/people/match", params=params, headers=headers(http))

    async def _refusal(self, reply: Reply, http: Http) -> ProviderError:
        now = self._wall()
        if reply.status in {200, 422} and _INSUFFICIENT in reply.body.lower():
            http.note_credits(0)
            wait = await self._until_renewal(http)
            message = "Apollo's credits are used up"
            return ProviderError("out_of_credits", message, retryable=False, retry_after_seconds=wait)
        if reply.status == 200:
            return ProviderError("invalid_answer", "Apollo answered 200 with an error", retryable=False)
        wait = retry_after(reply, now)
        if reply.status == 429:
            wait = wait or _MINUTE
        return failure("Apollo", reply, code=text(at(json_or_nothing(reply), "error_code")) or "", wait=wait)

    async def _until_renewal(self, http: Http) -> float | None:
        """Seconds until new credits come; None where the key may not ask, or the call fails."""
        try:
            reply = await _usage(http)
        except ProviderError:
            return None
        _, renews_at = _left(json_or_nothing(reply))
        return seconds_until(renews_at.timestamp(), self._wall()) if renews_at else None


def _key_of(question: Question, lookup: Lookup) -> str:
    return f"{'account' if is_account(question) else 'person'}|{lookup.key}"


async def _may(http: Http) -> dict[str, bool]:
    """What the key may look up, by calls that name nobody, which cost nothing."""
    return await tried(
        {
            PEOPLE: lambda: http.send("POST", "/people/match", headers=headers(http)),
            COMPANIES: lambda: http.send("GET", "/organizations/enrich", headers=headers(http)),
        }
    )


async def _usage(http: Http) -> Reply:
    return await http.send("POST", "/usage_stats/credit_usage_stats", headers=headers(http))


def _left(usage: Any) -> tuple[float | None, datetime | None]:
    """What is left of the credits for records, and when new ones come."""
    left = number(at(usage, "credit_usage_stats", "lead_credit", "left_over"))
    return left, moment(at(usage, "current_credit_cycle", "end_date"))


def _of_company(
    question: Question, lookup: Lookup, organization: Mapping[str, Any], stated: float | None = None
) -> Answer:
    findings = read_company(question, organization, lookup.confidence).all()
    if not findings:
        return replace(NO_MATCH, stated=stated)
    profiles = [text(organization.get("linkedin_url"))]
    fit = fit_of_company(question, domains_of(organization), text(organization.get("name")), profiles)
    if fit == NOT_IT:
        raise wrong_entity("Apollo", stated)
    return Answer(matched=True, findings=less_sure(findings, fit), stated=stated)


def _of_person(
    question: Question, lookup: Lookup, body: Mapping[str, Any], stated: float | None = None
) -> Answer | Pending:
    """The first answer. How Apollo says "nobody" is not documented: a person without any value is nobody."""
    person = mapping(body.get("person"))
    findings = read_person(question, person, lookup.confidence, phones=lookup.phones).all()
    if not findings:
        return replace(NO_MATCH, stated=stated)
    if not is_asked_person(question, identity_of(person)):
        raise wrong_entity("Apollo", stated)
    answer = Answer(matched=True, findings=findings, stated=stated)
    awaited = Awaited.of(body, by_webhook=question.callback is not None) if lookup.phones else None
    return awaited.pending(so_far=answer) if awaited else answer


def _awaited(token: str) -> Awaited:
    awaited = Awaited.read(token)
    if awaited is None:
        raise ProviderError("rejected", "not a token of a look-up at Apollo", retryable=False)
    return awaited
