"""Records and their values as they are shown: rows of what a page asks for."""

from datetime import datetime
from typing import Any

from enrichment.enums import EntityType
from models.db.parts import Many
from models.db.rows import projection
from models.db.selected import Selectable
from models.record.table import FieldValue, Record, is_dated


@projection(FieldValue)
class ShownValue:
    """What is shown of a value: see FieldValue."""

    id: str
    record_id: str
    field: str
    value: Any
    raw_value: Any | None
    unreadable: str | None
    source: str
    actor: str | None
    confidence: float
    job_id: str | None
    observed_at: datetime
    observed_at_known: bool | None
    first_observed_at: datetime | None
    verified_at: datetime | None
    verified_count: int
    written_at: datetime
    replaced_at: datetime | None
    accepted_from: dict[str, Any] | None

    @property
    def is_dated(self) -> bool:
        """Whether it is known when the source saw the value."""
        return is_dated(self)


@projection(Record)
class _RecordColumns:
    id: str
    entity_type: EntityType
    external_id: str
    fields: dict[str, Any]
    unreadable: dict[str, dict[str, Any]] | None
    completeness: float
    version: int
    last_enriched_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ShownRecord(_RecordColumns):
    """What is shown of a record: see Record. `current_values` are there also of fields that were cleared."""

    __slots__ = ("current_values",)

    current_values: list[ShownValue]


VALUES = Selectable(ShownValue, "field_value")
RECORDS = Selectable(
    ShownRecord,
    "record",
    current_values=Many(
        VALUES,
        "field_value.record_id = record.id AND field_value.organization_id = record.organization_id"
        " AND field_value.replaced_at IS NULL",
        order="id",
        only_named=True,
    ),
)
