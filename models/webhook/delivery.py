"""Deliveries of webhooks: one event for one endpoint, with every attempt to send it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, from_micros, id_field, to_micros
from models.db.paging import Keyset, Page, counted
from models.db.rows import bulk, columns_of, fetch, fetch_one, insert, projection, query_row, select
from models.db.statements import execute, one_of, texts
from models.db.transaction import Transaction
from models.db.where import Where
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.webhook.kinds import WebhookDeliveryStatus, WebhookFault


class WebhookDelivery(Model):
    """One event for one endpoint. `data` is what is sent, but for the record's external id, which is read then.

    `tries` counts the attempts of this round, `attempts` lists the last ones of all rounds; a round begins with the
    delivery and each time that it is asked for again. `give_up_at` follows from the round's first failure.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    endpoint_id = fields.CharField(max_length=36)
    message_id = fields.CharField(max_length=36)
    kind = fields.CharEnumField(EventKind, max_length=24)
    at: datetime = Instant()
    position = fields.BigIntField()
    number = fields.BigIntField()
    part = fields.BigIntField()
    record_id = fields.CharField(max_length=36, null=True)
    subject = fields.CharField(max_length=36)
    data = fields.JSONField[dict[str, Any]]()
    status = fields.CharEnumField(WebhookDeliveryStatus, max_length=16)
    tries = fields.IntField()
    attempts = fields.JSONField[list[dict[str, Any]]]()
    due_at: datetime | None = Instant(null=True)
    give_up_at: datetime | None = Instant(null=True)
    created_at: datetime = Instant()
    ended_at: datetime | None = Instant(null=True)

    class Meta:
        table = "webhook_delivery"


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One request of a delivery. `status`: of the answer, where there was one; `fault` None: it arrived."""

    at: datetime
    status: int | None
    fault: WebhookFault | None
    milliseconds: int

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """As `attempts` holds it."""
        fault = stored["fault"]
        return cls(
            from_micros(stored["at"]),
            stored["status"],
            None if fault is None else WebhookFault(fault),
            stored["milliseconds"],
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "at": to_micros(self.at),
            "status": self.status,
            "fault": self.fault and self.fault.value,
            "milliseconds": self.milliseconds,
        }


@projection(WebhookDelivery)
class NewDelivery:
    """A delivery to add."""

    id: str
    organization_id: str
    endpoint_id: str
    message_id: str
    kind: EventKind
    at: datetime
    position: int
    number: int
    part: int
    record_id: str | None
    subject: str
    data: Mapping[str, Any]
    due_at: datetime | None
    created_at: datetime
    status: WebhookDeliveryStatus = WebhookDeliveryStatus.PENDING
    tries: int = 0
    attempts: Sequence[Mapping[str, Any]] = ()


@projection(WebhookDelivery)
class DeliveryRow:
    """A delivery as it is shown."""

    id: str
    organization_id: str
    endpoint_id: str
    message_id: str
    kind: EventKind
    at: datetime
    position: int
    number: int
    part: int
    record_id: str | None
    status: WebhookDeliveryStatus
    attempts: list[dict[str, Any]]
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def made(self) -> list[WebhookAttempt]:
        """Its last attempts, oldest first."""
        return [WebhookAttempt.read(stored) for stored in self.attempts]

    @property
    def cursor(self) -> EventCursor:
        """Of its event."""
        return EventCursor(self.position, self.number, self.part)


@projection(WebhookDelivery)
class DueDelivery:
    """A delivery that is to be sent now."""

    id: str
    message_id: str
    kind: EventKind
    record_id: str | None
    data: dict[str, Any]
    tries: int
    attempts: list[dict[str, Any]]
    give_up_at: datetime | None


@projection(WebhookDelivery)
class SentDelivery:
    """What an attempt has led to."""

    id: str
    status: WebhookDeliveryStatus
    tries: int
    attempts: list[dict[str, Any]]
    due_at: datetime | None
    give_up_at: datetime | None
    ended_at: datetime | None


@query_row
class WaitingDeliveries:
    """How many deliveries of an endpoint wait (up to a bound), and when the first of those is due that may be sent."""

    waiting: int
    next_due_at: datetime | None


_FIRST_OF_SUBJECT = (
    "NOT EXISTS (SELECT 1 FROM webhook_delivery e WHERE e.endpoint_id = d.endpoint_id AND e.subject = d.subject"
    " AND e.status = 'pending' AND e.id < d.id)"
)


async def add_of_log(tx: Transaction, items: Sequence[NewDelivery]) -> None:
    """Add deliveries of events that are still in the log: those of a record that was erased meanwhile are left out."""
    if not items:
        return
    names = columns_of(NewDelivery)
    source, parameter = bulk(items)
    await execute(
        f"INSERT INTO webhook_delivery ({', '.join(names)}) SELECT {', '.join(f'v.{name}' for name in names)}"
        f" FROM {source} WHERE EXISTS (SELECT 1 FROM event e WHERE e.organization_id = v.organization_id"
        " AND e.position = v.position AND e.number = v.number)",
        [parameter],
        using=tx,
    )


async def add_delivery(tx: Transaction, item: NewDelivery) -> None:
    """Add a delivery of what is in no log."""
    await insert(tx, [item])


async def delivery_page(
    organization_id: str, endpoint_id: str, status: WebhookDeliveryStatus | None, keyset: Keyset
) -> Page[DeliveryRow]:
    """A page of an endpoint's deliveries, newest first."""
    of_status = Where() if status is None else Where(" AND status = ?", (status.value,))
    wanted = Where(" AND endpoint_id = ?", (endpoint_id,)) + of_status
    bounded = wanted + keyset.bounds
    found = await fetch(
        DeliveryRow,
        f"SELECT {select(DeliveryRow)} FROM webhook_delivery WHERE organization_id = ?{bounded.sql}"
        f" ORDER BY id {'ASC' if keyset.backwards else 'DESC'} LIMIT ?",
        [organization_id, *bounded.values_of(organization_id), keyset.size + 1],
    )
    return keyset.page_of(found, lambda: counted("webhook_delivery", organization_id, wanted))


async def find_delivery(
    organization_id: str, delivery_id: str, *, using: Transaction | None = None
) -> DeliveryRow | None:
    """One delivery of an organization."""
    sql = f"SELECT {select(DeliveryRow)} FROM webhook_delivery WHERE organization_id = ? AND id = ?"
    return await fetch_one(DeliveryRow, sql, [organization_id, delivery_id], using=using)


async def deliveries_by_id(organization_id: str, ids: Sequence[str]) -> list[DeliveryRow]:
    """Those of these deliveries that there are."""
    sql = f"SELECT {select(DeliveryRow)} FROM webhook_delivery WHERE organization_id = ? AND {one_of('id')}"
    return await fetch(DeliveryRow, sql, [organization_id, texts(ids)])


async def due_deliveries(organization_id: str, endpoint_id: str, now: datetime, most: int) -> list[DueDelivery]:
    """The next deliveries of an endpoint that are due, oldest first: of each subject the first that waits alone."""
    return await fetch(
        DueDelivery,
        f"SELECT {select(DueDelivery, 'd')} FROM webhook_delivery d"
        " WHERE d.organization_id = ? AND d.endpoint_id = ? AND d.status = 'pending' AND d.due_at <= ?"
        f" AND {_FIRST_OF_SUBJECT} ORDER BY d.id LIMIT ?",
        [organization_id, endpoint_id, to_micros(now), most],
    )


async def waiting_deliveries(organization_id: str, endpoint_id: str, most: int) -> WaitingDeliveries:
    """What waits for an endpoint; it is counted up to `most`."""
    [found] = await fetch(
        WaitingDeliveries,
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM webhook_delivery c WHERE c.organization_id = ?"
        " AND c.endpoint_id = ? AND c.status = 'pending' LIMIT ?) AS counted) AS waiting,"
        " (SELECT MIN(d.due_at) FROM webhook_delivery d WHERE d.organization_id = ? AND d.endpoint_id = ?"
        f" AND d.status = 'pending' AND {_FIRST_OF_SUBJECT}) AS next_due_at",
        [organization_id, endpoint_id, most, organization_id, endpoint_id],
    )
    return found


async def note_sent(tx: Transaction, organization_id: str, sent: Sequence[SentDelivery]) -> None:
    """Note what attempts have led to. A delivery that waits no more, or whose round began anew, stays as it is."""
    if not sent:
        return
    names = [name for name in columns_of(SentDelivery) if name != "id"]
    source, parameter = bulk(sent)
    await execute(
        f"UPDATE webhook_delivery SET {', '.join(f'{name} = v.{name}' for name in names)} FROM {source}"
        " WHERE webhook_delivery.id = v.id AND webhook_delivery.organization_id = ?"
        " AND webhook_delivery.status = 'pending' AND webhook_delivery.tries = v.tries - 1",
        [parameter, organization_id],
        using=tx,
    )


async def deliver_again(tx: Transaction, organization_id: str, delivery_id: str, now: datetime) -> bool:
    """Begin a new round of attempts now. False: there is no such delivery, or nothing of it is left to send."""
    changed = await execute(
        "UPDATE webhook_delivery SET status = 'pending', tries = 0, due_at = ?, give_up_at = NULL, ended_at = NULL"
        " WHERE organization_id = ? AND id = ? AND status <> 'erased'",
        [to_micros(now), organization_id, delivery_id],
        using=tx,
    )
    return changed == 1


async def withdraw_after(tx: Transaction, organization_id: str, endpoint_id: str, cursor: EventCursor) -> int:
    """Remove the waiting deliveries of events after this cursor: they are about to come again from the log.

    A test, which stands in no log, stays.
    """
    return await execute(
        "DELETE FROM webhook_delivery WHERE organization_id = ? AND endpoint_id = ? AND status = 'pending'"
        " AND kind <> ? AND (position, number, part) > (?, ?, ?)",
        [organization_id, endpoint_id, EventKind.WEBHOOK_TEST.value, cursor.position, cursor.number, cursor.part],
        using=tx,
    )
