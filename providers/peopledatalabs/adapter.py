"""People Data Labs: people and companies above a least likelihood of being the right ones.

A match costs one credit; nobody likely enough costs none, so that each call names the least likelihood. The headers of
each reply say what is left of an account's credits.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.bulk import Batch, Outcome
from providers.http.adapter import Http, KeyCheck, Limit, Pending, Reply
from providers.http.bulk import all_of, read_each, shared
from providers.http.inputs import is_account, persons_email
from providers.http.replies import (
    at,
    consumed,
    failure,
    items,
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
from providers.matching.identity import StatedIdentity, is_asked_person, wrong_entity
from providers.peopledatalabs.parse import (
    COMPANY_FIELDS,
    EMPLOYER_FIELDS,
    PERSON_FIELDS,
    confidence_of,
    domains_of,
    emails_of,
    employers_of,
    profiles_of,
    read_company,
    read_person,
)
from providers.peopledatalabs.request import COMPANY, EVERY_REQUIREMENT, PERSON, Lookup, look_up_of

# Under these an answer is more often wrong than right.
_LEAST_LIKELIHOOD = {PERSON: "6", COMPANY: "4"}
_BULK, _BULK_PATHS = 100, {PERSON: "/v5/person/bulk", COMPANY: "/v5/company/enrich/bulk"}
_MINUTE = 60.0  # calls are counted by the minute
_NOBODY = {"email": "nobody@nobody.invalid", "min_likelihood": "10"}


class PeopleDataLabs:
    """The adapter. `wall` gives seconds since 1970."""

    info = ProviderInfo(
        id="peopledatalabs",
        name="People Data Labs",
        gives={
            EntityType.LEAD: PERSON_FIELDS | EMPLOYER_FIELDS,
            EntityType.CONTACT: PERSON_FIELDS | EMPLOYER_FIELDS,
            EntityType.ACCOUNT: COMPANY_FIELDS,
        },
        needs="an e-mail address, a LinkedIn profile, a phone number, a name with an employer, or a company's "
        "domain or name",
        price=1,
        answer_lifetime_days=90,
        miss_lifetime_days=30,
        remote=True,
        needs_key=True,
        attribution="People Data Labs",
    )
    scopes = frozenset({PEOPLE, COMPANIES})
    bases: Mapping[str, str] = {"": "https://api.peopledatalabs.com"}
    calls_per_minute = 1000  # of paid plans; each reply names the limit, so that a smaller one is kept to

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall

    def limit_of(self, base: str, path: str) -> Limit:
        """Calls are counted for each endpoint by itself; those for many as those for one, whose pauses hold too."""
        return Limit(
            path.strip("/").replace("person/bulk", "person/enrich").removesuffix("/bulk"), self.calls_per_minute
        )

    def input_key(self, question: Question) -> str | None:
        lookup = look_up_of(question)
        if lookup is None:
            return None
        return _key_of(question, lookup)

    def broader_key(self, question: Question) -> str | None:
        """The key without what is required; of the same name without its place, by which answers were kept before."""
        lookup = look_up_of(question)
        if lookup is not None and lookup.required:
            return _key_of(question, replace(lookup, required=""))
        return None if lookup is None or not lookup.apart else _key_of(question, lookup, apart=False)

    def narrower_keys(self, question: Question) -> Sequence[str]:
        """The keys of the same person's record where something was required of it."""
        lookup = look_up_of(question)
        if lookup is None or lookup.kind != PERSON or lookup.required:
            return ()
        return [_key_of(question, replace(lookup, required=required)) for required in EVERY_REQUIREMENT]

    def scope_of(self, question: Question) -> str:
        """Plans have either of its two calls, or both."""
        lookup = look_up_of(question)
        return COMPANIES if lookup is not None and lookup.kind == COMPANY else PEOPLE

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        lookup = look_up_of(question)
        if lookup is None:
            raise ProviderError("rejected", f"People Data Labs needs {self.info.needs}", retryable=False)
        params = {**lookup.params, "min_likelihood": _LEAST_LIKELIHOOD[lookup.kind], "titlecase": "false"}
        params |= _required(lookup)
        reply = await _send(lookup.kind, params, http)
        if _is_miss(reply):
            return replace(NO_MATCH, stated=_spent(reply))
        if reply.status != 200:
            raise self._refusal(reply)
        body = mapping(reply.json())
        if number(body.get("status")) == 404:  # a miss within a reply of success
            return replace(NO_MATCH, stated=_spent(reply))
        read = _of_person if lookup.kind == PERSON else _of_company
        return read(question, body, _spent(reply))

    def batch_of(self, question: Question) -> Batch | None:
        """People, and companies, go a hundred at a time."""
        lookup = look_up_of(question)
        return None if lookup is None else Batch(f"{lookup.kind}|{lookup.required}", _BULK)

    async def look_up_many(self, questions: Sequence[Question], http: Http) -> Sequence[Outcome]:
        """All of one kind, by one request, whose items carry their number."""
        lookups = [lookup for question in questions if (lookup := look_up_of(question)) is not None]
        kind = lookups[0].kind
        requests = [
            {"metadata": {"row": str(row)}, "params": {**lookup.params, "titlecase": False}}
            for row, lookup in enumerate(lookups)
        ]
        body = {"requests": requests, "min_likelihood": int(_LEAST_LIKELIHOOD[kind]), **_required(lookups[0])}
        reply = await http.send("POST", _BULK_PATHS[kind], json=body, headers=_headers(http))
        http.note_credits(_left(reply))
        if reply.status != 200:
            raise self._refusal(reply)
        rows = _rows(reply.json(), len(lookups))
        figures = shared(_spent(reply), [number(row.get("status")) == 200 for row in rows])
        of_item = _of_person if kind == PERSON else _of_company

        def read(question: Question, item: tuple[Mapping[str, Any], float | None]) -> Outcome:
            row, stated = item
            match number(row.get("status")):
                case 200:
                    return of_item(question, row, stated)
                case 404:
                    return replace(NO_MATCH, stated=stated)
                case int(status):
                    return self._refusal(Reply(status, {}, b""))
            raise unreadable("People Data Labs")

        return read_each("People Data Labs", questions, list(zip(rows, figures, strict=True)), read)

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """People Data Labs answers at once."""
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        """Check the key with an address that nobody can have: a miss is free, and its headers say what is left."""
        reply = await _send(PERSON, _NOBODY, http)
        left = _left(reply)
        if reply.status in {200, 400, 404}:
            may = {PEOPLE: True, **await tried({COMPANIES: lambda: _send(COMPANY, {}, http)})}
            detail = "the key works; a miss was asked for, which is free"
            return KeyCheck(valid=True, detail=detail, credits_left=left, may=may)
        refusal = self._refusal(reply)
        if refusal.code == "out_of_credits":
            return KeyCheck(valid=True, detail="the key works, but its credits are used up", credits_left=left)
        if refusal.code == "no_access":
            may = {PEOPLE: False, **await tried({COMPANIES: lambda: _send(COMPANY, {}, http)})}
            return KeyCheck(valid=may.get(COMPANIES, False), detail=refusal.message, credits_left=left, may=may)
        return unusable(refusal)

    def _refusal(self, reply: Reply) -> ProviderError:
        now = self._wall()
        wait = retry_after(reply, now)
        if reply.status == 429 and wait is None:
            reset = moment(reply.headers.get("x-ratelimit-reset"))
            wait = (seconds_until(reset.timestamp(), now) if reset else None) or _MINUTE
        return failure("People Data Labs", reply, code=_error_type(reply) or "", wait=wait)


def _key_of(question: Question, lookup: Lookup, *, apart: bool = True) -> str:
    return f"{'account' if is_account(question) else 'person'}|{lookup.key(apart=apart)}"


def _required(lookup: Lookup) -> dict[str, str]:
    return {"required": lookup.required} if lookup.required else {}


def _headers(http: Http) -> Mapping[str, str]:
    return {"X-Api-Key": http.key, "Accept": "application/json"}


def _rows(body: Any, count: int) -> list[Mapping[str, Any]]:
    """The item of each request, by the number that it carries, else by its place; empty for one that is not there."""
    if not isinstance(body, list):
        raise unreadable("People Data Labs", "is no list")
    carried = {text(at(item, "metadata", "row")): mapping(item) for item in items(body)}
    if len(carried) == 1 and None in carried:
        carried = {str(place): mapping(item) for place, item in enumerate(all_of(body, count) or ())}
    return [carried.get(str(row), {}) for row in range(count)]


async def _send(kind: str, params: Mapping[str, str], http: Http) -> Reply:
    reply = await http.send("GET", f"/v5/{kind}/enrich", params=params, headers=_headers(http))
    left = _left(reply)
    if left is not None:
        http.note_credits(left)
    return reply


def _spent(reply: Reply) -> float | None:
    """The credits that a call consumed, which every reply says."""
    return consumed(reply.headers.get("x-call-credits-spent"))


def _left(reply: Reply) -> float | None:
    return number(reply.headers.get("x-totallimit-remaining"))


def _error_type(reply: Reply) -> str | None:
    return text(at(json_or_nothing(reply), "error", "type"))


def _is_miss(reply: Reply) -> bool:
    """Whether nobody was likely enough. Another 404, or another server's page, says that the address is wrong."""
    if reply.status != 404 or (reply.body.strip() and not isinstance(json_or_nothing(reply), dict)):
        return False
    return _error_type(reply) in {None, "not_found"}


def _of_person(question: Question, body: Mapping[str, Any], stated: float | None) -> Answer:
    person = mapping(body.get("data"))
    if not person:
        raise unreadable("People Data Labs")
    addresses = list(emails_of(person))
    ours = (persons_email(question) or "").casefold()
    identity = StatedIdentity(
        email=next((email for email in addresses if email.casefold() == ours), next(iter(addresses), None)),
        first=text(person.get("first_name")),
        last=text(person.get("last_name")),
        domains=[text(person.get("job_company_website"))],
        employers=employers_of(person),
        profiles=profiles_of(person),
        phones=map(text, (person.get("mobile_phone"), *items(person.get("phone_numbers")))),
    )
    if not is_asked_person(question, identity):
        raise wrong_entity("People Data Labs", stated)
    return _answer(body, read_person(question, person, confidence_of(body)).all(), stated)


def _of_company(question: Question, company: Mapping[str, Any], stated: float | None) -> Answer:
    """A company's record is the answer itself, beside its status and likelihood."""
    findings = read_company(question, company, confidence_of(company)).all()
    if not findings and not company.get("id"):
        raise unreadable("People Data Labs")
    name, profiles = text(company.get("display_name") or company.get("name")), [text(company.get("linkedin_url"))]
    fit = fit_of_company(question, domains_of(company), name, profiles)
    if fit == NOT_IT:
        raise wrong_entity("People Data Labs", stated)
    return _answer(company, less_sure(findings, fit), stated)


def _answer(body: Mapping[str, Any], findings: tuple[Any, ...], stated: float | None) -> Answer:
    """The match. A record whose values are all masked is one too, since it was charged."""
    likelihood = number(body.get("likelihood"))
    likely = f"likelihood {likelihood} of 10" if likelihood is not None else "of an untold likelihood"
    return Answer(matched=True, findings=findings, detail=f"People Data Labs: {likely}", stated=stated)
