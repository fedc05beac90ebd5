"""An event of the log as REST shows it."""

from typing import Self

from enrichment.enums import EntityType, JobStatus
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.event.single import SingleEvent
from service.http.shape import Count, Id, Moment, Part, Shape, Share
from service.rest.shapes.example_moments import CAME_IN


class EventStep(Part, frozen=True):
    """A provider that a job asked, and how that ended."""

    provider: str
    outcome: str


class Event(Shape, frozen=True):
    """What changed: ids, names of fields and counts, and no value. What does not apply is null, or empty."""

    cursor: str
    kind: EventKind
    at: Moment
    entity_type: EntityType | None
    record_id: Id | None
    external_id: str | None
    job_id: Id | None
    conflict_id: Id | None
    fields: list[str]
    job_status: JobStatus | None
    steps: list[EventStep]
    conflicts_raised: Count | None
    provider: str | None
    provider_state: str | None
    config_version: Count | None
    credits: Count | None
    credits_most: Count | None
    credits_share: Share | None
    certificate_id: Id | None
    endpoint_id: Id | None

    @classmethod
    def of(cls, event: SingleEvent, external_id: str | None) -> Self:
        """`external_id`: of the event's record, where it is still there."""
        return cls.copied(
            event,
            cursor=str(event.cursor),
            external_id=external_id,
            fields=list(event.fields),
            steps=[EventStep(step.provider, step.outcome) for step in event.steps],
        )


EXAMPLE = Event.example(
    cursor=str(EventCursor(748, 12, 0)),
    kind=EventKind.RECORD_ENRICHED,
    at=CAME_IN,
    entity_type=EntityType.ACCOUNT,
    record_id="01936f2a-6e02-7b44-9d10-5a1c3f7e8b21",
    external_id="A-1001",
    job_id="01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10",
    fields=["industry", "city"],
)
