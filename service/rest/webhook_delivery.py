"""`/webhook-deliveries`: what was sent to endpoints of webhooks, and how that went."""

from starlette.requests import Request
from starlette.responses import Response

from models.webhook.kinds import WebhookDeliveryStatus
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault
from resolvers.webhook import deliveries
from service.http.json import respond
from service.rest.operation import Parameter, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import PAGING
from service.rest.query import QueryParameters
from service.rest.shapes import webhook as shape
from service.rest.shapes.webhook import WebhookDelivery
from service.rest.webhook import ENDPOINT_ID

_STATUS = Parameter(
    name="status",
    description="Those in this state alone.",
    schema={"type": "string", "enum": [status.value for status in WebhookDeliveryStatus]},
)
_DELIVERY_ID = Parameter(
    name="id",
    index="path",
    required=True,
    description="The delivery's id.",
    schema={"type": "string", "format": "uuid"},
    example=shape.DELIVERY_EXAMPLE.id,
)


async def list_deliveries(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    status, page = _status(query), query.page()
    query.check()
    found = await read_page(deliveries.list_deliveries(ctx, request.path_params["id"], status, page))
    return respond_with_page(request, found, [WebhookDelivery.of(row) for row in found.items])


def _status(query: QueryParameters) -> WebhookDeliveryStatus | None:
    text = query.text("status")
    try:
        return None if text is None else WebhookDeliveryStatus(text.lower())
    except ValueError:
        message = f"unknown; accepted are {', '.join(WebhookDeliveryStatus)}"
        raise BadRequest(f"status: {message}", faults=[Fault("status", message)]) from None


async def get_delivery(ctx: Context, request: Request) -> Response:
    return respond(WebhookDelivery.of(await deliveries.get_delivery(ctx, request.path_params["id"])))


async def redeliver(ctx: Context, request: Request) -> Response:
    return respond(WebhookDelivery.of(await deliveries.redeliver(ctx, request.path_params["id"])), status=202)


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/webhook-endpoints/{id}/deliveries",
        handler=list_deliveries,
        id="listWebhookDeliveries",
        tag="Webhooks",
        summary="List what was sent to an endpoint",
        description="Newest first, what waits included.",
        role=Role.ADMIN,
        parameters=(ENDPOINT_ID, _STATUS, *PAGING),
        answer=RouteAnswer(
            description="The deliveries",
            shape=list[WebhookDelivery],
            example=[shape.DELIVERY_EXAMPLE],
            headers=("Link",),
        ),
        refusals=("NOT_FOUND",),
    ),
    RestOperation(
        method="GET",
        path="/webhook-deliveries/{id}",
        handler=get_delivery,
        id="getWebhookDelivery",
        tag="Webhooks",
        summary="Get a delivery with its attempts",
        role=Role.ADMIN,
        parameters=(_DELIVERY_ID,),
        answer=RouteAnswer(description="The delivery", shape=WebhookDelivery, example=shape.DELIVERY_EXAMPLE),
        refusals=("NOT_FOUND",),
    ),
    RestOperation(
        method="POST",
        path="/webhook-deliveries/{id}/redeliver",
        handler=redeliver,
        id="redeliverWebhook",
        tag="Webhooks",
        summary="Send a delivery once more",
        description="Now, and with the same `webhook-id`, whatever became of it before.",
        role=Role.ADMIN,
        parameters=(_DELIVERY_ID,),
        answer=RouteAnswer(
            description="The delivery", shape=WebhookDelivery, example=shape.DELIVERY_EXAMPLE, status=202
        ),
        refusals=("NOT_FOUND", "ERASED"),
    ),
)
