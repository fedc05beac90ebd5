"""A record as most are is read at a glance, and as it would be by looking closely."""

from typing import Any

import pytest

from resolvers.errors import ValidationFailed
from resolvers.record import input as reading
from resolvers.record.input import MOST_BYTES, MOST_FIELDS, record_input
from service.sample.records import sample_records

ACME: dict[str, Any] = {"entityType": "account", "externalId": "A1", "fields": {"name": "Acme"}}
CLOSELY: list[Any] = [
    {**ACME, "entityType": "aCCount "},
    {**ACME, "externalId": 7},
    {**ACME, "fields": {"tags": ["a"]}},
    {**ACME, "fields": {"name": "says \\u0000"}},
    {**ACME, "observedAt": "2026-01-01"},
]
REFUSED: list[Any] = [
    {**ACME, "entityType": "company"},
    {**ACME, "entityType": ["lead"]},
    {**ACME, "externalId": ""},
    {**ACME, "externalId": "  "},
    {**ACME, "externalId": "a\nb"},
    {**ACME, "externalId": "a" * 256},
    {**ACME, "externalId": True},
    {**ACME, "fields": None},
    {**ACME, "fields": {"": 1}},
    {**ACME, "fields": {"a" * 129: 1}},
    {**ACME, "fields": {"a\tb": 1}},
    {**ACME, "fields": {"name": "nul \0"}},
    {**ACME, "fields": {"nul \0": "x"}},
    {**ACME, "fields": {"name": "\ud800"}},
    {**ACME, "fields": {"name": "x" * MOST_BYTES}},
    {**ACME, "fields": {f"f{number}": 1 for number in range(MOST_FIELDS + 1)}},
    {**ACME, "more": 1},
    {"entityType": "lead", "externalId": "1", "more": {}},
    "text",
]


def test_most_records_are_read_at_a_glance() -> None:
    for raw in [ACME, {**ACME, "externalId": " A1 "}, {**ACME, "entityType": "LEAD"}, *list(sample_records())[:50]]:
        glanced = reading._usual(raw)
        assert glanced is not None and glanced == reading._checked(raw, 0)


@pytest.mark.parametrize("raw", CLOSELY)
def test_what_is_not_as_most_are_is_looked_at_closely(raw: Any) -> None:
    assert reading._usual(raw) is None
    assert record_input(raw, 0) == reading._checked(raw, 0)


@pytest.mark.parametrize("raw", REFUSED)
def test_what_is_refused_is_never_read_at_a_glance(raw: Any) -> None:
    with pytest.raises(ValidationFailed):
        record_input(raw, 0)
