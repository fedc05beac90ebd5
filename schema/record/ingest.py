"""Records as the CRM sends them, in bulk, and what became of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import strawberry

from resolvers.record import api as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType, RecordOutcome
from schema.base.problem import Problem
from schema.base.scalars import JSON
from schema.base.views import Each
from schema.base.wanted import wanted_of
from schema.job.job import JOB, Job
from schema.record.record import Record
from schema.record.sent import SentRecords


@strawberry.input(
    description="One record as the CRM has it."
    " A field sent empty or null clears a value that the CRM sent before; a field left out stays."
)
class RecordInput:
    entity_type: EntityType
    external_id: strawberry.ID = strawberry.field(description="The CRM's own id.")
    fields: JSON = strawberry.field(description="An object: values by field name.")
    observed_at: datetime | None = strawberry.field(
        default=None, description="When the CRM saw this. Without it nobody knows how old the values are."
    )
    observed_at_by_field: JSON | None = strawberry.field(
        default=None, description="An object: when the CRM saw single fields, by field name, in ISO 8601."
    )

    def to_raw(self) -> dict[str, Any]:
        """The record as REST has it."""
        return {
            "entityType": self.entity_type,
            "externalId": self.external_id,
            "fields": self.fields,
            "observedAt": self.observed_at,
            "observedAtByField": self.observed_at_by_field,
        }


@strawberry.type(description="A value that cannot be read, and why. It is kept as it was sent (`Record.unreadable`).")
class RefusedField:
    field: str
    value: JSON | None
    reason: str

    @classmethod
    def of(cls, refused: operations.RefusedField) -> Self:
        return copied(cls, refused, value=JSON(refused.value))


@strawberry.type(description="What became of one record that was sent.")
class UpsertRecordResult:
    index: int = strawberry.field(description="Its place among the records sent, from 0.")
    record: Record | None
    outcome: RecordOutcome
    job: Job | None = strawberry.field(description="The job that this started or became part of.")
    folded: bool = strawberry.field(description="Whether the job had been started before.")
    refused_fields: Sequence[RefusedField]
    late_fields: list[str] = strawberry.field(
        description="Left alone: the CRM or a reviewer set them after what was sent was observed."
    )
    error: Problem | None = strawberry.field(description="Why the record as a whole was refused.")

    @classmethod
    def of(cls, outcome: operations.UpsertOutcome) -> Self:
        return cls(
            index=outcome.index,
            record=None if outcome.record is None else Record.of(outcome.record),
            outcome=outcome.outcome,
            job=None if outcome.job is None else Job.of(outcome.job),
            folded=outcome.folded,
            refused_fields=Each(RefusedField.of, outcome.refused_fields),
            late_fields=list(outcome.late_fields),
            error=None if outcome.error is None else Problem.of(outcome.error),
        )


@strawberry.type(description="The outcome of each record, in the order in which they were sent.")
class UpsertRecordsPayload:
    results: Sequence[UpsertRecordResult]
    created: int
    changed: int
    unchanged: int
    refused: int

    @classmethod
    def of(cls, outcomes: Sequence[operations.UpsertOutcome]) -> Self:
        counts = Counter(outcome.outcome for outcome in outcomes)
        return cls(
            results=Each(UpsertRecordResult.of, outcomes),
            created=counts[RecordOutcome.CREATED],
            changed=counts[RecordOutcome.CHANGED],
            unchanged=counts[RecordOutcome.UNCHANGED],
            refused=counts[RecordOutcome.REFUSED],
        )


def _sent(records: Sequence[RecordInput]) -> Sequence[Mapping[str, Any]]:
    """The records as REST has them; those that were checked at once stand in one (`schema.record.sent`)."""
    if len(records) == 1 and isinstance(records[0].fields, SentRecords):
        return records[0].fields
    return [record.to_raw() for record in records]


@strawberry.type
class IntakeMutation:
    @strawberry.mutation(
        description="Store up to 1,000 records and start the jobs that the triggers ask for."
        " One bad record does not refuse the others."
    )
    async def upsert_records(self, info: Info, records: list[RecordInput]) -> UpsertRecordsPayload:
        sent = _sent(records)
        shown = wanted_of(info, JOB, "results", "job")
        return UpsertRecordsPayload.of(await operations.upsert_records(info.context, sent, shown))
