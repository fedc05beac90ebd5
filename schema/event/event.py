"""Events of the log as GraphQL shows them: ids, names of fields and counts, and what they are about, as it is now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from models.event.kinds import EventKind
from models.event.single import LoggedStep, SingleEvent
from resolvers.events.log import EventPage
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import BreakerState, EntityType, JobStatus, StepOutcome
from schema.base.loaders import Asked
from schema.base.paging import PageInfo
from schema.base.references import ConflictReference, JobReference, conflict_view, job_view
from schema.base.wanted import wanted_items
from schema.record.record import RECORD, Record

strawberry.enum(EventKind, description="What happened.")


@strawberry.type(description="A provider that a job asked, and how that ended.")
class EventStep:
    provider: str
    outcome: str = strawberry.field(
        description="As `result`, in lower case.", deprecation_reason="Since 2026-11-28: use `result`."
    )
    result: StepOutcome


@strawberry.type(
    description="One event of the log. It names what changed and holds no value: `record`, `job` and `conflict` are as"
    " they are now, and null where they are gone, or where the event is of none."
)
class Event:
    cursor: str = strawberry.field(description="Give it as `after` to go on after this event.")
    kind: EventKind
    at: datetime
    entity_type: EntityType | None
    record_id: strawberry.ID | None
    job_id: strawberry.ID | None
    conflict_id: strawberry.ID | None
    fields: Sequence[str] = strawberry.field(description="The fields that were written or changed.")
    job_status: JobStatus | None = strawberry.field(description="How a job ended.")
    steps: Sequence[EventStep] = strawberry.field(description="Whom a job asked, where it ended.")
    conflicts_raised: int | None = strawberry.field(description="By a job that ended.")
    provider: str | None
    provider_state: str | None = strawberry.field(
        description="`closed`: asked. `open`: not asked. `half_open`: tried.",
        deprecation_reason="Since 2026-11-28: use `breakerState`.",
    )
    breaker_state: BreakerState | None = strawberry.field(description="Of the provider.")
    config_version: int | None
    credits: int | None = strawberry.field(description="Those that were granted, or that are used.")
    credits_most: int | None = strawberry.field(description="Those that may be used in the month.")
    credits_share: float | None = strawberry.field(description="The threshold that was crossed, from 0 to 1.")
    certificate_id: strawberry.ID | None = strawberry.field(description="Of an erasure; for admins.")
    endpoint_id: strawberry.ID | None = strawberry.field(description="Of a webhook that was paused.")

    @classmethod
    def of(cls, event: SingleEvent) -> Self:
        state = event.provider_state
        return copied(
            cls,
            event,
            cursor=str(event.cursor),
            steps=[_step(step) for step in event.steps],
            breaker_state=None if state is None else BreakerState(state),
        )

    @strawberry.field
    async def record(self, info: Info) -> Record | None:
        if self.record_id is None:
            return None
        row = await info.context.loaders.records.load(str(self.record_id))
        return None if row is None else RECORD(row)

    @strawberry.field
    async def job(self, info: Info) -> JobReference | None:
        if self.job_id is None:
            return None
        view = job_view()
        row = await info.context.loaders.jobs_there.load(Asked(str(self.job_id), wanted_items(info, view)))
        return None if row is None else view(row)

    @strawberry.field
    async def conflict(self, info: Info) -> ConflictReference | None:
        if self.conflict_id is None:
            return None
        row = await info.context.loaders.conflicts.load(str(self.conflict_id))
        return None if row is None else conflict_view()(row)


def _step(step: LoggedStep) -> EventStep:
    return EventStep(provider=step.provider, outcome=step.outcome, result=StepOutcome(step.outcome))


@strawberry.type
class EventEdge:
    cursor: str
    node: Event


@strawberry.type(description="One page of the log, oldest first.")
class EventConnection:
    edges: Sequence[EventEdge]
    nodes: Sequence[Event]
    page_info: PageInfo = strawberry.field(
        description="`endCursor` is what to go on from, also of an empty page; null where nothing came after `0`."
    )

    @classmethod
    def of(cls, page: EventPage, *, after: str | None) -> Self:
        nodes = [Event.of(event) for event in page.events]
        end = str(page.end)
        return cls(
            edges=[EventEdge(cursor=node.cursor, node=node) for node in nodes],
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=page.more,
                has_previous_page=after not in {None, "0"},
                start_cursor=nodes[0].cursor if nodes else None,
                end_cursor=None if end == "0" else end,
            ),
        )
