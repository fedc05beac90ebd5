"""The scalars: times in ISO 8601 and UTC, days, and JSON as it is."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

__all__ = ["JSON", "SCALARS", "read_json", "read_time", "show_time"]

MAX_JSON_DEPTH = 64
_LARGEST_INTEGER = 2**63 - 1


def show_time(moment: datetime) -> str:
    """`2026-11-24T07:00:00Z`: UTC, with as many decimals as the moment has."""
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()
    return f"{text[:-6]}Z"


def read_time(value: Any) -> datetime:
    """A moment; UTC where it names no offset, and a day alone is its first moment."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise GraphQLError("A DateTime is ISO 8601, such as 2026-11-24T07:00:00Z.") from error


def _read_day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise GraphQLError("A Date is ISO 8601, such as 2026-11-24.") from error


def read_json(value: Any) -> Any:
    """The value as it is. Raises GraphQLError where it is nested too deeply."""
    # Level by level rather than recursively: the hot path is wide and flat.
    level = [value] if value.__class__ in (dict, list) else []
    for _ in range(MAX_JSON_DEPTH + 1):
        if not level:
            return value
        level = [
            child
            for parent in level
            for child in (parent.values() if parent.__class__ is dict else parent)
            if child.__class__ in (dict, list)
        ]
    raise GraphQLError(f"JSON is nested deeper than {MAX_JSON_DEPTH} levels.")


def _read_json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return read_json(_as_json(value_from_ast_untyped(node, variables)))


def _as_json(value: Any) -> Any:
    """A literal as JSON has it: no infinity, no whole number of more than 64 bits."""
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise GraphQLError("JSON cannot hold a number as large as this.")
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in ISO 8601, answered in UTC: 2026-11-24T07:00:00Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=show_time,
        parse_value=read_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day (UTC) in ISO 8601: 2026-11-24.",
        serialize=date.isoformat,
        parse_value=_read_day,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=read_json,
        parse_literal=_read_json_literal,
    ),
}
