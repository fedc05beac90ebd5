"""Clearbit Enrichment, for accounts of 2023 and earlier: no new keys are given, so it is asked only where one is set.

Every call that answers 200, 202 or 404 counts as a request at Clearbit, a miss as well as a match, and what is queued
as well as what is answered: the ledger counts them too. The same address or domain again within the billing period
does not count.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from enrichment.enums import EntityType
from enrichment.normalize.contact.url import registrable_domain
from providers.api import NO_MATCH, Answer, Finding, ProviderError, ProviderInfo, Question
from providers.clearbit.parse import (
    COMPANY_FIELDS,
    EMPLOYER_FIELDS,
    PERSON_FIELDS,
    is_mail_provider,
    read_company,
    read_person,
)
from providers.http.adapter import Http, KeyCheck, Limit, Pending, Reply
from providers.http.inputs import (
    company_domain,
    company_name,
    employers_domain,
    is_account,
    known,
    persons_email,
    persons_name,
    present,
    wants_any,
)
from providers.http.replies import (
    OPTED_OUT,
    at,
    failure,
    items,
    json_or_nothing,
    mapping,
    retry_after,
    seconds_until,
    text,
    unreadable,
)
from providers.http.scopes import COMPANIES, PEOPLE, unusable
from providers.matching.company_fit import NOT_IT, fit_of_company, less_sure
from providers.matching.identity import StatedIdentity, is_asked_company, is_asked_person, wrong_entity

_COMBINED, _COMPANY = "combined", "company"
_VERSION = "2019-12-19"
_AGAIN_AFTER = 60.0  # a look-up that was queued takes minutes
_WAITING_SECONDS = 3600.0
_MINUTE = 60.0  # the limit is one of calls a minute


class Clearbit:
    """The adapter. `wall` gives seconds since 1970."""

    info = ProviderInfo(
        id="clearbit",
        name="Clearbit",
        gives={
            EntityType.LEAD: PERSON_FIELDS | EMPLOYER_FIELDS,
            EntityType.CONTACT: PERSON_FIELDS | EMPLOYER_FIELDS,
            EntityType.ACCOUNT: COMPANY_FIELDS,
        },
        needs="an e-mail address, or a company's domain or website",
        price=1,
        answer_lifetime_days=90,
        miss_lifetime_days=30,
        remote=True,
        needs_key=True,
        counts_misses=True,
        repeats_free=True,
        attribution="Clearbit",
        remarks=("Clearbit counts a miss as a request too", "only accounts of 2023 and earlier have keys"),
    )
    scopes = frozenset({PEOPLE, COMPANIES})
    bases: Mapping[str, str] = {"": "https://person.clearbit.com", "company": "https://company.clearbit.com"}
    calls_per_minute = 600

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall

    def limit_of(self, base: str, path: str) -> Limit:
        """Calls are counted for each of its two services by itself."""
        return Limit(base or "person", self.calls_per_minute)

    def input_key(self, question: Question) -> str | None:
        lookup = _lookup_of(question)
        if lookup is None:
            return None
        call, value = lookup
        of_kind = "account" if is_account(question) else "person"
        return f"{of_kind}|{call}|{value.casefold()}"

    def scope_of(self, question: Question) -> str:
        """Its two services are sold apart."""
        lookup = _lookup_of(question)
        return COMPANIES if lookup is not None and lookup[0] == _COMPANY else PEOPLE

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        lookup = _lookup_of(question)
        if lookup is None:
            raise ProviderError("rejected", f"Clearbit needs {self.info.needs}", retryable=False)
        return await self._find(*lookup, question, http, until=self._wall() + _WAITING_SECONDS)

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        call, _, rest = token.partition("|")
        until, _, value = rest.partition("|")
        if call not in {_COMBINED, _COMPANY} or not until.isdigit() or not value:
            raise ProviderError("rejected", "not a token of a look-up at Clearbit", retryable=False)
        return await self._find(call, value, question, http, until=float(until))

    async def check_key(self, http: Http) -> KeyCheck:
        """Check the key with a malformed address: a good key gives 422, which is not counted as a request."""
        reply = await _send(_COMBINED, "not-an-email", http)
        if reply.status in {200, 202, 400, 404, 422}:
            detail = "the key works; what is left of its quota only the dashboard tells"
            return KeyCheck(valid=True, detail=detail, may={PEOPLE: True})
        refusal = self._refusal(reply)
        return unusable(refusal)

    async def _find(self, call: str, value: str, question: Question, http: Http, *, until: float) -> Answer | Pending:
        reply = await _send(call, value, http, _more(question) if call == _COMBINED else {})
        if reply.status == 202:
            return Pending(f"{call}|{until:.0f}|{value}", _AGAIN_AFTER, datetime.fromtimestamp(until, UTC))
        if reply.status == 404 and _is_miss(reply):
            return NO_MATCH
        if reply.status == 451:
            return OPTED_OUT
        if reply.status not in {200, 201}:
            raise self._refusal(reply)
        body = reply.json()
        if body is not None and not isinstance(body, dict):
            raise unreadable("Clearbit")
        return _of_company(question, mapping(body)) if call == _COMPANY else _of_both(question, mapping(body))

    def _refusal(self, reply: Reply) -> ProviderError:
        now = self._wall()
        wait = retry_after(reply, now)
        if reply.status == 429:
            wait = wait or seconds_until(reply.headers.get("x-ratelimit-reset"), now) or _MINUTE
        return failure("Clearbit", reply, code=next(iter(sorted(_error_types(reply))), ""), wait=wait)


def _lookup_of(question: Question) -> tuple[str, str] | None:
    """The call, and the address or domain to look up. A company is looked up once for all who work there."""
    email = persons_email(question)
    if email and wants_any(question, PERSON_FIELDS):
        return _COMBINED, email
    if not wants_any(question, COMPANY_FIELDS if is_account(question) else EMPLOYER_FIELDS):
        return None
    domain = company_domain(question)
    return (_COMPANY, domain) if domain else None


def _more(question: Question) -> dict[str, str]:
    """What is known of a person beside the address, which decides whose record it is."""
    first, last = persons_name(question) or (known(question, "firstName"), known(question, "lastName"))
    place = (known(question, name) for name in ("city", "state", "country"))
    return present(
        given_name=first,
        family_name=last,
        company=company_name(question),
        company_domain=employers_domain(question),
        location=", ".join(filter(None, place)),
        linkedin=known(question, "linkedinUrl"),
    )


async def _send(call: str, value: str, http: Http, more: Mapping[str, str] = MappingProxyType({})) -> Reply:
    headers = {"Authorization": f"Bearer {http.key}", "API-Version": _VERSION, "Accept": "application/json"}
    if call == _COMPANY:
        return await http.send("GET", "/v2/companies/find", base="company", params={"domain": value}, headers=headers)
    return await http.send("GET", "/v2/combined/find", params={**more, "email": value}, headers=headers)


def _is_miss(reply: Reply) -> bool:
    """Whether nobody is known. Another 404, or another server's page, says that the address is wrong."""
    if reply.body.strip() and not isinstance(json_or_nothing(reply), dict | list):
        return False
    return _error_types(reply) <= {"unknown_record"}


def _error_types(reply: Reply) -> set[str]:
    """The types of an error: one object, an array of them, either alone or under `error`."""
    return set(_types(json_or_nothing(reply)))


def _types(body: Any) -> Iterator[str]:
    for error in items(body):
        if found := text(at(error, "type")):
            yield found
        elif nested := at(error, "error") or at(error, "errors"):
            yield from _types(nested)


def _of_company(question: Question, company: Mapping[str, Any]) -> Answer:
    if not company:
        return NO_MATCH
    fit = fit_of_company(question, _domains(company), text(company.get("name")))
    if fit == NOT_IT:
        raise wrong_entity("Clearbit")
    findings = less_sure(read_company(question, company).all(), fit)
    return Answer(matched=True, findings=findings, detail=_how(company))


def _of_both(question: Question, body: Mapping[str, Any]) -> Answer:
    """The two halves of a combined answer, of which either may be missing."""
    person, company = mapping(body.get("person")), mapping(body.get("company"))
    if person and not _is_asked_for(question, person):
        raise wrong_entity("Clearbit")
    if company and not _employs(question, person, company):
        if not person and not is_mail_provider(company):
            raise wrong_entity("Clearbit")
        company = {}
    found: dict[str, Finding] = {}
    for finding in (*(read_person(question, person).all() if person else ()), *_of_employer(question, company)):
        found.setdefault(finding.field, finding)
    if not found:
        return NO_MATCH
    return Answer(matched=True, findings=tuple(found.values()), detail=_how(person or company))


def _is_asked_for(question: Question, person: Mapping[str, Any]) -> bool:
    job = mapping(person.get("employment"))
    stated = StatedIdentity(
        email=text(person.get("email")),
        first=text(at(person, "name", "givenName")),
        last=text(at(person, "name", "familyName")),
        domains=[text(job.get("domain"))],
        employers=[text(job.get("name"))],
        profiles=[text(at(person, "linkedin", "handle"))],
    )
    return is_asked_person(question, stated)


def _employs(question: Question, person: Mapping[str, Any], company: Mapping[str, Any]) -> bool:
    """Whether the company half is the employer's: of the person half where that names one, else of the record."""
    if is_mail_provider(company):
        return False
    employer = registrable_domain(text(at(person, "employment", "domain")) or "")
    if employer:
        return employer in {registrable_domain(domain) for domain in _domains(company)}
    return is_asked_company(question, _domains(company), text(company.get("name")))


def _of_employer(question: Question, company: Mapping[str, Any]) -> tuple[Finding, ...]:
    return read_company(question, company).all() if company else ()


def _domains(company: Mapping[str, Any]) -> list[str]:
    named = (company.get("domain"), *items(company.get("domainAliases")))
    return [domain for domain in map(text, named) if domain]


def _how(half: Mapping[str, Any]) -> str:
    return "recognized indirectly" if half.get("fuzzy") is True else ""
