"""Preview: what enriching chosen records would write, from cached answers alone."""

from collections.abc import Sequence
from typing import Self

import strawberry

from enrichment.enums import FieldOutcomeReason as Reason
from enrichment.shown import shown_confidence
from resolvers.cost import preview as operations
from resolvers.errors import BadRequest, Fault
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import FieldOutcomeReason
from schema.base.scalars import JSON
from schema.base.views import Each
from schema.job.enrich import RecordSelection, SkippedRecord
from schema.record.record import Record

MOST_SHOWN = 200
_KEPT = frozenset({Reason.SAME, Reason.VERIFIED, Reason.PROTECTED, Reason.BELOW_THRESHOLD})


@strawberry.type(description="How one field would end.")
class FieldPreview:
    field: str
    reason: FieldOutcomeReason
    provider: str | None
    value: JSON | None = strawberry.field(description="What would be written, or the foremost value put to review.")
    confidence: float | None
    detail: str
    current: JSON | None = strawberry.field(description="What the field holds now.")
    current_source: str | None

    @classmethod
    def of(cls, shown: operations.FieldPreview) -> Self:
        current = shown.current
        return copied(
            cls,
            shown,
            value=JSON(shown.value),
            confidence=shown_confidence(shown.confidence),
            current=None if current is None else JSON(current.value),
            current_source=None if current is None else current.source,
        )


@strawberry.type(description="A provider that would have to be asked about a record.")
class PreviewCall:
    provider: str
    credits_most: int

    @classmethod
    def of(cls, call: operations.Call) -> Self:
        return cls(provider=call.provider, credits_most=call.most)


@strawberry.type(description="What would become of one record.")
class RecordPreview:
    record: Record
    written: Sequence[FieldPreview] = strawberry.field(description="Would be written.")
    review: Sequence[FieldPreview] = strawberry.field(description="Would be put to a person.")
    kept: Sequence[FieldPreview] = strawberry.field(description="Would stay as they are, though a source told of them.")
    open: Sequence[FieldPreview] = strawberry.field(description="No kept answer tells of them.")
    calls: Sequence[PreviewCall] = strawberry.field(description="Whom one would have to ask to know more.")

    @classmethod
    def of(cls, shown: operations.RecordPreview) -> Self:
        def ended(*reasons: Reason) -> Sequence[FieldPreview]:
            return Each(FieldPreview.of, [field for field in shown.fields if field.reason in reasons])

        return cls(
            record=Record.of(shown.record),
            written=ended(Reason.WRITTEN),
            review=ended(Reason.CONFLICT),
            kept=ended(*_KEPT),
            open=ended(Reason.NO_DATA, Reason.SKIPPED, Reason.ERROR),
            calls=Each(PreviewCall.of, shown.calls),
        )


@strawberry.type(description="Questions that one provider would have to be asked; the same question counts once.")
class PreviewedQuestions:
    provider: str
    questions: int
    credits_most: int


@strawberry.type(description="What enriching the chosen records would come to. Nobody was asked, nothing was written.")
class EnrichmentPreview:
    record_count: int = strawberry.field(description="Records that a job would be started for.")
    written: int = strawberry.field(description="Fields that would be written.")
    review: int
    kept: int
    questions: list[PreviewedQuestions]
    skipped: Sequence[SkippedRecord] = strawberry.field(description="Records that no job would be started for.")
    source: strawberry.Private[operations.Preview]

    @classmethod
    def of(cls, preview: operations.Preview) -> Self:
        counts = preview.counts
        return cls(
            record_count=len(preview.records),
            written=counts[Reason.WRITTEN],
            review=counts[Reason.CONFLICT],
            kept=sum(counts[reason] for reason in _KEPT),
            questions=[
                PreviewedQuestions(provider=provider, questions=questions, credits_most=preview.credits_most[provider])
                for provider, questions in preview.calls.items()
            ],
            skipped=Each(SkippedRecord.of, preview.skipped),
            source=preview,
        )

    @strawberry.field(description="Record by record, 200 at most at a time.")
    def records(self, first: int | None = 20, offset: int | None = 0) -> Sequence[RecordPreview]:
        size, start = 20 if first is None else first, offset or 0
        if not 1 <= size <= MOST_SHOWN:
            raise BadRequest(f"first must be 1 to {MOST_SHOWN}", faults=[Fault("first", f"must be 1 to {MOST_SHOWN}")])
        if start < 0:
            raise BadRequest("offset must not be negative", faults=[Fault("offset", "must not be negative")])
        return Each(RecordPreview.of, self.source.records[start : start + size])


@strawberry.type
class PreviewQuery:
    @strawberry.field(description="What enriching these records would come to now, from kept answers alone.")
    async def preview_enrichment(
        self, info: Info, selection: RecordSelection, force: bool | None = False
    ) -> EnrichmentPreview:
        preview = await operations.preview_enrichment(info.context, selection.read(), force=bool(force))
        return EnrichmentPreview.of(preview)
