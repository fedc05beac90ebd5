"""Why a field holds what it holds."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Self

import strawberry

from enrichment import explain as facts
from enrichment.shown import shown_confidence
from resolvers.paging import DEFAULT_SIZE
from resolvers.record import explain as operations
from resolvers.record.api import history
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType, FieldOutcomeReason, FieldPolicy, JobTrigger
from schema.base.paging import Connection, page_args
from schema.base.references import JobReference, job_of
from schema.base.scalars import JSON
from schema.base.views import Each
from schema.conflict.conflict import Conflict
from schema.record.record import FieldValue, Record


@strawberry.type(description="A value that a source gave for the field.")
class Proposal:
    provider: str
    value: JSON
    confidence: float = strawberry.field(description="From 0 to 1.")
    observed_at: datetime
    told_at: datetime = strawberry.field(description="When the source was asked.")
    job_id: strawberry.ID
    held: bool = strawberry.field(description="It is the value that the field holds.")
    turned_down: bool = strawberry.field(description="A person turned this value of this source down.")

    @classmethod
    def of(cls, stated: facts.StatedValue) -> Self:
        return copied(
            cls,
            stated,
            value=JSON(stated.value),
            confidence=shown_confidence(stated.confidence),
            told_at=stated.stated_at,
            held=stated.is_current,
            turned_down=stated.is_rejected,
        )

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)


@strawberry.type(description="How the field ended in the last job that looked at it.")
class LastOutcome:
    reason: FieldOutcomeReason
    detail: str
    provider: str | None
    confidence: float | None
    job_id: strawberry.ID
    at: datetime

    @classmethod
    def of(cls, outcome: facts.LatestOutcome) -> Self:
        return copied(cls, outcome, confidence=shown_confidence(outcome.confidence))

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)


@strawberry.type(description="One field of one record: what it holds, from where, since when, why, at what cost.")
class Explanation:
    record: Record
    field: str
    text: str = strawberry.field(description="All of it in plain words.")
    sentences: list[str]
    value: JSON | None
    source: str | None = strawberry.field(description="`crm`, `reviewer` or a provider. Null: never had a value.")
    actor: str | None
    confidence: float | None
    observed_at: datetime | None
    observed_at_known: bool = strawberry.field(
        description="False: the field never had a value, or nobody knows when its value was seen."
    )
    since: datetime | None = strawberry.field(description="When it was written.")
    job_id: strawberry.ID | None
    trigger: JobTrigger | None = strawberry.field(description="What started that job.")
    put_back: bool = strawberry.field(description="An undo put it back, or taking back a decision.")
    policy: FieldPolicy
    min_confidence: float
    last_outcome: LastOutcome | None
    proposals: Sequence[Proposal] = strawberry.field(description="What sources gave in the record's last 50 jobs.")
    conflicts: Sequence[Conflict] = strawberry.field(description="About this field, newest first.")
    credits: int = strawberry.field(description="What the value's source was paid in its job.")
    credits_of_record: int = strawberry.field(description="What all jobs of the record cost so far.")

    @classmethod
    def of(cls, explanation: operations.Explanation) -> Self:
        known = explanation.facts
        current = known.current
        return cls(
            record=Record.of(explanation.record),
            field=known.field,
            text=explanation.text,
            sentences=explanation.sentences,
            value=None if current is None else JSON(current.value),
            source=None if current is None else current.source,
            actor=None if current is None else current.actor,
            confidence=None if current is None else shown_confidence(current.confidence),
            observed_at=None if current is None else current.observed_at,
            observed_at_known=current is not None and current.observed_at_known,
            since=None if current is None else current.since,
            job_id=None if current is None or current.job_id is None else strawberry.ID(current.job_id),
            trigger=None if current is None else current.trigger,
            put_back=current is not None and (current.is_restored or current.is_taken_back),
            policy=known.policy,
            min_confidence=known.minimum,
            last_outcome=None if known.last_outcome is None else LastOutcome.of(known.last_outcome),
            proposals=Each(Proposal.of, known.stated),
            conflicts=Each(Conflict.of, explanation.conflicts),
            credits=known.credits,
            credits_of_record=known.credits_of_record,
        )

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)

    @strawberry.field(description="Every value the field has had.")
    async def history(
        self,
        info: Info,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[FieldValue]:
        args = page_args(info, first, after, last, before)
        page = await history(info.context, self.record.row, self.field, args)
        return Connection[FieldValue].of(page, partial(FieldValue.of, self.record.entity_type))


@strawberry.type
class ExplainQuery:
    @strawberry.field(description="Why a field holds what it holds, in plain words and in data.")
    async def explain(self, info: Info, entity_type: EntityType, external_id: strawberry.ID, field: str) -> Explanation:
        return Explanation.of(await operations.explain(info.context, entity_type, external_id, field))

    @strawberry.field(description="As `explain`, for these fields of a record, or all that its type has.")
    async def explain_record(
        self, info: Info, entity_type: EntityType, external_id: strawberry.ID, fields: list[str] | None = None
    ) -> list[Explanation]:
        explained = await operations.explain_record(info.context, entity_type, external_id, fields)
        return [Explanation.of(each) for each in explained]
