"""Keys are scoped: a refused call closes its own kind for a while, and an opt-out is an answer of its own."""

from datetime import timedelta

import pytest

from enrichment.enums import EntityType
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo
from providers.apollo.adapter import Apollo
from providers.crunchbase.adapter import Crunchbase
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.http.replies import OPTED_OUT
from providers.http.scopes import CLOSED_SECONDS, KeyScopes
from providers.hunter.adapter import Hunter
from tests.support.fake_http import account, lead
from tests.support.provider_server import OneKey
from tests.support.standin_server import ScriptedReply, StandInServer, json_reply, sampled

PERSON, COMPANY = lead(email="mara.lindqvist@example.com"), account(domain="example.com")
NO = json_reply({"error": "no", "error_code": "API_INACCESSIBLE"}, 403)


async def code_of(asking: HttpProvider, question: object) -> str:
    with pytest.raises(ProviderError) as refusal:
        await asking.ask(question)  # type: ignore[arg-type]  # one of the two above
    return refusal.value.code


async def test_a_403_on_organizations_leaves_people_alone(server: StandInServer, transport: HttpClient) -> None:
    server.script("/organizations/enrich", NO)
    server.script("/people/match", sampled("apollo", "person_found"))
    asking = HttpProvider(Apollo(), transport, OneKey(), {"": server.url})
    assert [await code_of(asking, COMPANY) for _ in range(3)] == ["no_access"] * 3
    assert len(server.calls_to("/organizations/enrich")) == 1  # the others were not sent
    answer = await asking.ask(PERSON)
    assert isinstance(answer, Answer) and answer.matched
    server.script("/usage_stats/credit_usage_stats", sampled("apollo", "credit_balance"))
    check = await asking.check_key("acme")
    assert check.may == {"companies": False, "people": True}
    await asking.forget_pauses("acme")
    server.script("/organizations/enrich", json_reply({"organization": None}))
    assert await asking.ask(COMPANY) == NO_MATCH


async def test_a_key_that_may_look_up_nothing_is_a_bad_one(server: StandInServer, transport: HttpClient) -> None:
    server.script("/organizations/enrich", NO)
    server.script("/people/match", NO)
    asking = HttpProvider(Apollo(), transport, OneKey(), {"": server.url})
    assert [await code_of(asking, question) for question in (COMPANY, PERSON)] == ["no_access", "bad_key"]


async def test_a_403_of_a_provider_without_scopes_closes_it(server: StandInServer, transport: HttpClient) -> None:
    server.script("/data/searches/organizations", ScriptedReply(403))
    asking = HttpProvider(Crunchbase(), transport, OneKey(), {"": server.url})
    assert await code_of(asking, COMPANY) == "bad_key"


def test_a_closed_kind_is_tried_again_and_is_closed_for_its_account_alone() -> None:
    now = 0.0
    scopes = KeyScopes(Apollo(), clock=lambda: now)
    scopes.refused("a", "companies", ProviderError("no_access", "no", retryable=False))
    assert scopes.check("b", COMPANY) == "companies"
    assert scopes.check("a", PERSON) == "people"
    with pytest.raises(ProviderError):
        scopes.check("a", COMPANY)
    now = CLOSED_SECONDS
    assert scopes.check("a", COMPANY) == "companies"


async def test_an_opt_out_is_neither_a_match_nor_a_miss(server: StandInServer, transport: HttpClient) -> None:
    server.script("/people/find", ScriptedReply(451))
    asking = HttpProvider(Hunter(), transport, OneKey(), {"": server.url})
    answer = await asking.ask(PERSON)
    assert isinstance(answer, Answer)
    assert (answer.opted_out, answer.matched, answer.uncounted) == (True, False, True)
    assert not NO_MATCH.opted_out


@pytest.mark.parametrize(
    ("answer", "days"),
    [
        (OPTED_OUT, 400),
        (Answer(matched=False, opted_out=True, lifetime_days=9), 9),
        (NO_MATCH, 7),
        (Answer(matched=True), 30),
        (Answer(matched=True, lifetime_days=2), 2),
    ],
)
def test_an_answer_is_remembered_as_long_as_the_provider_says(answer: Answer, days: int) -> None:
    gives = {EntityType.LEAD: frozenset({"title"})}
    info = ProviderInfo("acme", "Acme", gives, "an e-mail address", opt_out_lifetime_days=400)
    assert info.lifetime_of(answer) == timedelta(days=days)
