"""Adapters on real HTTP: a question becomes a call in the account's name, and every end of it an answer or an error."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.enums import EntityType
from models.db.statements import query
from models.organization import Organization
from models.provider_state import note_credits
from providers.api import Answer, Finding, NotSent, Polls, Provider, ProviderError, ProviderInfo, Question
from providers.clearbit.adapter import Clearbit
from providers.http.adapter import Adapter, Http, KeyCheck, Pending
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.registry import Registry
from providers.zoominfo.adapter import ZoomInfo
from resolvers.organizations import organization_of
from resolvers.provider.api import Checked
from tests.support.standin_server import StandInServer, json_reply, sampled

KEY = "s3cret-key-of-acme"


@dataclass
class OwnKeys:
    """Keys by organization and provider."""

    known: dict[tuple[str, str], str] = field(repr=False, default_factory=lambda: {("acme", "plain"): KEY})

    async def key_of(self, organization_id: str, provider_id: str) -> str | None:
        return self.known.get((organization_id, provider_id))


class Plain:
    """An adapter that takes the company's name from one call; `path` and `method` are where it calls."""

    bases: Mapping[str, str] = {"": "https://api.plain.example", "other": "https://other.plain.example"}
    calls_per_minute = 6000
    needs_key = True

    def __init__(self, path: str = "/company", method: str = "GET") -> None:
        self._path = path
        self._method = method

    @property
    def info(self) -> ProviderInfo:
        gives = {EntityType.ACCOUNT: frozenset({"name"})}
        return ProviderInfo("plain", "Plain", gives, "a domain", price=2, needs_key=self.needs_key)

    def input_key(self, question: Question) -> str | None:
        return question.fields.get("domain")

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        headers = {"X-Key": http.key} if http.key else {}
        params = {"domain": question.fields["domain"]}
        reply = await http.send(self._method, self._path, params=params, headers=headers)
        if reply.status >= 400:
            raise ProviderError("unavailable", f"status {reply.status} for {http.key}", retryable=True)
        body = reply.json()
        http.note_credits(body["left"])
        if "token" in body:
            return Pending(body["token"], 5.0)
        return Answer(matched=True, findings=(Finding("name", body["name"], 0.9),))

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        await http.send("GET", f"/later/{token}", headers={"X-Key": http.key})
        return Answer(matched=False)

    async def check_key(self, http: Http) -> KeyCheck:
        return KeyCheck(valid=True, detail=f"the key {http.key} works", credits_left=12)


def source_of(transport: HttpClient, server: StandInServer, adapter: Adapter, **more: Any) -> HttpProvider:
    keys = more.pop("keys", OwnKeys())
    return HttpProvider(adapter, transport, keys, dict.fromkeys(adapter.bases, server.url), **more)


def question(organization: str = "acme", **fields: Any) -> Question:
    asked = {"domain": "zipfel.de", **fields}
    return Question(EntityType.ACCOUNT, asked, frozenset({"name"}), organization_id=organization)


async def refused(source: HttpProvider, asked: Question) -> ProviderError:
    with pytest.raises(ProviderError) as refusal:
        await source.ask(asked)
    return refusal.value


async def test_a_source_is_a_provider_that_waits_and_whose_key_can_be_checked(
    server: StandInServer, transport: HttpClient
) -> None:
    source = source_of(transport, server, Plain())
    provider: Provider = source
    assert isinstance(provider, Polls)
    assert isinstance(provider, Checked)
    assert Registry([provider]).info("plain") == source.info
    assert source.info.remote
    assert source.info.price == 2
    assert source_of(transport, server, Plain(), price=5).info.price == 5


async def test_a_question_is_asked_with_the_key_of_its_organization(
    server: StandInServer, transport: HttpClient
) -> None:
    server.script("/company", json_reply({"name": "Zipfel", "left": None}))
    keys = OwnKeys({("acme", "plain"): "key-of-acme", ("globex", "plain"): "key-of-globex"})
    source = source_of(transport, server, Plain(), keys=keys)
    answer = await source.ask(question())
    await source.ask(question("globex"))
    assert isinstance(answer, Answer)
    assert [finding.value for finding in answer.findings] == ["Zipfel"]
    assert [call.headers["x-key"] for call in server.calls] == ["key-of-acme", "key-of-globex"]
    assert server.calls[0].query == {"domain": "zipfel.de"}


async def test_without_a_key_nothing_is_asked(server: StandInServer, transport: HttpClient) -> None:
    source = source_of(transport, server, Plain())
    error = await refused(source, question("globex"))
    assert (error.code, error.retryable) == ("no_key", False)
    assert server.calls == []
    assert await source.configured("acme")
    assert not await source.configured("globex")


async def test_a_source_that_needs_no_key_is_asked_without_one(server: StandInServer, transport: HttpClient) -> None:
    class Open(Plain):
        needs_key = False

    server.script("/company", json_reply({"name": "Zipfel", "left": None}))
    source = source_of(transport, server, Open())
    await source.ask(question("globex"))
    assert "x-key" not in server.calls[0].headers
    assert await source.configured("globex")


@pytest.mark.parametrize("key", ["clé-secrète", "two\nlines"])
async def test_a_key_that_no_header_can_hold_is_a_bad_key(
    server: StandInServer, transport: HttpClient, key: str
) -> None:
    source = source_of(transport, server, Plain(), keys=OwnKeys({("acme", "plain"): key}))
    assert (await refused(source, question())).code == "bad_key"


async def test_a_pending_answer_is_asked_for_by_its_token(server: StandInServer, transport: HttpClient) -> None:
    server.script("/company", json_reply({"token": "t-1", "left": None}))
    server.script("/later/t-1", json_reply({}))
    source = source_of(transport, server, Plain())
    assert await source.ask(question()) == Pending("t-1", 5.0)
    assert await source.poll(question(), "t-1") == Answer(matched=False)


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("hang", "timeout"),
        ("drip", "timeout"),
        ("endless", "invalid_answer"),
        ("bomb", "invalid_answer"),
        ("empty_bomb", "invalid_answer"),
        ("garbage", "invalid_answer"),
        ("html", "invalid_answer"),
        ("wrong_types", "invalid_answer"),
        ("redirect_away", "invalid_answer"),
        ("failing", "unavailable"),
    ],
)
async def test_every_hostile_reply_ends_in_an_error_of_a_provider(
    server: StandInServer, transport: HttpClient, mode: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = source_of(transport, server, Plain(f"/hostile/{mode}"))
    error = await refused(source, question())
    assert error.code == code
    assert KEY not in f"{error} {error!r} {error.message} {caplog.text}"


async def test_a_key_is_in_no_text_of_a_source_or_a_check(server: StandInServer, transport: HttpClient) -> None:
    source = source_of(transport, server, Plain())
    check = await source.check_key("acme")
    assert check.detail == "the key ******** works"
    assert KEY not in repr(source)


async def test_what_is_left_of_the_credits_is_told_now_and_then_and_always_when_nothing_is(
    server: StandInServer, transport: HttpClient
) -> None:
    noted: list[tuple[str, str, float]] = []

    async def note(organization_id: str, provider_id: str, left: float) -> None:
        noted.append((organization_id, provider_id, left))

    left = (json_reply({"name": "Zipfel", "left": count}) for count in (3, 2, 0))
    server.script("/company", *left)
    source = source_of(transport, server, Plain(), note_credits=note)
    for _ in range(3):
        await source.ask(question())
    assert noted == [("acme", "plain", 3), ("acme", "plain", 0)]


async def test_an_answer_is_not_lost_over_noting_credits(server: StandInServer, transport: HttpClient) -> None:
    async def note(organization_id: str, provider_id: str, left: float) -> None:
        raise OSError("no database")

    server.script("/company", json_reply({"name": "Zipfel", "left": 3}))
    source = source_of(transport, server, Plain(), note_credits=note)
    assert isinstance(await source.ask(question()), Answer)


async def test_credits_left_are_kept_at_most_once_in_ten_seconds(db: str) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    await note_credits("acme", "plain", 9.0, now)
    assert await query("SELECT * FROM provider_state") == []
    await organization_of("acme", Registry([]), now)
    assert await Organization.exists(id="acme")
    seen = []
    for second, left in ((0, 9.0), (5, 8.0), (11, 7.0), (12, 0.0)):
        await note_credits("acme", "plain", left, now + timedelta(seconds=second))
        seen.append((await query("SELECT credits_left FROM provider_state"))[0]["credits_left"])
    assert seen == [9.0, 9.0, 7.0, 0.0]


@pytest.mark.parametrize(
    ("bases", "fault"),
    [
        ({"nothing": "https://x.example"}, "no address called nothing"),
        ({"": "http://plain.example"}, "https"),
    ],
)
def test_an_address_that_cannot_be_is_refused_at_the_start(bases: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        HttpProvider(Plain(), HttpClient(development=True), OwnKeys(), bases)


async def test_clearbit_answers_over_the_wire(server: StandInServer, transport: HttpClient) -> None:
    server.script("/v2/combined/find", sampled("clearbit", "combined_found"))
    keys = OwnKeys({("acme", "clearbit"): KEY})
    asked = Question(
        EntityType.LEAD,
        {"email": "mara.lindqvist@example.com"},
        frozenset({"title", "company"}),
        organization_id="acme",
    )
    answer = await source_of(transport, server, Clearbit(), keys=keys).ask(asked)
    assert isinstance(answer, Answer)
    assert answer.matched
    assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"


async def test_zoominfo_answers_over_the_wire(server: StandInServer, transport: HttpClient) -> None:
    server.script("/data/v1/contacts/enrich", sampled("zoominfo", "person_found"))
    keys = OwnKeys({("acme", "zoominfo"): "TOKEN"})
    asked = Question(
        EntityType.LEAD, {"email": "mara.lindqvist@example.com"}, frozenset({"title"}), organization_id="acme"
    )
    answer = await source_of(transport, server, ZoomInfo(), keys=keys).ask(asked)
    assert isinstance(answer, Answer)
    assert answer.matched
    assert server.calls[0].headers["content-type"] == "application/vnd.api+json"


async def test_a_fault_of_ours_before_anything_is_sent_is_no_answer_of_the_provider(
    server: StandInServer, transport: HttpClient
) -> None:
    class NoStore:
        async def key_of(self, organization_id: str, provider_id: str) -> str | None:
            raise ConnectionRefusedError

    async def check() -> None:
        raise NotSent from ConnectionResetError()

    asked = replace(question(), before_send=check)
    without_key = source_of(transport, server, Plain(), keys=NoStore())
    with_key = source_of(transport, server, Plain())
    for provider in (without_key, with_key):
        with pytest.raises(NotSent) as failed:
            await provider.ask(asked)
        assert isinstance(failed.value.__cause__, OSError)
    assert server.calls == []
