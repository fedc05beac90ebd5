"""Pages of records and of the values that their fields have had, as the API shows them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.queryset import QuerySet

from enrichment.enums import EntityType
from models.db.paging import Keyset, Page, fetch_page, first_pages, newest_of_records
from models.record.table import FieldValue, Record


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records. `completeness_below` is 0 to 1; `search` looks in names, e-mail, domain and external id."""

    entity_type: EntityType | None = None
    external_ids: tuple[str, ...] | None = None
    search: str | None = None
    completeness_below: float | None = None
    enriched_before: datetime | None = None
    never_enriched: bool | None = None


async def find_record(organization_id: str, entity_type: EntityType, external_id: str) -> Record | None:
    """The record with the CRM's own id."""
    return await Record.get_or_none(organization_id=organization_id, entity_type=entity_type, external_id=external_id)


async def record_page(organization_id: str, wanted: RecordFilter, keyset: Keyset) -> Page[Record]:
    """A page of the records that a filter names, newest first."""
    return await fetch_page(filtered(organization_id, wanted), keyset)


def filtered(organization_id: str, wanted: RecordFilter) -> QuerySet[Record]:
    """The records of an organization that a filter names."""
    conditions = {
        "entity_type": wanted.entity_type,
        "external_id__in": wanted.external_ids,
        "search_text__contains": (wanted.search or "").strip().lower() or None,
        "completeness__lt": wanted.completeness_below,
        "last_enriched_at__lt": wanted.enriched_before,
        "last_enriched_at__isnull": wanted.never_enriched,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    return Record.filter(organization_id=organization_id, **given)


async def selected_records(
    organization_id: str,
    entity_type: EntityType,
    wanted: RecordFilter,
    external_ids: Sequence[str] | None,
    limit: int,
) -> list[Record]:
    """The oldest `limit` records of a type that a filter names, and a list of external ids where there is one."""
    records = filtered(organization_id, wanted).filter(entity_type=entity_type)
    if external_ids is not None:
        records = records.filter(external_id__in=list(external_ids))
    return await records.order_by("id").limit(limit)


async def filled_values(organization_id: str, record_ids: Sequence[str]) -> list[FieldValue]:
    """The current values of all fields of these records that are filled."""
    values = FieldValue.filter(
        organization_id=organization_id, record_id__in=list(record_ids), replaced_at__isnull=True
    )
    return [value for value in await values if value.value is not None]


async def value_page(organization_id: str, record_id: str, field: str | None, keyset: Keyset) -> Page[FieldValue]:
    """A page of the values that the fields (or one field) of a record have had, newest first."""
    return await fetch_page(_values(organization_id, record_id, field), keyset)


async def first_value_pages(
    organization_id: str, record_ids: Sequence[str], field: str | None, size: int
) -> dict[str, Page[FieldValue]]:
    """The first page of each of these records, with two statements for all of them."""
    ids = await newest_of_records("field_value", organization_id, record_ids, size + 1, field=field)
    values = await FieldValue.filter(organization_id=organization_id, id__in=ids)

    def count(record_id: str) -> Callable[[], Awaitable[int]]:
        return _values(organization_id, record_id, field).count

    return first_pages(record_ids, values, size, count, of="history")


def _values(organization_id: str, record_id: str, field: str | None) -> QuerySet[FieldValue]:
    values = FieldValue.filter(organization_id=organization_id, record_id=record_id)
    return values if field is None else values.filter(field=field)
