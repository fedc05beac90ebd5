"""What is read of the body of a request, and what is refused."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from starlette.exceptions import HTTPException

from resolvers.errors import BadRequest, ValidationFailed
from service.http.request import LONGEST_TEXT, MAX_DEPTH, MOST_ITEMS, MOST_KEYS, read_object, read_optional_object
from tests.support.requests import request


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


@pytest.mark.parametrize(
    ("most", "value"),
    [
        (MOST_ITEMS, lambda number: [0] * number),
        (MOST_ITEMS, lambda number: {"b": [[], [0] * number]}),
        (MOST_KEYS, lambda number: {str(key): 0 for key in range(number)}),
        (LONGEST_TEXT, lambda number: [{"b": "x" * number}]),
    ],
)
async def test_what_is_larger_than_any_input_may_be_is_refused_before_it_is_looked_at(
    most: int, value: Callable[[int], Any]
) -> None:
    assert await read_object(request(body=orjson.dumps({"a": value(most)})))
    with pytest.raises(BadRequest, match="too many"):
        await read_object(request(body=orjson.dumps({"a": value(most + 1)})))


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
