"""Apollo, People Data Labs and Hunter over real HTTP: what is sent, what comes later, and servers that are hostile."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, Pending, ProviderError, Question
from providers.apollo.adapter import Apollo
from providers.http.adapter import Adapter
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.http.rate_limit import RedisRateLimiter
from providers.hunter.adapter import Hunter
from providers.peopledatalabs.adapter import PeopleDataLabs
from service.redis_pool import redis_at
from tests.support.fake_http import account, body_of, lead, values
from tests.support.provider_server import OneKey
from tests.support.standin_server import ScriptedReply, StandInServer, json_reply, sampled

KEY = "s3cret-key-of-acme"
MARA = lead(email="mara.lindqvist@example.com")
EXAMPLE = account(domain="example.com")
Make = Callable[[], Adapter]
PATHS: dict[str, tuple[str, str]] = {
    "apollo": ("/people/match", "/organizations/enrich"),
    "peopledatalabs": ("/v5/person/enrich", "/v5/company/enrich"),
    "hunter": ("/people/find", "/companies/find"),
}
HEADERS = {"apollo": "x-api-key", "peopledatalabs": "x-api-key", "hunter": "x-api-key"}
MAKES = [Apollo, PeopleDataLabs, Hunter]


def source(adapter: Adapter, server: StandInServer, transport: HttpClient, path: str = "", **more: Any) -> HttpProvider:
    return HttpProvider(adapter, transport, OneKey(KEY), {"": server.url + path}, **more)


async def refused(asking: HttpProvider, question: Question) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await asking.ask(question)
    return caught.value


async def outcome(asking: HttpProvider, question: Question) -> str:
    try:
        return "no match" if await asking.ask(question) == NO_MATCH else "an answer"
    except ProviderError as error:
        return error.code


@pytest.mark.parametrize("make", MAKES)
async def test_people_and_companies_are_asked_for_with_the_key_in_a_header_alone(
    make: Make, server: StandInServer, transport: HttpClient
) -> None:
    adapter = make()
    provider = adapter.info.id
    person_path, company_path = PATHS[provider]
    server.script(person_path, sampled(provider, "person_found"))
    server.script(company_path, sampled(provider, "company_found"))
    asking = source(adapter, server, transport)
    assert values(await asking.ask(MARA))["lastName"] == "Lindqvist"
    assert values(await asking.ask(EXAMPLE))["name"] == "Example Robotics"
    assert [call.path for call in server.calls] == [person_path, company_path]
    for call in server.calls:
        assert call.headers[HEADERS[provider]] == KEY
        assert KEY not in f"{call.query}{call.body!r}"


@pytest.mark.parametrize("make", MAKES)
async def test_a_company_is_one_call_for_a_person_whose_own_fields_are_known(
    make: Make, server: StandInServer, transport: HttpClient
) -> None:
    adapter = make()
    server.script(PATHS[adapter.info.id][1], sampled(adapter.info.id, "company_found"))
    question = Question(EntityType.LEAD, {"email": "mara.lindqvist@example.com"}, frozenset({"industry"}))
    assert "industry" in values(await source(adapter, server, transport).ask(question))
    assert [call.path for call in server.calls] == [PATHS[adapter.info.id][1]]


@pytest.mark.parametrize("make", MAKES)
async def test_a_miss_is_one_call_and_no_error(make: Make, server: StandInServer, transport: HttpClient) -> None:
    adapter = make()
    server.script(PATHS[adapter.info.id][0], sampled(adapter.info.id, "not_found"))
    answer = await source(adapter, server, transport).ask(MARA)
    assert isinstance(answer, Answer)
    assert (answer.matched, answer.stated or 0) == (False, 0)
    assert len(server.calls) == 1


async def test_people_data_labs_always_names_the_least_likelihood(server: StandInServer, transport: HttpClient) -> None:
    for path, case in zip(PATHS["peopledatalabs"], ("person_found", "company_found"), strict=True):
        server.script(path, sampled("peopledatalabs", case))
    noted: list[float] = []

    async def note(organization_id: str, provider_id: str, left: float) -> None:
        noted.append(left)

    asking = source(PeopleDataLabs(), server, transport, note_credits=note)
    await asking.ask(MARA)
    await asking.ask(EXAMPLE)
    assert [int(call.query["min_likelihood"]) for call in server.calls] == [6, 4]
    assert noted == [268]  # the second one comes within ten seconds


async def test_a_phone_at_apollo_is_asked_for_until_it_is_there(server: StandInServer, transport: HttpClient) -> None:
    later = "/webhook_result/700000000000000001"
    server.script("/people/match", sampled("apollo", "person_found"))
    ready = body_of("apollo", "phone_result_ready") | {"request_id": "700000000000000001"}
    server.script(later, sampled("apollo", "pending"), json_reply(ready))
    asking = source(Apollo(phones=True), server, transport)
    question = Question(EntityType.LEAD, MARA.fields, frozenset({"mobilePhone", "title"}))
    first = await asking.ask(question)
    assert isinstance(first, Pending)
    assert first.so_far is not None and values(first.so_far)["title"] == "VP of Engineering"
    again = await asking.poll(question, first.token)
    assert isinstance(again, Pending)
    assert (first.retry_after_seconds, again.retry_after_seconds) == (10, 20)
    assert values(await asking.poll(question, again.token)) == {"mobilePhone": "+12025550164"}
    assert (server.calls[0].query["reveal_phone_number"], server.calls[0].query["poll_only"]) == ("true", "true")
    assert len(server.calls_to("/people/match")) == 1


@pytest.mark.parametrize("case", ["pending_unknown_id", "pending_expired"])
async def test_a_phone_that_apollo_forgot_is_final(case: str, server: StandInServer, transport: HttpClient) -> None:
    server.script("/webhook_result/5", sampled("apollo", case))
    answer = await source(Apollo(phones=True), server, transport).poll(MARA, "5||0")
    assert isinstance(answer, Answer)
    assert answer.findings == ()


async def test_hunters_account_is_asked_before_a_429_is_believed(server: StandInServer, transport: HttpClient) -> None:
    server.script("/people/find", json_reply({"errors": [{"id": "too_many_requests"}]}, 429))
    server.script("/account", sampled("hunter", "credit_balance"))
    asking = source(Hunter(), server, transport)
    assert (await refused(asking, MARA)).code == "rate_limited"
    counters = {"searches": {"used": 2000, "available": 2000}}
    server.script("/account", json_reply({"data": {"reset_date": "2099-12-01", "requests": counters}}))
    assert (await refused(asking, MARA)).code == "out_of_credits"
    assert [call.path for call in server.calls] == ["/people/find", "/account"] * 2


@pytest.mark.parametrize("provider", ["apollo", "peopledatalabs"])
async def test_a_smaller_plan_is_kept_to_after_its_first_reply(
    provider: str, server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    adapter = {"apollo": Apollo, "peopledatalabs": PeopleDataLabs}[provider]()
    small = {"x-rate-limit-minute": "20"} if provider == "apollo" else {"x-ratelimit-limit": "{'minute': 20}"}
    answer = sampled(provider, "company_found")
    server.script(PATHS[provider][1], ScriptedReply(answer.status, answer.body, {**(answer.headers or {}), **small}))
    asking = source(adapter, server, transport, rate_limiter=RedisRateLimiter(redis, max_wait_seconds=2))
    await asking.ask(EXAMPLE)
    await asking.ask(EXAMPLE)
    error = await refused(asking, EXAMPLE)
    assert (error.code, error.retryable) == ("rate_limited", True)
    assert len(server.calls) == 2


@pytest.mark.parametrize("headers", [{"x-hourly-requests-left": "0"}, {"x-24-hour-requests-left": "0"}])
async def test_apollos_hour_and_day_end_calls_to_that_endpoint_alone_in_every_process(
    headers: dict[str, str], server: StandInServer, transport: HttpClient, redis: ArqRedis, redis_url: str
) -> None:
    answer = sampled("apollo", "company_found")
    company_path, person_path = "/organizations/enrich", "/people/match"
    server.script(company_path, ScriptedReply(answer.status, answer.body, {**(answer.headers or {}), **headers}))
    server.script(person_path, sampled("apollo", "person_found"))
    other = redis_at(redis_url, tries=1)
    one, two = (source(Apollo(), server, transport, rate_limiter=RedisRateLimiter(client)) for client in (redis, other))
    assert isinstance(await one.ask(EXAMPLE), Answer)
    for asking in (one, two):
        error = await refused(asking, EXAMPLE)
        assert error.code == "rate_limited"
        assert (error.retry_after_seconds or 0) > 590
    assert isinstance(await two.ask(MARA), Answer)
    assert len(server.calls_to(company_path)) == 1
    await other.aclose(close_connection_pool=True)


async def test_hunters_account_is_read_though_enrichment_has_to_pause(
    server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    server.script("/people/find", json_reply({"errors": [{"id": "usage"}]}, 429))
    counters = {"searches": {"used": 2000, "available": 2000}}
    server.script("/account", json_reply({"data": {"reset_date": "2099-12-01", "requests": counters}}))
    asking = source(Hunter(), server, transport, rate_limiter=RedisRateLimiter(redis, max_wait_seconds=0.5))
    assert (await refused(asking, MARA)).code == "out_of_credits"
    assert (await refused(asking, MARA)).code == "rate_limited"
    assert [call.path for call in server.calls] == ["/people/find", "/account"]


HOSTILE = {
    "hang": "timeout",
    "drip": "timeout",
    "endless": "invalid_answer",
    "bomb": "invalid_answer",
    "broken_gzip": "invalid_answer",
    "garbage": "invalid_answer",
    "html": "invalid_answer",
    "redirect_away": "invalid_answer",
    "failing": "unavailable",
}


@pytest.mark.parametrize("mode", HOSTILE)
@pytest.mark.parametrize("make", MAKES)
async def test_a_hostile_server_gets_an_error_and_never_the_key_into_a_text(
    make: Make, mode: str, server: StandInServer, transport: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asking = HttpProvider(_OnePage(make()), transport, OneKey(KEY), {"": f"{server.url}/hostile/{mode}"})
    error = await refused(asking, EXAMPLE)
    assert error.code == HOSTILE[mode]
    assert KEY not in f"{error} {error!r} {error.message} {caplog.text}"


class _OnePage:
    """An adapter whose calls all go to one page."""

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
        # A POST would not get as far as the redirect.
        return await self._http.send(method, "", **rest)


@pytest.mark.parametrize("body", [b'[[1], "x", {"data": 7}]', b'{"data": [1], "organization": 7}', b"7", b'"x"'])
@pytest.mark.parametrize("make", MAKES)
async def test_an_answer_of_wrong_types_matches_nobody(
    make: Make, body: bytes, server: StandInServer, transport: HttpClient
) -> None:
    adapter = make()
    for path in PATHS[adapter.info.id]:
        server.script(path, ScriptedReply(200, body, {"content-type": "application/json"}))
    for question in (MARA, EXAMPLE):
        assert await outcome(source(adapter, server, transport), question) in {"no match", "invalid_answer"}


@pytest.mark.parametrize(
    ("make", "question", "case"),
    [
        (make, question, case)
        for make in MAKES
        for question, case in (
            (lead(email="bo.berg@acme.test"), "person_found"),
            (lead(linkedinUrl="https://www.linkedin.com/in/bo-berg"), "person_found"),
            (account(domain="acme.test"), "company_found"),
        )
    ],
)
async def test_other_peoples_data_is_refused(
    make: Make, question: Question, case: str, server: StandInServer, transport: HttpClient
) -> None:
    adapter = make()
    for path in PATHS[adapter.info.id]:
        server.script(path, sampled(adapter.info.id, case))
    error = await refused(source(adapter, server, transport), question)
    assert (error.code, error.retryable) == ("wrong_entity", False)
