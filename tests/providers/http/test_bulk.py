"""Many questions in one request against a server: each ends by itself, whatever becomes of the others.

One file, because its tests share one server that answers many questions at once.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from providers.api import NO_MATCH, Answer, CallDeferred, Pending, ProviderError, Question, Withdrawn
from providers.apollo.adapter import Apollo
from providers.bulk import BulkQuery, Outcome
from providers.crunchbase.adapter import Crunchbase
from providers.http.bulk import MOST_REQUESTS, shared
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.http.rate_limit import LocalRateLimiter
from providers.hunter.adapter import Hunter
from providers.peopledatalabs.adapter import PeopleDataLabs
from providers.zoominfo.adapter import ZoomInfo
from tests.support.fake_http import account, lead
from tests.support.provider_server import OneKey
from tests.support.standin_server import StandInServer

Item = Callable[[int, dict[str, Any]], Any]
NAMES = ("ann", "bea", "cas", "dan", "eva", "fay", "gus", "hal", "ivo", "jan")


def people(count: int) -> list[Question]:
    return [lead(email=f"{NAMES[n % 10]}{n}@example{n}.com") for n in range(count)]


class Bulk:
    """A provider that answers everybody, except whom `item` says otherwise of; `poison` spoils a whole request."""

    def __init__(self, adapter: Any, server: StandInServer, *, item: Item | None = None, poison: str = "") -> None:
        self.adapter, self.server = adapter, server
        self.item, self.poison = item, poison
        server.otherwise = self._answer

    async def _answer(self, request: Request, body: bytes) -> Response:
        asked = json.loads(body)
        if self.poison and self.poison.encode() in body:
            return JSONResponse({"error": "one of them cannot be read"}, 400)
        match self.adapter.info.id:
            case "apollo":
                found = [self._of(n, details, person) for n, details in enumerate(asked["details"])]
                consumed = sum(item is not None for item in found)
                return JSONResponse({"status": "success", "credits_consumed": consumed, "matches": found})
            case "peopledatalabs":
                rows = [
                    {"metadata": asked_for["metadata"], **self._of(n, asked_for["params"], of_pdl)}
                    for n, asked_for in enumerate(asked["requests"])
                ]
                spent = sum(row["status"] == 200 for row in rows)
                return JSONResponse(rows[::-1], headers={"x-call-credits-spent": str(spent)})
        inputs = asked["data"]["attributes"]["matchPersonInput"]
        return JSONResponse({"data": [self._of(n, each, of_zoominfo) for n, each in enumerate(inputs)]})

    def _of(self, n: int, asked: dict[str, Any], usual: Item) -> Any:
        if self.item is not None and (otherwise := self.item(n, asked)) is not ...:
            return otherwise
        return usual(n, asked)

    async def ask(self, questions: Sequence[Question], transport: HttpClient) -> list[Outcome]:
        provider = HttpProvider(
            self.adapter, transport, OneKey("token"), dict.fromkeys(self.adapter.bases, self.server.url)
        )
        assert isinstance(provider, BulkQuery)
        assert {provider.batch_of(question) for question in questions} == {self.adapter.batch_of(questions[0])}
        return list(await provider.ask_many(questions))


def person(n: int, asked: dict[str, Any]) -> Any:
    return {"id": f"p{n}", "email": asked["email"], "first_name": "Any", "title": f"Title of {asked['email']}"}


def of_pdl(n: int, asked: dict[str, Any]) -> Any:
    return {
        "status": 200,
        "likelihood": 9,
        "data": {"emails": [{"address": asked["email"]}], "job_title": f"Title of {asked['email']}"},
    }


def of_zoominfo(n: int, asked: dict[str, Any]) -> Any:
    fields = {"email": asked["emailAddress"], "jobTitle": f"Title of {asked['emailAddress']}"}
    return {"id": str(n), "type": "Contact", "attributes": fields, "meta": {"matchStatus": "FULL_MATCH"}}


ALL = [(Apollo, 10), (PeopleDataLabs, 100), (ZoomInfo, 25)]
MISS: dict[Any, Any] = {
    Apollo: None,
    PeopleDataLabs: {"status": 404, "error": {"type": "not_found"}},
    ZoomInfo: {"id": "0", "type": "NoMatch", "meta": {"matchStatus": "NO_MATCH"}},
}
ODD: dict[Any, Any] = {Apollo: None, PeopleDataLabs: {"status": 200, "data": [1]}, ZoomInfo: [7]}


def titles(outcomes: Sequence[Outcome]) -> list[Any]:
    """The title of each match, else its error's code, else nothing."""
    found: list[Any] = []
    for outcome in outcomes:
        if isinstance(outcome, ProviderError):
            found.append(outcome.code)
        else:
            assert not isinstance(outcome, Pending)
            found.append(next((finding.value for finding in outcome.findings if finding.field == "title"), None))
    return found


def expected(questions: Sequence[Question]) -> list[str]:
    return [f"Title of {question.fields['email']}" for question in questions]


@pytest.mark.parametrize(("make", "most"), ALL)
async def test_as_many_as_are_documented_go_in_one_request(
    make: Any, most: int, server: StandInServer, transport: HttpClient
) -> None:
    questions = people(most)
    batch = make().batch_of(questions[0])
    assert (batch.most, make().batch_of(account(domain="example.com")).kind == batch.kind) == (most, False)
    assert titles(await Bulk(make(), server).ask(questions, transport)) == expected(questions)
    assert len(server.calls) == 1


@pytest.mark.parametrize(("make", "most"), ALL)
async def test_each_item_is_a_match_a_miss_or_a_failure_of_its_own_and_costs_its_own(
    make: Any, most: int, server: StandInServer, transport: HttpClient
) -> None:
    questions = people(6)

    def item(n: int, asked: dict[str, Any]) -> Any:
        return {1: MISS[make], 3: ODD[make], 4: MISS[make]}.get(n, ...)

    outcomes = await Bulk(make(), server, item=item).ask(questions, transport)
    right = expected(questions)
    odd = None if make is Apollo else "invalid_answer"
    assert titles(outcomes) == [right[0], None, right[2], odd, None, right[5]]
    if make is not ZoomInfo:
        stated = [outcome.stated for outcome in outcomes if isinstance(outcome, Answer)]
        assert sum(figure or 0 for figure in stated) in {3, 4}
        assert {outcome.stated for outcome in outcomes if isinstance(outcome, Answer) and not outcome.matched} == {0}


@pytest.mark.parametrize(("make", "most"), ALL)
async def test_an_item_about_somebody_else_is_refused_alone(
    make: Any, most: int, server: StandInServer, transport: HttpClient
) -> None:
    usual = {Apollo: person, PeopleDataLabs: of_pdl, ZoomInfo: of_zoominfo}[make]
    other = {"email": "bo.berg@acme.test", "emailAddress": "bo.berg@acme.test"}
    names = {Apollo: {"first_name": "Bo", "last_name": "Berg"}, ZoomInfo: {"firstName": "Bo", "lastName": "Berg"}}

    def item(n: int, asked: dict[str, Any]) -> Any:
        if n != 1:
            return ...
        found = usual(n, other)
        found.get("attributes", found).update(names.get(make, {}))
        return found

    questions = people(3)
    outcomes = await Bulk(make(), server, item=item).ask(questions, transport)
    assert titles(outcomes) == [expected(questions)[0], "wrong_entity", expected(questions)[2]]


@pytest.mark.parametrize(("make", "most"), ALL)
async def test_one_poisoned_question_does_not_spoil_the_rest(
    make: Any, most: int, server: StandInServer, transport: HttpClient
) -> None:
    questions = people(most)
    poisoned = questions[most // 3].fields["email"]
    outcomes = await Bulk(make(), server, poison=poisoned).ask(questions, transport)
    right: list[Any] = expected(questions)
    right[most // 3] = "rejected"
    assert titles(outcomes) == right
    assert len(server.calls) <= MOST_REQUESTS


async def test_questions_that_are_all_refused_are_not_put_again_without_end(
    server: StandInServer, transport: HttpClient
) -> None:
    outcomes = await Bulk(PeopleDataLabs(), server, poison="params").ask(people(100), transport)
    assert set(titles(outcomes)) == {"rejected"}
    assert len(server.calls) == MOST_REQUESTS
    left = [outcome for outcome in outcomes if isinstance(outcome, ProviderError) and outcome.retryable]
    assert 50 < len(left) < 100  # of whom nobody knows whether they are at fault


async def test_who_was_withdrawn_is_not_sent_and_the_others_are(server: StandInServer, transport: HttpClient) -> None:
    checks: list[int] = []

    def check(n: int) -> Any:
        async def before_send() -> None:
            checks.append(n)
            if n == 1:
                raise Withdrawn

        return before_send

    questions = [
        lead(email=question.fields["email"]) if n > 3 else _checked(question, check(n))
        for n, question in enumerate(people(5))
    ]
    outcomes = await Bulk(Apollo(), server).ask(questions, transport)
    right: list[Any] = expected(questions)
    right[1] = "withdrawn"
    assert titles(outcomes) == right
    (call,) = server.calls
    assert questions[1].fields["email"].encode() not in call.body
    assert checks.count(0) == 2  # right before the request that was sent


def _checked(question: Question, before_send: Any) -> Question:
    return Question(question.entity_type, question.fields, question.wanted, before_send=before_send)


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (401, "bad_key"), (402, "out_of_credits"), (500, "unavailable")]
)
async def test_a_request_that_fails_as_a_whole_ends_all_and_is_made_once(
    status: int, code: str, server: StandInServer, transport: HttpClient
) -> None:
    async def refuse(request: Request, body: bytes) -> Response:
        return JSONResponse({"status": status, "error": {"type": "x"}}, status)

    bulk = Bulk(PeopleDataLabs(), server)
    server.otherwise = refuse
    assert titles(await bulk.ask(people(4), transport)) == [code] * 4
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_key_that_may_not_ask_for_many_at_once_still_asks_one_by_one(
    status: int, server: StandInServer, transport: HttpClient
) -> None:
    async def only_one(request: Request, body: bytes) -> Response:
        if "bulk" in request.url.path:
            return JSONResponse({"status": status, "error": {"type": "x"}}, status)
        return JSONResponse({"status": 404, "error": {"type": "not_found"}}, 404)

    server.otherwise = only_one
    provider = HttpProvider(PeopleDataLabs(), transport, OneKey("token"), {"": server.url})
    for _ in range(2):  # the second time it is known
        outcomes = await provider.ask_many(people(4))
        assert titles(outcomes) == ["rejected"] * 4
        assert all(isinstance(end, ProviderError) and end.retryable and not end.maybe_charged for end in outcomes)
    assert len(server.calls) == 1
    assert await provider.ask(people(1)[0]) == NO_MATCH
    await provider.forget_pauses("acme")
    await provider.ask_many(people(4))
    assert len(server.calls) == 3


async def test_an_answer_that_breaks_off_may_have_charged_for_each_and_is_not_put_again(
    server: StandInServer, transport: HttpClient
) -> None:
    async def broken(request: Request, body: bytes) -> Response:
        return Response(b'[{"status": 200, "da', media_type="application/json")

    bulk = Bulk(PeopleDataLabs(), server)
    server.otherwise = broken
    outcomes = await bulk.ask(people(4), transport)
    assert all(isinstance(outcome, ProviderError) and outcome.maybe_charged for outcome in outcomes)
    assert len(server.calls) == 1


async def test_nobody_is_asked_where_the_limit_of_calls_is_reached(
    server: StandInServer, transport: HttpClient
) -> None:
    limiter = LocalRateLimiter(max_wait_seconds=0.0)
    asking = HttpProvider(Apollo(), transport, OneKey(), {"": server.url}, rate_limiter=limiter)
    Bulk(Apollo(), server)
    key = asking._account_name(OneKey().key)
    limit = Apollo().limit_of("", "/people/bulk_match")
    for _ in range(40):
        with suppress(CallDeferred):
            await limiter.acquire(f"{key}:{limit.name}", "apollo", limit.calls_per_minute)
    with pytest.raises(CallDeferred):
        await asking.ask_many(people(2))
    assert server.calls == []


@pytest.mark.parametrize(
    ("adapter", "many", "one"),
    [
        (Apollo(), "/people/bulk_match", "/people/match"),
        (Apollo(), "/organizations/bulk_enrich", "/organizations/enrich"),
        (PeopleDataLabs(), "/v5/person/bulk", "/v5/person/enrich"),
        (PeopleDataLabs(), "/v5/company/enrich/bulk", "/v5/company/enrich"),
        (ZoomInfo(), "/data/v1/contacts/enrich", "/data/v1/contacts/enrich"),
    ],
)
def test_a_pause_holds_for_requests_about_one_and_about_many(adapter: Any, many: str, one: str) -> None:
    assert adapter.limit_of("", many) == adapter.limit_of("", one)


async def test_companies_that_were_found_once_are_told_by_their_domains(
    server: StandInServer, transport: HttpClient
) -> None:
    async def deduplicated(request: Request, body: bytes) -> Response:
        found = [{"name": "Bolt", "primary_domain": "bolt.com", "city": "Bonn"}]
        return JSONResponse({"status": "success", "credits_consumed": 1, "organizations": found})

    server.otherwise = deduplicated
    asking = HttpProvider(Apollo(), transport, OneKey(), {"": server.url})
    asked = [account(domain="bolt.com"), account(domain="acme.test"), account(domain="bolt.com", name="Bolt")]
    outcomes = await asking.ask_many(asked)
    assert [outcome.matched for outcome in outcomes if isinstance(outcome, Answer)] == [True, False, True]


def test_what_has_to_be_asked_alone_has_no_batch(transport: HttpClient) -> None:
    assert Apollo(phones=True).batch_of(lead("mobilePhone", email="a.b@example.com")) is None
    assert Apollo(phones=True).batch_of(lead("title", email="a.b@example.com")) is not None
    assert Apollo().batch_of(lead(city="Bonn")) is None
    assert HttpProvider(Crunchbase(), transport, OneKey()).batch_of(account(name="Example")) is None
    assert HttpProvider(Hunter(), transport, OneKey()).batch_of(account(domain="example.com")) is None


@pytest.mark.parametrize(
    ("consumed", "matched", "each"),
    [
        (2, [True, False, True], [1, 0, 1]),
        (1, [True, True], [0.5, 0.5]),
        (0, [False, False], [0, 0]),
        (3, [False, False], [None, None]),
        (None, [True], [None]),
    ],
)
def test_a_sum_is_shared_among_the_matches(consumed: float | None, matched: list[bool], each: list[Any]) -> None:
    assert shared(consumed, matched) == each
    assert not NO_MATCH.matched
