"""Adding to the log, in the transaction that makes the change: one statement, however many rows."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from itertools import count
from typing import Any

from enrichment.enums import EntityType
from models.db.connection import dialect
from models.db.rows import bulk, columns_of, insert, projection
from models.db.statements import execute
from models.db.transaction import Transaction
from models.event.kinds import EventKind
from models.event.table import Event

_numbers = count()  # rows of one transaction all come from one process


@projection(Event)
class NewEvent:
    """A row to add. `data` has what `models.event.single` reads for its kind: ids, names of fields, counts."""

    organization_id: str
    at: datetime
    kind: EventKind
    entity_type: EntityType | None = None
    record_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    number: int = field(default_factory=lambda: next(_numbers))


async def add_events(tx: Transaction, events: Sequence[NewEvent]) -> None:
    """Add these rows to the logs of their organizations, in order."""
    if dialect() == "postgresql":
        await insert(tx, events)  # `position` is the transaction's id, by default
    elif events:
        names = ", ".join(columns_of(NewEvent))
        source, parameter = bulk(events)
        latest = "SELECT MAX(e.position) FROM event e WHERE e.organization_id = v.organization_id"
        floor = "SELECT f.position FROM event_floor f WHERE f.organization_id = v.organization_id"
        await execute(
            f"INSERT INTO event ({names}, position)"
            f" SELECT {names}, 1 + COALESCE(({latest}), ({floor}), 0) FROM {source}",
            [parameter],
            using=tx,
        )
