"""Completes scalars and enums, a column of them at once: as they are where all are of the class that a type expects.

Whatever else there is, is completed value by value, as graphql-core does.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import Enum
from math import isfinite
from types import NoneType
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLLeafType, Undefined

from models.db.printed import Form, Leaf

Complete: TypeAlias = Callable[[Any], Any]
Column: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
_LARGEST_INT = 2**31 - 1


class Unusual(Exception):
    """Something that only graphql-core answers, be it an error."""


def leaves(leaf: GraphQLLeafType, *, nullable: bool) -> Column:
    """How values of a type are completed. Raises whatever where only graphql-core answers."""
    single = _single(leaf)
    known, all_at_once = _all_at_once(leaf)
    usual = {known, NoneType} if nullable else {known}

    def each(values: Sequence[Any]) -> Sequence[Any]:
        if nullable:
            return [None if value is None else single(value) for value in values]
        return [single(value) for value in values]

    if known is None:
        return each

    def complete(values: Sequence[Any]) -> Sequence[Any]:
        kinds = {*map(type, values)}
        if not kinds <= usual:
            return each(values)
        return all_at_once(values) if NoneType not in kinds else _beside_null(all_at_once, values)

    return complete


_FORMS: dict[str, Form] = {
    "String": "text",
    "ID": "text",
    "Int": "whole",
    "Float": "real",
    "Boolean": "flag",
    "DateTime": "moment",
}


def printed(leaf: GraphQLLeafType, *, nullable: bool) -> Leaf | None:
    """How the database prints values of a type, of no attribute yet; None where it cannot."""
    absent = "null" if nullable else None
    wrapped: type[Enum] | None = getattr(leaf, "wrapped_cls", None)
    if wrapped is not None:
        names = {str(member.value): str(leaf.coerce_output_value(member)) for member in wrapped}
        return Leaf("", "text", names, absent)
    form = None if isinstance(leaf, GraphQLEnumType) else _FORMS.get(leaf.name)
    return None if form is None else Leaf("", form, None, absent)


def _beside_null(all_at_once: Column, values: Sequence[Any]) -> Sequence[Any]:
    done = iter(all_at_once([value for value in values if value is not None]))
    return [None if value is None else next(done) for value in values]


def _single(leaf: GraphQLLeafType) -> Complete:
    """Completes one value that is not null, as graphql-core does."""
    coerce = leaf.coerce_output_value

    def complete(value: Any) -> Any:
        if value.__class__ not in _NEVER_AWAITED and (hasattr(value, "__await__") or isinstance(value, Exception)):
            raise Unusual
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise Unusual
        return coerced

    return complete


_NEVER_AWAITED = frozenset({bool, int, float, str, list, dict, tuple, datetime, date})


def _all_at_once(leaf: GraphQLLeafType) -> tuple[type | None, Column]:
    """The class that a type expects (None: any), and how values of exactly that class are completed."""
    wrapped: type[Enum] | None = getattr(leaf, "wrapped_cls", None)
    if wrapped is not None:
        # By identity: a member's own hash is a function in Python.
        names = {id(member): leaf.coerce_output_value(member) for member in wrapped}
        return wrapped, lambda values: list(map(names.__getitem__, map(id, values)))
    if isinstance(leaf, GraphQLEnumType):
        return None, _as_they_are
    match leaf.name:
        case "String" | "ID":
            return str, _as_they_are
        case "Boolean":
            return bool, _as_they_are
        case "Int":
            return int, _whole_numbers
        case "Float":
            return float, _finite_numbers
        case "DateTime":
            return datetime, lambda values: list(map(leaf.coerce_output_value, values))
    return None, _as_they_are


def _as_they_are(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _whole_numbers(values: Sequence[Any]) -> Sequence[Any]:
    if values and not (max(values) <= _LARGEST_INT and min(values) >= -_LARGEST_INT):
        raise Unusual
    return values


def _finite_numbers(values: Sequence[Any]) -> Sequence[Any]:
    if not all(map(isfinite, values)):
        raise Unusual
    return values
