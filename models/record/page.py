"""Pages of records and of the values that their fields have had, as the API shows them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.queryset import QuerySet

from enrichment.enums import EntityType
from models.db.ordered import ordered_page
from models.db.paging import Keyset, Page, first_pages, newest_of_records
from models.db.printed import Printed
from models.db.statements import one_of, texts
from models.db.wanted import EVERYTHING, Wanted, also
from models.db.where import NOTHING, Where, where
from models.record.enriched import by_enrichment, enriched_in, never_enriched
from models.record.shown import RECORDS, VALUES, ShownRecord, ShownValue
from models.record.table import FieldValue, Record
from models.record.trigrams import holding


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records. `completeness_below` and `completeness_at_least` are 0 to 1.

    `search` looks in names, e-mail, domain and external id.
    """

    entity_type: EntityType | None = None
    external_ids: tuple[str, ...] | None = None
    search: str | None = None
    completeness_below: float | None = None
    completeness_at_least: float | None = None
    enriched_before: datetime | None = None
    enriched_after: datetime | None = None
    never_enriched: bool | None = None


async def find_record(organization_id: str, entity_type: EntityType, external_id: str) -> Record | None:
    """The record with the CRM's own id."""
    return await Record.get_or_none(organization_id=organization_id, entity_type=entity_type, external_id=external_id)


async def shown_records(
    organization_id: str, record_ids: Sequence[str], wanted: Wanted = EVERYTHING
) -> list[ShownRecord]:
    """Those of the records that are the organization's."""
    return await RECORDS.fetch(organization_id, Where(f" AND {one_of('id')}", (texts(record_ids),)), wanted)


async def record_page(
    organization_id: str, filter: RecordFilter, keyset: Keyset, wanted: Wanted | Printed = EVERYTHING
) -> Page[ShownRecord]:
    """A page of the records that a filter names, in the order of the keyset.

    In the order of when they were enriched last, those that never were come last, the newest of them first.
    """
    found = where(Record, _conditions(filter))
    if filter.external_ids == ():
        found += NOTHING
    elif (text := _searched(filter)) is not None:
        found += await holding(text)
    found += await enriched_in(organization_id, filter.entity_type, filter.enriched_after, filter.enriched_before)
    if keyset.by is None:
        return await RECORDS.page(organization_id, found, keyset, wanted)
    entity_type = filter.entity_type
    says_when = filter.enriched_before is not None or filter.enriched_after is not None
    never = (
        NOTHING if says_when or filter.never_enriched is False else await never_enriched(organization_id, entity_type)
    )

    def enriched(of: Keyset) -> Where:
        return NOTHING if filter.never_enriched else by_enrichment(organization_id, entity_type, found, of)

    def others(of: Keyset) -> Where:
        return NOTHING if never == NOTHING else found + never + of.bounds

    return await ordered_page(RECORDS, organization_id, keyset, wanted, every=found, keyed=enriched, keyless=others)


def filtered(organization_id: str, filter: RecordFilter) -> QuerySet[Record]:
    """The records of an organization that a filter names."""
    given = {name: value for name, value in _conditions(filter).items() if value is not None}
    return Record.filter(organization_id=organization_id, **given)


def _conditions(filter: RecordFilter) -> dict[str, Any]:
    by_index_of_type = (
        *(filter.external_ids, filter.never_enriched),
        *(filter.completeness_below, filter.completeness_at_least),
        *(filter.enriched_before, filter.enriched_after),
    )
    every_type = None if all(value is None for value in by_index_of_type) else tuple(EntityType)
    return {
        "entity_type__in": every_type if filter.entity_type is None else (filter.entity_type,),
        "external_id__in": filter.external_ids,
        "search_text__contains": _searched(filter),
        "completeness__lt": filter.completeness_below,
        "completeness__gte": filter.completeness_at_least,
        "last_enriched_at__lt": filter.enriched_before,
        "last_enriched_at__gt": filter.enriched_after,
        "last_enriched_at__isnull": filter.never_enriched,
    }


def _searched(filter: RecordFilter) -> str | None:
    return (filter.search or "").strip().lower() or None


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


async def current_values(
    organization_id: str, record_ids: Sequence[str], wanted: Wanted = EVERYTHING
) -> list[ShownValue]:
    """The current values of all fields of these records, also of those that were cleared."""
    return await VALUES.fetch(
        organization_id,
        where(FieldValue, {"replaced_at__isnull": True}) + _any_of("record_id", record_ids),
        also(wanted, "record_id", "field", "value"),
    )


async def value_page(
    organization_id: str, record_id: str, field: str | None, keyset: Keyset, wanted: Wanted = EVERYTHING
) -> Page[ShownValue]:
    """A page of the values that the fields (or one field) of a record have had, newest first."""
    return await VALUES.page(organization_id, _of_record(record_id, field), keyset, wanted)


async def first_value_pages(
    organization_id: str,
    record_ids: Sequence[str],
    field: str | None,
    size: int,
    wanted: Wanted = EVERYTHING,
    *,
    backwards: bool = False,
) -> dict[str, Page[ShownValue]]:
    """The first page of each of these records (`backwards`: the last), with two statements for all of them."""
    ids = await newest_of_records(
        "field_value", organization_id, record_ids, size + 1, field=field, backwards=backwards
    )
    values = await VALUES.fetch(organization_id, _any_of("id", ids), also(wanted, "record_id"))

    def count(record_id: str) -> Callable[[], Awaitable[int]]:
        async def counted() -> int:
            return await VALUES.count(organization_id, _of_record(record_id, field))

        return counted

    return first_pages(record_ids, values, size, count, of="history", backwards=backwards)


def _of_record(record_id: str, field: str | None) -> Where:
    return where(FieldValue, {"record_id": record_id, "field": field})


def _any_of(name: str, ids: Sequence[str]) -> Where:
    """The values with any of these ids; none where there are none."""
    return where(FieldValue, {f"{name}__in": tuple(ids)}) if ids else NOTHING
