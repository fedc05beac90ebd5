"""How the columns of a file become a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from service.records.headers import FULL_NAME, OBSERVED, fields_by_column, folded, id_names, is_known
from service.records.moments import DateOrder, moment_of
from service.records.own_export import NAMES, is_own

_EMPTY = (None, "")


class UnreadableFile(Exception):
    """The file as a whole cannot be imported: no id column, an unknown kind, not text."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file are: by their names, and as the caller says (`id_column`, `renamed`, `date_order`)."""

    entity_type: EntityType
    id_column: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None

    def is_known(self, name: str) -> bool:
        """Whether a column of this name is a field, an id, or named by the caller."""
        return name == self.id_column or name in self.renamed or is_known(self.entity_type, name)

    def of(self, names: Sequence[str]) -> "Mapped":
        """What columns of these names are. Raises UnreadableFile where none has an id."""
        free = [name for name in names if name not in self.renamed]
        found = {column: name for column, name in self.renamed.items() if column in names}
        read = fields_by_column(self.entity_type, free)
        found |= {column: name for column, name in read.items() if name not in self.renamed.values()}
        id_column = self._id_among(names)
        ordered = dict.fromkeys([*found, *(name for name in names if name)])
        steps = [
            (column, name, name == OBSERVED[0] and folded(column) != name.casefold())
            for column, name in ((column, found.get(column, column)) for column in ordered)
            if column != id_column
        ]
        return Mapped(self.entity_type, id_column, found, tuple(names), tuple(steps), self.date_order)

    def _id_among(self, names: Sequence[str]) -> str:
        if self.id_column is not None:
            if self.id_column not in names:
                raise UnreadableFile(f"no column {self.id_column}; there are {', '.join(filter(None, names))}")
            return self.id_column
        by_name = {folded(name): name for name in reversed(names) if name not in self.renamed}
        for wanted in id_names(self.entity_type):
            if wanted in by_name:
                return by_name[wanted]
        known = ", ".join(id_names(self.entity_type))
        there = ", ".join(filter(None, names))
        raise UnreadableFile(f"no column is named like an id ({known}); name it with --id-column; there are {there}")


@dataclass(frozen=True, slots=True)
class Mapped:
    """What each of the columns `names` is: `id_column` has the CRM's own id, `fields` the field of others.

    Of several columns for one field those come first that mean it best; what is used for none keeps its own name.
    `steps` are all others in that order, each with what it becomes, and whether it does so only where it is a moment.
    `date_order`: how the file writes its dates of numbers, where that is known.
    """

    entity_type: EntityType
    id_column: str
    fields: Mapping[str, str]
    names: tuple[str, ...]
    steps: tuple[tuple[str, str, bool], ...]
    date_order: DateOrder | None = None

    @property
    def of_moments(self) -> list[str]:
        """The columns that say when the CRM saw the record."""
        return [column for column, name, _ in self.steps if name == OBSERVED[0]]

    @property
    def others(self) -> list[str]:
        """The columns that are no field of ours; they are kept as they are."""
        known = {*fields_of(self.entity_type), *OBSERVED, FULL_NAME}
        used = {column for column, name in self.fields.items() if name in known}
        if is_own(self.names):
            used |= NAMES
        return [name for name in self.names if name and name not in used and name != self.id_column]

    def record(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The record of these cells."""
        fields: dict[str, Any] = {}
        for column, name, only_moments in self.steps:
            if column not in values:
                continue
            value = values[column]
            if name == OBSERVED[0] and value not in _EMPTY:
                moment = moment_of(str(value), self.date_order)
                if moment is not None:
                    value = moment
                elif only_moments:
                    name = column
            if fields.get(name) in _EMPTY:
                fields[name] = value
            elif value not in _EMPTY:
                fields[column] = value
        record = {
            "entityType": self.entity_type.value,
            "externalId": unguarded(values.get(self.id_column, "")),
            "fields": fields,
        }
        for key in OBSERVED:
            observed = fields.pop(key, None)
            if observed not in _EMPTY:
                record[key] = observed
        return record


def unguarded(cell: Any) -> Any:
    """An id without the apostrophe or the formula by which spreadsheets keep its zeros."""
    if isinstance(cell, str):
        text = cell.strip()
        if text.startswith('="') and text.endswith('"'):
            return text[2:-1]
        return text.removeprefix("'")
    return cell
