"""Objects of the API whose fields are mostly the attributes of a row or a view."""

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


def copied(cls: type[T], source: object, /, **values: Any) -> T:
    """An object of this GraphQL type with these values; every other field is the attribute of its name of `source`."""
    for name in field_names(cast("Any", cls)):
        if name not in values:
            values[name] = getattr(source, name)
    return cls(**values)


@cache
def field_names(cls: Any) -> tuple[str, ...]:
    """The fields that hold a value, as against those that a resolver answers."""
    return tuple(field.name for field in fields(cls) if field.init)
