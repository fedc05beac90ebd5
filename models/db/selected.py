"""Rows as someone asks for them: only the columns that are wanted, with what belongs to each, in one statement.

A row class names all that may be shown. What was not asked for is not read, and is not there: to ask such a row for
it raises AttributeError. One statement sees one moment, so that a row and what belongs to it never contradict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.db.connection import dialect
from models.db.paging import MOST_COUNTED, Keyset, Page
from models.db.rows import layout_of
from models.db.statements import driver_rows, load, query
from models.db.transaction import Transaction
from models.db.wanted import Wanted
from models.db.where import Where

R = TypeVar("R")
_Set = Callable[[Any, Any], None]
_Read = Callable[[Any, int], Any]


@dataclass(frozen=True, slots=True)
class One:
    """A row that each row belongs to: of this table, joined on this condition."""

    rows: "Selectable[Any]"
    on: str


@dataclass(frozen=True, slots=True)
class Many:
    """Rows that belong to each row, in the order of a column; `only_named` leaves them out where all is wanted."""

    rows: "Selectable[Any]"
    on: str
    order: str
    only_named: bool = False


@dataclass(slots=True)
class _Statement:
    """The columns and joins of a statement as it comes about."""

    columns: list[str]
    joins: list[str]


class Selectable(Generic[R]):
    """Rows of one class, of one table under its own name, with their `parts` by the attribute that holds them."""

    def __init__(self, cls: type[R], table: str, **parts: One | Many) -> None:
        self._cls = cls
        self._table = table
        self._parts = parts
        self._columns = {column.attribute: column for column in layout_of(cls).columns}

    async def fetch(
        self,
        organization_id: str,
        where: Where,
        wanted: Wanted = None,
        *,
        order: str = "id",
        limit: int | None = None,
        using: Transaction | None = None,
    ) -> list[R]:
        """The organization's rows of which these conditions hold. A row's id is always read."""
        statement = _Statement([], [])
        read = self._read(statement, wanted, always=("id",))
        # The rows first: what belongs to them is looked up for no more than these.
        sql = (
            f"SELECT {', '.join(statement.columns)} FROM (SELECT * FROM {self._table} WHERE organization_id = ?"
            f"{where.sql} ORDER BY {order}{'' if limit is None else ' LIMIT ?'}) AS {self._table}"
            f"{''.join(statement.joins)} ORDER BY {', '.join(f'{self._table}.{part}' for part in order.split(', '))}"
        )
        values = [organization_id, *where.values_of(organization_id), *([] if limit is None else [limit])]
        return [read(row, 0) for row in await driver_rows(sql, values, using=using)]

    async def page(
        self,
        organization_id: str,
        where: Where,
        keyset: Keyset,
        wanted: Wanted = None,
        *,
        found_by: Where | None = None,
    ) -> Page[R]:
        """A page of these rows, newest first. `found_by` finds the same rows of the page in a cheaper way."""
        order = "id" if keyset.backwards else "id DESC"
        bounded = where + keyset.bounds if found_by is None else found_by
        found = await self.fetch(organization_id, bounded, wanted, order=order, limit=keyset.size + 1)

        async def count() -> int:
            return await self.count(organization_id, where)

        return keyset.page_of(found, count)

    async def count(self, organization_id: str, where: Where) -> int:
        """How many of the organization's rows there are of which these conditions hold, up to MOST_COUNTED + 1."""
        sql = (
            f"SELECT COUNT(*) AS number FROM (SELECT 1 FROM {self._table} WHERE organization_id = ?{where.sql}"
            " LIMIT ?) AS counted"
        )
        [found] = await query(sql, [organization_id, *where.values_of(organization_id), MOST_COUNTED + 1])
        return int(found["number"])

    def _read(self, statement: _Statement, wanted: Wanted, *, always: tuple[str, ...] = ()) -> _Read:
        """Adds what is wanted to a statement. Returns what reads a row of it, from the column that is its first."""
        names = self._all_names() if wanted is None else list(dict.fromkeys((*always, *wanted)))
        sets: list[tuple[_Set, Callable[[Any], Any] | None]] = []
        parts: list[tuple[_Set, _Read, int]] = []
        own = [name for name in names if name not in self._parts]
        for name in own:
            column = self._columns[name]
            sets.append((_setter(self._cls, name), column.decode))
            statement.columns.append(f"{self._table}.{column.name}")
        for name in names:
            if name in self._parts:
                at, read = self._read_part(statement, self._parts[name], None if wanted is None else wanted[name])
                parts.append((_setter(self._cls, name), read, at))
        cls, new = self._cls, object.__new__
        columns, width = tuple(sets), len(sets)

        def read_row(row: Any, start: int) -> R:
            made = new(cls)
            for (set_, decode), value in zip(columns, row[start : start + width], strict=True):
                set_(made, value if decode is None else decode(value))
            for set_, read, at in parts:
                set_(made, read(row, at))
            return made

        return read_row

    def _all_names(self) -> list[str]:
        parts = (name for name, part in self._parts.items() if not (isinstance(part, Many) and part.only_named))
        return [*self._columns, *parts]

    def _read_part(self, statement: _Statement, part: One | Many, wanted: Wanted) -> tuple[int, _Read]:
        at = len(statement.columns)
        if isinstance(part, One):
            statement.joins.append(f" JOIN {part.rows._table} ON {part.on}")
            return at, part.rows._read(statement, wanted)
        column, read = part.rows._as_json(part, wanted)
        statement.columns.append(column)
        return at, lambda row, at: read(row[at])

    def _as_json(self, part: Many, wanted: Wanted) -> tuple[str, Callable[[Any], list[R]]]:
        """A column that holds the rows of a part as JSON, and what reads it."""
        names = list(self._columns if wanted is None else wanted)
        columns = [self._columns[name] for name in names]
        sqlite = dialect() == "sqlite"
        shown = [_json_item(f"{self._table}.{column.name}", column.kind, sqlite=sqlite) for column in columns]
        item = ", ".join((f"{self._table}.{part.order}", *shown))
        items = f"json_group_array(json_array({item}))" if sqlite else f"json_agg(json_build_array({item}))"
        sets = tuple(
            (_setter(self._cls, name), _DECODED.get(column.kind, column.decode))
            for name, column in zip(names, columns, strict=True)
        )
        cls, new = self._cls, object.__new__

        def read(text: Any) -> list[R]:
            found = load(text) or []
            if len(found) > 1:
                found.sort(key=_first)
            rows: list[R] = []
            for values in found:
                made = new(cls)
                for (set_, decode), value in zip(sets, values[1:], strict=True):
                    set_(made, value if decode is None else decode(value))
                rows.append(made)
            return rows

        return f"(SELECT {items} FROM {self._table} WHERE {part.on})", read


def _json_item(column: str, kind: str, *, sqlite: bool) -> str:
    """A column inside a JSON array. SQLite writes reals with fewer digits than they have: there they are texts."""
    if sqlite and kind == "json":
        return f"json({column})"
    return (
        f"CASE WHEN {column} IS NOT NULL THEN printf('%!.17g', {column}) END" if sqlite and kind == "real" else column
    )


def _real(value: Any) -> float | None:
    return None if value is None else float(value)


_DECODED: Mapping[str, Callable[[Any], Any] | None] = {"json": None, "real": _real}  # else as from a column


def _first(values: Sequence[Any]) -> Any:
    return values[0]


def _setter(cls: type[Any], name: str) -> _Set:
    """Sets an attribute of a row, which is frozen for everyone else."""
    found: Mapping[str, Any] = next(vars(kind) for kind in cls.__mro__ if name in vars(kind))
    setter: _Set = found[name].__set__
    return setter
