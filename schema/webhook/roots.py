"""Webhooks: endpoints are read and managed, deliveries read and sent again. Admins only."""

import strawberry

from models.event.kinds import EventKind
from models.webhook.kinds import WebhookDeliveryStatus
from resolvers.paging import DEFAULT_SIZE
from resolvers.webhook import api as operations
from resolvers.webhook import deliveries
from resolvers.webhook.api import OVERLAP_HOURS, EndpointChange
from schema.base.context import Info
from schema.base.enums import EntityType
from schema.base.paging import Connection, page_args
from schema.webhook.webhook import WebhookDelivery, WebhookEndpoint, WebhookSecretPayload


@strawberry.type
class WebhookQuery:
    @strawberry.field(description="The endpoints of the organization, oldest first: 20 at most.")
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint]:
        return [WebhookEndpoint.of(row) for row in await operations.list_endpoints(info.context)]

    @strawberry.field(description="One endpoint; NOT_FOUND where there is none.")
    async def webhook_endpoint(self, info: Info, id: strawberry.ID) -> WebhookEndpoint:
        return WebhookEndpoint.of(await operations.get_endpoint(info.context, id))

    @strawberry.field(description="What was sent to an endpoint, or waits for it, newest first.")
    async def webhook_deliveries(
        self,
        info: Info,
        endpoint_id: strawberry.ID,
        status: WebhookDeliveryStatus | None = None,
        first: int | None = DEFAULT_SIZE,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WebhookDelivery]:
        args = page_args(info, first, after, last, before)
        page = await deliveries.list_deliveries(info.context, endpoint_id, status, args, path="endpointId")
        return Connection[WebhookDelivery].of(page, WebhookDelivery.of)

    @strawberry.field(description="One delivery with its last attempts; NOT_FOUND where there is none.")
    async def webhook_delivery(self, info: Info, id: strawberry.ID) -> WebhookDelivery:
        return WebhookDelivery.of(await deliveries.get_delivery(info.context, id))


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(
        description="Send what changes from now on to an address, signed as Standard Webhooks has it. Without `kinds`"
        " and `entityTypes` all events."
    )
    async def create_webhook_endpoint(
        self,
        info: Info,
        url: str,
        description: str | None = None,
        kinds: list[EventKind] | None = None,
        entity_types: list[EntityType] | None = None,
    ) -> WebhookSecretPayload:
        wanted = EndpointChange(url, description, kinds, entity_types)
        return WebhookSecretPayload.of(await operations.create_endpoint(info.context, wanted))

    @strawberry.mutation(
        description="Change what is given, from the next attempt on: an empty list chooses all, an empty description"
        " is none."
    )
    async def update_webhook_endpoint(
        self,
        info: Info,
        id: strawberry.ID,
        url: str | None = None,
        description: str | None = None,
        kinds: list[EventKind] | None = None,
        entity_types: list[EntityType] | None = None,
    ) -> WebhookEndpoint:
        wanted = EndpointChange(url, description, kinds, entity_types)
        return WebhookEndpoint.of(await operations.update_endpoint(info.context, id, wanted))

    @strawberry.mutation(description="Send nothing more until it is resumed. What happens meanwhile waits in the log.")
    async def pause_webhook_endpoint(self, info: Info, id: strawberry.ID) -> WebhookEndpoint:
        return WebhookEndpoint.of(await operations.pause(info.context, id))

    @strawberry.mutation(description="Go on where it was: with what waits, then with what the log has.")
    async def resume_webhook_endpoint(self, info: Info, id: strawberry.ID) -> WebhookEndpoint:
        return WebhookEndpoint.of(await operations.resume(info.context, id))

    @strawberry.mutation(
        description="Sign with a new secret, and for the overlap (0 to 168 hours) with the present one as well."
    )
    async def rotate_webhook_secret(
        self, info: Info, id: strawberry.ID, overlap_hours: int = OVERLAP_HOURS
    ) -> WebhookSecretPayload:
        return WebhookSecretPayload.of(await operations.rotate(info.context, id, overlap_hours=overlap_hours))

    @strawberry.mutation(description="Send an event of kind WEBHOOK_TEST now; what becomes of it the delivery shows.")
    async def test_webhook_endpoint(self, info: Info, id: strawberry.ID) -> WebhookDelivery:
        return WebhookDelivery.of(await deliveries.test_endpoint(info.context, id))

    @strawberry.mutation(
        description="Send everything again that came after a cursor of the log (`0`: all that is kept), with the same"
        " ids as before. CURSOR_EXPIRED where the log does not reach back to it."
    )
    async def replay_webhook_endpoint(self, info: Info, id: strawberry.ID, after: str) -> WebhookEndpoint:
        return WebhookEndpoint.of(await operations.replay(info.context, id, after))

    @strawberry.mutation(description="Remove an endpoint with its deliveries.")
    async def delete_webhook_endpoint(self, info: Info, id: strawberry.ID) -> bool:
        await operations.delete(info.context, id)
        return True

    @strawberry.mutation(
        description="Send a delivery once more, now and with the same id. ERASED where nothing of it is left."
    )
    async def redeliver_webhook(self, info: Info, id: strawberry.ID) -> WebhookDelivery:
        return WebhookDelivery.of(await deliveries.redeliver(info.context, id))
