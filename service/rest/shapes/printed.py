"""How the database prints the objects of REST: from their shapes, in which alone their fields are spelled."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from models.db.printed import Beside, Columns, Form, Leaf, Part, Shape
from service.http import shape


def printed(cls: type[shape.Shape], **made: Columns | Part) -> Shape:
    """How rows are printed that objects of this class are copied from; `made` are fields that no one column makes.

    Raises TypeError for a field that the database cannot print.
    """
    hints = get_type_hints(cls)
    found: dict[str, Part] = {}
    for field in msgspec.structs.fields(cls):
        kind, absent = _without_null(hints[field.name])
        other = made.get(field.name)
        if isinstance(other, Columns):
            found[field.encode_name] = Beside(other.present, _of_columns(kind, other.attributes))
        elif other is not None:
            found[field.encode_name] = other
        else:
            found[field.encode_name] = Leaf(field.name, _form(kind), None, absent)
    return found


def _of_columns(cls: type[shape.Shape], attributes: Mapping[str, tuple[str, str | None]]) -> Shape:
    hints = get_type_hints(cls)
    found: dict[str, Leaf] = {}
    for field in msgspec.structs.fields(cls):
        attribute, absent = attributes[field.name]
        found[field.encode_name] = Leaf(attribute, _form(hints[field.name]), None, absent)
    return found


def _without_null(hint: Any) -> tuple[Any, str | None]:
    """The type beside null, and the JSON of null where it may be."""
    if get_origin(hint) is Annotated:
        return _without_null(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        [kind] = [part for part in get_args(hint) if part is not NoneType]
        return kind, "null"
    return hint, None


def _form(kind: Any) -> Form:
    if kind == list[str]:
        return "texts"
    for known, form in _FORMS:
        if isinstance(kind, type) and issubclass(kind, known):
            return form
    raise TypeError(f"{kind} cannot be printed")


_FORMS: tuple[tuple[type, Form], ...] = (
    (bool, "flag"),
    (int, "whole"),
    (float, "real"),
    (StrEnum, "word"),
    (str, "text"),
    (datetime, "moment"),
)
