"""Records as a client sends them, and what became of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType
from models.record import Record
from models.record.row import RecordRow
from models.record.shown import ShownRecord
from resolvers.errors import OperationError
from resolvers.record.api import UpsertOutcome
from resolvers.record.store import RecordOutcome
from service.http.problem import Fault
from service.http.shape import Count, Id, Sent, Shape
from service.rest.description.json_schema import in_any_case
from service.rest.shapes import job


class RecordInput(Sent, frozen=True):
    """One record as the CRM has it."""

    entity_type: Annotated[str, in_any_case(EntityType)]
    external_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | int, Meta(description="The CRM's own id.")
    ]
    fields: Annotated[
        dict[str, Any], Meta(description="By field name. Unknown fields are kept as they are, never enriched.")
    ]
    observed_at: (
        Annotated[
            datetime | None,
            Meta(description="When the CRM saw this. Without it nobody knows how old the values are."),
        ]
        | UnsetType
    ) = UNSET
    observed_at_by_field: (
        Annotated[dict[str, datetime] | None, Meta(description="When the CRM saw single fields, by field name.")]
        | UnsetType
    ) = UNSET


class RecordsRequest(Sent, frozen=True):
    """Up to 1,000 records."""

    records: Annotated[list[RecordInput], Meta(max_length=1000)]


class RefusedField(Shape, frozen=True):
    """A value that cannot be read. It is kept as it was sent."""

    field: str
    value: Any
    reason: str


class UnreadableValue(Shape, frozen=True):
    """What the CRM sent for a field and cannot be read. It fills the field, as the CRM's value."""

    field: str
    raw: Annotated[Any, Meta(description="As it was sent.")]
    reason: str

    @classmethod
    def all_of(cls, record: Record | RecordRow | ShownRecord | None) -> list[Self]:
        """Those of a record."""
        texts = record.unreadable or {} if record else {}
        return [cls(field=name, raw=text["raw"], reason=text["reason"]) for name, text in texts.items()]


class RecordError(Shape, frozen=True):
    """Why the record was refused."""

    code: str
    message: str
    errors: Annotated[list[Fault], Meta(description="The first hundred.")]
    more_errors: Annotated[Count, Meta(description="How many there are beside those of `errors`.")]

    @classmethod
    def of(cls, error: OperationError) -> Self:
        faults = [Fault.of(fault) for fault in error.faults]
        return cls.copied(error, errors=faults, more_errors=error.more_faults)


class RecordResult(Shape, frozen=True):
    """What happened to one record."""

    index: Annotated[Count, Meta(description="Its position in the request, from 0.")]
    outcome: RecordOutcome
    record_id: Id | None
    external_id: str | None
    entity_type: str | None
    job_id: Annotated[
        Id | None,
        Meta(
            description="The job it started or was folded into; sent again unchanged within a day: the one of before."
        ),
    ]
    folded: Annotated[bool, Meta(description="Whether the job had been started before.")]
    refused_fields: list[RefusedField]
    unreadable: Annotated[list[UnreadableValue], Meta(description="All that the record holds and cannot be read.")]
    late_fields: Annotated[
        list[str],
        Meta(description="Left alone: the CRM or a reviewer set them after what was sent was observed."),
    ]
    error: RecordError | None

    @classmethod
    def of(cls, outcome: UpsertOutcome, sent: Any) -> Self:
        """`sent` is the input of this outcome; where it was refused, its own name for itself is shown."""
        record, job, error = outcome.record, outcome.job, outcome.error
        return cls.copied(
            outcome,
            record_id=record and record.id,
            external_id=record.external_id if record else _text_of(sent, "externalId"),
            entity_type=record.entity_type if record else _text_of(sent, "entityType"),
            job_id=job and job.id,
            late_fields=list(outcome.late_fields),
            refused_fields=[RefusedField.copied(refused) for refused in outcome.refused_fields],
            unreadable=UnreadableValue.all_of(record),
            error=error and RecordError.of(error),
        )


def _text_of(sent: Any, key: str) -> str | None:
    value = sent.get(key) if isinstance(sent, Mapping) else None
    return str(value) if isinstance(value, str | int) else None


class RecordsAnswer(Shape, frozen=True):
    """The outcome of each record, in the order in which they were sent, and how many ended so."""

    results: list[RecordResult]
    created: Count
    changed: Count
    unchanged: Count
    refused: Count

    @classmethod
    def of(cls, outcomes: Sequence[UpsertOutcome], sent: Sequence[Any]) -> Self:
        """`sent` are the inputs that the outcomes answer, in order."""
        counts = Counter(outcome.outcome for outcome in outcomes)
        return cls(
            results=[RecordResult.of(outcome, sent[outcome.index]) for outcome in outcomes],
            created=counts[RecordOutcome.CREATED],
            changed=counts[RecordOutcome.CHANGED],
            unchanged=counts[RecordOutcome.UNCHANGED],
            refused=counts[RecordOutcome.REFUSED],
        )


REQUEST_EXAMPLE = RecordsRequest(
    records=[
        RecordInput(
            entity_type=EntityType.ACCOUNT,
            external_id="acc-1042",
            fields={"name": "Example Industries, Inc.", "website": "HTTP://WWW.EXAMPLE.COM/"},
        ),
        RecordInput(
            entity_type=EntityType.LEAD,
            external_id="lead-77",
            fields={"email": "ada.lovelace@example.com", "phone": "12"},
        ),
    ]
)
EXAMPLE = RecordsAnswer.example(
    results=[
        RecordResult.example(
            outcome=RecordOutcome.CREATED,
            record_id=job.EXAMPLE.record_id,
            external_id="acc-1042",
            entity_type=EntityType.ACCOUNT,
            job_id=job.EXAMPLE.id,
        ),
        RecordResult.example(
            index=1,
            outcome=RecordOutcome.CREATED,
            record_id="01936f2a-6f02-7b90-a1f4-93f1c8a0d77f",
            external_id="lead-77",
            entity_type=EntityType.LEAD,
            job_id="01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a11",
            refused_fields=[RefusedField(field="phone", value="12", reason="not a phone number")],
            unreadable=[UnreadableValue(field="phone", raw="12", reason="not a phone number")],
        ),
    ],
    created=2,
)
