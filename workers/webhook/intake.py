"""Turns what the log of an organization has into deliveries of an endpoint, in order and without a gap."""

from datetime import datetime

from models.db.transaction import Transaction, unit_of_work
from models.event.cursor import OLDEST, EventCursor
from models.event.read import ends_of, rows_after
from models.event.single import SingleEvent, single_events
from models.webhook.delivery import NewDelivery, add_of_log
from models.webhook.queue import HeldEndpoint, advance_endpoint
from resolvers.webhook.message import delivery_of

_ROWS = 200  # of the log, in one unit of work


async def check_beginning(held: HeldEndpoint, now: datetime) -> bool:
    """Begin with the oldest event that is kept where the log does not reach back to the endpoint's cursor.

    Whether it did so: the endpoint then says that events were missed.
    """
    if (await ends_of(held.organization_id)).has(held.cursor):
        return False
    await _advance(held, OLDEST, (), missed_at=now)
    return True


async def take_in(held: HeldEndpoint, now: datetime) -> bool:
    """Make deliveries of the next events. Whether there were rows to read."""
    found = await rows_after(held.organization_id, held.cursor, _ROWS)
    if not found.rows:
        return False
    last = found.rows[-1]
    events = [event for row in found.rows for event in single_events(row) if event.cursor > held.cursor]
    deliveries = [delivery_of(held.organization_id, held.id, event, now) for event in events if _is_wanted(held, event)]
    await _advance(held, EventCursor(last.position, last.number + 1, -1), deliveries)
    return True


def _is_wanted(held: HeldEndpoint, event: SingleEvent) -> bool:
    of_kind = not held.kinds or event.kind.value in held.kinds
    return of_kind and (not held.entity_types or event.entity_type in held.entity_types)


@unit_of_work
async def _advance(
    tx: Transaction,
    held: HeldEndpoint,
    cursor: EventCursor,
    deliveries: list[NewDelivery] | tuple[()],
    *,
    missed_at: datetime | None = None,
) -> None:
    if await advance_endpoint(tx, held, cursor, missed_at=missed_at):
        await add_of_log(tx, deliveries)
