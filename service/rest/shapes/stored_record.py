"""A stored record as REST shows it: its fields, where each value comes from, and what its fields held before."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType
from enrichment.learn.freshness import HeldValue, is_own, record_freshness
from enrichment.shown import display_name, shown_confidence
from models.record import Record
from models.record.shown import ShownRecord, ShownValue
from resolvers.refresh.freshness import Aging
from service.http.json import as_json
from service.http.shape import Id, Moment, Shape, Share
from service.rest.shapes.conflict import AcceptedValue, FieldValue
from service.rest.shapes.example_moments import FINISHED
from service.rest.shapes.record import UnreadableValue


class StoredRecord(Shape, frozen=True):
    """Our copy of one lead, contact or account of the CRM."""

    id: Id
    entity_type: EntityType
    external_id: Annotated[str, Meta(description="The CRM's own id.")]
    display_name: Annotated[str, Meta(description="What a person would call it.")]
    fields: Annotated[
        dict[str, Any], Meta(description="The canonical value of every filled field, and unknown fields as they came.")
    ]
    unreadable: Annotated[
        list[UnreadableValue],
        Meta(description="What the CRM sent and cannot be read, as long as nobody has replaced it."),
    ]
    completeness: Annotated[Share, Meta(description="Share of the enrichable fields that are filled.")]
    version: Annotated[int, Meta(ge=1, description="Counts every change.")]
    last_enriched_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, record: Record | ShownRecord) -> Self:
        return cls.copied(record, display_name=_name_of(record), unreadable=UnreadableValue.all_of(record))


class RecordDetails(StoredRecord, frozen=True):
    """A record with the provenance of its values."""

    freshness: Annotated[
        Share | None,
        Meta(description="The mean freshness of enrichment's own values, each counted by its confidence."),
    ]
    provenance: Annotated[list[FieldValue], Meta(description="Where the current value of each field comes from.")]
    history: (
        Annotated[list[FieldValue], Meta(description="With `history`: what its fields have held, newest first.")]
        | UnsetType
    ) = UNSET

    @classmethod
    def with_values(
        cls,
        record: Record,
        current: Sequence[ShownValue],
        history: Iterable[ShownValue] | None,
        aging: Aging,
    ) -> Self:
        """`current` are the values that the record's fields hold, `history` those of a page of all it had."""
        kind = record.entity_type
        own = [value for value in current if is_own(value.source)]
        return cls.copied(
            record,
            display_name=_name_of(record),
            unreadable=UnreadableValue.all_of(record),
            freshness=record_freshness(
                HeldValue(aging.of(kind, value.field, value.observed_at), value.confidence) for value in own
            ),
            provenance=[value_of(kind, value, aging) for value in current],
            history=UNSET if history is None else [value_of(kind, value, aging) for value in history],
        )


def value_of(entity_type: EntityType, value: ShownValue, aging: Aging) -> FieldValue:
    """A value of a record's field with its provenance."""
    ages = value.replaced_at is None and value.value is not None
    seen = value.observed_at if value.is_dated else None
    accepted = value.accepted_from
    return FieldValue.copied(
        value,
        raw=value.raw_value,
        confidence=shown_confidence(value.confidence),
        accepted_from=None if accepted is None else AcceptedValue.of(accepted),
        observed_at=_text_of(value.observed_at),
        observed_at_known=value.is_dated,
        first_observed_at=_text_of(value.first_observed_at or value.observed_at),
        freshness=aging.of(entity_type, value.field, seen) if ages else None,
    )


def _name_of(record: Record | ShownRecord) -> str:
    return display_name(record.entity_type, record.fields, record.external_id)


def _text_of(moment: datetime) -> str:
    text: str = as_json(moment)
    return text


_FIELDS = {"name": "Acme Robotics Inc.", "domain": "acme-robotics.com", "industry": "Industrial Machinery"}
LISTED_EXAMPLE = StoredRecord.example(
    entity_type=EntityType.ACCOUNT,
    external_id="ACC-1042",
    display_name="Acme Robotics Inc.",
    fields=_FIELDS,
    completeness=0.6,
    version=3,
    last_enriched_at=FINISHED,
)
EXAMPLE = RecordDetails.example(
    entity_type=EntityType.ACCOUNT,
    external_id="ACC-1042",
    display_name="Acme Robotics Inc.",
    fields=_FIELDS,
    completeness=0.6,
    version=3,
    last_enriched_at=FINISHED,
    freshness=0.98,
    provenance=[FieldValue.example(field="industry", value="Industrial Machinery", source="directory", confidence=0.9)],
)
