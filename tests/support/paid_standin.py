"""The paid providers on this machine: they know companies and people, count what they served, and turn hostile.

What an account gets is decided by its key, so that one server stands in for every provider and every customer of it.
Answers are the documented ones with other names in them.
"""

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tests.support.standin_server import StandInServer, json_reply, sampled, standin_server
from tests.support.waiting import PATIENCE_SECONDS

TOKEN_OF = "token-of-"  # what ZoomInfo's sign-in gives, followed by the account's own name
KEY_HEADERS = {
    "apollo": "x-api-key",
    "peopledatalabs": "x-api-key",
    "hunter": "x-api-key",
    "crunchbase": "x-cb-user-key",
    "clearbit": "authorization",
    "zoominfo": "authorization",
    "inhouse": "x-inhouse-key",
}


@dataclass(frozen=True)
class Asked:
    """One look-up that arrived: whose, where, about whom, and how it was answered."""

    provider: str
    about: str
    outcome: str  # match, miss, or the mode that the account is in
    at: float


@dataclass
class Account:
    """A customer's account. `mode`: usual, or how it misbehaves; `first` are replies before the mode's own."""

    mode: str = "usual"
    delay_seconds: float = 0.02
    knows: Callable[[str], bool] = lambda about: not about.startswith("unknown")
    first: list[Response] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    requests: int = 0  # those that look something up: one may ask about many
    running: int = 0
    most_running: int = 0

    async def until_asked(self, times: int) -> None:
        """Wait until so many look-ups have arrived."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.asked) < times:  # noqa: ASYNC110 -- they arrive in the server's thread
                await asyncio.sleep(0.01)

    def matches(self) -> Counter[str]:
        """How many matches each provider served."""
        return Counter(call.provider for call in self.asked if call.outcome == "match")


class PaidStandIn:
    """Every paid provider under one address: `url` + `/<provider>`."""

    def __init__(self, server: StandInServer) -> None:
        self._server = server
        self.url = server.url
        self.accounts: dict[str, Account] = {}
        self.unknown_keys: list[str] = []
        server.otherwise = self._answer

    def account(self, key: str, **more: Any) -> Account:
        """The account of a key, as it is from now on."""
        self.accounts[key] = Account(**more)
        return self.accounts[key]

    async def _answer(self, request: Request, body: bytes) -> Response:
        _, provider, *rest = request.url.path.split("/")
        path = "/" + "/".join(rest)
        key = _key(provider, dict(request.headers))
        if path == "/oauth2/default/v1/token":
            return _reply(json_reply({"access_token": TOKEN_OF + key, "token_type": "Bearer", "expires_in": 3600}))
        account = self.accounts.get(key)
        if account is None:
            self.unknown_keys.append(key)
            return Response(f"no such key: {key}", 401, media_type="text/plain")  # some echo what they were sent
        abouts = _all_of(provider, path, body)
        about = _about(provider, path, request, body) if abouts is None else None
        if about is None and abouts is None:
            return _free(provider, path)
        account.requests += 1
        account.running += 1
        account.most_running = max(account.most_running, account.running)
        try:
            if abouts is None:
                return await self._look_up(account, provider, about or "", key)
            return await self._look_up_all(account, provider, abouts, key)
        finally:
            account.running -= 1

    async def _look_up(self, account: Account, provider: str, about: str, key: str) -> Response:
        def note(outcome: str) -> None:
            account.asked.append(Asked(provider, about, outcome, time.monotonic()))

        if account.first:
            note("first")
            return account.first.pop(0)
        if account.mode not in {"usual", "others_data"}:
            note(account.mode)
            return _misbehave(account.mode, key, self._server)
        if account.mode == "others_data":
            note("others_data")
            return _found(provider, "mara.lindqvist@other.example" if "@" in about else "other.example")
        known = account.knows(about)
        note("match" if known else "miss")
        await asyncio.sleep(account.delay_seconds)
        return _found(provider, about) if known else _missed(provider)

    async def _look_up_all(self, account: Account, provider: str, abouts: list[str], key: str) -> Response:
        """One request about all of these: where it is served, each gets its own answer."""
        served = account.mode in {"usual", "others_data"}
        if account.first or not served:
            outcome = "first" if account.first else account.mode
            account.asked += [Asked(provider, about, outcome, time.monotonic()) for about in abouts]
            return account.first.pop(0) if account.first else _misbehave(account.mode, key, self._server)
        delay, account.delay_seconds = account.delay_seconds, 0.0
        try:
            answers = [await self._look_up(account, provider, about, key) for about in abouts]
        finally:
            account.delay_seconds = delay
        await asyncio.sleep(delay)
        return _together(provider, "@" in abouts[0], [json.loads(bytes(answer.body)) for answer in answers])


@contextmanager
def paid_standin() -> Iterator[PaidStandIn]:
    with standin_server() as server:
        yield PaidStandIn(server)


def _key(provider: str, headers: dict[str, str]) -> str:
    given = headers.get(KEY_HEADERS.get(provider, ""), "")
    if given.startswith("Basic "):
        return base64.b64decode(given.removeprefix("Basic ")).decode()
    return given.removeprefix("Bearer ").removeprefix(TOKEN_OF)


def _about(provider: str, path: str, request: Request, body: bytes) -> str | None:
    """The e-mail address, or else the domain, that a call looks up; None for a call that looks nothing up."""
    query = request.query_params
    if provider == "zoominfo" and path.endswith("/enrich"):
        told_by = json.loads(body)["data"]["attributes"]
        by = next(told_by[name][0] for name in ("matchPersonInput", "matchCompanyInput") if name in told_by)
        return _named_by_zoominfo(by)
    if provider == "crunchbase" and path == "/data/searches/organizations":
        return str(next(part["values"][0] for part in json.loads(body)["query"]))
    if path == "/v5/person/enrich" and query.get("email", "").endswith("@nobody.invalid"):
        return None
    named = (query.get(name) for name in ("email", "domain", "website"))
    return next(filter(None, named), None)


def _all_of(provider: str, path: str, body: bytes) -> list[str] | None:
    """Whom a request for many asks about; None for one that asks about one, or nobody."""
    match provider, path:
        case "apollo", "/people/bulk_match" | "/organizations/bulk_enrich":
            return [each.get("email") or each["domain"] for each in json.loads(body)["details"]]
        case "crunchbase", "/data/searches/organizations":
            domains: list[str] = json.loads(body)["query"][0]["values"]
            return domains if len(domains) > 1 else None
        case "peopledatalabs", "/v5/person/bulk" | "/v5/company/enrich/bulk":
            params = [each["params"] for each in json.loads(body)["requests"]]
            return [each.get("email") or each["website"] for each in params]
        case "zoominfo", _ if path.endswith("/enrich"):
            told_by = json.loads(body)["data"]["attributes"]
            many = told_by.get("matchPersonInput") or told_by.get("matchCompanyInput")
            return [_named_by_zoominfo(each) for each in many] if len(many) > 1 else None
    return None


def _named_by_zoominfo(by: dict[str, Any]) -> str:
    return str(by.get("emailAddress") or by["companyWebsite"].removeprefix("www."))


def _together(provider: str, people: bool, answers: list[Any]) -> Response:
    """The answers to one request about many."""
    if provider == "apollo":
        found = [answer.get("person" if people else "organization") for answer in answers]
        consumed = sum(item is not None for item in found)
        listed = {"matches" if people else "organizations": found}
        return _reply(json_reply({"status": "success", "credits_consumed": consumed, **listed}))
    if provider == "peopledatalabs":
        return _reply(json_reply([{**answer, "metadata": {"row": str(n)}} for n, answer in enumerate(answers)]))
    if provider == "crunchbase":
        found = [entity for answer in answers for entity in answer["entities"]]
        return _reply(json_reply({"count": len(found), "entities": found}))
    return _reply(json_reply({"data": [answer["data"][0] for answer in answers]}))


def _found(provider: str, about: str) -> Response:
    """The documented answer, about this address or domain."""
    person = "@" in about
    domain = about.rpartition("@")[2]
    match provider:
        case "inhouse":
            return Response(json.dumps({"web": domain, "size": 420, "town": "Portland"}), media_type="application/json")
        case "crunchbase":
            sample = sampled(provider, "search_by_domain")
            body = json.loads(sample.body)
            company = json.loads(sampled(provider, "company_found").body)["properties"]
            body["entities"][0]["properties"] |= company
            return _named(json_reply(body), about, domain)
        case "clearbit":
            return _named(sampled(provider, "combined_found" if person else "company_found"), about, domain)
    return _named(sampled(provider, "person_found" if person else "company_found"), about, domain)


def _named(sample: Any, about: str, domain: str) -> Response:
    first, _, last = about.partition("@")[0].partition(".")
    text = sample.body.decode()
    if "@" in about:
        text = text.replace("mara.lindqvist@example.com", about)
        text = text.replace("Mara", first.title()).replace("Lindqvist", last.title())
        text = text.replace("mara-lindqvist", f"{first}-{last}")
    name = domain.partition(".")[0].title()
    text = text.replace("example.com", domain).replace("Example Robotics", name)
    return Response(text.encode(), sample.status, dict(sample.headers or {}))


def _missed(provider: str) -> Response:
    match provider:
        case "apollo":
            return _reply(json_reply({"person": None, "organization": None}))
        case "crunchbase":
            return _reply(json_reply({"count": 0, "entities": []}))
        case "inhouse":
            return Response(b"{}", 404)
    return _reply(sampled(provider, "not_found"))


def _free(provider: str, path: str) -> Response:
    """Calls that cost nothing: what is left of an account, and whether a key works."""
    match provider, path:
        case "apollo", "/usage_stats/credit_usage_stats":
            return _reply(sampled(provider, "credit_balance"))
        case "hunter", "/account":
            return _reply(sampled(provider, "credit_balance"))
        case "crunchbase", "/data/autocompletes":
            return _reply(sampled(provider, "autocomplete_found"))
        case "peopledatalabs", "/v5/person/enrich":
            return _reply(sampled(provider, "not_found"))
    return Response(b'{"error": {"type": "unknown_route"}}', 422, media_type="application/json")


def _reply(sample: Any) -> Response:
    return Response(sample.body, sample.status, dict(sample.headers or {}))


def _misbehave(mode: str, key: str, server: StandInServer) -> Response:
    match mode:
        case "redirect_away":
            return RedirectResponse(f"{server.elsewhere}/stolen?{urlencode({'key': key})}", 302)
        case "failing":
            return Response(f"internal error while serving {key}".encode(), 500)
        case "html":
            return Response(f"<html><body>Sign in as {key}</body></html>".encode(), media_type="text/html")
        case "bad_key":
            return Response(f"the key {key} is not valid".encode(), 401, media_type="text/plain")
        case "out_of_credits":
            return _reply(json_reply({"error": "Insufficient credits"}, 422))
    return server.misbehave(mode)


def rate_limited(seconds: int) -> Response:
    """A refusal that says how long to wait."""
    return _reply(json_reply({"message": "slow down"}, 429, retry_after=str(seconds)))
