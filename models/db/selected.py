"""Rows as someone asks for them: only the columns that are wanted, with what belongs to each, in one statement.

A row class names all that may be shown. What was not asked for is not read, and is not there: to ask such a row for
it raises AttributeError. One statement sees one moment, so that a row and what belongs to it never contradict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar, cast

from msgspec import Raw

from models.db.connection import dialect
from models.db.filling import Set, set_all, setter
from models.db.paging import Keyset, Page, counted
from models.db.parts import Exists, Many, One
from models.db.printed import MOST_STATEMENTS, Hole, Printed, PrintedRound, PrintedRow
from models.db.printing import Unprintable, can_print, print_around, print_list, unprinted
from models.db.rows import layout_of
from models.db.statements import driver_rows, load
from models.db.transaction import Transaction
from models.db.wanted import Wanted
from models.db.where import Where

R = TypeVar("R")
_Decode = Callable[[Any], Any]
_Columns = Sequence[Sequence[Any]]
_Read = Callable[[_Columns, int], list[Any]]


@dataclass(slots=True)
class _Statement:
    """The columns and joins of a statement as it comes about."""

    columns: list[str]
    joins: list[str]


class Selectable(Generic[R]):
    """Rows of one class, of one table under its own name, with their `parts` by the attribute that holds them."""

    def __init__(self, cls: type[R], table: str, **parts: One | Many | Exists) -> None:
        self._cls = cls
        self.table = table
        self.parts = parts
        self.columns = {column.attribute: column for column in layout_of(cls).columns}

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

        What is wanted `Printed` comes as `PrintedRow`s (`PrintedRound`s where its shape has holes), or as it is where
        one of them cannot be printed.
        """
        if isinstance(wanted, Printed):
            printed = await self._fetch_printed(organization_id, where, wanted, order=order, limit=limit, using=using)
            if printed is not None:
                return cast("list[R]", printed)
            wanted = wanted.plain
        try:
            return await self._fetch(organization_id, where, wanted, order=order, limit=limit, using=using)
        except Unprintable:
            return await self._fetch(organization_id, where, unprinted(wanted), order=order, limit=limit, using=using)

    async def _fetch(
        self,
        organization_id: str,
        where: Where,
        wanted: Wanted,
        *,
        order: str,
        limit: int | None,
        using: Transaction | None,
    ) -> list[R]:
        """The rows. Raises Unprintable where a part is to be printed and cannot be."""
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
            f"SELECT {', '.join(statement.columns)} FROM (SELECT * FROM {self.table} WHERE organization_id = ?"
            f"{where.sql} ORDER BY {order}{' LIMIT ?' if is_limited else ''}) AS {self.table}"
            f"{''.join(statement.joins)} ORDER BY {', '.join(f'{self.table}.{part}' for part in order.split(', '))}"
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
    ) -> list[PrintedRow] | list[PrintedRound] | None:
        """The rows as the database prints them; None where one of them cannot be printed."""
        key = (dialect(), self.table, where.sql, order, str(limit is None))
        sql = printed.statements.get(key)
        if sql is None:
            if not can_print(self, printed.shape):
                return None
            statement = _Statement([f"{self.table}.id"], [])
            texts, given = print_around(self, printed.shape, statement.joins)
            statement.columns += [*texts, *given]
            if len(printed.statements) >= MOST_STATEMENTS:
                printed.statements.clear()
            sql = printed.statements[key] = self._select(statement, where, order=order, is_limited=limit is not None)
        values = [organization_id, *where.values_of(organization_id), *([] if limit is None else [limit])]
        found = await driver_rows(sql, values, using=using)
        holes = sum(isinstance(part, Hole) for part in printed.shape.values())
        rows = [tuple(row) for row in found]
        if any(None in row[1 : holes + 2] for row in rows):
            return None
        if holes:
            return [PrintedRound(row[0], row[1 : holes + 2], row[holes + 2 :]) for row in rows]
        return [PrintedRow(row[0], row[1]) for row in rows]

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
        bounded = where + keyset.bounds if found_by is None else found_by
        found = await self.fetch(organization_id, bounded, wanted, order=keyset.order, limit=keyset.size + 1)

        async def count() -> int:
            return await self.count(organization_id, where)

        return keyset.page_of(found, count)

    async def count(self, organization_id: str, where: Where) -> int:
        """How many of the organization's rows there are of which these conditions hold, up to MOST_COUNTED + 1."""
        return await counted(self.table, organization_id, where)

    def _read(self, statement: _Statement, wanted: Wanted, *, always: tuple[str, ...] = ()) -> _Read:
        """Adds what is wanted to a statement. Returns what reads rows of its result, column by column."""
        names = self._all_names() if wanted is None else list(dict.fromkeys((*always, *wanted)))
        first = len(statement.columns)
        sets: list[tuple[Set, _Decode | None]] = []
        for name in names:
            if name not in self.parts:
                column = self.columns[name]
                sets.append((setter(self._cls, name), column.decode))
                statement.columns.append(f"{self.table}.{column.name}")
        parts = [
            (setter(self._cls, name), self._read_part(statement, self.parts[name], wanted and wanted[name]))
            for name in names
            if name in self.parts
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
        parts = (name for name, part in self.parts.items() if not part.only_named)
        return [*self.columns, *parts]

    def _read_part(self, statement: _Statement, part: One | Many | Exists, wanted: Wanted | Printed) -> _Read:
        if isinstance(part, One):
            assert not isinstance(wanted, Printed)
            statement.joins.append(f" JOIN {part.rows.table} ON {part.on}")
            return part.rows._read(statement, wanted)
        at = len(statement.columns)
        if isinstance(part, Exists):
            statement.columns.append(f"EXISTS (SELECT 1 FROM {part.table} WHERE {part.on})")
            return lambda columns, _: list(map(bool, columns[at]))
        if isinstance(wanted, Printed):
            key = (dialect(), part.on)
            if key not in wanted.statements:
                wanted.statements[key] = print_list(part, wanted.shape)
            statement.columns.append(wanted.statements[key])
            return lambda columns, _: _as_printed(columns[at])
        column, read = part.rows._as_json(part, wanted)
        statement.columns.append(column)
        return lambda columns, _: read(columns[at])

    def _as_json(self, part: Many, wanted: Wanted) -> tuple[str, Callable[[Sequence[Any]], list[list[R]]]]:
        """A column that holds the rows of a part as JSON, and what reads it."""
        names = list(self.columns if wanted is None else wanted)
        columns = [self.columns[name] for name in names]
        sqlite = dialect() == "sqlite"
        shown = [_json_item(f"{self.table}.{column.name}", column.kind, sqlite=sqlite) for column in columns]
        item = ", ".join((f"{self.table}.{part.order}", *shown))
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

        return part.select(lambda source, where: f"SELECT {items} FROM {source}{where}"), read


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


def _as_printed(texts: Sequence[Any]) -> list[Raw]:
    if None in texts:
        raise Unprintable
    return [Raw(text.encode()) for text in texts]


def _first(values: Sequence[Any]) -> Any:
    return values[0]
