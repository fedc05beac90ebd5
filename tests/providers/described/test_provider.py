"""Providers that a JSON file describes: what may stand in it, how faults are named, how they ask and are read.

One file, because every test varies one description.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from providers.api import NO_MATCH, Pending, ProviderError
from providers.described import provider as described
from providers.described.description import DERIVED
from providers.described.provider import Described, DescriptionError, load_described
from providers.http.adapter import Reply
from tests.support.fake_http import FakeHttp, account, confidences, lead, reply, values

ERP: dict[str, Any] = {
    "id": "inhouse_erp",
    "name": "In-house ERP",
    "entityTypes": ["account"],
    "request": {"url": "https://erp.test/api/companies/{domain}?expand=all&country={country}"},
    "auth": {"header": "Authorization", "value": "Token {key}"},
    "match": "company.active",
    "fields": {
        "numberOfEmployees": "company.head_count",
        "industry": {"value": "company.sectors[0].label", "confidence": 0.7},
        "phone": "company.phones[?kind=='main'].number | [0]",
        "country": "company.land",
        "tags": "company.tags",
    },
    "identity": {"domain": "company.web", "name": "company.name"},
    "observedAt": "company.changed",
    "price": 2,
    "confidence": 0.9,
}
COMPANY: dict[str, Any] = {
    "active": True,
    "name": "Acme GmbH",
    "web": "www.acme.test",
    "head_count": "~250",
    "sectors": [{"label": "Machinery"}],
    "phones": [{"kind": "fax", "number": "1"}, {"kind": "main", "number": "030 5550140"}],
    "land": "DE",
    "tags": ["b2b"],
    "changed": "2026-03-01",
}
ACME = account(domain="acme.test", country="Germany")

Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: Any) -> Path:
        path = tmp_path / "erp.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_file


def faults(path: Path) -> list[str]:
    with pytest.raises(DescriptionError) as caught:
        load_described(path)
    return list(caught.value.faults)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ERP.items() if key != name}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The description with one value set, by a dotted path."""
    copy = json.loads(json.dumps(ERP))
    *parents, last = path.split(".")
    part = copy
    for name in parents:
        part = part[name]
    part[last] = value
    return copy  # type: ignore[no-any-return]  # what json.loads gives is Any


@pytest.fixture
def erp(write: Write) -> Described:
    [provider] = load_described(write(ERP))
    return provider


async def test_an_answer_is_read_by_the_expressions(erp: Described) -> None:
    http = FakeHttp(reply({"company": COMPANY}), key="s3cret")
    answer = await erp.look_up(ACME, http)
    assert values(answer) == {
        "numberOfEmployees": 250,
        "industry": "Machinery",
        "phone": "+49305550140",  # as of the answer's country
        "country": "Germany",
        "tags": ["b2b"],
    }
    assert confidences(answer) == dict.fromkeys(values(answer), 0.9) | {"industry": 0.7}
    assert {finding.observed_at for finding in answer.findings} == {datetime(2026, 3, 1, tzinfo=UTC)}  # type: ignore[union-attr]  # never pending
    [sent] = http.sent
    assert (sent.method, sent.path) == ("GET", "/api/companies/acme.test")
    assert sent.params == {"expand": "all", "country": "Germany"}
    assert sent.headers["Authorization"] == "Token s3cret"
    assert erp.bases == {"": "https://erp.test"}


def test_what_it_says_of_itself(erp: Described) -> None:
    info = erp.info
    assert (info.id, info.name, info.price, info.needs) == ("inhouse_erp", "In-house ERP", 2, "domain, country")
    assert (info.remote, info.needs_key) == (True, True)
    assert {entity_type.value: set(fields) for entity_type, fields in info.gives.items()} == {
        "account": {"numberOfEmployees", "industry", "phone", "country", "tags"}
    }


async def test_a_body_is_filled_and_keeps_types(write: Write) -> None:
    body = {"filter": {"employees": "{numberOfEmployees}", "q": "name:{companyName}"}, "list": ["{crm.erpNumber}", 1]}
    [provider] = load_described(
        write({**ERP, "request": {"url": "https://erp.test/find", "method": "POST", "body": body}})
    )
    http = FakeHttp(reply({"company": COMPANY}))
    await provider.look_up(account(name="Acme", numberOfEmployees=50, erpNumber="A-7"), http)
    assert http.sent[0].json == {"filter": {"employees": 50, "q": "name:Acme"}, "list": ["A-7", 1]}


def test_a_record_that_lacks_a_placeholder_is_not_asked_for(erp: Described) -> None:
    assert erp.input_key(account(domain="acme.test")) is None
    assert erp.input_key(account(domain="acme.test", country=["Germany"])) is None
    key = erp.input_key(ACME)
    assert key
    assert key == erp.input_key(account(domain="acme.test", country="Germany", name="Other"))
    assert key != erp.input_key(account(domain="acme.test", country="France"))


def test_answers_kept_under_another_description_are_not_reused(write: Write, erp: Described) -> None:
    [other] = load_described(write(changed("fields.industry", "company.sector")))
    assert other.input_key(ACME) != erp.input_key(ACME)


@pytest.mark.parametrize("value", ["../admin", "a/b?x=1#y", "a%2Fb", "é ü"])
async def test_a_value_stays_in_its_place_in_the_path(write: Write, value: str) -> None:
    [provider] = load_described(write(changed("request.url", "https://erp.test/c/{crm.number}/x")))
    http = FakeHttp(reply({"company": COMPANY}))
    await provider.look_up(account(number=value), http)
    assert http.sent[0].path.count("/") == 3
    assert not set("?# ") & set(http.sent[0].path)
    for dots in ("..", "."):
        assert provider.input_key(account(number=dots)) is None


@pytest.mark.parametrize("active", [None, False, "", [], {}])
async def test_without_the_match_condition_it_is_no_match(erp: Described, active: Any) -> None:
    assert await erp.look_up(ACME, FakeHttp(reply({"company": {**COMPANY, "active": active}}))) == NO_MATCH


async def test_zero_is_true_as_in_jmespath(erp: Described) -> None:
    assert values(await erp.look_up(ACME, FakeHttp(reply({"company": {**COMPANY, "active": 0}}))))


@pytest.mark.parametrize("answer", [reply(None, 404), reply(None, 204), reply({}), reply([]), reply("x"), reply(7)])
async def test_no_match(erp: Described, answer: Reply) -> None:
    assert await erp.look_up(ACME, FakeHttp(answer)) == NO_MATCH


async def test_an_answer_without_any_field_is_no_match(write: Write) -> None:
    [provider] = load_described(write(without("match")))
    assert await provider.look_up(ACME, FakeHttp(reply({"company": {"name": "Acme"}}))) == NO_MATCH


async def test_values_of_wrong_types_are_left_out(erp: Described) -> None:
    odd = {**COMPANY, "head_count": {"a": 1}, "sectors": "none", "phones": 5, "tags": [[]], "land": 3, "changed": []}
    assert await erp.look_up(ACME, FakeHttp(reply({"company": odd}))) == NO_MATCH


async def test_a_function_that_cannot_take_the_value_finds_nothing(write: Write) -> None:
    [provider] = load_described(write(changed("fields.tags", "sort(company.tags)")))
    found = values(await provider.look_up(ACME, FakeHttp(reply({"company": {**COMPANY, "tags": [1, "x", None]}}))))
    assert "tags" not in found
    assert found["industry"] == "Machinery"


async def test_an_answer_about_somebody_else_is_refused(write: Write, erp: Described) -> None:
    with pytest.raises(ProviderError) as caught:
        await erp.look_up(ACME, FakeHttp(reply({"company": {**COMPANY, "web": "other.test"}})))
    assert caught.value.code == "wrong_entity"
    people = {
        **ERP,
        "entityTypes": ["lead"],
        "request": {"url": "https://hr.test/p?mail={email}"},
        "match": "mail",
        "fields": {"title": "title"},
        "identity": {"email": "mail"},
    }
    [provider] = load_described(write(people))
    asked = lead(email="a@acme.test")
    assert values(await provider.look_up(asked, FakeHttp(reply({"mail": "A@acme.test", "title": "CEO"}))))
    with pytest.raises(ProviderError):
        await provider.look_up(asked, FakeHttp(reply({"mail": "b@acme.test", "title": "CEO"})))


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (reply(None, 401), "bad_key", False),
        (reply(None, 403), "no_access", False),
        (reply(None, 402), "out_of_credits", False),
        (reply(None, 429, {"retry-after": "9"}), "rate_limited", True),
        (reply(None, 500), "unavailable", True),
        (reply(None, 400), "rejected", False),
        (reply(None, 302), "invalid_answer", False),
        (reply(b"<html>", 200, {"content-type": "text/html"}), "invalid_answer", False),
    ],
)
async def test_errors_are_told_apart(erp: Described, answer: Reply, code: str, retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        await erp.look_up(ACME, FakeHttp(answer, key="s3cret"))
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("key", ["a\r\nX: 1", "ключ"])
async def test_a_key_that_no_header_can_hold_is_not_sent(erp: Described, key: str) -> None:
    http = FakeHttp(key=key)
    with pytest.raises(ProviderError) as caught:
        await erp.look_up(ACME, http)
    assert (caught.value.code, http.sent) == ("bad_key", [])


async def test_a_key_is_not_checked_by_a_call_that_might_cost(erp: Described) -> None:
    http = FakeHttp()
    assert "not checked" in (await erp.check_key(http)).detail
    assert http.sent == []


@pytest.mark.parametrize(
    ("description", "fault"),
    [
        (without("id"), "erp.json: id: is missing"),
        (without("fields"), "erp.json: fields: is missing"),
        (changed("id", "In House"), "erp.json: id: should be 2 to 40 small letters, digits and _, and begin with"),
        (changed("entityTypes", ["deal"]), "erp.json: entityTypes[0]: input should be 'lead', 'contact' or 'account'"),
        (changed("entityTypes", []), "erp.json: entityTypes: list should have at least 1 item"),
        (changed("pricee", 3), "erp.json: pricee: is no setting of a description"),
        (changed("price", -1), "erp.json: price: input should be greater than or equal to 0"),
        (changed("price", "2"), "erp.json: price: input should be a valid integer"),
        (changed("confidence", 1.5), "erp.json: confidence: input should be less than or equal to 1"),
        (changed("fields.industry", "a..b"), "erp.json: fields.industry.value: is no JMESPath expression"),
        (
            changed("fields.industry", "shout(a)"),
            "erp.json: fields.industry.value: is no JMESPath expression: there is",
        ),
        (changed("fields.industry", 7), "erp.json: fields.industry: should be an object"),
        (changed("fields.headcount", "a"), "erp.json: fields.headcount: account has no such field"),
        (changed("match", ""), "erp.json: match: is no JMESPath expression"),
        (changed("observedAt", ["a"]), "erp.json: observedAt: should be a text: a JMESPath expression"),
        (changed("request.url", "ftp://erp.test/{domain}"), "erp.json: request.url: should be an https address"),
        (changed("request.url", "http://erp.test/{domain}"), "erp.json: request.url: should be https"),
        (changed("request.url", "https://{domain}/x"), "erp.json: request.url: should name its host as it is"),
        (changed("request.url", "https://u:p@erp.test/{domain}"), "erp.json: request.url: should name its host"),
        (changed("request.url", "https://erp.test/{domain}?a=1&a=2"), "erp.json: request.url: names a query"),
        (changed("request.url", "https://erp.test/x"), "erp.json: request: has no placeholder"),
        (changed("request.url", "https://erp.test/{domian}"), "erp.json: request: {domian} is no field of account"),
        (changed("request.url", "https://erp.test/{domain}/{}"), "erp.json: request: braces that are no placeholder"),
        (changed("request.body", {"a": 1}), "erp.json: request: a body can only be sent by POST"),
        (changed("request.headers", {"Bad Name": "x"}), "erp.json: request.headers.Bad Name: is not the name of"),
        (changed("request.headers", {"X-A": "x\r\nB: 1"}), "erp.json: request.headers.X-A: holds characters"),
        (changed("request.headers", {"authorization": "x"}), "erp.json: request.headers.Authorization: is the header"),
        (changed("auth.value", "Token"), "erp.json: auth: value should hold {key} once"),
        (changed("auth.header", "Host"), "erp.json: auth.header: is not the name of a header"),
        ([ERP, changed("id", "x")], "erp.json: [1].id: should be 2 to 40"),
        ([ERP, ERP], "erp.json: [1].id: inhouse_erp is described twice"),
        ("{", "erp.json: is not JSON"),
        ('{"id": 1, "id": 2}', "erp.json: is not JSON: 'id' stands twice in one object"),
        ("7", "erp.json: should be an object"),
    ],
)
def test_a_fault_is_named_with_its_path(write: Write, description: Any, fault: str) -> None:
    [told] = faults(write(description))
    assert told.startswith(fault)


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(changed("price", -1) | {"id": "A"}))
    (tmp_path / "b.json").write_text("[]]")
    (tmp_path / "c.json").write_text(json.dumps(ERP))
    (tmp_path / "notes.txt").write_text("not a description")
    told = faults(tmp_path)
    assert [fault.partition(":")[0] for fault in told] == ["a.json", "a.json", "b.json"]


def test_a_folder_is_loaded_whole(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(ERP))
    (tmp_path / "two.json").write_text(json.dumps([ERP | {"id": "second"}, ERP | {"id": "third"}]))
    assert [provider.info.id for provider in load_described(tmp_path)] == ["inhouse_erp", "second", "third"]


def test_an_id_that_another_provider_has_is_refused(write: Write) -> None:
    with pytest.raises(DescriptionError, match="apollo is the id of another provider"):
        load_described(write(ERP | {"id": "apollo"}), taken_ids=("apollo", "hunter"))


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.json") == ["none.json: cannot be read: No such file or directory"]


def test_a_source_on_this_machine_may_speak_plain_http(write: Write) -> None:
    for host in ("127.0.0.1:8080", "localhost", "[::1]:9"):
        [provider] = load_described(write(changed("request.url", f"http://{host}/{{domain}}")))
        assert provider.bases == {"": f"http://{host}"}


def test_every_derived_placeholder_is_filled() -> None:
    assert described._DERIVED.keys() == DERIVED
    asked = lead(email="mara.lindqvist@acme.test", firstName="Mara", lastName="Lindqvist", company="Acme")
    filled = [described._value_of(asked, name) for name in ("companyDomain", "companyName", "fullName")]
    assert filled == ["acme.test", "Acme", "Mara Lindqvist"]


CITY = {"id": "town", "name": "Town", "entityTypes": ["account"], "request": {"url": "https://town.test/{domain}"},
        "fields": {"numberOfEmployees": "headCount", "city": "city", "annualRevenue": "revenue"}}  # fmt: skip


def towns(write: Write) -> Described:
    (provider,) = load_described(write(CITY))
    return provider


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'\xef\xbb\xbf{"headCount": 120, "city": "Bonn"}', {"numberOfEmployees": 120, "city": "Bonn"}),
        (b'{"headCount": NaN, "revenue": Infinity, "city": "Bonn"}', {"city": "Bonn"}),
        (b'{"headCount": 120, "revenue": 1e400, "city": "Bonn"}', {"numberOfEmployees": 120, "city": "Bonn"}),
        (b'{"headCount": 120, "city": "K\xf6ln"}', {"numberOfEmployees": 120}),
        (b'{"headCount": 120, "city": "' + b"x" * 50_000 + b'"}', {"numberOfEmployees": 120}),
    ],
)
async def test_a_blemish_in_an_answer_loses_one_field(write: Write, body: bytes, found: dict[str, Any]) -> None:
    answer = await towns(write).look_up(ACME, FakeHttp(reply(body)))
    assert values(answer) == found


async def test_an_answer_that_is_pending_is_asked_for_again(write: Write) -> None:
    town = towns(write)
    for first in (reply(None, 202), reply({"status": "pending"}, 202), reply({"status": "pending"})):
        pending = await town.look_up(ACME, FakeHttp(first))
        assert isinstance(pending, Pending)
        assert pending.retry_after_seconds == 30
        answer = await town.poll(pending.token, ACME, FakeHttp(reply({"city": "Bonn", "status": "pending"})))
        assert values(answer) == {"city": "Bonn"}
    assert await town.look_up(ACME, FakeHttp(reply({"status": "done"}))) == NO_MATCH


async def test_a_description_may_say_what_an_answer_consumed_and_who_opted_out(write: Write) -> None:
    (town,) = load_described(write({**CITY, "consumed": "usage.credits", "optOut": "optedOut", "match": "city"}))

    async def answer(**body: Any) -> Any:
        return await town.look_up(ACME, FakeHttp(reply({"usage": {"credits": 3}, **body})))

    assert [(await answer(**body)).stated for body in ({"city": "Bonn"}, {}, {"optedOut": True})] == [3, 3, 3]
    opted_out = await answer(city="Bonn", optedOut=True)
    assert (opted_out.opted_out, opted_out.matched, opted_out.findings) == (True, False, ())
    assert (await town.look_up(ACME, FakeHttp(reply({"city": "Bonn", "usage": {"credits": -2}})))).stated is None  # type: ignore[union-attr]  # never pending


def test_answers_of_a_description_are_found_though_it_came_to_say_more(write: Write) -> None:
    (example,) = load_described(Path(__file__).parents[3] / "docs/examples/described_provider.json")
    assert example._version == "cb314743075a"  # as it was before there were `consumed` and `optOut`
    assert towns(write)._version == load_described(write({**CITY, "consumed": "credits"}))[0]._version
    assert towns(write)._version != load_described(write({**CITY, "optOut": "gone"}))[0]._version
