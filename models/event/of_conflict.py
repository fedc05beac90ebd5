"""What the log says of conflicts that were decided, opened again, or ended by themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from enrichment.enums import ConflictStatus, EntityType
from models.event.kinds import EventKind
from models.event.of_record import ended_by_record
from models.event.write import NewEvent


class ConflictOfTenant(Protocol):
    """A conflict, whose it is, and the record that it is about."""

    @property
    def id(self) -> str: ...

    @property
    def organization_id(self) -> str: ...

    @property
    def record_id(self) -> str: ...

    @property
    def entity_type(self) -> EntityType: ...


class EndedConflict(ConflictOfTenant, Protocol):
    """A conflict and where it stands."""

    @property
    def status(self) -> ConflictStatus: ...


def conflict_event(
    kind: EventKind,
    conflict: ConflictOfTenant,
    at: datetime,
    fields: Iterable[str] = (),
    superseded: Iterable[EndedConflict] = (),
) -> NewEvent:
    """That a conflict was resolved or reopened, which fields of its record were written, and which others ended."""
    data: dict[str, Any] = {"conflict": conflict.id}
    if written := sorted(fields):
        data["fields"] = written
    if ended := ended_by_record(superseded).get(conflict.record_id):
        data["superseded"] = ended
    return NewEvent(conflict.organization_id, at, kind, conflict.entity_type, conflict.record_id, data)


def superseded(conflicts: Sequence[EndedConflict], at: datetime) -> list[NewEvent]:
    """That those of these conflicts ended that did, by no change of their records."""
    return [
        conflict_event(EventKind.CONFLICT_SUPERSEDED, conflict, at)
        for conflict in conflicts
        if conflict.status is ConflictStatus.SUPERSEDED
    ]
