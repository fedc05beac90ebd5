"""Endpoints of webhooks and what was sent to them, as GraphQL shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from models.event.kinds import EventKind
from models.webhook import delivery as deliveries
from models.webhook import endpoint as endpoints
from models.webhook.kinds import WebhookDeliveryStatus, WebhookFault, WebhookPause, WebhookStatus
from resolvers.webhook import api as operations
from schema.base.copied import copied
from schema.base.enums import EntityType
from schema.base.node import Node

strawberry.enum(WebhookStatus, description="Whether an endpoint is sent anything.")
strawberry.enum(
    WebhookPause,
    description="Why an endpoint is paused. FAILING: nothing was delivered for days. GONE: it answered 410.",
)
strawberry.enum(
    WebhookDeliveryStatus,
    description="How a delivery stands. SET_ASIDE: given up, and sent no more unless it is asked for. ERASED: its"
    " record was erased, and nothing of it is left.",
)
strawberry.enum(WebhookFault, description="Why an attempt failed. STATUS: an answer other than 2xx.")


@strawberry.type(description="Where the organization is sent the events of its log. For admins.")
class WebhookEndpoint(Node):
    id: strawberry.ID
    url: str
    description: str | None
    kinds: Sequence[EventKind] = strawberry.field(description="The events that are sent; empty: all.")
    entity_types: Sequence[EntityType] = strawberry.field(description="Events of which entity types; empty: of all.")
    status: WebhookStatus
    paused_because: WebhookPause | None
    paused_at: datetime | None
    cursor: str = strawberry.field(description="Up to where the log has become deliveries.")
    missed_at: datetime | None = strawberry.field(
        description="When the log was found not to reach back to the endpoint's cursor: events before were not sent."
    )
    failing_since: datetime | None = strawberry.field(description="Since when nothing has arrived.")
    last_delivered_at: datetime | None
    secret_set_at: datetime
    previous_secret_until: datetime | None = strawberry.field(
        description="Until when the secret before signs beside the present one."
    )
    created_at: datetime
    created_by: str | None

    @classmethod
    def of(cls, row: endpoints.EndpointRow) -> Self:
        return copied(
            cls,
            row,
            kinds=[EventKind(kind) for kind in row.kinds],
            entity_types=[EntityType(entity_type) for entity_type in row.entity_types],
            cursor=str(row.cursor),
            previous_secret_until=row.previous_until,
        )


@strawberry.type(description="One request of a delivery.")
class WebhookAttempt:
    at: datetime
    status: int | None = strawberry.field(description="The status of the answer, where there was one.")
    fault: WebhookFault | None = strawberry.field(description="Null: the message arrived.")
    milliseconds: int


@strawberry.type(description="One event for one endpoint, with its last attempts.")
class WebhookDelivery(Node):
    id: strawberry.ID
    endpoint_id: strawberry.ID
    message_id: str = strawberry.field(description="`webhook-id`: the same for the event however often it is sent.")
    kind: EventKind
    at: datetime = strawberry.field(description="When it happened.")
    cursor: str = strawberry.field(description="Of the event in the log.")
    record_id: strawberry.ID | None
    status: WebhookDeliveryStatus
    attempts: Sequence[WebhookAttempt]
    due_at: datetime | None = strawberry.field(description="When it is sent next, or later.")
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: deliveries.DeliveryRow) -> Self:
        return copied(
            cls, row, cursor=str(row.cursor), attempts=[copied(WebhookAttempt, attempt) for attempt in row.made]
        )


@strawberry.type(description="An endpoint, and the secret that signs what is sent to it. It is shown this once.")
class WebhookSecretPayload:
    endpoint: WebhookEndpoint
    secret: str = strawberry.field(description="`whsec_` and Base64, as the libraries of Standard Webhooks take it.")

    @classmethod
    def of(cls, made: operations.EndpointWithSecret) -> Self:
        return cls(endpoint=WebhookEndpoint.of(made.endpoint), secret=made.secret)
