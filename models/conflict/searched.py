"""Conflicts by a part of what their records can be found by: names, e-mail, domain and external id."""

from models.db.ordered import ids_where_few
from models.db.statements import one_of, texts
from models.db.where import NOTHING, Where, where
from models.record.table import Record
from models.record.trigrams import holding


async def about_records_with(organization_id: str, text: str) -> tuple[Where, bool]:
    """The condition that a conflict's record holds a text (lower case), and whether the few that do are named by it.

    Where there are many such records, their conflicts are met soon enough along the newest: each looks at its own.
    """
    holds = where(Record, {"search_text__contains": text})
    found = await ids_where_few("record", organization_id, holds + await holding(text), "id DESC")
    if found is not None:
        return Where(f" AND {one_of('record_id')}", (texts(found),)) if found else NOTHING, True
    # As a value, and not as EXISTS, which a planner may answer by reading all records first.
    of_record = (
        "(SELECT record.search_text FROM record WHERE record.id = conflict.record_id"
        " AND record.organization_id = conflict.organization_id)"
    )
    condition = holds.sql.removeprefix(" AND ").replace("search_text", of_record, 1)
    # Compared with 0, so that the planner expects most conflicts to hold it, and reads no more than those of the page.
    return Where(f" AND CASE WHEN {condition} THEN 1 ELSE 0 END <> 0", holds.values), False
