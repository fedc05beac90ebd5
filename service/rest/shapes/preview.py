"""What enriching records would come to, from kept answers alone, as REST shows it."""

from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType, FieldOutcomeReason
from resolvers.cost import preview as operations
from service.http.shape import Count, Id, Sent, Shape, Share
from service.rest.description.json_schema import in_any_case


class PreviewRequest(Sent, frozen=True):
    """Records of one entity type: those named, or all."""

    entity_type: Annotated[str, in_any_case(EntityType)]
    external_ids: Annotated[list[str], Meta(max_length=10_000)] | UnsetType | None = UNSET
    force: Annotated[bool, Meta(description="Pass over the cooldown, and ask again.")] = False


class FieldPreview(Shape, frozen=True):
    """How one field would end: `written`, put to a person (`conflict`), kept, or left open."""

    field: str
    reason: FieldOutcomeReason
    provider: str | None
    value: Annotated[Any, Meta(description="What would be written, or the foremost value put to review.")]
    confidence: Share | None
    detail: str
    current: Annotated[Any, Meta(description="What the field holds now.")]
    current_source: str | None

    @classmethod
    def of(cls, shown: operations.FieldPreview) -> Self:
        current = shown.current
        return cls.copied(
            shown,
            current=None if current is None else current.value,
            current_source=None if current is None else current.source,
        )


class PreviewCall(Shape, frozen=True):
    """A provider that would have to be asked about a record."""

    provider: str
    credits_most: Count


class RecordPreview(Shape, frozen=True):
    """What would become of one record."""

    record_id: Id
    entity_type: EntityType
    external_id: str
    fields: list[FieldPreview]
    calls: Annotated[list[PreviewCall], Meta(description="Whom one would have to ask to know more.")]

    @classmethod
    def of(cls, shown: operations.RecordPreview) -> Self:
        return cls(
            record_id=shown.record.id,
            entity_type=shown.record.entity_type,
            external_id=shown.record.external_id,
            fields=[FieldPreview.of(field) for field in shown.fields],
            calls=[PreviewCall(call.provider, call.most) for call in shown.calls],
        )


class PreviewedQuestions(Shape, frozen=True):
    """Questions that one provider would have to be asked; the same question counts once."""

    provider: str
    questions: Count
    credits_most: Count


class PassedBy(Shape, frozen=True):
    """A chosen record that no job would be started for."""

    external_id: str
    reason: str


class EnrichmentPreview(Shape, frozen=True):
    """What enriching the chosen records would come to. Nobody was asked, nothing was written."""

    record_count: Annotated[Count, Meta(description="Records that a job would be started for.")]
    written: Annotated[Count, Meta(description="Fields that would be written.")]
    review: Annotated[Count, Meta(description="Fields that would be put to a person.")]
    questions: list[PreviewedQuestions]
    skipped: list[PassedBy]
    records: Annotated[list[RecordPreview], Meta(description="Record by record, as many as `limit` says.")]

    @classmethod
    def of(cls, preview: operations.Preview, first: int) -> Self:
        return cls(
            record_count=len(preview.records),
            written=preview.counts[FieldOutcomeReason.WRITTEN],
            review=preview.counts[FieldOutcomeReason.CONFLICT],
            questions=[
                PreviewedQuestions(provider, questions, preview.credits_most[provider])
                for provider, questions in preview.calls.items()
            ],
            skipped=[PassedBy.copied(skipped) for skipped in preview.skipped],
            records=[RecordPreview.of(record) for record in preview.records[:first]],
        )


REQUEST_EXAMPLES = {"some": PreviewRequest(entity_type=EntityType.ACCOUNT, external_ids=["ACC-1042"])}
EXAMPLE = EnrichmentPreview(
    record_count=1,
    written=0,
    review=0,
    questions=[PreviewedQuestions("directory", 1, 0)],
    skipped=[],
    records=[
        RecordPreview.example(
            entity_type=EntityType.ACCOUNT, external_id="ACC-1042", calls=[PreviewCall("directory", 0)]
        )
    ],
)
