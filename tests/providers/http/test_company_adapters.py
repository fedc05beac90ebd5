"""ZoomInfo, Crunchbase, Clearbit and a described provider over real HTTP, from question to findings."""

import json
from pathlib import Path
from typing import Any

import pytest

from providers.api import Answer, Pending, ProviderError
from providers.clearbit.adapter import Clearbit
from providers.crunchbase.adapter import Crunchbase
from providers.described.provider import load_described
from providers.http.adapter import Adapter
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.zoominfo.adapter import ZoomInfo
from tests.support.fake_http import account, lead, values
from tests.support.provider_server import OneKey
from tests.support.standin_server import ScriptedReply, StandInServer, json_reply, sampled

CONTACTS, TOKEN = "/gtm/data/v1/contacts/enrich", "/oauth2/default/v1/token"
SEARCH, ENTITY = "/v4/data/searches/organizations", "/v4/data/entities/organizations/"
MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")
HOSTILE = [
    "hang",
    "drip",
    "endless",
    "bomb",
    "broken_gzip",
    "garbage",
    "html",
    "wrong_types",
    "redirect_away",
    "failing",
]


def bases(adapter: Adapter, url: str) -> dict[str, str]:
    """Every address of the adapter on this machine, with the paths that they have."""
    main = {"zoominfo": "/gtm", "crunchbase": "/v4"}.get(adapter.info.id, "")
    return {name: url + ("" if name else main) for name in adapter.bases}


def source(adapter: Adapter, server: StandInServer, transport: HttpClient, key: str = "TEST_KEY") -> HttpProvider:
    return HttpProvider(adapter, transport, OneKey(key), bases(adapter, server.url))


async def test_zoominfo_signs_in_asks_and_is_read(server: StandInServer, transport: HttpClient) -> None:
    server.script(TOKEN, json_reply({"access_token": "T1", "expires_in": 3600}))
    server.script(CONTACTS, sampled("zoominfo", "person_found"))
    zoominfo = source(ZoomInfo(), server, transport, key="my-id:my-secret")
    for _ in range(2):
        assert values(await zoominfo.ask(MARA))["annualRevenue"] == 58_000_000
    login, first, _ = server.calls
    assert login.body == b"grant_type=client_credentials&scope=api%3Adata%3Acontact+api%3Adata%3Acompany"
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.headers["authorization"] == "Bearer T1"
    assert first.headers["content-type"] == "application/vnd.api+json"
    asked = json.loads(first.body)["data"]["attributes"]
    assert asked["matchPersonInput"] == [{"emailAddress": "mara.lindqvist@example.com"}]


async def test_the_older_zoominfo_is_asked_at_its_own_address(server: StandInServer, transport: HttpClient) -> None:
    server.script("/authenticate", sampled("zoominfo", "legacy_authenticate"))
    server.script("/enrich/company", sampled("zoominfo", "legacy_company_found"))
    noted: list[tuple[str, str, float]] = []

    async def note(organization: str, provider: str, left: float) -> None:
        noted.append((organization, provider, left))

    adapter = ZoomInfo()
    legacy = HttpProvider(adapter, transport, OneKey("legacy:u:p"), bases(adapter, server.url), note_credits=note)
    assert values(await legacy.ask(EXAMPLE))["annualRevenue"] == 58_000_000
    assert noted == [("", "zoominfo", 9988)]


async def test_crunchbase_is_searched_by_domain(server: StandInServer, transport: HttpClient) -> None:
    server.script(SEARCH, sampled("crunchbase", "search_by_domain"))
    server.script(f"{ENTITY}00000000-0000-4000-8000-0000000000c1", sampled("crunchbase", "company_found"))
    found = values(await source(Crunchbase(), server, transport).ask(EXAMPLE))
    assert (found["numberOfEmployees"], found["foundedYear"]) == ("251-500", 2014)
    assert {call.headers["x-cb-user-key"] for call in server.calls} == {"TEST_KEY"}


async def test_clearbit_is_asked_again_for_what_was_pending(server: StandInServer, transport: HttpClient) -> None:
    server.script("/v2/combined/find", sampled("clearbit", "pending"), sampled("clearbit", "combined_found"))
    clearbit = source(Clearbit(), server, transport)
    pending = await clearbit.ask(MARA)
    assert isinstance(pending, Pending)
    assert values(await clearbit.poll(MARA, pending.token))["numberOfEmployees"] == 420
    assert {call.query["email"] for call in server.calls} == {"mara.lindqvist@example.com"}


async def test_a_described_provider_is_asked_and_read(
    server: StandInServer, transport: HttpClient, tmp_path: Path
) -> None:
    file = tmp_path / "erp.json"
    description = {
        "id": "erp",
        "name": "ERP",
        "entityTypes": ["account"],
        "request": {"url": f"{server.url}/companies/{{crm.number}}?q={{name}}"},
        "auth": {"header": "Authorization", "value": "Token {key}"},
        "fields": {"numberOfEmployees": "company.size"},
    }
    file.write_text(json.dumps(description))
    [adapter] = load_described(file)
    server.script("/companies/../a b", json_reply({"company": {"size": 12}}))
    erp = HttpProvider(adapter, transport, OneKey("s3cret"))
    assert values(await erp.ask(account(number="../a b", name="A&B=C"))) == {"numberOfEmployees": 12}
    [call] = server.calls
    assert (call.query, call.headers["authorization"]) == ({"q": "A&B=C"}, "Token s3cret")


async def refused(source: HttpProvider, question: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await source.ask(question)
    return caught.value


@pytest.mark.parametrize("mode", HOSTILE)
@pytest.mark.parametrize("make", [ZoomInfo, Crunchbase, Clearbit])
async def test_a_hostile_server_gets_an_error_and_no_answer(
    make: type[Adapter], mode: str, server: StandInServer, transport: HttpClient
) -> None:
    adapter = make()
    hostile = dict.fromkeys(adapter.bases, f"{server.url}/hostile/{mode}")
    at_mode = HttpProvider(_OnePath(adapter), transport, OneKey("TEST_KEY"), hostile)
    error = await refused(at_mode, MARA if adapter.info.id != "crunchbase" else EXAMPLE)
    assert error.code in {"timeout", "invalid_answer", "unavailable"}
    assert "TEST_KEY" not in str(error)


class _OnePath:
    """An adapter whose paths are left out, so that one page serves all of its calls."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.info, self.bases, self.calls_per_minute = adapter.info, adapter.bases, adapter.calls_per_minute
        self.input_key, self.check_key = adapter.input_key, adapter.check_key

    async def look_up(self, question: Any, http: Any) -> Answer | Pending:
        return await self._adapter.look_up(question, _WithoutPath(http))

    async def poll(self, token: str, question: Any, http: Any) -> Answer | Pending:
        return await self._adapter.poll(token, question, _WithoutPath(http))


class _WithoutPath:
    def __init__(self, http: Any) -> None:
        self._http = http
        self.key, self.note_credits = http.key, http.note_credits

    async def send(self, method: str, path: str, **rest: Any) -> Any:
        return await self._http.send(method, "", **rest)


@pytest.mark.parametrize(
    ("make", "question", "path", "case"),
    [
        (ZoomInfo, lead(email="bo.berg@acme.test"), CONTACTS, ("zoominfo", "person_found")),
        (Crunchbase, account(domain="acme.test"), SEARCH, ("crunchbase", "search_by_domain")),
        (Clearbit, lead(email="bo.berg@acme.test"), "/v2/combined/find", ("clearbit", "combined_found")),
        (Clearbit, account(domain="acme.test"), "/v2/companies/find", ("clearbit", "company_found")),
    ],
)
async def test_other_peoples_data_is_refused(
    make: type[Adapter], question: Any, path: str, case: tuple[str, str], server: StandInServer, transport: HttpClient
) -> None:
    server.script(path, sampled(*case))
    error = await refused(source(make(), server, transport), question)
    assert (error.code, error.retryable) == ("wrong_entity", False)


def edited(provider: str, case: str, *path: Any, to: Any) -> ScriptedReply:
    """A documented answer with another value at the path."""
    reply = sampled(provider, case)
    body = json.loads(reply.body)
    place = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return ScriptedReply(reply.status, json.dumps(body).encode(), reply.headers)


@pytest.mark.parametrize(
    ("make", "question", "path", "reply"),
    [
        (ZoomInfo, lead(phone="+12025559999"), CONTACTS, sampled("zoominfo", "person_found")),
        (
            ZoomInfo,
            lead(firstName="Mara", lastName="Lindqvist", company="Acme Paper"),
            CONTACTS,
            edited("zoominfo", "person_found", "data", 0, "attributes", "company", "website", to=None),
        ),
        (
            ZoomInfo,
            lead(email="bo.berg@example.com"),
            CONTACTS,
            edited("zoominfo", "person_found", "data", 0, "attributes", "email", to=None),
        ),
        (
            Clearbit,
            lead(email="bo.berg@example.com"),
            "/v2/combined/find",
            edited("clearbit", "combined_found", "person", "email", to=None),
        ),
        (
            Crunchbase,
            lead(email="bo.berg@acme.test", company="Example Robotics"),
            SEARCH,
            sampled("crunchbase", "search_by_domain"),
        ),
    ],
)
async def test_another_person_or_employer_is_refused_where_less_is_told(
    make: type[Adapter], question: Any, path: str, reply: ScriptedReply, server: StandInServer, transport: HttpClient
) -> None:
    server.script(path, reply)
    error = await refused(source(make(), server, transport), question)
    assert error.code == "wrong_entity"
