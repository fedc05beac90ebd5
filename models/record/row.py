"""Rows of records, and the statements that read, lock and write them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from enrichment.enums import EntityType
from models.db.columns import to_micros
from models.db.copying import add_rows
from models.db.locks import for_update, lock_rows
from models.db.rows import bulk, columns_of, fetch, projection, select
from models.db.statements import execute, marks, one_of, query, texts
from models.db.transaction import Transaction
from models.record.table import Record


@projection(Record)
class RecordRow:
    """A whole record."""

    id: str
    organization_id: str
    entity_type: EntityType
    external_id: str
    fields: dict[str, Any]
    received: dict[str, Any]
    raw_values: dict[str, Any] | None
    unreadable: dict[str, dict[str, Any]] | None
    search_text: str
    completeness: float
    version: int
    last_enriched_at: datetime | None
    refreshed_at: datetime | None
    created_at: datetime
    updated_at: datetime


@projection(Record)
class RecordUpdate:
    """A record's values after a change. `version` is the one that they were read at.

    `received` and `raw_values` are None where they stay as they are: only a message of the CRM changes them, and an
    undo. So are `last_enriched_at` and `refreshed_at` (see `mark_enriched`), which only the end of a job changes.
    """

    id: str
    version: int
    fields: dict[str, Any]
    unreadable: dict[str, dict[str, Any]]
    search_text: str
    completeness: float
    received: dict[str, Any] | None = None
    raw_values: dict[str, Any] | None = None
    last_enriched_at: datetime | None = None
    refreshed_at: datetime | None = None


@projection(Record)
class ReceivedFields:
    """What the CRM last sent of a record, where that is no change of it."""

    id: str
    received: dict[str, Any]
    raw_values: dict[str, Any]
    unreadable: dict[str, dict[str, Any]]
    search_text: str
    completeness: float


async def add_records(tx: Transaction, records: Sequence[RecordRow]) -> None:
    """Add records. Raises RowRefused where an external id is known already."""
    await add_rows(tx, records)


async def find_by_external_id(
    organization_id: str, entity_type: EntityType, external_ids: Collection[str], *, using: Transaction | None = None
) -> list[RecordRow]:
    """Those of the organization's records that are there."""
    if not external_ids:
        return []
    sql = (
        f"SELECT {select(RecordRow)} FROM record WHERE organization_id = ? AND entity_type = ?"
        f" AND {one_of('external_id')}"
    )
    return await fetch(RecordRow, sql, [organization_id, entity_type.value, texts(external_ids)], using=using)


async def update_records(tx: Transaction, changes: Sequence[RecordUpdate], now: datetime) -> set[str]:
    """Change records that still have the named `version`, and raise it. Returns the ids changed."""
    if not changes:
        return set()
    source, parameter = bulk(changes)
    changed = await query(
        "UPDATE record SET fields = v.fields, received = COALESCE(v.received, record.received),"
        " raw_values = COALESCE(v.raw_values, record.raw_values), unreadable = v.unreadable,"
        " search_text = v.search_text, completeness = v.completeness, version = record.version + 1, updated_at = ?,"
        " last_enriched_at = COALESCE(v.last_enriched_at, record.last_enriched_at),"
        " refreshed_at = COALESCE(v.refreshed_at, record.refreshed_at)"
        f" FROM {source} WHERE record.id = v.id AND record.version = v.version RETURNING record.id",
        [to_micros(now), parameter],
        using=tx,
    )
    return {row["id"] for row in changed}


@projection(Record)
class ReachedVersion:
    """The version that a record has once all that one request changed of it is stored."""

    id: str
    version: int


async def set_versions(tx: Transaction, reached: Sequence[ReachedVersion]) -> None:
    """Give records, which this transaction has locked, the version that several changes at once lead to."""
    if reached:
        source, parameter = bulk(reached)
        await execute(
            f"UPDATE record SET version = v.version FROM {source} WHERE record.id = v.id", [parameter], using=tx
        )


@projection(Record)
class RecordVersion:
    """A record as it is now, and the version that it has."""

    id: str
    external_id: str
    version: int
    fields: dict[str, Any]
    received: dict[str, Any]
    raw_values: dict[str, Any] | None
    unreadable: dict[str, dict[str, Any]] | None
    created_at: datetime
    last_enriched_at: datetime | None


async def record_versions(record_ids: Collection[str]) -> list[RecordVersion]:
    """Those of the records that are there; the ids were read with their organization."""
    if not record_ids:
        return []
    sql = f"SELECT {select(RecordVersion)} FROM record WHERE id IN ({marks(record_ids)})"
    return await fetch(RecordVersion, sql, list(record_ids))


async def records_of(tx: Transaction | None, organization_id: str, record_ids: Collection[str]) -> dict[str, RecordRow]:
    """These records of the organization by id. One that is not there is left out."""
    if not record_ids:
        return {}
    sql = f"SELECT {select(RecordRow)} FROM record WHERE organization_id = ? AND id IN ({marks(record_ids)})"
    return {row.id: row for row in await fetch(RecordRow, sql, [organization_id, *record_ids], using=tx)}


async def lock_by_external_id(
    tx: Transaction, organization_id: str, entity_type: EntityType, external_ids: Sequence[str]
) -> list[RecordRow]:
    """These records, locked in one order for everyone until the transaction ends; a write must come before."""
    if not external_ids:
        return []
    sql = (
        f"SELECT {select(RecordRow)} FROM record WHERE organization_id = ? AND entity_type = ?"
        f" AND {one_of('external_id')} ORDER BY external_id {for_update()}"
    )
    return await fetch(RecordRow, sql, [organization_id, entity_type.value, texts(external_ids)], using=tx)


async def update_received(tx: Transaction, messages: Sequence[ReceivedFields]) -> None:
    """Note what the CRM last sent. That is no change: the records keep their versions."""
    if messages:
        source, parameter = bulk(messages)
        noted = ", ".join(f"{column} = v.{column}" for column in columns_of(ReceivedFields, without=["id"]))
        await execute(f"UPDATE record SET {noted} FROM {source} WHERE record.id = v.id", [parameter], using=tx)


async def lock_records(tx: Transaction, record_ids: Iterable[str]) -> dict[str, int]:
    """The versions of these records, locked in one order for everyone until the transaction ends."""
    locked = await lock_rows(tx, "record", record_ids, columns="id, version", idle="version")
    return {row["id"]: row["version"] for row in locked}


async def mark_enriched(tx: Transaction, record_ids: Sequence[str], now: datetime, *, refreshed: bool = False) -> None:
    """Note when these records, of which no value changes, were last enriched; that is no change of them.

    `refreshed`: what enrichment itself had written was looked up again.
    """
    if record_ids:
        columns = ("last_enriched_at", "refreshed_at") if refreshed else ("last_enriched_at",)
        renewed = ", ".join(f"{column} = ?" for column in columns)
        sql = f"UPDATE record SET {renewed} WHERE {one_of('id')}"
        await execute(sql, [*[to_micros(now)] * len(columns), texts(record_ids)], using=tx)
