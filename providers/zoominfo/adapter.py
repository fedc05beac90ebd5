"""ZoomInfo: contacts and companies, by the GTM API or, for accounts that still have it, the Enterprise API.

One credit is taken for a record that is returned and is not under management yet; none for a miss or an error.
A field outside of an account's plan fails the whole call: from then on the account is asked for the usual ones only.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from enrichment.enums import EntityType
from providers.api import Answer, ProviderError, ProviderInfo, Question
from providers.bulk import Batch, Outcome
from providers.http.adapter import Http, KeyCheck, Limit, Pending
from providers.http.bulk import read_each
from providers.http.inputs import (
    company_domain,
    company_name,
    is_account,
    known,
    persons_email,
    persons_name,
    persons_phone,
    present,
    wants_any,
)
from providers.http.replies import OPTED_OUT, at, items, mapping, text
from providers.http.scopes import COMPANIES, PEOPLE, tried, unusable
from providers.matching.company_fit import NOT_IT, fit_of_company, less_sure
from providers.matching.identity import StatedIdentity, is_asked_company, is_asked_person, wrong_entity
from providers.zoominfo.auth import LEGACY_LOGIN
from providers.zoominfo.parse import (
    COMPANY_FIELDS,
    CONTACT_FIELDS,
    EMPLOYER_FIELDS,
    MATCHED,
    company_findings,
    contact_findings,
    domains_of,
)
from providers.zoominfo.protocol import Protocol, Record

_BULK = 25
_CALLS_PER_SECOND = 5  # of the smallest plan; larger ones have 25 and 35
_ALL_OF_PERSON = CONTACT_FIELDS | EMPLOYER_FIELDS
_REQUIRABLE = ("email", "phone", "mobilePhone")  # under these names also in ZoomInfo's `requiredFields`


@dataclass(frozen=True, slots=True)
class _Lookup:
    """One call: by what decides the answer, and what else is known of whom it is about."""

    kind: str  # contact or company
    by: Mapping[str, str]
    more: Mapping[str, str] = field(default_factory=dict)
    required: str = ""

    @property
    def key(self) -> str:
        """Equal for calls that get the same answer: by what decides it, as whatever else is known only helps."""
        named = [f"{name}={value.casefold()}" for name, value in sorted(self.by.items())]
        return "|".join((self.kind, *named, *([f"required={self.required}"] if self.required else [])))

    @property
    def matching(self) -> dict[str, str]:
        """All that is known, as it is sent."""
        return {**self.more, **self.by}


def _look_up_of(question: Question) -> _Lookup | None:
    """The cheapest look-up that can give what is wanted. A company is looked up once for all who work there."""
    if not is_account(question) and wants_any(question, CONTACT_FIELDS):
        by = _contact_by(question)
        if by is not None:
            return _Lookup("contact", by, _contact_more(question), _required_of(question))
    if not wants_any(question, COMPANY_FIELDS if is_account(question) else EMPLOYER_FIELDS):
        return None
    if domain := company_domain(question):
        return _Lookup("company", {"companyWebsite": f"www.{domain}"}, _company_more(question))
    name, country = company_name(question), known(question, "country") if is_account(question) else None
    if name is None:
        return None
    by = {"companyName": name, **({"companyCountry": country} if country else {})}
    return _Lookup("company", by, _company_more(question))


def _required_of(question: Question) -> str:
    """The one field that is wanted, where a contact without it would be paid for in vain; empty otherwise."""
    wanted = question.wanted & _ALL_OF_PERSON
    return next((name for name in _REQUIRABLE if wanted == {name}), "")


def _contact_more(question: Question) -> dict[str, str]:
    first, last = persons_name(question) or (known(question, "firstName"), known(question, "lastName"))
    return present(
        firstName=first,
        lastName=last,
        companyName=company_name(question),
        phone=persons_phone(question),
        externalURL=known(question, "linkedinUrl"),
    )


def _company_more(question: Question) -> dict[str, str]:
    if not is_account(question):
        return present(companyName=company_name(question))
    return present(
        companyName=company_name(question),
        companyPhone=known(question, "phone"),
        companyTicker=known(question, "stockSymbol"),
        companyCountry=known(question, "country"),
    )


def _contact_by(question: Question) -> Mapping[str, str] | None:
    if email := persons_email(question):
        return {"emailAddress": email}
    name, employer = persons_name(question), company_name(question)
    if name and employer:
        return {"firstName": name[0], "lastName": name[1], "companyName": employer}
    phone = persons_phone(question)
    return {"phone": phone} if phone else None


class ZoomInfo:
    """The adapter."""

    info = ProviderInfo(
        id="zoominfo",
        name="ZoomInfo",
        gives={
            EntityType.LEAD: _ALL_OF_PERSON,
            EntityType.CONTACT: _ALL_OF_PERSON,
            EntityType.ACCOUNT: COMPANY_FIELDS,
        },
        needs="an e-mail address, a name with an employer, a phone number, or a company's domain or name",
        price=1,
        answer_lifetime_days=90,
        miss_lifetime_days=30,
        remote=True,
        needs_key=True,
        repeats_free=True,
        attribution="ZoomInfo",
    )
    scopes = frozenset({PEOPLE, COMPANIES})
    bases: Mapping[str, str] = {
        "": "https://api.zoominfo.com/gtm",
        "legacy": "https://api.zoominfo.com",
        "login": "https://okta-login.zoominfo.com",
    }
    calls_per_minute = _CALLS_PER_SECOND * 60

    def __init__(self, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic) -> None:
        self._protocol = Protocol(wall, clock)

    def limit_of(self, base: str, path: str) -> Limit:
        """One limit for all calls of an account. Signing in is counted apart, and may be once a second."""
        if base == "login" or path == LEGACY_LOGIN:
            return Limit("login", _CALLS_PER_SECOND * 60, 1)
        return Limit("", self.calls_per_minute, _CALLS_PER_SECOND)

    def input_key(self, question: Question) -> str | None:
        lookup = _look_up_of(question)
        return None if lookup is None else _key_of(question, lookup)

    def broader_key(self, question: Question) -> str | None:
        """The key of the same contact of which nothing was required."""
        lookup = _look_up_of(question)
        return None if lookup is None or not lookup.required else _key_of(question, replace(lookup, required=""))

    def narrower_keys(self, question: Question) -> Sequence[str]:
        """The keys of the same contact where a field was required of it."""
        lookup = _look_up_of(question)
        if lookup is None or lookup.kind != "contact" or lookup.required:
            return ()
        return [_key_of(question, replace(lookup, required=required)) for required in _REQUIRABLE]

    def scope_of(self, question: Question) -> str:
        """Tokens have a scope for each of its two calls."""
        lookup = _look_up_of(question)
        return COMPANIES if lookup is not None and lookup.kind == "company" else PEOPLE

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        lookup = _look_up_of(question)
        if lookup is None:
            raise ProviderError("rejected", f"ZoomInfo needs {self.info.needs}", retryable=False)
        status, record = await self._protocol.enrich(http, lookup.kind, lookup.matching, lookup.required)
        return _answer(question, lookup, status, record)

    def batch_of(self, question: Question) -> Batch | None:
        """Contacts of which the same is required, and companies, go 25 at a time."""
        lookup = _look_up_of(question)
        return None if lookup is None else Batch(f"{lookup.kind} {lookup.required}".strip(), _BULK)

    async def look_up_many(self, questions: Sequence[Question], http: Http) -> Sequence[Outcome]:
        """All of one kind, by one request."""
        lookups = [lookup for question in questions if (lookup := _look_up_of(question)) is not None]
        first = lookups[0]
        matching = [lookup.matching for lookup in lookups]
        records = await self._protocol.enrich_many(http, first.kind, matching, first.required)

        def read(question: Question, item: tuple[_Lookup, Callable[[], Record]]) -> Outcome:
            lookup, record = item
            return _answer(question, lookup, *record())

        return read_each("ZoomInfo", questions, list(zip(lookups, records, strict=True)), read)

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """ZoomInfo answers at once."""
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        try:
            left = await self._protocol.credits_left(http)
        except ProviderError as error:
            if error.code != "no_access":
                return unusable(error)
            may = await self._may(http)
            return KeyCheck(any(may.values()), error.message, may=may)
        detail = "the key works; its usage was read, which is free"
        return KeyCheck(valid=True, detail=detail, credits_left=left, may=await self._may(http))

    async def _may(self, http: Http) -> dict[str, bool]:
        """What the token may look up, by calls that name nobody, which cost nothing."""
        return await tried(
            {
                PEOPLE: lambda: self._protocol.ask_for_nobody(http, "contact"),
                COMPANIES: lambda: self._protocol.ask_for_nobody(http, "company"),
            }
        )


def _key_of(question: Question, lookup: _Lookup) -> str:
    return f"{'account' if is_account(question) else 'person'}|{lookup.key}"


def _answer(question: Question, lookup: _Lookup, status: str | None, record: Mapping[str, Any]) -> Answer:
    match status:
        case "OPT_OUT":
            return OPTED_OUT
        case "LIMIT_EXCEEDED":
            raise ProviderError("out_of_credits", "ZoomInfo's credits are used up (LIMIT_EXCEEDED)", retryable=False)
        case "INVALID_INPUT":
            raise ProviderError("rejected", "ZoomInfo cannot look this up (INVALID_INPUT)", retryable=False)
        case "SERVICE_ERROR":
            raise ProviderError("unavailable", "ZoomInfo answered SERVICE_ERROR", retryable=True)
    if not record or (status is not None and status not in MATCHED):
        return Answer(matched=False, detail=_why_not(status))
    if lookup.kind == "contact":
        _check_person(question, status, record)
        findings = contact_findings(question, status, record).all()
    else:
        fit = fit_of_company(question, domains_of(record), text(record.get("name")))
        if fit == NOT_IT:
            raise wrong_entity("ZoomInfo")
        findings = less_sure(company_findings(question, status, record).all(), fit)
    return Answer(matched=True, findings=findings, detail=f"ZoomInfo: {(status or 'match').replace('_', ' ').lower()}")


def _check_person(question: Question, status: str | None, record: Mapping[str, Any]) -> None:
    employer = mapping(record.get("company"))
    domains, name = domains_of(employer), text(employer.get("name"))
    if status == "COMPANY_ONLY_MATCH":
        fitting = is_asked_company(question, domains, name)
    else:
        stated = StatedIdentity(
            email=text(record.get("email")),
            first=text(record.get("firstName")),
            last=text(record.get("lastName")),
            domains=domains,
            employers=[name],
            profiles=[text(at(link, "url")) for link in items(record.get("externalUrls"))],
            phones=[text(record.get("phone")), text(record.get("mobilePhone"))],
        )
        fitting = is_asked_person(question, stated)
    if not fitting:
        raise wrong_entity("ZoomInfo")


def _why_not(status: str | None) -> str:
    if status is None or status == "NO_MATCH":
        return ""
    return f"ZoomInfo: {status[:40].replace('_', ' ').lower()}"
