"""Enriching chosen records now."""

from collections.abc import Sequence
from typing import Self

import strawberry

from resolvers import enrich as operations
from resolvers import estimate as estimates
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


@strawberry.type(description="How many records are passed by, and why.")
class Ineligible:
    reason: str
    records: int


@strawberry.type(description="What a paid provider may be asked, each question once, and the credits.")
class ProviderEstimate:
    provider: strawberry.ID
    questions: int
    expected: int
    maximum: int


@strawberry.type(description="Credits: none match, as matched so far, all match. No provider was asked.")
class Estimate:
    eligible: int
    ineligible: list[Ineligible]
    minimum: int
    expected: int
    maximum: int
    by_provider: list[ProviderEstimate]

    @classmethod
    def of(cls, estimate: estimates.Estimate) -> Self:
        return cls(
            eligible=estimate.eligible,
            ineligible=[Ineligible(reason=reason, records=count) for reason, count in estimate.ineligible.items()],
            minimum=estimate.minimum,
            expected=estimate.expected,
            maximum=estimate.maximum,
            by_provider=[
                ProviderEstimate(
                    provider=strawberry.ID(part.provider),
                    questions=part.questions,
                    expected=part.expected,
                    maximum=part.maximum,
                )
                for part in estimate.by_provider
            ],
        )


@strawberry.type
class EnrichQuery:
    @strawberry.field(description="What `enrichRecords` would cost, without asking any provider.")
    async def estimate_enrichment(self, info: Info, selection: RecordSelection, force: bool | None = False) -> Estimate:
        estimate = await estimates.estimate_enrichment(info.context, selection.read(), force=bool(force))
        return Estimate.of(estimate)


@strawberry.type
class EnrichMutation:
    @strawberry.mutation(
        description="Start a job for each chosen record, ahead of what is automatic. `force` passes over the cooldown;"
        " `maxCredits` is the most that these jobs may cost together."
    )
    async def enrich_records(
        self, info: Info, selection: RecordSelection, force: bool | None = False, max_credits: int | None = None
    ) -> EnrichRecordsPayload:
        outcome = await operations.enrich_records(
            info.context, selection.read(), force=bool(force), max_credits=max_credits
        )
        return EnrichRecordsPayload.of(outcome)
