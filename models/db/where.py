"""Conditions of a statement, from filters in Tortoise's spelling: one filter serves statements and query sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from tortoise.filters import escape_like
from tortoise.models import Model

from enrichment.enums import EntityType
from models.db.columns import to_micros
from models.db.statements import marks

ORGANIZATION = object()  # a value that stands for the organization which the statement is about


@dataclass(frozen=True, slots=True)
class Where:
    """More conditions of a statement that names its organization, each begun with AND, and their values."""

    sql: str = ""
    values: tuple[Any, ...] = ()

    def values_of(self, organization_id: str) -> list[Any]:
        """The values in a statement about this organization."""
        return [organization_id if value is ORGANIZATION else value for value in self.values]

    def __add__(self, other: "Where") -> "Where":
        return Where(self.sql + other.sql, (*self.values, *other.values))


NOTHING = Where(" AND 1 = 0")


def where(model: type[Model], conditions: Mapping[str, Any]) -> Where:
    """All these conditions on the columns of a model. One that is None or an empty tuple is left out.

    Known are `column`, `column__in`, `__lt`, `__gt`, `__gte`, `__contains`, `__isnull`, and `record__external_id`.
    Raises KeyError for what is no column.
    """
    made = Where()
    for name, value in conditions.items():
        if value is not None and value != ():
            made += _condition(model, name, value)
    return made


def _condition(model: type[Model], name: str, value: Any) -> Where:
    if name == "record__external_id":
        types = tuple(kind.value for kind in EntityType)  # with all of them named, an index finds the records
        return Where(
            f" AND record_id IN (SELECT id FROM record WHERE organization_id = ? AND entity_type IN ({marks(types)})"
            " AND external_id = ?)",
            (ORGANIZATION, *types, value),
        )
    attribute, _, operator = name.partition("__")
    column = model._meta.fields_db_projection[attribute]
    match operator:
        case "":
            return Where(f" AND {column} = ?", (_stored(value),))
        case "in":
            return Where(f" AND {column} IN ({marks(value)})", tuple(_stored(item) for item in value))
        case "lt" | "gt" | "gte":
            return Where(f" AND {column} {_COMPARED[operator]} ?", (_stored(value),))
        case "contains":
            return Where(f" AND {column} LIKE ? ESCAPE '\\'", (f"%{escape_like(value)}%",))
        case "isnull":
            return Where(f" AND {column} IS {'' if value else 'NOT '}NULL")
    raise ValueError(f"no such condition: {name}")


_COMPARED = {"lt": "<", "gt": ">", "gte": ">="}


def _stored(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return to_micros(value) if isinstance(value, datetime) else value
