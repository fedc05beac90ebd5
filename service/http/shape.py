"""The base of every JSON object of the API, and the kinds of values in them.

A shape is written once: its JSON is encoded from its instances, its JSON Schema is generated from its annotations
(`service.rest.description.json_schema`), and its example is an instance like any other.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Self, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, UnsetType

_EXAMPLE: Final = "example"

Id: TypeAlias = Annotated[
    str, Meta(extra_json_schema={"format": "uuid"}, extra={_EXAMPLE: "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10"})
]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
"""From 0 to 1."""
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""ISO 8601 in UTC with a `Z`."""
StoredMoment: TypeAlias = Annotated[
    str, Meta(extra_json_schema={"format": "date-time"}, extra={_EXAMPLE: "2026-11-24T07:00:00Z"})
]
"""A moment that is kept as text, inside a JSON column, and shown as it is kept."""
Uri: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]


class Shape(Struct, rename="camel", frozen=True):
    """An object of the API. Keys are the names of its fields in camel case; a field without a default is always there.

    An optional field is `X | UnsetType = UNSET`: it is left out where it is not set.
    """

    @classmethod
    def copied(cls, source: object, **values: Any) -> Self:
        """With these values; every other field is the attribute of the same name of `source`."""
        names, read = _other_fields(cls, tuple(values))
        return cls(**values, **dict(zip(names, read(source), strict=True)))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], **values: Any) -> Self:
        """With these values; every other field is under its key in `stored`, or null where the key is absent."""
        get = stored.get
        if not values:
            return cls(*[get(key) for key in cls.__struct_encode_fields__])
        for name, key in zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True):
            if name not in values:
                values[name] = get(key)
        return cls(**values)

    @classmethod
    def example(cls, **values: Any) -> Self:
        """An instance for the documentation: these values, and the plainest ones of their types for the rest."""
        hints = get_type_hints(cls, include_extras=True)
        for field in msgspec.structs.fields(cls):
            if field.name not in values and field.required:
                values[field.name] = _plainest(hints[field.name])
        return cls(**values)


@cache
def _other_fields(
    cls: type[Shape], given: tuple[str, ...]
) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """The fields of a shape beside those that are given, and what reads the attributes of these names."""
    names = tuple(name for name in cls.__struct_fields__ if name not in given)
    if len(names) < 2:
        return names, lambda source: tuple(getattr(source, name) for name in names)
    return names, attrgetter(*names)


class Part(Shape, frozen=True):
    """A shape without a name of its own in `openapi.json`: it is written out where it is used."""


class Sent(Shape, frozen=True, forbid_unknown_fields=True):
    """An object that a client sends. A field with a default may be absent, an unknown one is refused."""

    @classmethod
    def keys_sent(cls) -> tuple[str, ...]:
        """The keys that a client may send."""
        return cls.__struct_encode_fields__


_PLAINEST: Mapping[Any, Any] = {
    str: "",
    int: 0,
    float: 0.0,
    bool: False,
    datetime: datetime(2026, 11, 24, 7, tzinfo=UTC),
    date: date(2026, 11, 24),
}


def _plainest(hint: Any) -> Any:
    """A value of this type for an example: null where it may be, else the example of the kind, empty or zero."""
    origin = get_origin(hint)
    if origin is Annotated:
        plain, *notes = get_args(hint)
        chosen = [note.extra[_EXAMPLE] for note in notes if note.extra and _EXAMPLE in note.extra]
        lowest = [note.ge for note in notes if note.ge is not None]
        return [*chosen, *lowest, _plainest(plain)][0]
    if origin in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not UnsetType]
        return None if NoneType in options else _plainest(options[0])
    if origin in (list, dict):
        return origin()
    if isinstance(hint, type) and issubclass(hint, Shape):
        return hint.example()
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return next(iter(hint))
    return _PLAINEST.get(hint)
