"""Completes scalars and enums: at once where a value is of the class that a type expects, else as graphql-core does."""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLLeafType, Undefined

Complete: TypeAlias = Callable[[Any], Any]
_LARGEST_INT = 2**31 - 1


class Unusual(Exception):
    """Something that only graphql-core answers, be it an error."""


def completing(leaf: GraphQLLeafType) -> tuple[type | None, Complete]:
    """The class whose values need no completing (None: there is none), and how to complete all others.

    Null is not completed here, and raises Unusual.
    """
    coerce = leaf.coerce_output_value

    def plain(value: Any) -> Any:
        if value is None or (
            value.__class__ not in _NEVER_AWAITED and (hasattr(value, "__await__") or isinstance(value, Exception))
        ):
            raise Unusual
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise Unusual
        return coerced

    if isinstance(leaf, GraphQLEnumType):
        return None, _of_enum(leaf, plain)
    match leaf.name:
        case "String" | "ID":
            return str, plain
        case "Boolean":
            return bool, plain
        case "Int":
            return (
                None,
                lambda value: (
                    value if value.__class__ is int and -_LARGEST_INT <= value <= _LARGEST_INT else plain(value)
                ),
            )
        case "Float":
            return None, lambda value: value if value.__class__ is float and isfinite(value) else plain(value)
    return None, plain


_NEVER_AWAITED = frozenset({bool, int, float, str, list, dict, tuple, datetime, date})


def _of_enum(leaf: GraphQLEnumType, plain: Complete) -> Complete:
    wrapped: type[Enum] | None = getattr(leaf, "wrapped_cls", None)
    if wrapped is None:
        return plain
    names = {member: leaf.coerce_output_value(member) for member in wrapped}
    # A text that equals a member is no member.
    return lambda value: names[value] if value.__class__ is wrapped else plain(value)
