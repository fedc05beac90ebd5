"""Simulation: what a past period would have led to under other rules."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

import strawberry

from enrichment.replay import snapshot
from enrichment.replay.diff import Difference, DifferenceTally
from enrichment.shown import shown_confidence
from resolvers.errors import BadRequest, Fault
from resolvers.simulation import api as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import ConflictReason, DifferenceKind, EntityType, FieldOutcomeReason
from schema.base.references import JobReference, job_of
from schema.base.scalars import JSON
from schema.base.views import Each
from schema.config.input import ConfigInput
from schema.config.written import faults_as_written

MOST_SHOWN = 1000


@strawberry.type(description="What became of a field that a source gave a value for.")
class FieldEffect:
    reason: FieldOutcomeReason
    provider: str | None
    confidence: float | None
    value: JSON | None = strawberry.field(description="What was written, or the foremost candidate of a conflict.")
    conflict: ConflictReason | None

    @classmethod
    def of(cls, effect: snapshot.FieldEffect) -> Self:
        return copied(
            cls,
            effect,
            provider=effect.source,
            value=JSON(effect.value),
            confidence=shown_confidence(effect.confidence),
        )


@strawberry.type(description="One field of one decision that would have ended otherwise.")
class SimulatedDifference:
    entity_type: EntityType
    external_id: strawberry.ID
    job_id: strawberry.ID
    decided_at: datetime
    field: str
    kind: DifferenceKind
    actual: FieldEffect | None = strawberry.field(description="Null: no source gave a value.")
    simulated: FieldEffect | None
    why: str = strawberry.field(description="In a word, what would have become of the field.")
    certain: bool = strawberry.field(description="False: an answer that nobody knows could change it.")

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)


@strawberry.type(description="What happened in fact, or would have.")
class SimulatedTotals:
    jobs_run: int = strawberry.field(description="Jobs that got as far as asking.")
    values_written: int
    conflicts_raised: int
    credits: int

    @classmethod
    def of(cls, tally: DifferenceTally, credits: int) -> Self:
        return copied(cls, tally, credits=credits)


@strawberry.type(description="What one provider was paid, would have been paid, and what nobody knows.")
class SimulatedCredits:
    provider: str
    actual: int
    simulated: int
    unknown: int = strawberry.field(description="Questions that these rules ask and nobody has answered.")
    unknown_most: int = strawberry.field(description="The most that those would have cost.")

    @classmethod
    def of(cls, credits: operations.ProviderCredits) -> Self:
        return copied(cls, credits)


@strawberry.type(description="How many differences there are of a kind.")
class DifferenceCount:
    kind: DifferenceKind
    certain: int
    uncertain: int = strawberry.field(description="An answer that nobody knows could change these.")

    @classmethod
    def all_of(cls, differences: Sequence[Difference]) -> list[Self]:
        counted = Counter((difference.kind, difference.certain) for difference in differences)
        return [
            cls(kind=kind, certain=counted[kind, True], uncertain=counted[kind, False])
            for kind in DifferenceKind
            if counted[kind, True] or counted[kind, False]
        ]


@strawberry.type(description="A past period under other rules. No provider was asked, nothing was written.")
class Simulation:
    jobs: int = strawberry.field(description="Jobs whose decisions were taken again.")
    actual: SimulatedTotals
    simulated: SimulatedTotals
    credits: list[SimulatedCredits]
    difference_count: int
    next_from: datetime | None = strawberry.field(
        description="Where to go on: a period of more than 10,000 decisions is replayed in parts."
    )
    difference_counts: list[DifferenceCount]
    not_replayed: list[str] = strawberry.field(
        description="What of the change past answers cannot tell about: the key, and what is taken for it."
    )
    source: strawberry.Private[operations.Simulation]

    @classmethod
    def of(cls, simulation: operations.Simulation) -> Self:
        replayed = simulation.replayed
        return cls(
            jobs=replayed.jobs,
            actual=SimulatedTotals.of(replayed.actual, sum(credits.actual for credits in simulation.credits)),
            simulated=SimulatedTotals.of(replayed.simulated, sum(credits.simulated for credits in simulation.credits)),
            credits=[SimulatedCredits.of(credits) for credits in simulation.credits],
            difference_count=len(simulation.differences),
            next_from=simulation.next_from,
            difference_counts=DifferenceCount.all_of(simulation.differences),
            not_replayed=simulation.not_replayed,
            source=simulation,
        )

    @strawberry.field(description="What would have been otherwise, in order of time; 1,000 at most at a time.")
    def differences(self, first: int | None = 100, offset: int | None = 0) -> Sequence[SimulatedDifference]:
        size, start = 100 if first is None else first, offset or 0
        if not 1 <= size <= MOST_SHOWN:
            raise BadRequest(f"first must be 1 to {MOST_SHOWN}", faults=[Fault("first", f"must be 1 to {MOST_SHOWN}")])
        if start < 0:
            raise BadRequest("offset must not be negative", faults=[Fault("offset", "must not be negative")])
        return Each(self._difference, self.source.differences[start : start + size])

    def _difference(self, difference: Difference) -> SimulatedDifference:
        decided = difference.snapshot
        return SimulatedDifference(
            entity_type=difference.entity_type,
            external_id=strawberry.ID(self.source.external_ids.get(decided.record_id, "")),
            job_id=strawberry.ID(decided.job_id),
            decided_at=decided.decided_at,
            field=difference.field,
            kind=difference.kind,
            actual=None if difference.actual is None else FieldEffect.of(difference.actual),
            simulated=None if difference.simulated is None else FieldEffect.of(difference.simulated),
            why=difference.why,
            certain=difference.certain,
        )


_From = Annotated[datetime | None, strawberry.argument(name="from", description="Decided then or later.")]
_To = Annotated[datetime | None, strawberry.argument(name="to", description="Decided before then.")]


@strawberry.type
class SimulationQuery:
    @strawberry.field(
        description="Take the decisions of a past period again under the present configuration with `input` laid over."
    )
    async def simulate_config(self, info: Info, input: ConfigInput, start: _From = None, end: _To = None) -> Simulation:
        with faults_as_written(input):
            simulated = await operations.simulate_config(info.context, input.read(), start, end)
        return Simulation.of(simulated)
