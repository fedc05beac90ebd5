"""Enriching chosen records now."""

from collections.abc import Sequence
from typing import Self

import strawberry

from resolvers import enrich as operations
from schema.context import Info
from schema.enums import EntityType
from schema.job import Job
from schema.paging import Each
from schema.record import RecordFilter


@strawberry.input(description="By external ids, by a filter, or both; by neither: all of the entity type.")
class RecordSelection:
    entity_type: EntityType
    external_ids: list[strawberry.ID] | None = None
    filter: RecordFilter | None = None

    def read(self) -> operations.RecordSelection:
        return operations.RecordSelection(
            self.entity_type,
            external_ids=None if self.external_ids is None else tuple(self.external_ids),
            filter=None if self.filter is None else self.filter.read(),
        )


@strawberry.type(description="A chosen record that no job was started for.")
class SkippedRecord:
    external_id: strawberry.ID
    reason: str

    @classmethod
    def of(cls, skipped: operations.SkippedRecord) -> Self:
        return cls(external_id=strawberry.ID(skipped.external_id), reason=skipped.reason)


@strawberry.type(description="What became of the chosen records.")
class EnrichRecordsPayload:
    queued: Sequence[Job] = strawberry.field(description="Jobs that were started.")
    folded: Sequence[Job] = strawberry.field(description="Active jobs that this became part of.")
    skipped: Sequence[SkippedRecord]
    queued_count: int
    folded_count: int
    skipped_count: int

    @classmethod
    def of(cls, outcome: operations.EnrichOutcome) -> Self:
        return cls(
            queued=Each(Job.of, outcome.queued),
            folded=Each(Job.of, outcome.folded),
            skipped=Each(SkippedRecord.of, outcome.skipped),
            queued_count=len(outcome.queued),
            folded_count=len(outcome.folded),
            skipped_count=len(outcome.skipped),
        )


@strawberry.type
class EnrichMutation:
    @strawberry.mutation(
        description="Start a job for each chosen record, ahead of what is automatic. `force` passes over the cooldown."
    )
    async def enrich_records(
        self, info: Info, selection: RecordSelection, force: bool | None = False
    ) -> EnrichRecordsPayload:
        outcome = await operations.enrich_records(info.context, selection.read(), force=bool(force))
        return EnrichRecordsPayload.of(outcome)
