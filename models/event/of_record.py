"""What the log says of records that were changed from outside of a job, with what followed: a row for each record."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from enrichment.enums import ConflictStatus, EntityType
from models.event.kinds import EventKind
from models.event.write import NewEvent


class RecordOfTenant(Protocol):
    """A record, as its id and its organization name it."""

    @property
    def id(self) -> str: ...

    @property
    def organization_id(self) -> str: ...

    @property
    def entity_type(self) -> EntityType: ...


class ConflictOfRecord(Protocol):
    """A conflict, the record that it is about, and where it stands."""

    @property
    def id(self) -> str: ...

    @property
    def record_id(self) -> str: ...

    @property
    def status(self) -> ConflictStatus: ...


def record_created(record: RecordOfTenant, at: datetime, job_id: str | None) -> NewEvent:
    """That a record was added, and its first job with it."""
    return _event(EventKind.RECORD_CREATED, record, at, {} if job_id is None else {"job": job_id})


def records_changed(
    records: Iterable[tuple[RecordOfTenant, Iterable[str]]],
    at: datetime,
    *,
    conflicts: Iterable[ConflictOfRecord] = (),
    jobs: Mapping[str, str] | None = None,
) -> list[NewEvent]:
    """That these fields of records were changed, which of their conflicts ended, and which job was started (by record).

    A conflict that goes on is no event.
    """
    ended = ended_by_record(conflicts)
    events: list[NewEvent] = []
    for record, fields in records:
        data: dict[str, Any] = {"fields": sorted(fields)}
        if superseded := ended.get(record.id):
            data["superseded"] = superseded
        if jobs and (job_id := jobs.get(record.id)) is not None:
            data["job"] = job_id
        events.append(_event(EventKind.RECORD_CHANGED, record, at, data))
    return events


def ended_by_record(conflicts: Iterable[ConflictOfRecord]) -> dict[str, Sequence[str]]:
    """The ids of the conflicts that were superseded, by record."""
    ended: dict[str, list[str]] = {}
    for conflict in conflicts:
        if conflict.status is ConflictStatus.SUPERSEDED:
            ended.setdefault(conflict.record_id, []).append(conflict.id)
    return dict(ended)


def _event(kind: EventKind, record: RecordOfTenant, at: datetime, data: dict[str, Any]) -> NewEvent:
    return NewEvent(record.organization_id, at, kind, record.entity_type, record.id, data)
