"""A shape says of an object what is true of it: its JSON, its JSON Schema and its example are of one class."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType
from service.http.json import as_json, dump
from service.http.shape import Count, Id, Moment, Part, Sent, Shape, Share
from service.rest import shapes
from service.rest.description.json_schema import JsonSchemas
from tests.support.copied_fields import classes_of, copied_fields

ALL = [cls for cls in classes_of(shapes) if issubclass(cls, Shape)]


class Inner(Part, frozen=True):
    """A part."""

    day: date


class Named(Shape, frozen=True):
    """A component."""

    share: Share | None


class Sample(Shape, frozen=True):
    """A sample."""

    id: Id
    entity_type: EntityType
    seen_at: Moment | None
    latency_p50_ms: Annotated[Count, Meta(description="In milliseconds.")]
    value: Any
    parts: list[Inner]
    named: Annotated[Named | None, Meta(description="Null: none.")]
    extra: str | UnsetType = UNSET


class Asked(Sent, frozen=True):
    """A request."""

    name: str
    note: str | UnsetType | None = UNSET


def components(*shapes: Any) -> dict[str, Any]:
    return JsonSchemas(shapes).components


def test_keys_are_in_camel_case_and_what_is_not_set_is_left_out() -> None:
    example = Sample.example(seen_at=datetime(2026, 11, 24, 7, 0, 0, 5, tzinfo=UTC))
    assert as_json(example) == {
        "id": "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10",
        "entityType": "lead",
        "seenAt": "2026-11-24T07:00:00.000005Z",
        "latencyP50Ms": 0,
        "value": None,
        "parts": [],
        "named": None,
    }


def test_a_shape_is_described_as_openapi_describes_objects() -> None:
    described = components(Sample)
    assert described["Sample"] == {
        "type": "object",
        "description": "A sample.",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "entityType": {"type": "string", "enum": ["lead", "contact", "account"]},
            "seenAt": {"type": ["string", "null"], "format": "date-time"},
            "latencyP50Ms": {"type": "integer", "minimum": 0, "description": "In milliseconds."},
            "value": {},
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "description": "A part.",
                    "properties": {"day": {"type": "string", "format": "date"}},
                    "required": ["day"],
                },
            },
            "named": {
                "anyOf": [{"$ref": "#/components/schemas/Named"}, {"type": "null"}],
                "description": "Null: none.",
            },
            "extra": {"type": "string"},
        },
        "required": ["id", "entityType", "seenAt", "latencyP50Ms", "value", "parts", "named"],
    }
    assert described.keys() == {"Sample", "Named"}


def test_an_object_that_is_sent_has_no_other_keys_and_may_lack_the_optional_ones() -> None:
    assert Asked.keys_sent() == ("name", "note")
    assert components(Asked)["Asked"] == {
        "type": "object",
        "description": "A request.",
        "properties": {"name": {"type": "string"}, "note": {"type": ["string", "null"]}},
        "required": ["name"],
        "additionalProperties": False,
    }


def test_a_copy_takes_what_is_not_given_from_its_source() -> None:
    class Source:
        day = date(2026, 1, 2)

    assert Inner.copied(Source) == Inner(day=date(2026, 1, 2))
    assert Inner.copied(Source, day=date(2026, 1, 3)) == Inner(day=date(2026, 1, 3))
    with pytest.raises(AttributeError, match="share"):
        Named.copied(Source)


def test_a_key_that_is_kept_as_json_is_shown_or_null() -> None:
    assert Named.from_json({"share": 0.5}) == Named(share=0.5)
    assert Named.from_json({}) == Named(share=None)


@pytest.mark.parametrize("cls", [cls for cls in ALL if not issubclass(cls, Sent)], ids=lambda cls: cls.__name__)
def test_every_shape_says_what_it_is_and_its_example_fits_it(cls: type[Shape]) -> None:
    assert cls.__doc__
    read = msgspec.json.decode(dump(cls.example()), type=cls, strict=False)
    assert isinstance(read, cls)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_what_may_be_none_is_copied_only_to_what_may_be_null(cls: type[Shape]) -> None:
    fields = list(copied_fields(cls, cls.__struct_fields__))
    assert not [field.name for field in fields if field.source_may_be_none and not field.may_be_null]
