"""A past period under other rules, as REST shows it."""

from typing import Annotated, Any, Self

from msgspec import Meta

from enrichment.enums import ConflictReason, EntityType, FieldOutcomeReason
from enrichment.replay import snapshot
from enrichment.replay.diff import Difference, DifferenceKind, DifferenceTally
from resolvers.simulation import api as operations
from service.http.shape import Count, Id, Moment, Shape, Share
from service.rest.shapes.example_moments import STARTED


class FieldEffect(Shape, frozen=True):
    """What became of a field that a source gave a value for."""

    reason: FieldOutcomeReason
    provider: str | None
    confidence: Share | None
    value: Annotated[Any, Meta(description="What was written, or the foremost candidate of a conflict.")]
    conflict: ConflictReason | None

    @classmethod
    def of(cls, effect: snapshot.FieldEffect | None) -> Self | None:
        return None if effect is None else cls.copied(effect, provider=effect.source)


class SimulatedDifference(Shape, frozen=True):
    """One field of one decision that would have ended otherwise."""

    entity_type: EntityType
    external_id: str
    job_id: Id
    decided_at: Moment
    field: str
    kind: DifferenceKind
    actual: Annotated[FieldEffect | None, Meta(description="Null: no source gave a value.")]
    simulated: FieldEffect | None
    why: Annotated[str, Meta(description="In a word, what would have become of the field.")]
    certain: Annotated[bool, Meta(description="False: an answer that nobody knows could change it.")]

    @classmethod
    def of(cls, difference: Difference, external_id: str) -> Self:
        decided = difference.snapshot
        return cls.copied(
            difference,
            external_id=external_id,
            job_id=decided.job_id,
            decided_at=decided.decided_at,
            actual=FieldEffect.of(difference.actual),
            simulated=FieldEffect.of(difference.simulated),
        )


class SimulatedTotals(Shape, frozen=True):
    """What happened in fact, or would have."""

    jobs_run: Annotated[Count, Meta(description="Jobs that got as far as asking.")]
    values_written: Count
    conflicts_raised: Count
    credits: Count

    @classmethod
    def of(cls, tally: DifferenceTally, credits: int) -> Self:
        return cls.copied(tally, credits=credits)


class SimulatedCredits(Shape, frozen=True):
    """What one provider was paid, would have been paid, and what nobody knows."""

    provider: str
    actual: Count
    simulated: Count
    unknown: Annotated[Count, Meta(description="Questions that these rules ask and nobody has answered.")]
    unknown_most: Annotated[Count, Meta(description="The most that those would have cost.")]


class Simulation(Shape, frozen=True):
    """A past period under other rules. No provider was asked, nothing was written."""

    jobs: Annotated[Count, Meta(description="Jobs whose decisions were taken again.")]
    actual: SimulatedTotals
    simulated: SimulatedTotals
    credits: list[SimulatedCredits]
    difference_count: Count
    differences: Annotated[list[SimulatedDifference], Meta(description="In order of time, as many as `limit` says.")]
    next_from: Annotated[Moment | None, Meta(description="Where to go on after 10,000 decisions.")]
    not_replayed: Annotated[list[str], Meta(description="What of the change past answers cannot tell about.")]

    @classmethod
    def of(cls, simulation: operations.Simulation, first: int) -> Self:
        replayed, credits = simulation.replayed, simulation.credits
        return cls(
            jobs=replayed.jobs,
            actual=SimulatedTotals.of(replayed.actual, sum(of.actual for of in credits)),
            simulated=SimulatedTotals.of(replayed.simulated, sum(of.simulated for of in credits)),
            credits=[SimulatedCredits.copied(of) for of in credits],
            difference_count=len(simulation.differences),
            differences=[
                SimulatedDifference.of(one, simulation.external_ids.get(one.snapshot.record_id, ""))
                for one in simulation.differences[:first]
            ],
            next_from=simulation.next_from,
            not_replayed=simulation.not_replayed,
        )


_EFFECT = FieldEffect(FieldOutcomeReason.WRITTEN, "directory", 0.9, "Software", None)
EXAMPLE = Simulation(
    jobs=1,
    actual=SimulatedTotals(1, 0, 0, 0),
    simulated=SimulatedTotals(1, 1, 0, 0),
    credits=[SimulatedCredits("directory", 0, 0, 0, 0)],
    difference_count=1,
    differences=[
        SimulatedDifference.example(
            entity_type=EntityType.ACCOUNT,
            external_id="ACC-1042",
            decided_at=STARTED,
            field="industry",
            kind=DifferenceKind.WRITTEN,
            simulated=_EFFECT,
            why="written",
            certain=True,
        )
    ],
    next_from=None,
    not_replayed=[],
)
