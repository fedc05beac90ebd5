"""Reading records: by their ids, and page by page in order of their ids."""

from collections.abc import Sequence

from models.daily_count.read import counted_now
from models.daily_count.table import Measure
from models.db.rows import fetch, projection, query_row, select
from models.db.statements import marks
from models.record.table import Record

_AT_ONCE = 500


@projection(Record)
class _ExternalId:
    id: str
    external_id: str


@query_row
class _Last:
    id: str | None


async def count_records(organization_id: str) -> int:
    """How many records the organization has."""
    return await counted_now(organization_id, Measure.RECORD)


async def last_of_next(organization_id: str, after: str, size: int) -> str | None:
    """The id of the last of the next `size` records after this id; None when there are none left."""
    sql = (
        "SELECT MAX(id) AS id FROM (SELECT id FROM record WHERE organization_id = ? AND id > ?"
        " ORDER BY id LIMIT ?) AS page"
    )
    return (await fetch(_Last, sql, [organization_id, after, size]))[0].id


async def records_by_id(organization_id: str, record_ids: Sequence[str]) -> dict[str, Record]:
    """Those of the organization's records that are there, by id."""
    found = await Record.filter(organization_id=organization_id, id__in=list(record_ids)) if record_ids else []
    return {record.id: record for record in found}


async def external_ids_of(organization_id: str, record_ids: Sequence[str]) -> dict[str, str]:
    """The external ids of those of the organization's records that are there, by id."""
    found: dict[str, str] = {}
    for start in range(0, len(record_ids), _AT_ONCE):
        ids = record_ids[start : start + _AT_ONCE]
        sql = f"SELECT {select(_ExternalId)} FROM record WHERE organization_id = ? AND id IN ({marks(ids)})"
        found |= {row.id: row.external_id for row in await fetch(_ExternalId, sql, [organization_id, *ids])}
    return found
