"""What REST reads of a request, and what it refuses to understand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from enrichment.enums import EntityType, JobStatus
from resolvers.errors import BadRequest, ValidationFailed
from service.rest.query import QueryParameters
from service.rest.request import (
    MAX_DEPTH,
    NO_VERSION,
    expected_versions,
    read_object,
    read_optional_object,
    refuse_unknown,
    text_or_none,
)


def request(*, query: str = "", body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/auto-enrichment/config",
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers or []],
        "server": ("test", 80),
        "scheme": "http",
    }
    return Request(scope, receive)


def faults_of(query: QueryParameters) -> dict[str, str]:
    with pytest.raises(BadRequest) as caught:
        query.check()
    return {fault.path: fault.message for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("account", (EntityType.ACCOUNT,)),
        ("LEAD,Contact", (EntityType.LEAD, EntityType.CONTACT)),
        (" lead , lead ", (EntityType.LEAD,)),
        ("all", ()),
        ("ALL", ()),
        ("lead,all", ()),
    ],
)
def test_a_list_of_members_is_read_in_any_case(text: str, members: tuple[EntityType, ...]) -> None:
    query = QueryParameters(request(query=f"entityType={text.replace(' ', '%20')}"))
    assert query.choices("entityType", EntityType, required=True) == members
    query.check()


def test_every_missing_required_parameter_is_named() -> None:
    query = QueryParameters(request())
    query.choices("entityType", EntityType, required=True)
    query.choices("status", JobStatus, required=True)
    faults = faults_of(query)
    assert faults.keys() == {"entityType", "status"}
    assert faults["entityType"] == "required; accepted are lead, contact, account and all"


@pytest.mark.parametrize("text", ["", "%20", "foo", "lead,", "lead,foo", "lead;contact", "%00", "in-progress"])
def test_what_is_no_member_is_refused_with_the_accepted_ones(text: str) -> None:
    query = QueryParameters(request(query=f"entityType={text}"))
    query.choices("entityType", EntityType)
    assert "accepted are lead, contact, account and all" in faults_of(query)["entityType"]


def test_an_absent_optional_parameter_is_none() -> None:
    query = QueryParameters(request(query="other=1"))
    assert query.choices("status", JobStatus) is None
    query.check()


def test_a_parameter_given_twice_is_refused() -> None:
    query = QueryParameters(request(query="entityType=lead&entityType=account"))
    query.choices("entityType", EntityType)
    assert faults_of(query) == {"entityType": "given more than once"}


def test_a_query_that_is_not_utf_8_is_refused_as_any_unknown_value() -> None:
    query = QueryParameters(request(query="entityType=\xff"))
    query.choices("entityType", EntityType)
    assert faults_of(query).keys() == {"entityType"}


def test_unknown_parameters_are_ignored_even_twice() -> None:
    query = QueryParameters(request(query="_=1&_=2&entityType=lead"))
    assert query.choices("entityType", EntityType) == (EntityType.LEAD,)
    query.check()


@pytest.mark.parametrize(("text", "size"), [("1", 1), ("200", 200), ("050", 50)])
def test_a_limit_from_1_to_200_is_taken(text: str, size: int) -> None:
    query = QueryParameters(request(query=f"limit={text}"))
    assert query.page().first == size
    query.check()


@pytest.mark.parametrize("text", ["0", "201", "-1", "1.5", "", "abc", "99999999999999999999", "1e2", "%D9%A1"])
def test_any_other_limit_is_refused(text: str) -> None:
    query = QueryParameters(request(query=f"limit={text}"))
    query.page()
    assert faults_of(query).keys() == {"limit"}


def test_without_a_limit_there_are_50() -> None:
    assert QueryParameters(request()).page().first == 50


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00:00Z", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T10:00:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T10:00:00%2B02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T10:00:00+02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T10:00:00.123456Z", datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_utc_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    query = QueryParameters(request(query=f"from={text}"))
    assert query.moment("from") == moment
    query.check()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00%2B10:00", "1700000000"])
def test_what_is_no_time_is_refused(text: str) -> None:
    query = QueryParameters(request(query=f"from={text}"))
    query.moment("from")
    assert faults_of(query).keys() == {"from"}


async def test_a_json_object_is_read() -> None:
    assert await read_object(request(body=b'{"a": [1, {"b": null}]}')) == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/merge-patch+json",
    ],
)
async def test_json_media_types_are_taken(media_type: str) -> None:
    assert await read_object(request(body=b"{}", headers=[("content-type", media_type)])) == {}


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json; charset=latin-1", ""],
)
async def test_any_other_media_type_is_refused(media_type: str) -> None:
    with pytest.raises(HTTPException) as caught:
        await read_object(request(body=b"{}", headers=[("content-type", media_type)]))
    assert caught.value.status_code == 415


NESTED = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a": 1} {"b": 2}',
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b'{"a": ' + NESTED + b"}",
        b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "{}".encode("utf-16"),
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_what_is_not_plain_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        await read_object(request(body=body))


async def test_nesting_up_to_the_limit_is_taken() -> None:
    assert await read_object(request(body=b'{"a": ' + NESTED[1:-1] + b"}"))


async def test_numbers_of_any_length_are_taken() -> None:
    assert await read_object(request(body=b'{"a": 1' + b"0" * 300 + b"}")) == {"a": 1e300}
    with pytest.raises(BadRequest):
        await read_object(request(body=b'{"a": 1' + b"0" * 5000 + b"}"))


@pytest.mark.parametrize("body", [b"[]", b"null", b'"a"', b"1", b"true"])
async def test_json_that_is_not_an_object_is_not_valid(body: bytes) -> None:
    with pytest.raises(ValidationFailed):
        await read_object(request(body=body))


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", None])
@pytest.mark.parametrize("body", [b"", b" \r\n "])
async def test_an_optional_body_may_be_empty_whatever_its_type(body: bytes, media_type: str | None) -> None:
    headers = [("content-type", media_type)] if media_type else []
    assert await read_optional_object(request(body=body, headers=headers)) == {}


async def test_an_optional_body_that_is_there_must_be_json() -> None:
    with pytest.raises(HTTPException) as caught:
        await read_optional_object(request(body=b"reason=x", headers=[("content-type", "text/plain")]))
    assert caught.value.status_code == 415


def test_unknown_keys_are_all_named() -> None:
    with pytest.raises(ValidationFailed) as caught:
        refuse_unknown({"reason": 1, "reasn": 2, "x": 3}, ("reason",))
    assert [fault.path for fault in caught.value.faults] == ["reasn", "x"]


@pytest.mark.parametrize("value", [1, True, [], {}, "a\0b"])
def test_a_text_must_be_a_text(value: Any) -> None:
    with pytest.raises(ValidationFailed):
        text_or_none({"note": value}, "note")
    assert text_or_none({"note": "n"}, "note") == "n"
    assert text_or_none({"note": None}, "note") is text_or_none({}, "note") is None


@pytest.mark.parametrize(
    ("sent", "versions"),
    [
        ([], None),
        (["*"], None),
        (['"3"'], (3,)),
        (['W/"3"'], (3,)),
        (['"3", W/"4"'], (3, 4)),
        (['"3"', '"4"'], (3, 4)),
        (['"abc"'], (NO_VERSION,)),
        (['""'], (NO_VERSION,)),
        (['"99999999999999999999"'], (NO_VERSION,)),
        (['"-1"'], (NO_VERSION,)),
    ],
)
def test_if_match_names_versions(sent: list[str], versions: tuple[int, ...] | None) -> None:
    assert expected_versions(request(headers=[("if-match", value) for value in sent])) == versions


@pytest.mark.parametrize("sent", ["3", "", '"3', 'w/"3"', '"3" "4"', '*, "3"', "W/3", '"a b"x'])
def test_a_malformed_if_match_is_refused(sent: str) -> None:
    with pytest.raises(BadRequest) as caught:
        expected_versions(request(headers=[("if-match", sent)]))
    assert [fault.path for fault in caught.value.faults] == ["If-Match"]
