"""Finding an organization's records by what they hold, for suppression and erasure."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from enrichment.enums import EntityType
from models.db.connection import dialect
from models.db.rows import fetch, projection, select
from models.record.table import Record

_READ_AT_ONCE = 500


@projection(Record)
class RecordFields:
    """What a record holds."""

    id: str
    entity_type: EntityType
    fields: dict[str, Any]
    raw_values: dict[str, Any] | None


@projection(Record)
class RecordName:
    """A record by the CRM's own id."""

    entity_type: EntityType
    external_id: str


async def every_record(organization_id: str) -> AsyncIterator[RecordFields]:
    """All records of the organization, in the order of their creation."""
    sql = f"SELECT {select(RecordFields)} FROM record WHERE organization_id = ? AND id > ? ORDER BY id LIMIT ?"
    after = ""
    while True:
        found = await fetch(RecordFields, sql, [organization_id, after, _READ_AT_ONCE])
        for record in found:
            yield record
        if len(found) < _READ_AT_ONCE:
            return
        after = found[-1].id


async def others_found_by(organization_id: str, record_id: str, texts: Sequence[str], most: int) -> list[RecordFields]:
    """Records other than this one whose search text holds any of these texts (lower case), the newest `most`."""
    sql = (
        f"SELECT {select(RecordFields)} FROM record WHERE organization_id = ? AND id <> ?"
        f" AND ({_holds('search_text', texts)}) ORDER BY id DESC LIMIT ?"
    )
    return await fetch(RecordFields, sql, [organization_id, record_id, *texts, most]) if texts else []


async def others_holding(organization_id: str, record_id: str, texts: Sequence[str], most: int) -> list[RecordName]:
    """Records other than this one that hold any of these texts (lower case), the oldest `most`."""
    fields = "LOWER(CAST(fields AS TEXT) || COALESCE(CAST(raw_values AS TEXT), ''))"
    sql = (
        f"SELECT {select(RecordName)} FROM record WHERE organization_id = ? AND id <> ?"
        f" AND ({_holds(fields, texts)}) ORDER BY id LIMIT ?"
    )
    return await fetch(RecordName, sql, [organization_id, record_id, *texts, most]) if texts else []


def _holds(text: str, parts: Sequence[str]) -> str:
    finds = f"INSTR({text}, ?) > 0" if dialect() == "sqlite" else f"POSITION(? IN {text}) > 0"
    return " OR ".join([finds] * len(parts))
