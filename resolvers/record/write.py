"""Writes known records as a request leaves them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.db.transaction import Transaction
from models.record.row import (
    ReachedVersion,
    ReceivedFields,
    RecordRow,
    RecordUpdate,
    set_versions,
    update_received,
    update_records,
)


async def write_records(tx: Transaction, records: Sequence[tuple[RecordRow, RecordRow]], now: datetime) -> None:
    """Store records that are another than they were: as they were and as they are, each once."""
    updates: list[RecordUpdate] = []
    received: list[ReceivedFields] = []
    reached: list[ReachedVersion] = []
    for before, after in records:
        if after is before:
            continue
        sent: dict[str, Any] = {
            "id": after.id,
            "received": after.received,
            "raw_values": after.raw_values,
            "unreadable": after.unreadable or {},
            "search_text": after.search_text,
            "completeness": after.completeness,
        }
        if after.version == before.version:
            received.append(ReceivedFields(**sent))
        else:
            updates.append(RecordUpdate(**sent, version=before.version, fields=after.fields))
        if after.version > before.version + 1:
            reached.append(ReachedVersion(after.id, after.version))
    await update_records(tx, updates, now)
    await set_versions(tx, reached)
    await update_received(tx, received)
