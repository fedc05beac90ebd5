"""Why a field holds what it holds, as REST shows it."""

from typing import Annotated, Any, Self

from msgspec import Meta

from enrichment import explain as facts
from enrichment.enums import EntityType, FieldOutcomeReason, FieldPolicy, JobTrigger
from enrichment.shown import shown_confidence
from resolvers.record import explain as operations
from service.http.shape import Count, Id, Moment, Shape, Share


class Proposal(Shape, frozen=True):
    """A value that a source gave for the field."""

    provider: str
    value: Any
    confidence: Share
    observed_at: Moment
    told_at: Annotated[Moment, Meta(description="When the source was asked.")]
    job_id: Id
    held: Annotated[bool, Meta(description="It is the value that the field holds.")]
    turned_down: Annotated[bool, Meta(description="A person turned this value of this source down.")]

    @classmethod
    def of(cls, stated: facts.StatedValue) -> Self:
        return cls.copied(
            stated,
            confidence=shown_confidence(stated.confidence),
            told_at=stated.stated_at,
            held=stated.is_current,
            turned_down=stated.is_rejected,
        )


class LastOutcome(Shape, frozen=True):
    """How the field ended in the last job that looked at it."""

    reason: FieldOutcomeReason
    detail: str
    provider: str | None
    confidence: Share | None
    job_id: Id
    at: Moment

    @classmethod
    def of(cls, outcome: facts.LatestOutcome) -> Self:
        return cls.copied(outcome, confidence=shown_confidence(outcome.confidence))


class Explanation(Shape, frozen=True):
    """One field of one record: what it holds, from where, since when, why, at what cost."""

    record_id: Id
    entity_type: EntityType
    external_id: str
    field: str
    text: Annotated[str, Meta(description="All of it in plain words.")]
    sentences: list[str]
    value: Any
    source: Annotated[str | None, Meta(description="`crm`, `reviewer` or a provider. Null: never had a value.")]
    actor: str | None
    confidence: Share | None
    observed_at: Moment | None
    observed_at_known: Annotated[
        bool, Meta(description="False: the field never had a value, or nobody knows when its value was seen.")
    ]
    since: Annotated[Moment | None, Meta(description="When it was written.")]
    job_id: Id | None
    trigger: Annotated[JobTrigger | None, Meta(description="What started that job.")]
    put_back: Annotated[bool, Meta(description="An undo put it back, or taking back a decision.")]
    policy: FieldPolicy
    min_confidence: Share
    last_outcome: LastOutcome | None
    proposals: Annotated[list[Proposal], Meta(description="What sources gave in the record's last 50 jobs.")]
    conflict_ids: Annotated[list[Id], Meta(description="The conflicts about this field, newest first.")]
    credits: Annotated[Count, Meta(description="What the value's source was paid in its job.")]
    credits_of_record: Annotated[Count, Meta(description="What all jobs of the record cost so far.")]

    @classmethod
    def of(cls, explanation: operations.Explanation) -> Self:
        known, record = explanation.facts, explanation.record
        current = known.current
        return cls(
            record_id=record.id,
            entity_type=record.entity_type,
            external_id=record.external_id,
            field=known.field,
            text=explanation.text,
            sentences=explanation.sentences,
            value=None if current is None else current.value,
            source=None if current is None else current.source,
            actor=None if current is None else current.actor,
            confidence=None if current is None else shown_confidence(current.confidence),
            observed_at=None if current is None else current.observed_at,
            observed_at_known=current is not None and current.observed_at_known,
            since=None if current is None else current.since,
            job_id=None if current is None else current.job_id,
            trigger=None if current is None else current.trigger,
            put_back=current is not None and (current.is_restored or current.is_taken_back),
            policy=known.policy,
            min_confidence=known.minimum,
            last_outcome=None if known.last_outcome is None else LastOutcome.of(known.last_outcome),
            proposals=[Proposal.of(stated) for stated in known.stated],
            conflict_ids=[conflict.id for conflict in explanation.conflicts],
            credits=known.credits,
            credits_of_record=known.credits_of_record,
        )


_SENTENCE = "industry is Industrial Machinery, from the company directory, with confidence 0.90."
EXAMPLE = Explanation.example(
    entity_type=EntityType.ACCOUNT,
    external_id="ACC-1042",
    field="industry",
    text=_SENTENCE,
    sentences=[_SENTENCE],
    value="Industrial Machinery",
    source="directory",
    confidence=0.9,
    policy=next(iter(FieldPolicy)),
)
