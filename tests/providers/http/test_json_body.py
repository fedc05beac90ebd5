"""Bodies that are JSON but for one thing: what is lost is the faulty part alone, and hostile ones cost little."""

from typing import Any

import pytest

from providers.api import ProviderError
from providers.http import json_body
from providers.http.adapter import Reply
from providers.http.json_body import MOST_PARTS, read_json


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "\u00fc"}'.encode("utf-16"), {"a": "\u00fc"}),
        (b'{"a": NaN, "b": -Infinity, "c": Infinity, "d": nan, "e": 1}', dict.fromkeys("abcd") | {"e": 1}),
        (b'{"a": 1e400, "b": [1, -1e999, 2], "c": 1.5e300}', {"a": None, "b": [1, None, 2], "c": 1.5e300}),
        (b'{"a": ' + b"9" * 5000 + b', "b": 1}', {"a": None, "b": 1}),
        (b'{"a": undefined, "b": 0x1F, "c": 007, "d": +5, "e": ok}', dict.fromkeys("abcde")),
        (b'{"a": [1, 2,], "b": {"c": 1,},}', {"a": [1, 2], "b": {"c": 1}}),
        (b'{"a": "x\ny\tz", "b": "NaN", "c": "1e400,]"}', {"a": "x y z", "b": "NaN", "c": "1e400,]"}),
        (b'{"a": "\\ud800!", "b": "\\ud83d\\ude00", "c": "\\x41", "d": NaN}',
         {"a": "\ufffd!", "b": "\U0001f600", "c": "\\x41", "d": None}),
        (b'{"a": 1}\x00\r\n', {"a": 1}),
    ],
)  # fmt: skip
def test_a_blemish_loses_its_own_part(body: bytes, read: Any) -> None:
    assert read_json(body) == read


def test_letters_are_read_by_the_charset_that_is_named_and_are_lost_without() -> None:
    body = '{"a": "M\u00fcller"}'.encode("latin-1")
    assert read_json(body, "application/json; charset=ISO-8859-1") == {"a": "M\u00fcller"}
    assert read_json(body, "application/json; charset=no-such") == {"a": "M\ufffdller"}


def test_what_is_nested_too_deep_is_cut_and_the_rest_is_read() -> None:
    deep = b'{"before": 1, "deep": ' + b'["]", ' * 5000 + b"1" + b"]" * 5000 + b', "after": "Bonn"}'
    read = read_json(deep)
    assert (read["before"], read["after"]) == (1, "Bonn")
    depth, part = 0, read["deep"]
    while part is not None:
        depth, part = depth + 1, part[1]
    assert depth < json_body.MOST_DEPTH


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"NaN", b'{"a": 1', b'{"a": "x', b"[" * 5000, b'{"a" 1}', b'{"a": 1}{}']
)
def test_what_ends_early_or_is_something_else_is_no_json(body: bytes) -> None:
    with pytest.raises(ProviderError) as refusal:
        Reply(200, {}, body).json()
    assert (refusal.value.code, refusal.value.maybe_charged) == ("invalid_answer", True)


def test_a_body_of_too_many_parts_is_not_read() -> None:
    with pytest.raises(ValueError, match="parts"):
        read_json(b"[" + b"0," * MOST_PARTS + b"0]")


def test_blemishes_are_counted() -> None:
    """Each costs a call of ours: of more than there can be by mistake, none is mended."""
    most = json_body.MOST_BLEMISHES
    assert read_json(b"[" + b"NaN," * (most - 2) + b"1]") == [None] * (most - 2) + [1]
    with pytest.raises(ValueError, match="unexpected"):
        read_json(b"[" + b"NaN," * (most + 2) + b"1]")


def test_a_text_that_never_ends_is_gone_through_once() -> None:
    """Two megabytes of quoted quotes: an expression that goes back would take hours."""
    with pytest.raises(ValueError, match="end"):
        read_json(b'{"a": "' + b'\\"' * 1_000_000)
