"""Expressions that print rows of a `Selectable`, and what belongs to them, in a `Shape`."""

from typing import Any

from models.db.connection import dialect
from models.db.parts import Exists, Many, One
from models.db.printed import (
    FORMS,
    Beside,
    Hole,
    Leaf,
    Literally,
    Part,
    Printed,
    Shape,
    Within,
    printed_around,
    printed_leaf,
    printed_list,
    printed_object,
    quoted,
)
from models.db.wanted import Wanted


class Unprintable(Exception):
    """A row that was to be printed cannot be."""


def can_print(rows: Any, shape: Shape) -> bool:
    """Whether all of a shape are columns of these rows that can be printed in their forms, and parts that can."""
    for part in shape.values():
        match part:
            case Leaf(attribute=attribute, form=form):
                if (column := _column(rows, attribute)) is None or column.kind not in FORMS[form]:
                    return False
            case Beside(attribute=attribute, shape=inner):
                if attribute not in rows.columns or not can_print(rows, inner):
                    return False
            case Within(attribute=attribute, shape=inner):
                held = rows.parts.get(attribute)
                if held is None or isinstance(held, Exists) or not can_print(held.rows, inner):
                    return False
    return True


def _column(rows: Any, attribute: str) -> Any:
    """A column of these rows, or of those that they hold; None where there is none."""
    of, _, inner = attribute.rpartition(".")
    return (rows.parts[of].rows if of else rows).columns.get(inner)


def print_row(rows: Any, shape: Shape, joins: list[str]) -> str:
    """An expression for a row as JSON, of which the joins are added to those of a statement."""
    return printed_object({key: _part(rows, part, joins) for key, part in shape.items()})


def print_around(rows: Any, shape: Shape, joins: list[str]) -> tuple[list[str], list[str]]:
    """Expressions for a row as JSON around the holes of its shape, and those for what is given for the holes."""
    holes = [part for part in shape.values() if isinstance(part, Hole)]
    texts = {key: None if isinstance(part, Hole) else _part(rows, part, joins) for key, part in shape.items()}
    return printed_around(texts), [_read(rows, name, joins) for hole in holes for name in hole.attributes]


def print_list(part: Many, shape: Shape) -> str:
    """An expression for the list of the rows that belong to one; NULL where one of them cannot be printed."""
    joins: list[str] = []
    item, order, sqlite = print_row(part.rows, shape, joins), f"{part.rows.table}.{part.order}", dialect() == "sqlite"

    def statement(source: str, where: str) -> str:
        return printed_list(item, f"FROM {source}{''.join(joins)}{where}", order, sqlite=sqlite)

    return part.select(statement)


def _read(rows: Any, attribute: str, joins: list[str]) -> str:
    """An expression for an attribute of a row as it is stored, of which the join is added to those of a statement."""
    of, _, inner = attribute.rpartition(".")
    if of:
        _join(rows.parts[of], joins)
        return _read(rows.parts[of].rows, inner, joins)
    part = rows.parts.get(attribute)
    if isinstance(part, Exists):
        return f"EXISTS (SELECT 1 FROM {part.table} WHERE {part.on})"
    return f"{rows.table}.{rows.columns[attribute].name}"


def _join(part: One, joins: list[str]) -> None:
    join = f" JOIN {part.rows.table} ON {part.on}"
    joins += [] if join in joins else [join]


def _part(rows: Any, shown: Part, joins: list[str]) -> str:
    match shown:
        case Leaf(attribute=attribute):
            return printed_leaf(shown, _read(rows, attribute, joins), sqlite=dialect() == "sqlite")
        case Beside(attribute=attribute, shape=inner):
            column = f"{rows.table}.{rows.columns[attribute].name}"
            return f"CASE WHEN {column} IS NULL THEN 'null' ELSE {print_row(rows, inner, joins)} END"
        case Within(attribute=attribute, shape=inner):
            part = rows.parts[attribute]
            if isinstance(part, One):
                _join(part, joins)
                return print_row(part.rows, inner, joins)
            return print_list(part, inner)
        case Literally(json=json):
            return quoted(json)
        case Hole():
            raise TypeError("only an outermost object has holes")


def unprinted(wanted: Wanted) -> Wanted:
    """The same, with nothing to be printed."""
    if wanted is None:
        return None
    return {name: inner.plain if isinstance(inner, Printed) else unprinted(inner) for name, inner in wanted.items()}
