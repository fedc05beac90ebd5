"""Single events, as readers get them: a row of the log may stand for several, which are told in one order.

The end of a job says that its record was enriched, which conflicts it ended and raised, and then that it ended; a new
record that its job was created; a decision on a conflict that its record was changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import EntityType, JobStatus
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.event.read import EventRow


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """A provider that a job asked, and how that ended."""

    provider: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SingleEvent:
    """One event. What does not apply to its kind is None, or empty."""

    cursor: EventCursor
    kind: EventKind
    at: datetime
    entity_type: EntityType | None
    record_id: str | None
    job_id: str | None = None
    job_status: JobStatus | None = None  # of the end of a job
    conflict_id: str | None = None
    fields: Sequence[str] = ()  # that were written or changed
    steps: Sequence[LoggedStep] = ()
    conflicts_raised: int | None = None  # by a job
    provider: str | None = None
    provider_state: str | None = None
    config_version: int | None = None
    credits: int | None = None  # that were granted, or are used
    credits_most: int | None = None  # that may be used in the month
    credits_share: float | None = None  # the threshold that was crossed, 0-1
    certificate_id: str | None = None  # of an erasure
    endpoint_id: str | None = None  # of a webhook


def single_events(row: EventRow) -> Iterator[SingleEvent]:
    """What a row stands for, in order."""
    for part, (kind, told) in enumerate(_parts(row)):
        yield SingleEvent(
            EventCursor(row.position, row.number, part), kind, row.at, row.entity_type, row.record_id, **told
        )


def _parts(row: EventRow) -> Iterator[tuple[EventKind, dict[str, Any]]]:
    data = row.data
    job, fields = data.get("job"), tuple(data.get("fields", ()))
    if row.kind in _OF_RECORD:
        if row.kind is not EventKind.RECORD_ENRICHED or fields:
            yield row.kind, {"fields": fields, "job_id": job if row.kind is EventKind.RECORD_ENRICHED else None}
        yield from _conflicts(data, job)
        if job is not None and row.kind is not EventKind.RECORD_ENRICHED:
            yield EventKind.JOB_CREATED, {"job_id": job}
    elif row.kind is EventKind.JOB_ENDED:
        if fields:
            yield EventKind.RECORD_ENRICHED, {"fields": fields, "job_id": job}
        yield from _conflicts(data, job)
        yield (
            row.kind,
            {
                "job_id": job,
                "job_status": JobStatus(data["status"]),
                "fields": tuple(data.get("updated", fields)),
                "steps": tuple(LoggedStep(provider, outcome) for provider, outcome in data.get("steps", ())),
                "conflicts_raised": len(data.get("raised", ())),
            },
        )
    elif row.kind in {EventKind.CONFLICT_RESOLVED, EventKind.CONFLICT_REOPENED}:
        if fields:
            yield EventKind.RECORD_CHANGED, {"fields": fields}
        yield row.kind, {"conflict_id": data["conflict"], "fields": fields}
        yield from _conflicts(data, job)
    else:
        yield row.kind, {name: data[stored] for stored, name in _TOLD.items() if stored in data}


_OF_RECORD = frozenset({EventKind.RECORD_CREATED, EventKind.RECORD_CHANGED, EventKind.RECORD_ENRICHED})
_TOLD = {
    "job": "job_id",
    "conflict": "conflict_id",
    "provider": "provider",
    "state": "provider_state",
    "version": "config_version",
    "credits": "credits",
    "most": "credits_most",
    "share": "credits_share",
    "certificate": "certificate_id",
    "endpoint": "endpoint_id",
}

STANDING_FOR = {
    EventKind.JOB_CREATED: {EventKind.RECORD_CREATED, EventKind.RECORD_CHANGED},
    EventKind.RECORD_ENRICHED: {EventKind.JOB_ENDED},
    EventKind.RECORD_CHANGED: {EventKind.CONFLICT_RESOLVED, EventKind.CONFLICT_REOPENED},
    EventKind.CONFLICT_RAISED: {EventKind.JOB_ENDED, EventKind.RECORD_ENRICHED},
    EventKind.CONFLICT_SUPERSEDED: {
        EventKind.JOB_ENDED,
        EventKind.RECORD_ENRICHED,
        EventKind.RECORD_CHANGED,
        EventKind.CONFLICT_REOPENED,
    },
}
"""The kinds of rows, besides its own, that may stand for an event of a kind."""


def _conflicts(data: dict[str, Any], job: str | None) -> Iterator[tuple[EventKind, dict[str, Any]]]:
    for conflict_id in data.get("superseded", ()):
        yield EventKind.CONFLICT_SUPERSEDED, {"conflict_id": conflict_id}
    for conflict_id in data.get("raised", ()):
        yield EventKind.CONFLICT_RAISED, {"conflict_id": conflict_id, "job_id": job}
