"""Which values an undo is about: those that enrichment wrote and the scope names, and what becomes of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from enrichment.catalogue import disputing_parts, fields_of, parts_of
from enrichment.enums import HUMAN_SOURCES, EntityType, FieldUnit
from enrichment.undo import Named, SkippedField, Version, undo_field
from models.db.transaction import Transaction
from models.record.value import ValueVersion, versions_of
from models.undo import EnrichedValues, fields_holding, records_holding
from resolvers.errors import Fault, ValidationFailed
from resolvers.job.enrich import RecordSelection, select_records
from resolvers.undo.restore import UndoChange
from resolvers.validation import MAX_NAME, check_text

RECORDS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class UndoScope:
    """Which of the values that enrichment wrote: all that is given must hold. `end` is exclusive.

    `allow_again` lets the same sources write the same values again; otherwise they are remembered as rejected.
    """

    job_id: str | None = None
    provider: str | None = None
    field: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    selection: RecordSelection | None = None
    allow_again: bool = False

    def names(self, version: Version) -> bool:
        """Whether this value is one of them, its record and field aside."""
        return (
            self.job_id in (None, version.job_id)
            and self.provider in (None, version.source)
            and (self.start is None or version.written_at >= self.start)
            and (self.end is None or version.written_at < self.end)
        )

    def values_of(self, organization_id: str) -> EnrichedValues:
        """The same as what to look for in the organization's values, the selection aside."""
        return EnrichedValues(
            organization_id,
            job_id=self.job_id,
            provider=self.provider,
            field=self.field,
            start=self.start,
            end=self.end,
        )

    def as_json(self) -> dict[str, Any]:
        given = {
            "jobId": self.job_id,
            "provider": self.provider,
            "field": self.field,
            "from": None if self.start is None else self.start.isoformat(),
            "to": None if self.end is None else self.end.isoformat(),
            "entityType": None if self.selection is None else self.selection.entity_type.value,
            "allowAgain": self.allow_again or None,
        }
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave, without the selection: its records are listed apart."""
        start, end = stored.get("from"), stored.get("to")
        return cls(
            job_id=stored.get("jobId"),
            provider=stored.get("provider"),
            field=stored.get("field"),
            start=None if start is None else datetime.fromisoformat(start),
            end=None if end is None else datetime.fromisoformat(end),
            allow_again=stored.get("allowAgain", False),
        )

    def written_before(self, moment: datetime) -> Self:
        """The same, of the values written before this moment."""
        return replace(self, end=moment if self.end is None else min(self.end, moment))


def check_scope(scope: UndoScope) -> None:
    """Raises ValidationFailed, with every fault, for a scope that names nothing or cannot be."""
    faults: list[Fault] = []
    if all(given is None for given in (scope.provider, scope.field, scope.start, scope.end, scope.selection)):
        faults.append(Fault("", "name a provider, a field, a time or a selection"))
    if scope.provider is not None:
        check_text(scope.provider, "provider", longest=MAX_NAME)
        if scope.provider in HUMAN_SOURCES:
            faults.append(Fault("provider", "only what providers wrote can be undone"))
    kinds = [scope.selection.entity_type] if scope.selection else list(EntityType)
    if scope.field is not None and not any(scope.field in fields_of(kind) for kind in kinds):
        faults.append(Fault("field", f"no such field: {scope.field[:64]}"))
    if scope.start is not None and scope.end is not None and scope.start >= scope.end:
        faults.append(Fault("from", "must be before to"))
    if faults:
        raise ValidationFailed("the undo is not valid; nothing was changed", faults=faults)


async def changes_in(
    organization_id: str, scope: UndoScope, record_ids: Sequence[str], *, using: Transaction | None = None
) -> list[UndoChange]:
    """What becomes of each field of these records that holds, or has held, such a value."""
    names = await fields_holding(scope.values_of(organization_id), record_ids, using=using)
    beside = _parts_beside(scope.field) if names else frozenset()
    found = await versions_of(record_ids, [*names, *sorted(beside)], using=using)
    changes = [_change(key, versions, scope.names) for key, versions in found.items() if key[1] not in beside]
    gone = {change.record_id: _answers_of(change) for change in changes if change is not None}
    changes += [
        _change(key, versions, _of_answers(gone[key[0]]))
        for key, versions in found.items()
        if key[1] in beside and key[0] in gone
    ]
    return [change for change in changes if change is not None]


Answer = tuple[str | None, str]  # job id and source


def _change(key: tuple[str, str], rows: Sequence[ValueVersion], is_named: Named) -> UndoChange | None:
    decision = undo_field([to_version(row) for row in rows], is_named)
    return None if decision is None else UndoChange(*key, decision, {row.id: row for row in rows})


def _parts_beside(field: str | None) -> frozenset[str]:
    """The other parts of the unit that a field tells apart: of a city the rest of the address; none of a street."""
    unit = next((unit for unit in FieldUnit if field in disputing_parts(unit)), None)
    if unit is None:
        return frozenset()
    return frozenset(part for kind in EntityType for part in parts_of(kind, unit)) - {field}


def _answers_of(change: UndoChange) -> set[Answer]:
    """The answers of which a part goes: what else was written from them goes with it."""
    if isinstance(change.decision, SkippedField):
        return set()
    return {(version.job_id, version.source) for version in change.decision.passed}


def _of_answers(answers: set[Answer]) -> Named:
    return lambda version: (version.job_id, version.source) in answers


def to_version(row: ValueVersion) -> Version:
    """A value as the decisions know it."""
    return Version(
        id=row.id,
        value=row.value,
        source=row.source,
        job_id=row.job_id,
        written_at=row.written_at,
        is_current=row.replaced_at is None,
        replaces=row.replaces,
        restores=row.restores,
    )


async def chosen_records(organization_id: str, scope: UndoScope) -> list[str] | None:
    """The ids of the records that the scope's selection names; None without one."""
    if scope.selection is None:
        return None
    return [record.id for record in (await select_records(organization_id, scope.selection))[0]]


async def next_records(
    organization_id: str, scope: UndoScope, chosen: Sequence[str] | None, after: str
) -> Sequence[str]:
    """The chosen records, or all that have such values, in order of their ids: the next 200 after this one."""
    if chosen is None:
        return await records_holding(scope.values_of(organization_id), after, RECORDS_AT_ONCE)
    return sorted(record_id for record_id in chosen if record_id > after)[:RECORDS_AT_ONCE]
