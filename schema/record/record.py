"""Records: the CRM's entities, and where each of their values comes from."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Self

import strawberry

from enrichment.learn.freshness import HeldValue, is_own, record_freshness
from enrichment.shown import display_name, shown_confidence
from models import record as models
from models.conflict.table import is_dated_then
from models.job.queries import JobFilter
from models.record.row import RecordRow
from models.record.shown import ShownRecord, ShownValue
from resolvers.job import api as job_operations
from resolvers.paging import DEFAULT_SIZE
from resolvers.record import api as operations
from schema.base.context import Info
from schema.base.enums import EntityType
from schema.base.loaders import Asked, FirstPage
from schema.base.node import Node
from schema.base.paging import Connection, page_args
from schema.base.references import JobReference, job_of, job_view
from schema.base.scalars import JSON, read_time
from schema.base.views import Each, Made, Part, RowView, needs
from schema.base.wanted import wanted_items, wanted_nodes


@strawberry.type(description="The value of a source that a reviewer accepted.")
class AcceptedValue:
    provider: str
    confidence: float = strawberry.field(description="From 0 to 1, as the provider stated it.")
    observed_at: datetime = strawberry.field(description="When the provider saw it.")

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            provider=stored["provider"],
            confidence=shown_confidence(stored["confidence"]),
            observed_at=read_time(stored["observedAt"]),
        )


_DATED = ("observed_at_known", "source", "verified_at")  # what tells whether a value is dated
_AGING = needs("field", "source", "confidence", "observed_at", "value")  # what freshness is made of


@strawberry.type(description="One value of one field with its provenance.")
class FieldValue:
    id: strawberry.Private[str]
    entity_type: strawberry.Private[EntityType]
    field: str
    value: JSON | None = strawberry.field(description="Null: the field was cleared, or holds what cannot be read.")
    raw: JSON | None = strawberry.field(description="As the CRM sent it; null where it did not, or that was not kept.")
    unreadable: str | None = strawberry.field(description="Why `raw` cannot be read, in plain words.")
    source: str = strawberry.field(description="`crm`, `reviewer` or the id of a provider.")
    actor: str | None = strawberry.field(description="The user, where a person wrote it.")
    accepted_from: AcceptedValue | None = strawberry.field(
        description="Whose value it was that a reviewer accepted; null where nobody did, or that was not kept."
    )
    confidence: float = strawberry.field(description="From 0 to 1.")
    job_id: strawberry.ID | None
    observed_at: datetime = strawberry.field(
        description="When the source saw it, at last; when it arrived, where `observedAtKnown` is false."
    )
    observed_at_known: bool = strawberry.field(
        description="False: the CRM did not say when it saw the value, and nothing follows from when it arrived."
    )
    first_observed_at: datetime = strawberry.field(description="When the source saw it first.")
    verified_at: datetime | None = strawberry.field(description="When we last heard that it holds, unchanged.")
    verified_count: int = strawberry.field(description="How often a source saw it again, unchanged.")
    written_at: datetime | None
    replaced_at: datetime | None = strawberry.field(description="Null: it is the current value.")

    @classmethod
    def of(cls, entity_type: EntityType, row: models.FieldValue | ShownValue) -> "FieldValue":
        return VALUE.with_(entity_type=entity_type)(row)

    @classmethod
    def of_json(cls, entity_type: EntityType, field: str, value: Mapping[str, Any]) -> Self:
        """A value as a conflict keeps it."""
        return cls(
            id="",
            entity_type=entity_type,
            field=field,
            value=JSON(value.get("value")),
            raw=None if value.get("unreadable") is None else JSON(value["value"]),
            unreadable=value.get("unreadable"),
            source=value["source"],
            actor=value.get("actor"),
            accepted_from=None,
            confidence=shown_confidence(value["confidence"]),
            job_id=value.get("jobId"),
            observed_at=read_time(value["observedAt"]),
            observed_at_known=is_dated_then(value),
            first_observed_at=read_time(value["observedAt"]),
            verified_at=None,
            verified_count=0,
            written_at=None,
            replaced_at=None,
        )

    @strawberry.field(
        description="The chance, from 0 to 1, that what the source saw still holds; null where it was replaced."
    )
    async def freshness(self, info: Info) -> float | None:
        if self.replaced_at is not None or self.value is None:
            return None
        aging = await info.context.loaders.aging.load(None)
        observed_at = self.observed_at if self.observed_at_known else None
        return aging.of(self.entity_type, self.field, observed_at)

    @strawberry.field(description="The job of `jobId`; null where there is none, or it is gone.")
    async def job(self, info: Info) -> JobReference | None:
        return await job_of(info, self.job_id)


VALUE: RowView[models.FieldValue | ShownValue, FieldValue] = RowView(
    FieldValue,
    given=("entity_type",),
    resolved={
        "freshness": needs("field", "value", "replaced_at", "observed_at", *_DATED),
        "job": needs("job_id"),
    },
    observed_at_known=Made(attrgetter("is_dated"), _DATED),
    raw="raw_value",
    confidence=Made(lambda row: shown_confidence(row.confidence), ("confidence",)),
    accepted_from=Made(
        lambda row: AcceptedValue.of(row.accepted_from) if row.accepted_from else None, ("accepted_from",)
    ),
    first_observed_at=Made(lambda row: row.first_observed_at or row.observed_at, ("first_observed_at", "observed_at")),
)


@strawberry.type(
    description="What the CRM sent for a field and cannot be read. It fills the field, as the CRM's value."
)
class UnreadableValue:
    field: str
    raw: JSON = strawberry.field(description="As it was sent.")
    reason: str = strawberry.field(description="Why it cannot be read, in plain words.")


@strawberry.type(description="Our copy of one lead, contact or account of the CRM.")
class Record(Node):
    id: strawberry.ID
    entity_type: EntityType
    external_id: strawberry.ID = strawberry.field(description="The CRM's own id.")
    display_name: str = strawberry.field(
        description="What a person would call it: its name, else its e-mail address or domain, else the CRM's own id."
    )
    fields: JSON = strawberry.field(
        description="The canonical value of every filled field, and unknown fields as they came."
    )
    completeness: float = strawberry.field(description="Share of the enrichable fields that are filled, 0 to 1.")
    version: int = strawberry.field(description="Counts every change.")
    last_enriched_at: datetime | None
    created_at: datetime
    updated_at: datetime
    row: strawberry.Private[models.Record | ShownRecord | RecordRow]

    @classmethod
    def of(cls, row: models.Record | ShownRecord | RecordRow) -> "Record":
        return RECORD(row)

    @strawberry.field(description="What the CRM sent and cannot be read, as long as nobody has replaced it.")
    def unreadable(self) -> list[UnreadableValue]:
        texts = (self.row.unreadable or {}).items()
        return [UnreadableValue(field=name, raw=JSON(text["raw"]), reason=text["reason"]) for name, text in texts]

    @strawberry.field(description="Where the current value of each field comes from.")
    async def provenance(self, info: Info) -> Sequence[FieldValue]:
        rows = held_values(self.row)
        if rows is None:
            rows = await info.context.loaders.provenance.load(Asked(self.row.id, wanted_items(info, VALUE)))
        return Each(VALUE.with_(entity_type=self.entity_type), rows)

    @strawberry.field(
        description="The mean freshness of enrichment's own values, each counted by its confidence; null without any."
    )
    async def freshness(self, info: Info) -> float | None:
        rows = held_values(self.row)
        if rows is None:
            rows = await info.context.loaders.provenance.load(Asked(self.row.id, _AGING))
        aging = await info.context.loaders.aging.load(None)
        return record_freshness(
            HeldValue(aging.of(self.entity_type, row.field, row.observed_at), row.confidence)
            for row in rows
            if is_own(row.source)
        )

    @strawberry.field(description="The record's jobs.")
    async def jobs(
        self,
        info: Info,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[JobReference]:
        args = page_args(info, first, after, last, before)
        view = job_view()
        wanted = wanted_nodes(info, view)
        if args.is_first:
            wanted_page = FirstPage(self.row.id, args.size(), backwards=args.last is not None, wanted=wanted)
            page = await info.context.loaders.jobs_of.load(wanted_page)
        else:
            page = await job_operations.list_jobs(info.context, JobFilter(record_id=self.row.id), args, wanted)
        return Connection.of(page, view)

    @strawberry.field(description="Every value the record's fields have had, of one field if asked.")
    async def history(
        self,
        info: Info,
        field: str | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[FieldValue]:
        args = page_args(info, first, after, last, before)
        wanted = wanted_nodes(info, VALUE)
        if args.is_first:
            wanted_page = FirstPage(self.row.id, args.size(), field, args.last is not None, wanted)
            page = await info.context.loaders.history_of.load(wanted_page)
        else:
            page = await operations.history(info.context, self.row, field, args, wanted)
        return Connection[FieldValue].of(page, VALUE.with_(entity_type=self.entity_type))


RECORD: RowView[models.Record | ShownRecord | RecordRow, Record] = RowView(
    Record,
    resolved={
        "unreadable": needs("unreadable"),
        "provenance": needs("id", "entity_type"),
        "freshness": {**needs("id", "entity_type"), "current_values": _AGING},
        "jobs": needs("id"),
        "history": needs("id", "entity_type"),
    },
    held={"provenance": Part("current_values", VALUE, many=True, pick=operations.filled, needs=("field", "value"))},
    row=Made(lambda row: row, ()),
    display_name=Made(
        lambda row: display_name(row.entity_type, row.fields, row.external_id),
        ("entity_type", "fields", "external_id"),
    ),
)


def held_values(row: models.Record | ShownRecord | RecordRow) -> list[ShownValue] | None:
    """The filled values that a row holds, in catalogue order; None where they were not asked for with it."""
    held: list[ShownValue] | None = getattr(row, "current_values", None)
    return None if held is None else operations.filled(held)
