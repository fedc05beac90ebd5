"""Apollo: people by what is known of them, and organizations; phone numbers only where somebody set them up.

A person costs one credit, and eight more where a mobile number is revealed; nobody found costs nothing. A revealed
number is never in the first answer: it is sent to a webhook, and can be asked for meanwhile. The plain answer names
no confidence; ours says by what somebody was recognized and how each field comes about.
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from enrichment.vocabulary import EntityType
from providers.adapter import Http, KeyCheck, Pending, Reply
from providers.apollo_look_up import COMPANY, PERSON, Lookup, company_by, person_by
from providers.apollo_reading import (
    COMPANY_FIELDS,
    EMPLOYER_FIELDS,
    PERSON_FIELDS,
    PHONE_FIELDS,
    add_phones,
    domains_of,
    read_company,
    read_person,
)
from providers.base import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.identity import Told, is_asked_company, is_asked_person, wrong_entity
from providers.inputs import is_account, wants_any
from providers.replies import (
    Findings,
    at,
    failure,
    items,
    json_or_nothing,
    mapping,
    moment,
    number,
    positive,
    retry_after,
    seconds_until,
    text,
    unreadable,
)

_INSUFFICIENT = b"insufficient credits"
_MINUTE = 60.0  # the shortest of the windows in which calls are counted
_SENT = 0.95  # belief in a number that Apollo sends for somebody whom it found
_AGAIN_AFTER, _LONGEST_PAUSE = 10.0, 3600.0
_TOKEN = re.compile(r"(-?[0-9]{1,20})(?:\|([0-9A-Za-z]{0,64}))?")
_PERSON_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_GONE = frozenset({"request_id_unknown", "request_id_expired"})
_NEVER_CAME = Answer(matched=True, detail="Apollo never told the phone numbers")  # but the person it did, and counted


class Apollo:
    """The adapter. `wall` gives seconds since 1970.

    With a `phone_webhook`, an https address, phone numbers are revealed to those who want them; the price is then
    the most that a person may cost.
    """

    bases: Mapping[str, str] = {"": "https://api.apollo.io/api/v1"}
    calls_per_minute = 1000  # of paid plans; each reply names the limit, so that a smaller one is kept to

    def __init__(self, phone_webhook: str | None = None, wall: Callable[[], float] = time.time) -> None:
        self._phone_webhook = phone_webhook
        self._wall = wall
        self._of_person = PERSON_FIELDS | (PHONE_FIELDS if phone_webhook else frozenset())
        self.info = ProviderInfo(
            id="apollo",
            name="Apollo",
            gives={
                EntityType.LEAD: self._of_person | EMPLOYER_FIELDS,
                EntityType.CONTACT: self._of_person | EMPLOYER_FIELDS,
                EntityType.ACCOUNT: COMPANY_FIELDS,
            },
            needs="an e-mail address, a LinkedIn profile, a name with an employer, or a company's domain or name",
            price=9 if phone_webhook else 1,
            answer_lifetime_days=90,
            miss_lifetime_days=30,
            remote=True,
            needs_key=True,
            attribution="Apollo",
            settings={"price": "1 for a record, 8 more where a mobile number is revealed, which is off by default"},
        )

    def input_key(self, question: Question) -> str | None:
        lookup = self._look_up_of(question)
        if lookup is None:
            return None
        return f"{'account' if is_account(question) else 'person'}|{lookup.key}"

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        lookup = self._look_up_of(question)
        if lookup is None:
            raise ProviderError("rejected", f"Apollo needs {self.info.needs}", retryable=False)
        reply = await self._send(lookup, http)
        body = reply.json() if reply.status == 200 else None
        if reply.status != 200 or at(body, "error"):
            raise await self._refusal(reply, http)
        if not isinstance(body, dict):
            raise unreadable("Apollo")
        if lookup.kind == COMPANY:
            return _of_company(question, lookup, mapping(body.get("organization")))
        return _of_person(question, lookup, body)

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """The phone numbers of somebody whom `look_up` found."""
        asked = _TOKEN.fullmatch(token)
        if asked is None:
            raise ProviderError("rejected", "not a token of a look-up at Apollo", retryable=False)
        reply = await http.send("GET", f"/webhook_result/{asked[1]}", headers=_headers(http))
        told = json_or_nothing(reply)
        code = text(at(told, "error_code"))
        if reply.status == 404 and code == "result_pending":
            pause = positive(at(told, "retry_after_seconds")) or _AGAIN_AFTER
            return Pending(token, min(float(pause), _LONGEST_PAUSE))
        if reply.status == 410 or (reply.status == 404 and code in _GONE):
            return _NEVER_CAME
        if reply.status != 200:
            raise await self._refusal(reply, http)
        return _of_phones(question, asked[2], mapping(reply.json()))

    async def check_key(self, http: Http) -> KeyCheck:
        """By the usage call, which is free; a key may be one for other calls only."""
        reply = await _usage(http)
        if reply.status == 200:
            left, renews_at = _left(reply.json())
            http.note_credits(left)
            detail = "the key works; what is left of its credits was read, which is free"
            return KeyCheck(valid=True, detail=detail, credits_left=left, renews_at=renews_at)
        if reply.status == 403 and text(at(json_or_nothing(reply), "error_code")) == "API_INACCESSIBLE":
            detail = "the key is known, but may not read its usage; whether it may look up was not tried"
            return KeyCheck(valid=True, detail=detail)
        refusal = failure("Apollo", reply, wait=retry_after(reply, self._wall()))
        if refusal.code != "bad_key":
            raise refusal
        return KeyCheck(valid=False, detail=refusal.message)

    def _look_up_of(self, question: Question) -> Lookup | None:
        """The one look-up that gives most: a company alone is asked for once for all who work there."""
        if not is_account(question) and wants_any(question, self._of_person):
            by = person_by(question)
            if by is not None:
                phones = self._phone_webhook is not None and wants_any(question, PHONE_FIELDS)
                return Lookup(PERSON, by, phones)
        if not wants_any(question, COMPANY_FIELDS if is_account(question) else EMPLOYER_FIELDS):
            return None
        company = company_by(question)
        return Lookup(COMPANY, company) if company else None

    async def _send(self, lookup: Lookup, http: Http) -> Reply:
        if lookup.kind == COMPANY:
            return await http.send("GET", "/organizations/enrich", params=lookup.by, headers=_headers(http))
        params = {**lookup.by, "reveal_personal_emails": "false", "reveal_phone_number": "false"}
        if lookup.phones and self._phone_webhook:
            params |= {"reveal_phone_number": "true", "webhook_url": self._phone_webhook}
        return await http.send("POST", "/people/match", params=params, headers=_headers(http))

    async def _refusal(self, reply: Reply, http: Http) -> ProviderError:
        now = self._wall()
        if reply.status in {200, 422} and _INSUFFICIENT in reply.body.lower():
            http.note_credits(0)
            wait = await self._until_renewal(http)
            told = "Apollo's credits are used up"
            return ProviderError("out_of_credits", told, retryable=False, retry_after_seconds=wait)
        if reply.status == 200:
            return ProviderError("invalid_answer", "Apollo answered 200 with an error", retryable=False)
        wait = retry_after(reply, now)
        if reply.status == 429:
            wait = wait or _MINUTE
        return failure("Apollo", reply, code=text(at(json_or_nothing(reply), "error_code")) or "", wait=wait)

    async def _until_renewal(self, http: Http) -> float | None:
        """Seconds until new credits come, where the key may ask; the answer to it must not hide what happened."""
        try:
            reply = await _usage(http)
        except ProviderError:
            return None
        _, renews_at = _left(json_or_nothing(reply))
        return seconds_until(renews_at.timestamp(), self._wall()) if renews_at else None


def _headers(http: Http) -> Mapping[str, str]:
    return {"x-api-key": http.key, "Accept": "application/json", "Cache-Control": "no-cache"}


async def _usage(http: Http) -> Reply:
    return await http.send("POST", "/usage_stats/credit_usage_stats", headers=_headers(http))


def _left(told: Any) -> tuple[float | None, datetime | None]:
    """What is left of the credits for records, and when new ones come."""
    left = number(at(told, "credit_usage_stats", "lead_credit", "left_over"))
    return left, moment(at(told, "current_credit_cycle", "end_date"))


def _of_company(question: Question, lookup: Lookup, organization: Mapping[str, Any]) -> Answer:
    findings = read_company(question, organization, lookup.belief).all()
    if not findings:
        return NO_MATCH
    profiles = [text(organization.get("linkedin_url"))]
    if not is_asked_company(question, domains_of(organization), text(organization.get("name")), profiles):
        raise wrong_entity("Apollo")
    return Answer(matched=True, findings=findings)


def _of_person(question: Question, lookup: Lookup, body: Mapping[str, Any]) -> Answer | Pending:
    """What came at once. How Apollo writes "nobody" is not documented: a person without any value is nobody."""
    person = mapping(body.get("person"))
    findings = read_person(question, person, lookup.belief, phones=lookup.phones).all()
    if not findings:
        return NO_MATCH
    if not is_asked_person(question, _told_of(person)):
        raise wrong_entity("Apollo")
    answer = Answer(matched=True, findings=findings)
    token = _token(body.get("request_id"), person.get("id")) if lookup.phones else None
    return Pending(token, _AGAIN_AFTER, so_far=answer) if token else answer


def _told_of(person: Mapping[str, Any]) -> Told:
    organization = mapping(person.get("organization"))
    jobs = (at(job, "organization_name") for job in items(person.get("employment_history")))
    return Told(
        email=text(person.get("email")),
        first=text(person.get("first_name")),
        last=text(person.get("last_name")),
        domains=domains_of(organization),
        employers=map(text, (organization.get("name"), *jobs)),
        profiles=[text(person.get("linkedin_url"))],
    )


def _token(request_id: Any, person_id: Any) -> str | None:
    """Which request, and whom it was about; None where the request has no whole number of its own."""
    if isinstance(request_id, bool) or not isinstance(request_id, int | str):
        return None
    who = text(person_id) or ""
    token = f"{request_id}|{who if _PERSON_ID.fullmatch(who) else ''}"
    return token if _TOKEN.fullmatch(token) else None


def _of_phones(question: Question, person_id: str | None, body: Mapping[str, Any]) -> Answer:
    findings = Findings(question, _SENT, moment(body.get("last_dispatched_at")))
    people = items(at(body, "webhook_result", "people"))
    for person in people:
        if text(at(person, "id")) == person_id or (not person_id and len(people) == 1):
            add_phones(findings, at(person, "phone_numbers"))
    return Answer(matched=True, findings=findings.all()) if findings.all() else _NEVER_CAME
