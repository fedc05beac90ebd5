"""Values at and beyond the bounds of each type of GraphQL, in the place of each part of a call's variables."""

import random
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    get_nullable_type,
    is_list_type,
)

from tests.service.access.documents import Call

DIGITS = 5_000  # more than Python reads as a whole number
TEXTS: list[Any] = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "x\udfffy",
    "\ufffe\uffff",
    "é" * 256,
    "x" * 256,
    "x" * 3_000,
    "x" * 99_000,
    "%_\\'\";--",
    "-1",
    "0",
    "9" * DIGITS,
    "99-99-99",
    "01936F2A-6F1C-7D3E-8A55-0C8F5F2B9A10",
    "https://" + "a" * 300 + ".example/",
]
WHOLE: list[Any] = [
    -(2**31) - 1,
    -(2**31),
    -1,
    0,
    1,
    201,
    2**31 - 1,
    2**31,
    2**63 - 1,
    2**63,
    2**64,
    10**400,
    1e400,
    0.5,
]
NUMBERS: list[Any] = [*WHOLE, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("nan")]
MOMENTS: list[Any] = [
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59"),
    *("1969-12-31T23:59:59Z", "1970-01-01", "20260101", "2026-02-30", "2026-W01-1", "", "x" * 9_000, 0, True),
]
JSONS: list[Any] = [
    *(None, True, 2**63 - 1, -(2**63), 2**64, 1e308, "\0", "\ud800", "x" * 99_000, []),
    *({"": 1}, {"\0": 1}, {"name": "\ud800"}, {"name": "\0"}, {"x" * 300: 1}, {"name": 2**64}, {"\ud800": "a"}),
    {f"k{n}": n for n in range(900)},
]
OF_TYPE = {
    "String": TEXTS,
    "ID": [*TEXTS, 0, -1, 2**63, 10**400],
    "Int": WHOLE,
    "Float": NUMBERS,
    "DateTime": MOMENTS,
    "Date": MOMENTS,
    "JSON": JSONS,
    "Boolean": [None, 0, "true"],
}
ODD: list[Any] = [None, [], {}, [[]], "x", 0, True]


def boundary_calls(schema: GraphQLSchema, calls: list[Call], chance: random.Random, each: int | None) -> Iterator[Call]:
    """Each call with one part of its variables replaced; `each`: so many values for a part, drawn by chance."""
    for call in calls:
        root, name = call.field.split(".")
        kind = schema.type_map[root]
        field = kind.fields[name]  # type: ignore[attr-defined]  # one of the three roots
        for given in call.variables:
            for value in _values(field.args[given].type, chance, each):
                yield Call(call.field, call.document, {**call.variables, given: value})


def _values(kind: GraphQLInputType, chance: random.Random, each: int | None) -> Iterator[Any]:
    plain: Any = get_nullable_type(kind)
    if is_list_type(plain):
        for value in _values(plain.of_type, chance, each):
            yield [value]
        yield from _drawn([[], None, [[]], [None]], chance, each)
    elif isinstance(plain, GraphQLInputObjectType):
        for key, field in plain.fields.items():
            for value in _values(field.type, chance, each):
                yield {**_needed(plain), key: value}
        yield from _drawn([*ODD, {"nothing": 1}], chance, each)
    elif isinstance(plain, GraphQLEnumType):
        yield from _drawn([*plain.values, *ODD], chance, each)
    else:
        yield from _drawn([*OF_TYPE[plain.name], *ODD], chance, each)


def _drawn(values: list[Any], chance: random.Random, each: int | None) -> list[Any]:
    return values if each is None or each >= len(values) else chance.sample(values, each)


def _needed(kind: GraphQLInputObjectType) -> dict[str, Any]:
    known = {"entityType": "ACCOUNT", "externalId": "S1", "fields": {}, "field": "city", "action": "KEEP_CURRENT"}
    return {key: known[key] for key in kind.fields if key in known}
