"""Hunter: people by e-mail address or LinkedIn profile, and companies by domain.

A match costs a credit. Its documentation says that a repeat within the billing period is free for its finder and its
verifier, but not for these calls, so we do not rely on it. It contradicts itself about 402, 403 and 429: before we
believe one of them, we read the account, which is free.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.http.adapter import Http, KeyCheck, Limit, Pending, Reply
from providers.http.inputs import company_domain, is_account, known, persons_email, wants_any
from providers.http.replies import (
    OPTED_OUT,
    account_of,
    at,
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
from providers.hunter.parse import COMPANY_FIELDS, EMPLOYER_FIELDS, PERSON_FIELDS, read_company, read_person
from providers.matching.company_fit import NOT_IT, fit_of_company, less_sure
from providers.matching.identity import StatedIdentity, is_asked_person, wrong_entity

_PERSON, _COMPANY = "people", "companies"
_ACCOUNT = "/account"
_PROFILE = re.compile(r"https://www\.linkedin\.com/in/([^/?#]+)")
_USED_UP = re.compile(r"usage|quota|plan|credit")  # in an error's id, or in its details where the account is silent
_TOO_FAST = re.compile(r"too_many|rate|throttl")
_CALLS_PER_SECOND = 15
_MINUTE = 60.0  # calls are counted by the second and the minute
_REFUSALS = 3  # of one account one after the other, after which 403 says that it may not


@dataclass(frozen=True, slots=True)
class _Account:
    """What an account says of itself; `known` is false for one that could not be read."""

    known: bool = False
    left: float | None = None
    renews_at: datetime | None = None


class Hunter:
    """The adapter. `wall` gives seconds since 1970."""

    info = ProviderInfo(
        id="hunter",
        name="Hunter",
        gives={
            EntityType.LEAD: PERSON_FIELDS | EMPLOYER_FIELDS,
            EntityType.CONTACT: PERSON_FIELDS | EMPLOYER_FIELDS,
            EntityType.ACCOUNT: COMPANY_FIELDS,
        },
        needs="an e-mail address, a LinkedIn profile, or a company's domain or website",
        price=1,
        answer_lifetime_days=90,
        miss_lifetime_days=30,
        remote=True,
        needs_key=True,
        attribution="Hunter",
    )
    scopes = frozenset({PEOPLE, COMPANIES})
    bases: Mapping[str, str] = {"": "https://api.hunter.io/v2"}
    calls_per_minute = 500

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._refusals: dict[str, int] = {}  # by account: how often 403 came with no other answer between

    def limit_of(self, base: str, path: str) -> Limit:
        """Reading the account is no enrichment, and has to go on when those are too many."""
        if path == _ACCOUNT:
            return Limit("account", self.calls_per_minute)
        return Limit("enrichment", self.calls_per_minute, _CALLS_PER_SECOND)

    def input_key(self, question: Question) -> str | None:
        lookup = _lookup_of(question)
        if lookup is None:
            return None
        call, by, value = lookup
        return f"{'account' if is_account(question) else 'person'}|{call}|{by}={value.casefold()}"

    def scope_of(self, question: Question) -> str:
        """Plans have either of its two calls, or both."""
        lookup = _lookup_of(question)
        return COMPANIES if lookup is not None and lookup[0] == _COMPANY else PEOPLE

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        lookup = _lookup_of(question)
        if lookup is None:
            raise ProviderError("rejected", f"Hunter needs {self.info.needs}", retryable=False)
        call, by, value = lookup
        reply = await _send(http, f"/{call}/find", {by: value})
        if reply.status != 403:
            self._refusals.pop(account_of(http), None)
        if _is_miss(reply):
            return NO_MATCH
        if reply.status == 451:
            return OPTED_OUT
        if reply.status != 200:
            raise await self._refusal(reply, http)
        body = reply.json()
        if not isinstance(at(body, "data"), dict | None) or "data" not in mapping(body):
            raise unreadable("Hunter")
        return (_of_company if call == _COMPANY else _of_person)(question, mapping(body["data"]))

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """Hunter answers at once."""
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        reply = await _send(http, _ACCOUNT, {})
        if reply.status == 200:
            account = _account(reply.json(), http)
            detail = "the key works; its account was read, which is free"
            may = await tried(
                {
                    PEOPLE: lambda: _send(http, f"/{_PERSON}/find", {}),
                    COMPANIES: lambda: _send(http, f"/{_COMPANY}/find", {}),
                }
            )
            return KeyCheck(True, detail, credits_left=account.left, renews_at=account.renews_at, may=may)
        refusal = failure("Hunter", reply, code=_first_id(reply), wait=retry_after(reply, self._wall()))
        return unusable(refusal)

    async def _refusal(self, reply: Reply, http: Http) -> ProviderError:
        wait = retry_after(reply, self._wall())
        if reply.status in {402, 403, 429} and (wait is None or reply.status == 402):
            return await self._by_account(reply, http)
        if reply.status == 403:
            return _too_fast(reply, wait)
        return failure("Hunter", reply, code=_first_id(reply), wait=wait)

    async def _by_account(self, reply: Reply, http: Http) -> ProviderError:
        """Whether the credits are used up, calls came too fast, or the key may not ask."""
        account, code = await self._read_account(http), _first_id(reply)
        used_up = account.left is not None and account.left <= 0
        if reply.status == 402 or used_up or (reply.status == 429 and _speaks_of_usage(reply, account)):
            until = account.renews_at
            wait = seconds_until(until.timestamp(), self._wall()) if until else None
            message = f"Hunter's credits are used up ({reply.status} {code[:40]})"
            return ProviderError("out_of_credits", message, retryable=False, retry_after_seconds=wait)
        if reply.status == 403 and not _TOO_FAST.search(code) and not self._may_be_brief(account, http):
            error = failure("Hunter", reply, code=code)
            # Who may not even read the account has no key that works.
            return error if account.known else ProviderError("bad_key", error.message, retryable=False)
        return _too_fast(reply, _MINUTE)

    def _may_be_brief(self, account: _Account, http: Http) -> bool:
        """Whether a 403 can still be the limit of calls, as the documentation says, of a key that works."""
        name = account_of(http)
        self._refusals[name] = self._refusals.get(name, 0) + 1
        return account.known and self._refusals[name] <= _REFUSALS

    async def _read_account(self, http: Http) -> _Account:
        """The account; an unknown one where it cannot be read."""
        try:
            reply = await _send(http, _ACCOUNT, {})
        except ProviderError:
            return _Account()
        return _account(json_or_nothing(reply), http) if reply.status == 200 else _Account()


def _lookup_of(question: Question) -> tuple[str, str, str] | None:
    """The call, its parameter and the value. A company alone is looked up once for all who work there."""
    email = persons_email(question)
    if email and wants_any(question, PERSON_FIELDS - {"email"}):
        return _PERSON, "email", email
    profile = None if is_account(question) else _PROFILE.fullmatch(known(question, "linkedinUrl") or "")
    if not email and profile and wants_any(question, PERSON_FIELDS):
        return _PERSON, "linkedin_handle", profile[1]
    if not wants_any(question, COMPANY_FIELDS if is_account(question) else EMPLOYER_FIELDS):
        return None
    domain = company_domain(question)
    return (_COMPANY, "domain", domain) if domain else None


async def _send(http: Http, path: str, params: Mapping[str, str]) -> Reply:
    headers = {"X-API-KEY": http.key, "Accept": "application/json"}
    return await http.send("GET", path, params=params, headers=headers)


def _is_miss(reply: Reply) -> bool:
    """Whether there is no record. A page of another server, or of another address, says nothing of that."""
    if reply.status != 404 or (reply.body.strip() and not isinstance(json_or_nothing(reply), dict)):
        return False
    return set(_error_ids(reply)) <= {"not_found"}


def _error_ids(reply: Reply) -> Iterator[str]:
    for error in items(at(json_or_nothing(reply), "errors")):
        if found := text(at(error, "id")):
            yield found.lower()


def _first_id(reply: Reply) -> str:
    return next(_error_ids(reply), "")


def _speaks_of_usage(reply: Reply, account: _Account) -> bool:
    """Whether an error's id says that a plan is used up, or, where the account does not tell, its details."""
    if _USED_UP.search(_first_id(reply)):
        return True
    texts = (text(at(error, "details")) for error in items(at(json_or_nothing(reply), "errors")))
    return account.left is None and any(_USED_UP.search(details.lower()) for details in texts if details)


def _too_fast(reply: Reply, wait: float | None) -> ProviderError:
    message = f"Hunter answered {reply.status}: too many calls"
    return ProviderError("rate_limited", message, retryable=True, retry_after_seconds=wait)


def _account(body: Any, http: Http) -> _Account:
    """What is left: of credits where the account counts those, else of searches."""
    data = at(body, "data")
    for counter in ("credits", "searches"):
        used, available = (number(at(data, "requests", counter, name)) for name in ("used", "available"))
        if used is not None and available is not None:
            left = max(available - used, 0)
            http.note_credits(left)
            return _Account(True, left, moment(at(data, "reset_date")))
    return _Account(isinstance(data, dict), None, moment(at(data, "reset_date")))


def _of_company(question: Question, company: Mapping[str, Any]) -> Answer:
    findings = read_company(question, company).all()
    if not findings:
        return NO_MATCH
    aliases = (company.get("domain"), *items(company.get("domainAliases")))
    fit = fit_of_company(question, map(text, aliases), text(company.get("name")))
    if fit == NOT_IT:
        raise wrong_entity("Hunter")
    return Answer(matched=True, findings=less_sure(findings, fit))


def _of_person(question: Question, person: Mapping[str, Any]) -> Answer:
    findings = read_person(question, person).all()
    if not findings:
        return NO_MATCH
    stated = StatedIdentity(
        email=text(person.get("email")),
        first=text(at(person, "name", "givenName")),
        last=text(at(person, "name", "familyName")),
        domains=[text(at(person, "employment", "domain"))],
        employers=[text(at(person, "employment", "name"))],
        profiles=[text(at(person, "linkedin", "handle"))],
    )
    if not is_asked_person(question, stated):
        raise wrong_entity("Hunter")
    return Answer(matched=True, findings=findings)
