"""Reads records from a file of any size as people have it, a line at a time, and names the bad lines."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from service.records.columns import Columns, Mapped, UnreadableFile
from service.records.encoding import UTF8, Encoding, encoding_of
from service.records.formula import without_guard
from service.records.moments import order_of
from service.records.own_export import NotOurs, fields_sent, is_own
from service.records.rows import LONGEST_CELL, Row, rows_of
from service.records.table import LINES_BEFORE, Layout, is_beside, layout_of

_OBJECTS, _TABLES = frozenset({".jsonl", ".ndjson"}), frozenset({".csv", ".tsv", ".tab", ".txt"})
_REJECT = frozenset({"line", "fault", "content"})


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the file, or the fault of its line. `number` counts the file's lines from 1."""

    number: int
    record: dict[str, Any] | None = None
    fault: str | None = None
    text: Any = None  # the line as it was read, for the file of rejects


class RecordFile:
    """A file that is being read. `encoding`: the name of a codec, where it is not to be found out."""

    def __init__(self, path: Path, columns: Columns, encoding: str | None = None) -> None:
        self._path = path
        self._columns = columns
        self._codec = encoding
        self._raw: io.BufferedReader | None = None
        self._mapped: dict[tuple[bool, tuple[str, ...]], Mapped] = {}

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def bytes_in_all(self) -> int:
        return self._path.stat().st_size

    @property
    def bytes_read(self) -> int:
        return 0 if self._raw is None or self._raw.closed else self._raw.tell()

    @cached_property
    def encoding(self) -> Encoding:
        """The encoding that the file is read with."""
        if self._codec is None:
            return encoding_of(self._path)
        return Encoding(UTF8 if self._codec == "utf-8" else self._codec)

    @property
    def is_table(self) -> bool:
        """Whether it is a table of cells; else it has an object a line. Raises UnreadableFile for any other kind."""
        kind = self._path.suffix.lower()
        if kind not in _OBJECTS | _TABLES:
            raise UnreadableFile(f"{self.name}: the name must end in .csv, .tsv, .txt or .jsonl")
        return kind in _TABLES

    @cached_property
    def layout(self) -> Layout:
        """Where the table begins. Raises UnreadableFile, OSError."""
        with self._path.open("rb") as raw:
            text = self._text(raw)
            try:
                lines = [text.readline(LONGEST_CELL) for _ in range(LINES_BEFORE)]
            except UnicodeError as error:
                raise UnreadableFile(f"{self.name}: not {self.encoding.name}") from error
        found = layout_of([line for line in lines if line], self._columns.is_known)
        named = [name for name in found.header if name]
        if not named:
            raise UnreadableFile(f"{self.name}: the first line names no columns")
        if len(set(named)) < len(named):
            raise UnreadableFile(f"{self.name}: a column is named twice")
        return found

    @cached_property
    def mapped(self) -> Mapped:
        """What the columns of the table are, and how it writes its dates. Raises UnreadableFile, OSError."""
        mapped = self._columns.of(self.layout.header)
        if mapped.date_order is not None or not mapped.of_moments:
            return mapped
        places = [mapped.names.index(column) for column in mapped.of_moments]
        with self._path.open("rb") as raw:
            rows = islice(self._rows(raw), _ROWS_FOR_DATES)
            cells = [row.cells[place] for row in rows for place in places if place < len(row.cells)]
        return replace(mapped, date_order=order_of(cells))

    @contextmanager
    def lines(self) -> Iterator[Iterator[Line]]:
        """The lines, read as they are asked for. Raises UnreadableFile, OSError."""
        is_table = self.is_table
        with self._path.open("rb") as self._raw:
            yield self._table(self._raw) if is_table else self._objects(self._raw)
        self._raw = None

    def _text(self, raw: io.BufferedReader) -> io.TextIOWrapper:
        errors = "surrogateescape" if self.encoding.name == UTF8 else "replace"
        return io.TextIOWrapper(raw, encoding=self.encoding.name, errors=errors, newline="")

    def _objects(self, raw: io.BufferedReader) -> Iterator[Line]:
        text = None if self.encoding.name == UTF8 else self._text(raw)
        lines: Iterator[bytes] = iter(raw) if text is None else (line.encode() for line in text)
        for number, data in enumerate(lines, 1):
            if not data.strip():
                continue
            try:
                value = orjson.loads(data.removeprefix(b"\xef\xbb\xbf") if number == 1 else data)
            except orjson.JSONDecodeError as error:
                yield Line(number, fault=f"not JSON: {error.msg}", text=data.decode("utf-8", "replace").rstrip())
                continue
            yield self._of_object(number, value)
        if text is not None:
            text.detach()  # the caller closes the file

    def _of_object(self, number: int, value: Any) -> Line:
        if isinstance(value, dict) and value.keys() == _REJECT and isinstance(value["content"], dict):
            value = value["content"]  # of a file of rejects, corrected
        if not isinstance(value, dict):
            return Line(number, fault="not a JSON object", text=value)
        if is_own(value):
            return self._of_export(number, value)
        if isinstance(value.get("fields"), dict) and "externalId" in value:
            record = {"entityType": self._columns.entity_type.value, **value}
            return Line(number, record, text=value)
        try:
            mapped = self._mapped_of(tuple(value))
        except UnreadableFile as error:
            return Line(number, fault=str(error), text=value)
        return Line(number, mapped.record(value), text=value)

    def _of_row(self, number: int, row: Sequence[str], mapped: Mapped, *, own: bool) -> Line:
        width = len(mapped.names)
        if any(_BYTE.search(cell) for cell in row if not cell.isascii()):
            return Line(number, fault="not UTF-8", text=_readable(row))
        values: Mapping[str, Any] = dict(zip(mapped.names, map(without_guard, row), strict=False))
        if is_beside(row, width, values.get(mapped.id_column, "")):
            return Line(number, fault="no record: a note or a total beside the table", text=list(row))
        if any(row[width:]):
            return Line(number, fault=f"{len(row)} cells for {width} columns", text=list(row))
        return self._of_export(number, values) if own else Line(number, mapped.record(values), text=values)

    def _of_export(self, number: int, values: Mapping[str, Any]) -> Line:
        """A row or an object of our own export."""
        kind = self._columns.entity_type.value
        try:
            fields = fields_sent(values)
        except NotOurs as error:
            return Line(number, fault=str(error), text=values)
        if values["entityType"] != kind:
            return Line(number, fault=f"not {kind}, but {values['entityType']}", text=values)
        return Line(number, self._mapped_of(tuple(fields), own=True).record(fields), text=values)

    def _mapped_of(self, names: tuple[str, ...], *, own: bool = False) -> Mapped:
        """What columns of these names are, found once for each way to name them. Our own exports have their own id."""
        known = own, names
        if known not in self._mapped:
            if len(self._mapped) > _KINDS:
                self._mapped.clear()
            self._mapped[known] = (replace(self._columns, id_column=None) if own else self._columns).of(names)
        return self._mapped[known]

    def _table(self, raw: io.BufferedReader) -> Iterator[Line]:
        mapped = self.mapped
        own = is_own(mapped.names)
        for row in self._rows(raw):
            if row.fault is not None:
                yield Line(row.number, fault=row.fault, text=row.text)
            elif any(row.cells):
                yield self._of_row(row.number, row.cells, mapped, own=own)

    def _rows(self, raw: io.BufferedReader) -> Iterator[Row]:
        """The rows below the header."""
        layout = self.layout
        text = self._text(raw)
        for _ in range(layout.before):
            text.readline(LONGEST_CELL)
        header = csv.reader(text, delimiter=layout.separator)
        next(header)
        yield from rows_of(text, layout.separator, layout.before + header.line_num + 1)
        text.detach()  # the caller closes the file


_ROWS_FOR_DATES = 10_000  # so many are looked at for how the file writes its dates
_KINDS = 100  # so many ways to name columns are kept
_BYTE = re.compile("[\udc80-\udcff]")  # what is not UTF-8, as it is read


def _readable(row: Sequence[str]) -> list[str]:
    return [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in row]
