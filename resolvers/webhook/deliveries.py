"""What was sent to endpoints, and how that went: listed, sent again, or sent to try an endpoint. Admins only."""

from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.single import SingleEvent
from models.webhook.delivery import (
    DeliveryRow,
    NewDelivery,
    add_delivery,
    deliver_again,
    delivery_page,
    find_delivery,
)
from models.webhook.endpoint import EndpointRow, expect_delivery
from models.webhook.kinds import WebhookDeliveryStatus, WebhookStatus
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.errors import Erased, NotFound, StateConflict
from resolvers.paging import Page, PageArgs, check_id
from resolvers.webhook.api import get_endpoint
from resolvers.webhook.message import delivery_of


async def list_deliveries(
    ctx: Context, endpoint_id: str, status: WebhookDeliveryStatus | None, args: PageArgs, *, path: str = "id"
) -> Page[DeliveryRow]:
    """The deliveries of an endpoint, newest first. Raises NotFound."""
    endpoint = await get_endpoint(ctx, endpoint_id, path=path)
    return await delivery_page(endpoint.organization_id, endpoint.id, status, args.keyset("webhookDeliveries"))


async def get_delivery(ctx: Context, delivery_id: str) -> DeliveryRow:
    """One delivery. Raises NotFound."""
    found = await find_delivery(ctx.require(Role.ADMIN).organization_id, check_id(delivery_id))
    if found is None:
        raise NotFound("no such delivery")
    return found


async def redeliver(ctx: Context, delivery_id: str) -> DeliveryRow:
    """Send it once more, now and with the same id, whatever became of it before; to a paused one once it is resumed.

    Raises NotFound, and Erased where nothing of it is left to send.
    """
    found = await get_delivery(ctx, delivery_id)
    await _redeliver(ctx, found)
    return await get_delivery(ctx, delivery_id)


@unit_of_work
async def _redeliver(tx: Transaction, ctx: Context, found: DeliveryRow) -> None:
    now = ctx.services.now()
    if not await deliver_again(tx, found.organization_id, found.id, now):
        raise Erased("the record of this delivery was erased: nothing is left to send")
    await expect_delivery(tx, found.organization_id, found.endpoint_id, now)
    await note_change(tx, ctx, "webhook_delivery.redelivered", found.id, {"endpoint": found.endpoint_id})


async def test_endpoint(ctx: Context, endpoint_id: str) -> DeliveryRow:
    """Send the endpoint an event of kind `webhook.test`, now: what becomes of it the delivery shows.

    Raises NotFound, and StateConflict where the endpoint is paused.
    """
    endpoint = await get_endpoint(ctx, endpoint_id)
    now = ctx.services.now()
    event = SingleEvent(endpoint.cursor, EventKind.WEBHOOK_TEST, now, None, None, endpoint_id=endpoint.id)
    message = f"evt_{new_id().replace('-', '')}"
    delivery = delivery_of(endpoint.organization_id, endpoint.id, event, now, message=message)
    await _test(ctx, endpoint, delivery)
    return await get_delivery(ctx, delivery.id)


@unit_of_work
async def _test(tx: Transaction, ctx: Context, endpoint: EndpointRow, delivery: NewDelivery) -> None:
    if await expect_delivery(tx, endpoint.organization_id, endpoint.id, delivery.created_at) is WebhookStatus.PAUSED:
        raise StateConflict("the endpoint is paused: resume it first", state=WebhookStatus.PAUSED.value)
    await add_delivery(tx, delivery)
    await note_change(tx, ctx, "webhook_endpoint.tested", endpoint.id)
