"""Reads records from a CSV or JSONL file of any size, a line at a time, and names the bad lines."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType

ID_COLUMNS = ("externalId", "external_id", "id", "Id", "ID", "record_id", "recordId")
OBSERVED = ("observedAt", "observedAtByField")  # when the CRM saw the record, and its single fields
LONGEST_CELL = 1024 * 1024
_WORDS = re.compile(r"[^\W_]+")

csv.field_size_limit(LONGEST_CELL)


class UnreadableFile(Exception):
    """The file as a whole cannot be imported: no id column, an unknown kind, not text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the file, or the fault of its line. `number` counts the file's lines from 1."""

    number: int
    record: dict[str, Any] | None = None
    fault: str | None = None
    text: Any = None  # the line as it was read, for the file of rejects


@dataclass(frozen=True, slots=True)
class Columns:
    """How columns become a record. Columns not named here keep their name, or become the field they spell."""

    entity_type: EntityType
    id_column: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def id_among(self, names: Sequence[str]) -> str:
        """The column with the CRM's own id. Raises UnreadableFile."""
        if self.id_column is not None:
            if self.id_column not in names:
                raise UnreadableFile(f"no column {self.id_column}; there are {', '.join(names)}")
            return self.id_column
        wanted = (*ID_COLUMNS, f"{self.entity_type.value}_id", f"{self.entity_type.value}Id")
        for name in wanted:
            if name in names:
                return name
        raise UnreadableFile(f"no column is named like an id ({', '.join(wanted)}); name it with --id-column")

    def field_of(self, column: str) -> str:
        """`annual revenue`, `annual_revenue` and `AnnualRevenue` are all annualRevenue."""
        if column in self.renamed:
            return self.renamed[column]
        folded = "".join(_WORDS.findall(column)).casefold()
        for name in (*fields_of(self.entity_type), *OBSERVED):
            if name.casefold() == folded:
                return name
        return column

    def record(self, external_id: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = {self.field_of(column): value for column, value in values.items()}
        record = {"entityType": self.entity_type.value, "externalId": external_id, "fields": fields}
        for key in OBSERVED:
            observed = fields.pop(key, None)
            if observed not in (None, ""):
                record[key] = observed
        return record


class RecordFile:
    """A file that is being read."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        self._raw: io.BufferedReader | None = None

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def bytes_in_all(self) -> int:
        return self._path.stat().st_size

    @property
    def bytes_read(self) -> int:
        return 0 if self._raw is None else self._raw.tell()

    @contextmanager
    def lines(self) -> Iterator[Iterator[Line]]:
        """The lines, read as they are asked for. Raises UnreadableFile, OSError."""
        kind = self._path.suffix.lower()
        if kind not in {".csv", ".jsonl", ".ndjson"}:
            raise UnreadableFile(f"{self._path.name}: the name must end in .csv or .jsonl")
        with self._path.open("rb") as self._raw:
            yield self._csv(self._raw) if kind == ".csv" else self._jsonl(self._raw)
        self._raw = None

    def _jsonl(self, raw: io.BufferedReader) -> Iterator[Line]:
        for number, line in enumerate(raw, 1):
            if not line.strip():
                continue
            try:
                value = orjson.loads(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            except orjson.JSONDecodeError as error:
                yield Line(number, fault=f"not JSON: {error.msg}", text=line.decode("utf-8", "replace").rstrip())
                continue
            yield self._of_object(number, value)

    def _of_object(self, number: int, value: Any) -> Line:
        if not isinstance(value, dict):
            return Line(number, fault="not a JSON object", text=value)
        if isinstance(value.get("fields"), dict) and "externalId" in value:
            record = {"entityType": self._columns.entity_type.value, **value}
            return Line(number, record, text=value)
        try:
            id_column = self._columns.id_among(list(value))
        except UnreadableFile as error:
            return Line(number, fault=str(error), text=value)
        values = {name: item for name, item in value.items() if name != id_column}
        return Line(number, self._columns.record(value[id_column], values), text=value)

    def _csv(self, raw: io.BufferedReader) -> Iterator[Line]:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise UnreadableFile(f"{self._path.name}: the first line names no columns")
        if len(set(header)) < len(header):
            raise UnreadableFile(f"{self._path.name}: a column is named twice")
        id_column = self._columns.id_among(header)
        while True:
            number = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield Line(number, fault=f"not CSV: {error}")
                continue
            if row:
                yield self._of_row(number, header, row, id_column)
        text.detach()  # the caller closes the file

    def _of_row(self, number: int, header: Sequence[str], row: Sequence[str], id_column: str) -> Line:
        if len(row) > len(header):
            return Line(number, fault=f"{len(row)} cells for {len(header)} columns", text=_readable(row))
        values = dict(zip(header, row, strict=False))
        if any("\udc80" <= character <= "\udcff" for cell in row for character in cell):
            return Line(number, fault="not UTF-8", text=_readable(row))
        external_id = values.pop(id_column, "")
        return Line(number, self._columns.record(external_id, values), text=list(row))


def _readable(row: Sequence[str]) -> list[str]:
    return [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in row]
