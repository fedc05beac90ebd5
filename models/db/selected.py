"""Rows as someone asks for them: only the columns that are wanted, with what belongs to each, in one statement.

A row class names all that may be shown. What was not asked for is not read, and is not there: to ask such a row for
it raises AttributeError. One statement sees one moment, so that a row and what belongs to it never contradict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar, cast

from models.db.connection import dialect
from models.db.filling import Set, set_all, setter
from models.db.paging import MOST_COUNTED, Keyset, Page
from models.db.printed import (
    FORMS,
    MOST_STATEMENTS,
    Beside,
    Leaf,
    Literally,
    Printed,
    PrintedRow,
    Shape,
    Within,
    printed_leaf,
    printed_list,
    printed_object,
    quoted,
)
from models.db.rows import layout_of
from models.db.statements import driver_rows, load, query
from models.db.transaction import Transaction
from models.db.wanted import Wanted
from models.db.where import Where

R = TypeVar("R")
_Decode = Callable[[Any], Any]
_Columns = Sequence[Sequence[Any]]
_Read = Callable[[_Columns, int], list[Any]]


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
        wanted: Wanted | Printed = None,
        *,
        order: str = "id",
        limit: int | None = None,
        using: Transaction | None = None,
    ) -> list[R]:
        """The organization's rows of which these conditions hold. A row's id is always read.

        What is wanted `Printed` comes as `PrintedRow`s, or as it is where one of them cannot be printed.
        """
        if isinstance(wanted, Printed):
            printed = await self._fetch_printed(organization_id, where, wanted, order=order, limit=limit, using=using)
            if printed is not None:
                return cast("list[R]", printed)
            wanted = wanted.plain
        statement = _Statement([], [])
        read = self._read(statement, wanted, always=("id",))
        sql = self._select(statement, where, order=order, is_limited=limit is not None)
        values = [organization_id, *where.values_of(organization_id), *([] if limit is None else [limit])]
        found = await driver_rows(sql, values, using=using)
        rows: list[R] = read(tuple(zip(*found, strict=True)), len(found)) if found else []
        return rows

    def _select(self, statement: _Statement, where: Where, *, order: str, is_limited: bool) -> str:
        """The rows first: what belongs to them is looked up for no more than these."""
        return (
            f"SELECT {', '.join(statement.columns)} FROM (SELECT * FROM {self._table} WHERE organization_id = ?"
            f"{where.sql} ORDER BY {order}{' LIMIT ?' if is_limited else ''}) AS {self._table}"
            f"{''.join(statement.joins)} ORDER BY {', '.join(f'{self._table}.{part}' for part in order.split(', '))}"
        )

    async def _fetch_printed(
        self,
        organization_id: str,
        where: Where,
        printed: Printed,
        *,
        order: str,
        limit: int | None,
        using: Transaction | None,
    ) -> list[PrintedRow] | None:
        """The rows as the database prints them; None where one of them cannot be printed."""
        key = (dialect(), self._table, where.sql, order, str(limit is None))
        sql = printed.statements.get(key)
        if sql is None:
            if not self.can_print(printed.shape):
                return None
            statement = _Statement([f"{self._table}.id"], [])
            statement.columns.append(self._printed(statement, printed.shape))
            if len(printed.statements) >= MOST_STATEMENTS:
                printed.statements.clear()
            sql = printed.statements[key] = self._select(statement, where, order=order, is_limited=limit is not None)
        values = [organization_id, *where.values_of(organization_id), *([] if limit is None else [limit])]
        rows = [PrintedRow(row[0], row[1]) for row in await driver_rows(sql, values, using=using)]
        return None if any(row.text is None for row in rows) else rows

    def can_print(self, shape: Shape) -> bool:
        """Whether all of a shape are columns of ours that can be printed in their forms, and parts that can."""
        for part in shape.values():
            match part:
                case Leaf(attribute=attribute, form=form):
                    if attribute not in self._columns or self._columns[attribute].kind not in FORMS[form]:
                        return False
                case Beside(attribute=attribute, shape=inner):
                    if attribute not in self._columns or not self.can_print(inner):
                        return False
                case Within(attribute=attribute, shape=inner):
                    if attribute not in self._parts or not self._parts[attribute].rows.can_print(inner):
                        return False
        return True

    def _printed(self, statement: _Statement, shape: Shape) -> str:
        """An expression for a row as JSON, of which the joins are added to a statement."""
        return printed_object({key: self._printed_part(statement, part) for key, part in shape.items()})

    def _printed_part(self, statement: _Statement, shown: Leaf | Beside | Within | Literally) -> str:
        sqlite = dialect() == "sqlite"
        match shown:
            case Leaf(attribute=attribute):
                return printed_leaf(shown, f"{self._table}.{self._columns[attribute].name}", sqlite=sqlite)
            case Beside(attribute=attribute, shape=inner):
                column = f"{self._table}.{self._columns[attribute].name}"
                return f"CASE WHEN {column} IS NULL THEN 'null' ELSE {self._printed(statement, inner)} END"
            case Within(attribute=attribute, shape=inner):
                part = self._parts[attribute]
                if isinstance(part, One):
                    join = f" JOIN {part.rows._table} ON {part.on}"
                    statement.joins += [] if join in statement.joins else [join]
                    return part.rows._printed(statement, inner)
                return part.rows._printed_many(part, inner, sqlite=sqlite)
            case Literally(json=json):
                return quoted(json)

    def _printed_many(self, part: Many, shape: Shape, *, sqlite: bool) -> str:
        statement = _Statement([], [])
        item = self._printed(statement, shape)
        rows = f"FROM {self._table}{''.join(statement.joins)} WHERE {part.on}"
        return printed_list(item, rows, f"{self._table}.{part.order}", sqlite=sqlite)

    async def page(
        self,
        organization_id: str,
        where: Where,
        keyset: Keyset,
        wanted: Wanted | Printed = None,
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
        """Adds what is wanted to a statement. Returns what reads rows of its result, column by column."""
        names = self._all_names() if wanted is None else list(dict.fromkeys((*always, *wanted)))
        first = len(statement.columns)
        sets: list[tuple[Set, _Decode | None]] = []
        for name in names:
            if name not in self._parts:
                column = self._columns[name]
                sets.append((setter(self._cls, name), column.decode))
                statement.columns.append(f"{self._table}.{column.name}")
        parts = [
            (setter(self._cls, name), self._read_part(statement, self._parts[name], wanted and wanted[name]))
            for name in names
            if name in self._parts
        ]

        def read(columns: _Columns, count: int) -> list[R]:
            made = self._new(sets, columns[first : first + len(sets)], count)
            for set_, read_part in parts:
                set_all(set_, made, read_part(columns, count))
            return made

        return read

    def _new(self, sets: Sequence[tuple[Set, _Decode | None]], columns: _Columns, count: int) -> list[R]:
        """So many rows, with these attributes from these columns."""
        cls, new = self._cls, object.__new__
        made = [new(cls) for _ in range(count)]
        for (set_, decode), values in zip(sets, columns, strict=True):
            set_all(set_, made, values if decode is None else map(decode, values))
        return made

    def _all_names(self) -> list[str]:
        parts = (name for name, part in self._parts.items() if not (isinstance(part, Many) and part.only_named))
        return [*self._columns, *parts]

    def _read_part(self, statement: _Statement, part: One | Many, wanted: Wanted) -> _Read:
        if isinstance(part, One):
            statement.joins.append(f" JOIN {part.rows._table} ON {part.on}")
            return part.rows._read(statement, wanted)
        at = len(statement.columns)
        column, read = part.rows._as_json(part, wanted)
        statement.columns.append(column)
        return lambda columns, _: read(columns[at])

    def _as_json(self, part: Many, wanted: Wanted) -> tuple[str, Callable[[Sequence[Any]], list[list[R]]]]:
        """A column that holds the rows of a part as JSON, and what reads it."""
        names = list(self._columns if wanted is None else wanted)
        columns = [self._columns[name] for name in names]
        sqlite = dialect() == "sqlite"
        shown = [_json_item(f"{self._table}.{column.name}", column.kind, sqlite=sqlite) for column in columns]
        item = ", ".join((f"{self._table}.{part.order}", *shown))
        items = f"json_group_array(json_array({item}))" if sqlite else f"json_agg(json_build_array({item}))"
        sets = tuple(
            (setter(self._cls, name), _DECODED.get(column.kind, column.decode))
            for name, column in zip(names, columns, strict=True)
        )

        def read(texts: Sequence[Any]) -> list[list[R]]:
            found = [sorted(load(text) or (), key=_first) for text in texts]
            items = [item for of_row in found for item in of_row]
            made = iter(self._new(sets, tuple(zip(*items, strict=True))[1:], len(items)) if items else ())
            return [list(islice(made, len(of_row))) for of_row in found]

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


_DECODED: Mapping[str, _Decode | None] = {"json": None, "real": _real}  # else as from a column


def _first(values: Sequence[Any]) -> Any:
    return values[0]
