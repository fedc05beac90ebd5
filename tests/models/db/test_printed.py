"""What the database prints of a column is what our encoder writes of the value, or nothing."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from models.db.columns import EPOCH
from models.db.connection import dialect
from models.db.printed import Form, Leaf, printed_leaf, printed_list, printed_object
from models.db.statements import query
from service.http.json import dump

pytestmark = pytest.mark.usefixtures("db")

_TYPES: dict[Form, str] = {
    "text": "text",
    "word": "text",
    "whole": "bigint",
    "real": "double precision",
    "flag": "boolean",
    "moment": "bigint",
    "texts": "jsonb",
}


async def printed(form: Form, value: Any, *, absent: str | None = None, names: dict[str, str] | None = None) -> Any:
    """The text of one value; None where it is not printed."""
    sqlite = dialect() == "sqlite"
    kind = "text" if sqlite else _TYPES[form]
    parameter = "?" if sqlite else f"CAST(? AS {kind})"
    leaf = printed_leaf(Leaf("", form, names, absent), "v", sqlite=sqlite)
    [row] = await query(f"SELECT {leaf} AS shown FROM (SELECT {parameter} AS v) AS given", [value])
    return row["shown"]


async def test_numbers_are_printed_as_they_are_encoded_or_not_at_all() -> None:
    chance = random.Random(3)  # noqa: S311 (not for a secret)
    values = [chance.uniform(0.001, 1) for _ in range(200)]
    values += [10 ** chance.uniform(-4, 15) * chance.choice([-1, 1]) for _ in range(200)]
    values += [0.0, 1.0, -1.0, 0.1, 1 / 3, 0.0001, 123456789.125, 999999999999999.0]
    for value in values:
        assert await printed("real", value) == dump(value).decode(), value
    for value in (0.00001, 1e15, 1e16, -1e300, 5e-324):
        assert await printed("real", value) is None


async def test_moments_are_printed_to_the_microsecond() -> None:
    chance = random.Random(4)  # noqa: S311 (not for a secret)
    micros = [0, 1, 10, 1_000_000, 999_999, 1_764_273_600_120_000, 9_000_000_000_000_000]
    micros += [chance.randrange(9_000_000_000_000_000) for _ in range(300)]
    for value in micros:
        assert await printed("moment", value) == dump(EPOCH + timedelta(microseconds=value)).decode(), value
    assert await printed("moment", -1) is None
    assert await printed("moment", 9_000_000_000_000_001) is None


@pytest.mark.parametrize("text", ["", "a", "\x7f\x80\u2028\U0001f600", "\"\\/'", "".join(map(chr, range(1, 32)))])
async def test_texts_are_escaped_as_the_encoder_does(text: str) -> None:
    assert await printed("text", text) == dump(text).decode()


async def test_a_word_is_printed_as_it_is() -> None:
    assert await printed("word", "in_progress") == '"in_progress"'
    assert await printed("word", None) is None


def test_an_object_is_put_together_two_by_two() -> None:
    assert printed_object({"a": "1", "b": "2"}) == """(('{"a":' || (1)) || (',"b":' || (2))) || (('}'))"""


async def test_whole_numbers_are_those_of_graphql() -> None:
    for value in (0, -1, 2**31 - 1, -(2**31)):
        assert await printed("whole", value) == str(value)
    for value in (2**31, -(2**31) - 1):
        assert await printed("whole", value) is None


@pytest.mark.parametrize("texts", [[], [""], ["a", "b c"], ["', '", ",", ", ", "é\u2028"]])
async def test_lists_of_texts_are_printed_without_blanks(texts: list[str]) -> None:
    assert await printed("texts", dump(texts).decode()) == dump(texts).decode()


async def test_a_list_with_a_backslash_is_not_printed() -> None:
    assert await printed("texts", json.dumps(['a", ', "b"])) is None


async def test_what_is_absent_is_printed_as_it_is_shown_where_it_may_be() -> None:
    assert await printed("text", None) is None
    assert await printed("text", None, absent="null") == "null"
    assert await printed("whole", None, absent="null") == "null"
    assert await printed("flag", None, absent="false") == "false"
    assert await printed("flag", True) == "true"
    assert await printed("flag", False, absent="null") == "false"


async def test_a_name_is_printed_for_its_text_and_nothing_for_another() -> None:
    names = {"a": "ALPHA", "it's": "BETA"}
    assert await printed("text", "a", names=names) == '"ALPHA"'
    assert await printed("text", "it's", names=names) == '"BETA"'
    assert await printed("text", "b", names=names) is None


async def test_one_item_that_cannot_be_printed_takes_its_list_with_it() -> None:
    sqlite = dialect() == "sqlite"
    item = printed_object({"n": printed_leaf(Leaf("n", "whole"), "n", sqlite=sqlite)})
    for numbers, shown in (
        ("SELECT 2 AS n UNION ALL SELECT 1", '[{"n":1},{"n":2}]'),
        ("SELECT 2 AS n UNION ALL SELECT NULL", None),
        ("SELECT 2 AS n WHERE 1 = 0", "[]"),
    ):
        sql = printed_list(item, f"FROM ({numbers}) AS given", "n", sqlite=sqlite)
        [row] = await query(f"SELECT ({sql}) AS shown")
        assert row["shown"] == shown
