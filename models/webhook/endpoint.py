"""Endpoints of webhooks: where an organization is told what changed."""

from collections.abc import Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field, to_micros
from models.db.rows import fetch, fetch_one, insert, projection, select
from models.db.statements import dump, execute, one_of, query, texts
from models.db.transaction import Transaction
from models.event.cursor import EventCursor
from models.webhook.kinds import WebhookPause, WebhookStatus


class WebhookEndpoint(Model):
    """One endpoint. `kinds` and `entity_types` choose events; empty: all. Secrets are sealed.

    `missed_at`: when events were found to have been pruned before they were read. `failing_since`: the first attempt
    that failed since one succeeded; `failures` counts rounds of sending since then in which nothing succeeded.
    """

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    url = fields.TextField()
    description = fields.TextField(null=True)
    kinds = fields.JSONField[list[str]]()
    entity_types = fields.JSONField[list[str]]()
    status = fields.CharEnumField(WebhookStatus, max_length=16)
    paused_because = fields.CharEnumField(WebhookPause, max_length=16, null=True)
    paused_at: datetime | None = Instant(null=True)
    secret = fields.TextField()
    secret_set_at: datetime = Instant()
    previous_secret = fields.TextField(null=True)
    previous_until: datetime | None = Instant(null=True)
    cursor_position = fields.BigIntField()
    cursor_number = fields.BigIntField()
    cursor_part = fields.BigIntField()
    missed_at: datetime | None = Instant(null=True)
    failing_since: datetime | None = Instant(null=True)
    failures = fields.IntField()
    last_delivered_at: datetime | None = Instant(null=True)
    lease_until: datetime | None = Instant(null=True)
    fence = fields.IntField()
    served_at: datetime = Instant()
    next_due_at: datetime | None = Instant(null=True)
    quiet_until: datetime = Instant()
    created_at: datetime = Instant()
    created_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "webhook_endpoint"


@projection(WebhookEndpoint)
class NewEndpoint:
    """An endpoint to add."""

    id: str
    organization_id: str
    url: str
    description: str | None
    kinds: list[str]
    entity_types: list[str]
    secret: str
    secret_set_at: datetime
    cursor_position: int
    cursor_number: int
    cursor_part: int
    served_at: datetime
    quiet_until: datetime
    created_at: datetime
    created_by: str | None
    status: WebhookStatus = WebhookStatus.ACTIVE
    failures: int = 0
    fence: int = 0


@projection(WebhookEndpoint)
class EndpointRow:
    """An endpoint as it is shown: without its secrets."""

    id: str
    organization_id: str
    url: str
    description: str | None
    kinds: list[str]
    entity_types: list[str]
    status: WebhookStatus
    paused_because: WebhookPause | None
    paused_at: datetime | None
    secret_set_at: datetime
    previous_until: datetime | None
    cursor_position: int
    cursor_number: int
    cursor_part: int
    missed_at: datetime | None
    failing_since: datetime | None
    last_delivered_at: datetime | None
    created_at: datetime
    created_by: str | None

    @property
    def cursor(self) -> EventCursor:
        """Up to where the log has become deliveries."""
        return EventCursor(self.cursor_position, self.cursor_number, self.cursor_part)


async def add_endpoint(tx: Transaction, endpoint: NewEndpoint) -> None:
    """Add an endpoint."""
    await insert(tx, [endpoint])


async def endpoints_of(organization_id: str) -> list[EndpointRow]:
    """The endpoints of an organization, oldest first."""
    sql = f"SELECT {select(EndpointRow)} FROM webhook_endpoint WHERE organization_id = ? ORDER BY id"
    return await fetch(EndpointRow, sql, [organization_id])


async def find_endpoint(
    organization_id: str, endpoint_id: str, *, using: Transaction | None = None
) -> EndpointRow | None:
    """One endpoint of an organization."""
    sql = f"SELECT {select(EndpointRow)} FROM webhook_endpoint WHERE organization_id = ? AND id = ?"
    return await fetch_one(EndpointRow, sql, [organization_id, endpoint_id], using=using)


async def endpoints_by_id(organization_id: str, ids: Sequence[str]) -> list[EndpointRow]:
    """Those of these endpoints that there are."""
    sql = f"SELECT {select(EndpointRow)} FROM webhook_endpoint WHERE organization_id = ? AND {one_of('id')}"
    return await fetch(EndpointRow, sql, [organization_id, texts(ids)])


async def change_endpoint(tx: Transaction, endpoint: EndpointRow) -> bool:
    """Store its address, description and choice of events. False: it is gone."""
    changed = await execute(
        "UPDATE webhook_endpoint SET url = ?, description = ?, kinds = ?, entity_types = ?"
        " WHERE organization_id = ? AND id = ?",
        [
            endpoint.url,
            endpoint.description,
            dump(endpoint.kinds),
            dump(endpoint.entity_types),
            endpoint.organization_id,
            endpoint.id,
        ],
        using=tx,
    )
    return changed == 1


async def pause_endpoint(
    tx: Transaction, organization_id: str, endpoint_id: str, because: WebhookPause, now: datetime
) -> bool:
    """Send it nothing more. False: it was not active."""
    changed = await execute(
        "UPDATE webhook_endpoint SET status = 'paused', paused_because = ?, paused_at = ?"
        " WHERE organization_id = ? AND id = ? AND status = 'active'",
        [because.value, to_micros(now), organization_id, endpoint_id],
        using=tx,
    )
    return changed == 1


async def resume_endpoint(tx: Transaction, organization_id: str, endpoint_id: str, now: datetime) -> bool:
    """Send again, from where it was. False: it was not paused."""
    changed = await execute(
        "UPDATE webhook_endpoint SET status = 'active', paused_because = NULL, paused_at = NULL, failing_since = NULL,"
        " failures = 0, quiet_until = 0, next_due_at = ? WHERE organization_id = ? AND id = ? AND status = 'paused'",
        [to_micros(now), organization_id, endpoint_id],
        using=tx,
    )
    return changed == 1


async def rotate_secret(
    tx: Transaction, organization_id: str, endpoint_id: str, sealed: str, now: datetime, previous_until: datetime
) -> bool:
    """Sign with this secret, and until then with the present one besides. False: the endpoint is gone."""
    changed = await execute(
        "UPDATE webhook_endpoint SET previous_secret = secret, previous_until = ?, secret = ?, secret_set_at = ?"
        " WHERE organization_id = ? AND id = ?",
        [to_micros(previous_until), sealed, to_micros(now), organization_id, endpoint_id],
        using=tx,
    )
    return changed == 1


async def move_cursor(
    tx: Transaction, organization_id: str, endpoint_id: str, cursor: EventCursor, now: datetime
) -> bool:
    """Read the log from this cursor on, now. False: the endpoint is gone."""
    changed = await execute(
        "UPDATE webhook_endpoint SET cursor_position = ?, cursor_number = ?, cursor_part = ?, quiet_until = 0,"
        " next_due_at = ? WHERE organization_id = ? AND id = ?",
        [cursor.position, cursor.number, cursor.part, to_micros(now), organization_id, endpoint_id],
        using=tx,
    )
    return changed == 1


async def expect_delivery(tx: Transaction, organization_id: str, endpoint_id: str, now: datetime) -> WebhookStatus:
    """Have the endpoint served now, since a delivery was added to it. Returns how it stands; it must be there."""
    [found] = await query(
        "UPDATE webhook_endpoint SET next_due_at = ?, quiet_until = 0 WHERE organization_id = ? AND id = ?"
        " RETURNING status",
        [to_micros(now), organization_id, endpoint_id],
        using=tx,
    )
    return WebhookStatus(found["status"])


async def lock_endpoints(tx: Transaction, organization_id: str) -> Sequence[str]:
    """The ids of an organization's endpoints, locked until the transaction ends: no delivery is added meanwhile."""
    found = await query(
        "UPDATE webhook_endpoint SET fence = fence WHERE organization_id = ? RETURNING id", [organization_id], using=tx
    )
    return [row["id"] for row in found]


async def delete_endpoint(tx: Transaction, organization_id: str, endpoint_id: str) -> bool:
    """Remove an endpoint with its deliveries. Whether there was one."""
    sql = "DELETE FROM webhook_endpoint WHERE organization_id = ? AND id = ?"
    return bool(await execute(sql, [organization_id, endpoint_id], using=tx))
