"""Crunchbase: companies, by one search for a domain or for many, or by name over its autocomplete.

The licence covers the calls: none is charged, neither for a match nor for a miss. It asks for a visible link to the
company's page at Crunchbase, which the answer's detail holds. The answers state no confidence; ours follows from how
the company was recognized and how each field comes about (employees and revenue are classes, categories have no order).
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from enrichment.enums import EntityType
from enrichment.normalize.contact.url import registrable_domain
from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.places.country import country_code
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.bulk import Batch, Outcome
from providers.crunchbase.parse import (
    ACCOUNT_FIELDS,
    EMPLOYER_FIELDS,
    FIELD_SETS,
    country_of,
    domain_of,
    findings_of,
    name_of,
    page_of,
)
from providers.http.adapter import Http, KeyCheck, Pending, Reply
from providers.http.bulk import read_each
from providers.http.inputs import company_domain, company_name, is_account, known
from providers.http.replies import (
    account_of,
    at,
    failure,
    items,
    json_or_nothing,
    mapping,
    number,
    retry_after,
    text,
    unreadable,
)
from providers.http.scopes import unusable
from providers.matching.company_fit import fit_of_company, names_alike
from providers.matching.identity import is_asked_company, wrong_entity

_BY_DOMAIN, _ONE_OF_SEVERAL = 0.93, 0.75
_BY_NAME, _BY_NAME_AND_COUNTRY = 0.75, 0.85
_MOST = 5  # companies of a domain, or of a name
_BULK = 25  # domains of one search
_TO_BE_ASKED_ALONE = ProviderError("rejected", "Crunchbase did not find it among others", retryable=True)
# A search that gives none of these named the organization only.
_ENTITY_TELLS_MORE = frozenset({"num_employees_enum", "founded_on", "categories", "location_identifiers", "linkedin"})
_MINUTE = 60.0  # the limit is one of calls a minute, and a 429 does not say how long to wait


class Crunchbase:
    """The adapter. `wall` gives seconds since 1970."""

    info = ProviderInfo(
        id="crunchbase",
        name="Crunchbase",
        gives={
            EntityType.LEAD: EMPLOYER_FIELDS,
            EntityType.CONTACT: EMPLOYER_FIELDS,
            EntityType.ACCOUNT: ACCOUNT_FIELDS,
        },
        needs="a company's domain or website, an e-mail address at work, or a company name",
        answer_lifetime_days=90,
        miss_lifetime_days=30,
        remote=True,
        needs_key=True,
        repeats_free=True,
        attribution="Crunchbase",
    )
    bases: Mapping[str, str] = {"": "https://api.crunchbase.com/v4"}
    calls_per_minute = 200

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._first_set: dict[str, int] = {}  # by account whose plan lacks some fields: which of FIELD_SETS it has
        self._lists_serve: dict[str, bool] = {}  # by account: whether a search for several domains finds them

    def input_key(self, question: Question) -> str | None:
        of_kind = "account" if is_account(question) else "employer"
        if domain := company_domain(question):
            return f"{of_kind}|{domain}"
        name = core_name(company_name(question) or "")
        return f"{of_kind}|?{name}|{_headquarters_country(question) or ''}" if name else None

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        if domain := company_domain(question):
            return await self._by_domain(question, domain, http)
        if name := company_name(question):
            return await self._by_name(question, name, http)
        raise ProviderError("rejected", f"Crunchbase needs {self.info.needs}", retryable=False)

    def batch_of(self, question: Question) -> Batch | None:
        """Companies go 25 at a time by their domains; a name is looked up by two calls of its own."""
        return Batch("domain", _BULK) if company_domain(question) else None

    async def look_up_many(self, questions: Sequence[Question], http: Http) -> Sequence[Outcome]:
        """One search for the domains of all. Who is to be asked alone ends by an error that says so.

        That a search takes several values is documented, and not what it then finds: a domain that is not found is a
        miss only once a list of the account brought more than one of its domains.
        """
        account = account_of(http)
        if self._lists_serve.get(account) is False:
            return [_TO_BE_ASKED_ALONE] * len(questions)
        domains = {domain: None for question in questions if (domain := company_domain(question))}
        try:
            found = await self._search(list(domains), http)
        except ProviderError as error:
            if error.code != "rejected":
                raise
            self._lists_serve[account] = False
            return [_TO_BE_ASKED_ALONE] * len(questions)
        by_domain: dict[str, list[Mapping[str, Any]]] = {}
        for company in found:
            by_domain.setdefault(registrable_domain(domain_of(company) or "") or "", []).append(company)
        if len(by_domain.keys() & domains.keys()) > 1:
            self._lists_serve[account] = True
        all_are_there = self._lists_serve.get(account) is True and len(found) < _MOST * len(domains)

        def read(question: Question, domain: str | None) -> Outcome:
            companies = by_domain.get(domain or "")
            if companies is None:
                return NO_MATCH if all_are_there else _TO_BE_ASKED_ALONE
            company, confidence = _likeliest_fitting(question, companies)
            if _ENTITY_TELLS_MORE.isdisjoint(company):
                return _TO_BE_ASKED_ALONE
            return _by_domain_answer(question, company, confidence)

        return read_each("Crunchbase", questions, [company_domain(question) for question in questions], read)

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """Crunchbase answers at once."""
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        refusal = self._refusal(await _autocomplete(http, "crunchbase"))
        if refusal is None:
            return KeyCheck(valid=True, detail="the key works; its licence counts no credits")
        return unusable(refusal)

    async def _by_domain(self, question: Question, domain: str, http: Http) -> Answer:
        found = await self._search([domain], http)
        if not found:
            return NO_MATCH
        company, confidence = _likeliest_fitting(question, found)
        if _ENTITY_TELLS_MORE.isdisjoint(company):
            company = {**company, **(await self._entity(company, http) or {})}
        return _by_domain_answer(question, company, confidence)

    async def _search(self, domains: Sequence[str], http: Http) -> list[Mapping[str, Any]]:
        """The properties of the companies with these domains."""
        query = {"type": "predicate", "field_id": "website_url", "operator_id": "domain_eq", "values": [*domains]}

        async def search(fields: Sequence[str]) -> Reply:
            body = {"field_ids": list(fields), "query": [query], "limit": _MOST * len(domains)}
            return await _send(http, "POST", "/data/searches/organizations", json=body)

        return [_properties(entity) for entity in _entities(await self._ask(http, search))]

    async def _by_name(self, question: Question, name: str, http: Http) -> Answer:
        reply = await _autocomplete(http, name)
        if refusal := self._refusal(reply):
            raise refusal
        called = [entity for entity in _entities(reply.json()) if _is_called(entity, name)]
        if len(called) != 1:
            return Answer(matched=False, detail=f"{len(called)} companies share this name" if called else "")
        company = await self._entity(called[0], http)
        if not company:
            return NO_MATCH
        if not is_asked_company(question, [domain_of(company)], name_of(company)):
            raise wrong_entity("Crunchbase")
        ours, theirs = _headquarters_country(question), country_of(company)
        if ours and theirs and ours != theirs:
            return Answer(matched=False, detail="the company of this name has its seat in another country")
        return _answer(question, company, _BY_NAME_AND_COUNTRY if ours and theirs else _BY_NAME, "name")

    async def _entity(self, found: Mapping[str, Any], http: Http) -> Mapping[str, Any] | None:
        """All properties of an organization that was found; None where there is none."""
        company_id = text(at(found, "identifier", "uuid")) or text(at(found, "identifier", "permalink"))
        if company_id is None:
            return None
        path = f"/data/entities/organizations/{quote(company_id, safe='')}"

        async def read(fields: Sequence[str]) -> Reply:
            return await _send(http, "GET", path, params={"field_ids": ",".join(fields)})

        return mapping(at(await self._ask(http, read, missing=404), "properties")) or None

    async def _ask(
        self, http: Http, call: Callable[[Sequence[str]], Awaitable[Reply]], *, missing: int | None = None
    ) -> Any:
        """The body of a call for the fields that the account's plan has; None for the status `missing`."""
        account = account_of(http)
        first = self._first_set.get(account, 0)
        reply = await call(FIELD_SETS[first])
        for number_of_set in range(first + 1, len(FIELD_SETS)):
            if reply.status != 400:
                break
            reply = await call(FIELD_SETS[number_of_set])
            if reply.status == 200:
                self._first_set[account] = number_of_set
        if reply.status == missing:
            return None
        if refusal := self._refusal(reply):
            raise refusal
        return reply.json()

    def _refusal(self, reply: Reply) -> ProviderError | None:
        """The error of a reply; None for an answer. Errors come as an array of objects, one object, or not at all."""
        if reply.status == 200:
            return None
        codes = (text(at(error, "code")) for error in items(json_or_nothing(reply)))
        wait = retry_after(reply, self._wall()) or (_MINUTE if reply.status == 429 else None)
        return failure("Crunchbase", reply, code=next(filter(None, codes), ""), wait=wait)


async def _send(
    http: Http, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
) -> Reply:
    headers = {"X-cb-user-key": http.key, "Accept": "application/json"}
    return await http.send(method, path, params=params, json=json, headers=headers)


async def _autocomplete(http: Http, name: str) -> Reply:
    params = {"query": name, "collection_ids": "organizations", "limit": str(_MOST)}
    return await _send(http, "GET", "/data/autocompletes", params=params)


def _headquarters_country(question: Question) -> str | None:
    """The country code of an account; None for a person, whose country is not the employer's."""
    country = known(question, "country") if is_account(question) else None
    return country_code(country) if country else None


def _entities(body: Any) -> list[Any]:
    listed = at(body, "entities")
    if not isinstance(listed, list):
        raise unreadable("Crunchbase", "lists no entities")
    return listed


def _properties(entity: Any) -> Mapping[str, Any]:
    """The properties of an organization that a search found, with its id, which the reply puts beside them."""
    return {"identifier": {"uuid": at(entity, "uuid")}, **mapping(at(entity, "properties"))}


def _is_called(entity: Any, name: str) -> bool:
    value = text(at(entity, "identifier", "value"))
    return value is not None and core_name(value) == core_name(name)


def _likeliest_fitting(question: Question, found: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], float]:
    """As `_likeliest`, of those that are the question's company. Raises ProviderError where none is."""
    fitting = [company for company in found if is_asked_company(question, [domain_of(company)], name_of(company))]
    if not fitting:
        raise wrong_entity("Crunchbase")
    return _likeliest(question, fitting)


def _likeliest(question: Question, fitting: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], float]:
    """Of the companies of one domain the one with the record's name, else the most prominent that is not closed."""
    if len(fitting) == 1:
        return fitting[0], _BY_DOMAIN
    ours = company_name(question)
    named = [company for company in fitting if ours and (name := name_of(company)) and names_alike(ours, name)]
    if len(named) == 1:
        return named[0], _BY_DOMAIN
    return min(named or fitting, key=_prominence), _ONE_OF_SEVERAL


def _prominence(company: Mapping[str, Any]) -> tuple[bool, float]:
    rank = number(company.get("rank_org"))
    return company.get("operating_status") == "closed", rank if rank is not None else float("inf")


def _by_domain_answer(question: Question, company: Mapping[str, Any], confidence: float) -> Answer:
    fit = fit_of_company(question, [domain_of(company)], name_of(company))
    return _answer(question, company, confidence * fit, "domain")


def _answer(question: Question, company: Mapping[str, Any], confidence: float, how: str) -> Answer:
    findings = findings_of(question, company, confidence).all()
    if not findings:
        return NO_MATCH
    page = page_of(company)
    detail = f"recognized by {how}" + (f": {page}" if page else "")
    return Answer(matched=True, findings=findings, detail=detail)
