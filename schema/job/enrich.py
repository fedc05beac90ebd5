"""Enriching chosen records now."""

from collections.abc import Sequence
from typing import Self

import strawberry

from resolvers.cost import estimate as estimates
from resolvers.job import enrich as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType
from schema.base.views import Each
from schema.job.job import Job
from schema.record.roots import RecordFilter


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
        return copied(cls, skipped)


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


@strawberry.type(description="What one provider may be asked, as the waterfall would go, and the credits.")
class ProviderEstimate:
    provider: strawberry.ID
    price: int = strawberry.field(description="Credits for a plain match.")
    questions: int = strawberry.field(
        description="The most calls there can be: each question once, for however many records it is asked."
    )
    reused: int = strawberry.field(description="Times that an answer which is kept serves instead, and costs nothing.")
    minimum: int = strawberry.field(description="Credits that are certain to be spent.")
    expected: int = strawberry.field(description="Credits by its match rate so far and its place in the waterfall.")
    maximum: int = strawberry.field(description="Credits when every call is made and matches at its highest price.")
    skipped: str | None = strawberry.field(description="Why it will not be asked at all: no_key.")

    @classmethod
    def of(cls, part: estimates.ProviderEstimate) -> Self:
        return copied(cls, part)


@strawberry.type(
    description="Credits that enriching the records would cost, as answers, keys, prices and rules are now."
    " What is spent lies between minimum and maximum. No provider was asked."
)
class Estimate:
    eligible: int = strawberry.field(
        description="Records that a job would start for and somebody could be asked about."
    )
    ineligible: list[Ineligible]
    minimum: int = strawberry.field(
        description="Certain to be spent: the price of answers that came in part and are waited for. A question that is"
        " still to be asked may miss, fail or not be needed, and counts as 0."
    )
    expected: int = strawberry.field(
        description="By the providers' match rates so far, and by how likely those before leave something to ask for."
    )
    maximum: int = strawberry.field(
        description="Cannot be exceeded: every call of the plan is made and matches at its highest price, each question"
        " once, no record above its own limit."
    )
    by_provider: list[ProviderEstimate] = strawberry.field(
        description="The plan: who may be asked, in order of priority, how often and at what most, free ones too."
    )

    @classmethod
    def of(cls, estimate: estimates.Estimate) -> Self:
        return copied(
            cls,
            estimate,
            ineligible=[Ineligible(reason=reason, records=count) for reason, count in estimate.ineligible.items()],
            by_provider=[ProviderEstimate.of(part) for part in estimate.by_provider],
        )


@strawberry.type
class EnrichQuery:
    @strawberry.field(
        description="Whom `enrichRecords` would ask, and what it would cost, without asking any provider."
    )
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
