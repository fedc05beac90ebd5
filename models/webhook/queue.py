"""Which endpoints have something to be sent, and which worker serves each: one at a time, by a lease."""

from datetime import datetime

from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.rows import fetch as fetch_rows
from models.db.rows import fetch_one, projection, query_row, select
from models.db.statements import execute
from models.db.transaction import Transaction
from models.event.cursor import EventCursor
from models.event.read import HORIZON
from models.webhook.endpoint import WebhookEndpoint


@query_row
class WaitingEndpoint:
    """An endpoint that is to be served, and whose it is."""

    id: str
    organization_id: str


@projection(WebhookEndpoint)
class HeldEndpoint:
    """An endpoint as the worker knows it that holds its lease. Secrets are sealed."""

    id: str
    organization_id: str
    url: str
    kinds: list[str]
    entity_types: list[str]
    secret: str
    previous_secret: str | None
    previous_until: datetime | None
    cursor_position: int
    cursor_number: int
    cursor_part: int
    failing_since: datetime | None
    failures: int
    fence: int
    next_due_at: datetime | None

    @property
    def cursor(self) -> EventCursor:
        """Up to where the log has become deliveries."""
        return EventCursor(self.cursor_position, self.cursor_number, self.cursor_part)


_FREE = "status = 'active' AND (lease_until IS NULL OR lease_until <= ?)"


async def anything_active() -> bool:
    """Whether any endpoint is active at all."""
    return bool(await fetch_rows(WaitingEndpoint, f"{_ENDPOINTS} WHERE p.status = 'active' LIMIT 1"))


async def waiting_endpoints(now: datetime, most: int) -> list[WaitingEndpoint]:
    """The endpoints that nobody serves and that have something to send, or may have: served the longest ago first.

    That is: a delivery is due, the log goes on beyond their cursor, or who served them last was lost.
    """
    readable = "TRUE" if dialect() == "sqlite" else f"e.position < {HORIZON}"
    beyond = (
        "EXISTS (SELECT 1 FROM event e WHERE e.organization_id = p.organization_id"
        f" AND (e.position, e.number) >= (p.cursor_position, p.cursor_number) AND {readable})"
    )
    return await fetch_rows(
        WaitingEndpoint,
        f"{_ENDPOINTS} WHERE p.status = 'active' AND (p.lease_until IS NULL OR p.lease_until <= ?)"
        f" AND (p.lease_until IS NOT NULL OR p.quiet_until <= ? AND (p.next_due_at <= ? OR {beyond}))"
        " ORDER BY p.served_at, p.id LIMIT ?",
        [*[to_micros(now)] * 3, most],
    )


_ENDPOINTS = "SELECT p.id, p.organization_id FROM webhook_endpoint p"


async def claim_endpoint(endpoint: WaitingEndpoint, now: datetime, until: datetime) -> HeldEndpoint | None:
    """Take the lease of an endpoint; None where another worker was first."""
    return await fetch_one(
        HeldEndpoint,
        "UPDATE webhook_endpoint SET lease_until = ?, fence = fence + 1, served_at = ?"
        f" WHERE organization_id = ? AND id = ? AND {_FREE} RETURNING {select(HeldEndpoint)}",
        [to_micros(until), to_micros(now), endpoint.organization_id, endpoint.id, to_micros(now)],
    )


async def renew_endpoint(held: HeldEndpoint, until: datetime) -> HeldEndpoint | None:
    """The endpoint as it is now, with a longer lease; None where it is not held any more, or not active."""
    return await fetch_one(
        HeldEndpoint,
        "UPDATE webhook_endpoint SET lease_until = ? WHERE organization_id = ? AND id = ? AND fence = ?"
        f" AND status = 'active' RETURNING {select(HeldEndpoint)}",
        [to_micros(until), held.organization_id, held.id, held.fence],
    )


async def release_endpoint(held: HeldEndpoint, *, next_due_at: datetime | None, quiet_until: datetime | None) -> None:
    """Give the lease back. `next_due_at`: when a waiting delivery may be sent; `quiet_until`: nothing before then.

    Both give way to what was asked for since the endpoint was last read.
    """
    read = -1 if held.next_due_at is None else to_micros(held.next_due_at)
    await execute(
        "UPDATE webhook_endpoint SET lease_until = NULL,"
        " quiet_until = CASE WHEN COALESCE(next_due_at, -1) = ? THEN ? ELSE quiet_until END,"
        " next_due_at = CASE WHEN COALESCE(next_due_at, -1) = ? THEN ? ELSE next_due_at END"
        " WHERE organization_id = ? AND id = ? AND fence = ?",
        [
            read,
            0 if quiet_until is None else to_micros(quiet_until),
            read,
            None if next_due_at is None else to_micros(next_due_at),
            held.organization_id,
            held.id,
            held.fence,
        ],
    )


async def advance_endpoint(
    tx: Transaction, held: HeldEndpoint, cursor: EventCursor, *, missed_at: datetime | None = None
) -> bool:
    """Note up to where the log has become deliveries. False: it is held no more, or its cursor was moved.

    The first statement of the transaction that adds the deliveries: the endpoint stays locked until its end.
    """
    changed = await execute(
        "UPDATE webhook_endpoint SET cursor_position = ?, cursor_number = ?, cursor_part = ?,"
        " missed_at = COALESCE(?, missed_at) WHERE organization_id = ? AND id = ? AND fence = ?"
        " AND cursor_position = ? AND cursor_number = ? AND cursor_part = ?",
        [
            cursor.position,
            cursor.number,
            cursor.part,
            None if missed_at is None else to_micros(missed_at),
            held.organization_id,
            held.id,
            held.fence,
            *(held.cursor_position, held.cursor_number, held.cursor_part),
        ],
        using=tx,
    )
    return changed == 1


async def note_health(
    tx: Transaction, held: HeldEndpoint, *, failing_since: datetime | None, failures: int, delivered_at: datetime | None
) -> None:
    """Note how sending went: since when it fails, for how many rounds, and when something was last delivered."""
    await execute(
        "UPDATE webhook_endpoint SET failing_since = ?, failures = ?,"
        " last_delivered_at = COALESCE(?, last_delivered_at) WHERE organization_id = ? AND id = ? AND fence = ?",
        [
            None if failing_since is None else to_micros(failing_since),
            failures,
            None if delivered_at is None else to_micros(delivered_at),
            held.organization_id,
            held.id,
            held.fence,
        ],
        using=tx,
    )


async def reset_impossible_cursors(organization_id: str, now: datetime) -> int:
    """Have endpoints begin with the oldest event whose cursor this database has not had: it was restored elsewhere."""
    if dialect() == "sqlite":
        return 0
    return await execute(
        "UPDATE webhook_endpoint SET cursor_position = -1, cursor_number = -1, cursor_part = -1, missed_at = ?"
        " WHERE organization_id = ? AND cursor_position > pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
        [to_micros(now), organization_id],
    )
