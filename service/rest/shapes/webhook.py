"""Webhooks as REST shows them: endpoints, deliveries with their attempts, and what a client sends about them."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType
from models.event.kinds import EventKind
from models.webhook.delivery import DeliveryRow
from models.webhook.endpoint import EndpointRow
from models.webhook.kinds import WebhookDeliveryStatus, WebhookFault, WebhookPause, WebhookStatus
from resolvers.webhook.addresses import LONGEST_URL
from resolvers.webhook.api import MAX_DESCRIPTION, MOST_OVERLAP_HOURS, OVERLAP_HOURS, EndpointWithSecret
from service.http.shape import Count, Id, Moment, Part, Sent, Shape
from service.rest.description.json_schema import in_any_case
from service.rest.shapes import event
from service.rest.shapes.example_moments import CAME_IN, REVIEWED

_Url = Annotated[
    str, Meta(max_length=LONGEST_URL, description="https, at port 80, 443 or one from 1024 on; no user, no fragment.")
]
_Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
_Kinds = Annotated[
    list[Annotated[str, in_any_case(EventKind)]], Meta(description="The events that are sent; empty: all.")
]
_EntityTypes = Annotated[
    list[Annotated[str, in_any_case(EntityType)]], Meta(description="Events of which entity types; empty: of all.")
]


class WebhookEndpoint(Shape, frozen=True):
    """Where the organization is sent the events of its log."""

    id: Id
    url: str
    description: str | None
    kinds: list[EventKind]
    entity_types: list[EntityType]
    status: WebhookStatus
    paused_because: WebhookPause | None
    paused_at: Moment | None
    cursor: str
    missed_at: Moment | None
    failing_since: Moment | None
    last_delivered_at: Moment | None
    secret_set_at: Moment
    previous_secret_until: Moment | None
    created_at: Moment
    created_by: str | None

    @classmethod
    def of(cls, row: EndpointRow) -> Self:
        return cls.copied(
            row,
            kinds=[EventKind(kind) for kind in row.kinds],
            entity_types=[EntityType(entity_type) for entity_type in row.entity_types],
            cursor=str(row.cursor),
            previous_secret_until=row.previous_until,
        )


class WebhookSecret(Shape, frozen=True):
    """An endpoint, and the secret that signs what is sent to it.

    The secret is shown once: where the request is answered again by its Idempotency-Key it is null.
    """

    endpoint: WebhookEndpoint
    secret: str | None

    @classmethod
    def of(cls, made: EndpointWithSecret) -> Self:
        return cls(WebhookEndpoint.of(made.endpoint), made.secret)


class WebhookAttempt(Part, frozen=True):
    """One request of a delivery. No fault: the message arrived."""

    at: Moment
    status: Count | None
    fault: WebhookFault | None
    milliseconds: Count


class WebhookDelivery(Shape, frozen=True):
    """One event for one endpoint, with its last attempts. `messageId` is what is sent as `webhook-id`."""

    id: Id
    endpoint_id: Id
    message_id: str
    kind: EventKind
    at: Moment
    cursor: str
    record_id: Id | None
    status: WebhookDeliveryStatus
    attempts: list[WebhookAttempt]
    due_at: Moment | None
    created_at: Moment
    ended_at: Moment | None

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        return cls.copied(
            row, cursor=str(row.cursor), attempts=[WebhookAttempt.copied(attempt) for attempt in row.made]
        )


class CreateWebhook(Sent, frozen=True):
    """An endpoint to add."""

    url: _Url
    description: _Description | UnsetType | None = UNSET
    kinds: _Kinds | UnsetType = UNSET
    entity_types: _EntityTypes | UnsetType = UNSET


class ChangeWebhook(Sent, frozen=True):
    """What an endpoint is to be; what is absent stays. An empty description is none."""

    url: _Url | UnsetType = UNSET
    description: _Description | UnsetType = UNSET
    kinds: _Kinds | UnsetType = UNSET
    entity_types: _EntityTypes | UnsetType = UNSET


class RotateWebhook(Sent, frozen=True):
    """For how many hours the secret before signs as well."""

    overlap_hours: (
        Annotated[int, Meta(ge=0, le=MOST_OVERLAP_HOURS, description=f"Without it {OVERLAP_HOURS}.")] | UnsetType
    ) = UNSET


class ReplayWebhook(Sent, frozen=True):
    """After which event of the log everything is sent again."""

    after: Annotated[str, Meta(description="A cursor of the log; `0`: from the oldest event that is kept.")]


EXAMPLE = WebhookEndpoint.example(
    id="01936f2a-8b10-7d21-a1c2-3f5e7a9b0c44",
    url="https://hooks.example.com/enrichment",
    kinds=[EventKind.RECORD_ENRICHED, EventKind.CONFLICT_RAISED],
    status=WebhookStatus.ACTIVE,
    cursor=event.EXAMPLE.cursor,
    secret_set_at=CAME_IN,
    created_at=CAME_IN,
    created_by="user-1",
)
SECRET_EXAMPLE = WebhookSecret(EXAMPLE, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD9kQXxD1m4rI=")
DELIVERY_EXAMPLE = WebhookDelivery.example(
    id="01936f2a-9c40-7a55-8e21-6b1f3d5c7e90",
    endpoint_id=EXAMPLE.id,
    message_id="evt_9f86d081884c7d659a2feaa0c55ad015",
    kind=event.EXAMPLE.kind,
    at=CAME_IN,
    cursor=event.EXAMPLE.cursor,
    record_id=event.EXAMPLE.record_id,
    status=WebhookDeliveryStatus.DELIVERED,
    attempts=[
        WebhookAttempt(CAME_IN, 503, WebhookFault.STATUS, 41),
        WebhookAttempt(REVIEWED, 204, None, 38),
    ],
    created_at=CAME_IN,
    ended_at=REVIEWED,
)
CREATE_EXAMPLES = {
    "some": CreateWebhook(
        url="https://hooks.example.com/enrichment",
        kinds=[EventKind.RECORD_ENRICHED.value, EventKind.CONFLICT_RAISED.value],
    ),
    "all": CreateWebhook(url="https://hooks.example.com/enrichment", description="Warehouse"),
}
CHANGE_EXAMPLES = {"all events": ChangeWebhook(kinds=[], entity_types=[])}
ROTATE_EXAMPLES = {"overlap": RotateWebhook(overlap_hours=48), "as usual": RotateWebhook()}
REPLAY_EXAMPLES = {"after": ReplayWebhook(after=event.EXAMPLE.cursor), "everything": ReplayWebhook(after="0")}
