"""The short ways of a message agree with the long one: for a new record, and for one that is sent again."""

from typing import Any

import pytest

from enrichment.clean import clean
from enrichment.enums import EntityType
from enrichment.ingest import HeldRecord, RecordChange, apply_message, first_change
from enrichment.repetition import fields_to_look_at, repetition
from service.sample.records import sample_records

EMPTY = HeldRecord({}, {}, {}, {}, {})
ODD: list[dict[str, Any]] = [
    {"name": "", "website": None, "phone": "12", "note": "kept", "country": "nowhere"},
    {"name": "N/A", "numberOfEmployees": 22.0, "tags": ["a", "b"], "foundedYear": "1999", "flag": True},
    {"phone": "030 901820", "country": "Germany", "city": " Berlin ", "extra": {"a": [1, None]}},
]
SENT = [(EntityType(record["entityType"]), record["fields"]) for record in sample_records()] + [
    (EntityType.ACCOUNT, fields) for fields in ODD
]


def held(change: RecordChange, **changes: Any) -> HeldRecord:
    parts: dict[str, Any] = {
        "fields": change.fields,
        "received": change.received,
        "raw": change.raw,
        "unreadable": change.unreadable,
        "sources": {},
    }
    return HeldRecord(**parts | changes)


def test_the_first_change_is_the_one_that_a_record_which_holds_nothing_takes() -> None:
    for entity_type, fields in SENT:
        message = clean(entity_type, fields)
        expected = apply_message(entity_type, message, EMPTY)
        expected.matters = True
        assert first_change(entity_type, message) == expected


def test_what_is_sent_again_is_a_repetition_that_changes_nothing() -> None:
    told = 0
    for entity_type, fields in SENT:
        message = clean(entity_type, fields)
        record = held(first_change(entity_type, message))
        refused = repetition(entity_type, fields, record)
        if refused is not None:
            told += 1
            change = apply_message(entity_type, message, record)
            assert change.is_empty
            assert (change.raw, change.received, change.unreadable) == (record.raw, record.received, record.unreadable)
            assert refused == message.refused
    assert told > 0.9 * len(SENT)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"name": "Acme Inc"}, {}),
        ({"name": "Acme", "city": "Bonn"}, {}),
        ({"name": ""}, {}),
        ({"note": "another"}, {}),
        ({"other": 1}, {}),
        ({"numberOfEmployees": True}, {}),
        ({"phone": "030 901820"}, {"received": {}, "unreadable": {}}),  # was refused, and replaced since
        ({"name": "Acme"}, {"raw": None}),  # from before raw values were kept
        ({"country": "Germany"}, {"received": {"country": "Austria"}}),  # read otherwise by an earlier version
    ],
)
def test_what_is_not_surely_a_repetition_is_looked_at(fields: dict[str, Any], changes: dict[str, Any]) -> None:
    first = {"name": "Acme", "note": "one", "numberOfEmployees": 1, "phone": "030 901820", "country": "Germany"}
    record = held(first_change(EntityType.ACCOUNT, clean(EntityType.ACCOUNT, first)), **changes)
    assert repetition(EntityType.ACCOUNT, fields, record) is None


def test_blanks_around_a_value_and_another_spelling_of_a_number_are_repetitions() -> None:
    first = {"name": "Acme", "numberOfEmployees": "22", "website": ""}
    record = held(first_change(EntityType.ACCOUNT, clean(EntityType.ACCOUNT, first)))
    again = {"name": " Acme ", "numberOfEmployees": 22.0, "website": None}
    assert repetition(EntityType.ACCOUNT, again, record) == {}


def test_only_the_holders_of_what_is_no_repetition_are_asked_for() -> None:
    first = {"name": "Acme", "city": "Berlin", "phone": "12", "note": "x"}
    record = held(first_change(EntityType.ACCOUNT, clean(EntityType.ACCOUNT, first)))
    again = {**first, "city": "Bonn", "industry": "Software", "note": "y"}
    assert fields_to_look_at(EntityType.ACCOUNT, again, record) == ["city", "industry"]
    moved = {**first, "country": "France"}
    assert fields_to_look_at(EntityType.ACCOUNT, moved, record) == ["name", "city", "phone", "country"]
    old = held(first_change(EntityType.ACCOUNT, clean(EntityType.ACCOUNT, first)), raw=None)
    assert fields_to_look_at(EntityType.ACCOUNT, first, old) == ["name", "city", "phone"]


def test_a_message_asks_for_no_other_holders() -> None:
    class Asked(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return "directory"

    for entity_type, fields in SENT:
        record = held(first_change(entity_type, clean(entity_type, fields)), sources=Asked())
        for name in fields:
            asked: set[str] = set()
            changed = {**fields, name: "another 7"}
            apply_message(entity_type, clean(entity_type, changed), record)
            assert asked <= set(fields_to_look_at(entity_type, changed, record))
