"""In which table a row is whose id alone is known. Ids are UUIDv7: no two tables have the same."""

from collections.abc import Sequence

from models.db.rows import fetch, query_row
from models.db.statements import one_of, texts


@query_row
class _Held:
    held_in: str
    id: str


async def tables_of(organization_id: str, ids: Sequence[str], tables: Sequence[str]) -> dict[str, str]:
    """Of these ids of rows those that are in one of these tables and are the organization's, with the table."""
    if not ids:
        return {}
    sql = " UNION ALL ".join(
        f"SELECT '{table}' AS held_in, id FROM {table} WHERE organization_id = ? AND {one_of('id')}" for table in tables
    )
    given = [organization_id, texts(ids)] * len(tables)
    return {row.id: row.held_in for row in await fetch(_Held, sql, given)}
