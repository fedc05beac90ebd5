"""Typed rows: frozen classes of some columns of a table, which follow from its Tortoise model.

A column is written down once, in the model. A projection names the columns that a reader or a writer needs; whether
they are columns of the model, and of which kind, is looked up there when the class is made, so that a wrong name
or type fails at import. A result that is no table's (counts, joins) is a `query_row`: it has its types alone.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, dataclass_transform, get_args, get_origin, get_type_hints

from tortoise import fields as tortoise_fields
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

from models.db.columns import EPOCH, Instant, to_micros
from models.db.statements import dump, dump_rows, load, query, rows
from models.db.transaction import Transaction

R = TypeVar("R")
_JSON = object()
Json = Annotated[R, _JSON]
"""The type of a JSON column in a `query_row`; a projection knows from its model which columns are JSON."""

_Convert = Callable[[Any], Any]
_KINDS: tuple[tuple[type, str, tuple[type, ...]], ...] = (
    # Tortoise's field, our kind of column, and the types that its values may have in Python
    (tortoise_fields.JSONField, "json", ()),
    (tortoise_fields.BooleanField, "boolean", (bool,)),
    (Instant, "integer", (int, datetime)),
    (tortoise_fields.FloatField, "real", (float,)),
    (tortoise_fields.IntField, "integer", (int,)),
    (tortoise_fields.BigIntField, "integer", (int,)),
    (tortoise_fields.CharField, "text", (str,)),
    (tortoise_fields.TextField, "text", (str,)),
    (tortoise_fields.BinaryField, "bytes", (bytes,)),
)


@dataclass(frozen=True, slots=True)
class _Column:
    """One attribute of a row class: its column's name and kind, and how values come in and go out."""

    attribute: str
    name: str
    kind: str
    decode: _Convert | None
    encode: _Convert | None


@dataclass(frozen=True, slots=True)
class _Layout:
    table: str | None  # None: of no one table
    columns: tuple[_Column, ...]


_layouts: dict[type, _Layout] = {}


def _row_class(cls: type[R]) -> type[R]:
    """Frozen for the type checker alone: at run time that would make a row in three times as long."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True)
def projection(model: type[Model]) -> Callable[[type[R]], type[R]]:
    """Make a class of annotations a frozen row of some columns of this model.

    A moment may be annotated `datetime`, or `int` for microseconds as they are stored; a closed list as its enum or
    as `str`; JSON as what it holds. Raises TypeError for what is no column, or a column of another kind.
    """

    def decorate(cls: type[R]) -> type[R]:
        made = _row_class(cls)
        hints = get_type_hints(made, include_extras=True)
        columns = tuple(_column_of(model, name.name, hints[name.name]) for name in fields(cast("Any", made)))
        _layouts[made] = _Layout(model._meta.db_table or model.__name__.lower(), columns)
        return made

    return decorate


@dataclass_transform(frozen_default=True)
def query_row(cls: type[R]) -> type[R]:
    """Make a class of annotations a frozen row of a result; `Json[…]` marks what comes as JSON.

    A `date` is read from whole days since 1970, an `int` also from PostgreSQL's sums, which are decimals.
    """
    made = _row_class(cls)
    hints = get_type_hints(made, include_extras=True)
    columns = tuple(_free_column(name.name, hints[name.name]) for name in fields(cast("Any", made)))
    _layouts[made] = _Layout(None, columns)
    return made


def _column_of(model: type[Model], attribute: str, hint: Any) -> _Column:
    field = model._meta.fields_map.get(attribute)
    if field is None and attribute.endswith("_id"):
        relation = model._meta.fields_map.get(attribute.removesuffix("_id"))
        if isinstance(relation, ForeignKeyFieldInstance):
            return _column(attribute, attribute, "text", hint, (str,), where=model.__name__)
    for known, kind, types in _KINDS:
        if field is not None and isinstance(field, known):
            return _column(attribute, field.source_field or attribute, kind, hint, types, where=model.__name__)
    raise TypeError(f"{model.__name__} has no column {attribute}")


def _column(attribute: str, name: str, kind: str, hint: Any, types: tuple[type, ...], *, where: str) -> _Column:
    plain = _without_none(hint)
    if kind == "json":
        return _Column(attribute, name, kind, load, dump if plain is hint else _dump_or_null)
    if isinstance(plain, type) and issubclass(plain, Enum) and types == (str,):
        return _Column(attribute, name, kind, *_of_enum(plain))
    if plain not in types:
        raise TypeError(f"{where}.{attribute} is {kind}: it cannot be read as {hint}")
    return _Column(attribute, name, kind, *_CONVERTED.get(plain, (None, None)))


def _free_column(attribute: str, hint: Any) -> _Column:
    plain = _without_none(hint)
    if get_origin(plain) is Annotated and _JSON in get_args(plain):
        return _Column(attribute, attribute, "json", load, dump if plain is hint else _dump_or_null)
    if isinstance(plain, type) and issubclass(plain, Enum):
        return _Column(attribute, attribute, "text", *_of_enum(plain))
    return _Column(attribute, attribute, "", *(_CONVERTED | _COUNTED).get(plain, (None, None)))


def _dump_or_null(value: Any) -> str | None:
    return None if value is None else dump(value)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        [*rest] = [part for part in get_args(hint) if part is not NoneType]
        return rest[0] if len(rest) == 1 else hint
    return hint


def _of_enum(enum: type[Enum]) -> tuple[_Convert, _Convert]:
    members = {member.value: member for member in enum}
    return (lambda value: None if value is None else members[value]), (
        lambda value: value.value if isinstance(value, Enum) else value
    )


_CONVERTED: dict[Any, tuple[_Convert | None, _Convert | None]] = {
    datetime: (
        lambda value: None if value is None else EPOCH + timedelta(0, 0, value),  # as `from_micros`
        lambda value: None if value is None else to_micros(value),
    ),
    bool: (lambda value: None if value is None else bool(value), None),  # SQLite has numbers
    bytes: (None, lambda value: None if value is None else b64encode(value).decode()),  # as `rows` takes them
}
_FIRST_DAY = date(1970, 1, 1)
_COUNTED: dict[Any, tuple[_Convert | None, _Convert | None]] = {
    int: (lambda value: None if value is None else int(value), None),
    date: (lambda value: None if value is None else _FIRST_DAY + timedelta(days=int(value)), None),
}


def layout_of(cls: type[Any]) -> _Layout:
    """The columns of a row class; a class made from one has the same."""
    return next(_layouts[kind] for kind in cls.__mro__ if kind in _layouts)


def columns_of(cls: type[Any], *, without: Iterable[str] = ()) -> dict[str, str]:
    """The columns of a projection by name, each with its kind, as `rows` takes them; `without` some of them."""
    left_out = set(without)
    return {column.name: column.kind for column in _layouts[cls].columns if column.name not in left_out}


def select(cls: type[Any], table: str = "") -> str:
    """The columns of a row class for a SELECT or RETURNING; `table` is the name or alias before each."""
    before = f"{table}." if table else ""
    return ", ".join(
        before + (column.name if column.name == column.attribute else f"{column.name} AS {column.attribute}")
        for column in _layouts[cls].columns
    )


def read_rows(cls: type[R], found: Iterable[Mapping[str, Any]]) -> list[R]:
    """Rows as the driver gave them, read into a row class."""
    columns = [(column.attribute, column.decode) for column in _layouts[cls].columns]
    return [
        cls(*[row[name] if decode is None else decode(row[name]) for name, decode in columns])  # in order of fields
        for row in found
    ]


async def fetch(cls: type[R], sql: str, values: Sequence[Any] = (), *, using: Transaction | None = None) -> list[R]:
    """The rows of a SELECT, or of a statement with RETURNING."""
    return read_rows(cls, await query(sql, values, using=using))


async def fetch_one(
    cls: type[R], sql: str, values: Sequence[Any] = (), *, using: Transaction | None = None
) -> R | None:
    """The first row of a statement, or None where there is none."""
    found = await fetch(cls, sql, values, using=using)
    return found[0] if found else None


def encode(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows of one projection as `dump_rows` takes them."""
    encoded: list[dict[str, Any]] = []
    columns: Sequence[tuple[str, str, _Convert | None]] | None = None
    for item in items:
        if columns is None:
            columns = [(column.name, column.attribute, column.encode) for column in _layouts[type(item)].columns]
        encoded.append(
            {
                name: getattr(item, attribute) if convert is None else convert(getattr(item, attribute))
                for name, attribute, convert in columns
            }
        )
    return encoded


def table_of(cls: type[Any]) -> str:
    """The table whose columns a projection has."""
    table = layout_of(cls).table
    assert table is not None  # it is no `query_row`
    return table


def encoded_rows(items: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows of one projection as a driver takes them, their columns in the order of `columns_of`."""
    columns = layout_of(type(items[0])).columns
    get = attrgetter(*(column.attribute for column in columns))
    converted = [  # a driver takes bytes as they are
        (index, column.encode)
        for index, column in enumerate(columns)
        if column.encode is not None and column.kind != "bytes"
    ]
    encoded: list[tuple[Any, ...]] = []
    for item in items:
        values = list(get(item))
        for index, encode_one in converted:
            values[index] = encode_one(values[index])
        encoded.append(tuple(values))
    return encoded


def bulk(items: Sequence[Any]) -> tuple[str, str]:
    """Rows of one projection as a FROM item `v`, and the parameter that it takes. There must be at least one."""
    return rows(columns_of(type(items[0]))), dump_rows(encode(items))


async def insert(tx: Transaction, items: Sequence[Any], *, then: str = "") -> list[dict[str, Any]]:
    """Add rows of one projection to its table; `then` is what follows (ON CONFLICT …, RETURNING …).

    Columns that the projection lacks have their defaults. Returns the rows of RETURNING.
    """
    if not items:
        return []
    cls = type(items[0])
    names = columns_of(cls)
    source, parameter = bulk(items)
    picked = ", ".join(f"v.{name}" for name in names)
    # WHERE true: without it SQLite takes ON CONFLICT for a join condition.
    sql = f"INSERT INTO {_layouts[cls].table} ({', '.join(names)}) SELECT {picked} FROM {source} WHERE true {then}"
    return await query(sql, [parameter], using=tx)
