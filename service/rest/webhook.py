"""`/webhook-endpoints`: where the events of the log are posted."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import EntityType
from models.event.kinds import EventKind
from models.webhook.endpoint import EndpointRow
from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.webhook import api, deliveries
from resolvers.webhook.api import OVERLAP_HOURS, EndpointChange
from service.http.json import respond
from service.http.request import read_object, read_optional_object
from service.rest.operation import Body, Parameter, RestOperation, RouteAnswer
from service.rest.request import refuse_unknown, text_or_none
from service.rest.shapes import webhook as shape
from service.rest.shapes.webhook import (
    ChangeWebhook,
    CreateWebhook,
    ReplayWebhook,
    RotateWebhook,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)

E = TypeVar("E", bound=StrEnum)

ENDPOINT_ID = Parameter(
    name="id",
    index="path",
    required=True,
    description="The endpoint's id.",
    schema={"type": "string", "format": "uuid"},
    example=shape.EXAMPLE.id,
)


async def list_endpoints(ctx: Context, request: Request) -> Response:
    return respond([WebhookEndpoint.of(row) for row in await api.list_endpoints(ctx)])


async def get_endpoint(ctx: Context, request: Request) -> Response:
    return respond(WebhookEndpoint.of(await api.get_endpoint(ctx, request.path_params["id"])))


async def create_endpoint(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, CreateWebhook.keys_sent())
    return respond(WebhookSecret.of(await api.create_endpoint(ctx, _wanted(body))), status=201)


async def update_endpoint(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, ChangeWebhook.keys_sent())
    return respond(WebhookEndpoint.of(await api.update_endpoint(ctx, request.path_params["id"], _wanted(body))))


async def delete_endpoint(ctx: Context, request: Request) -> Response:
    found = await api.get_endpoint(ctx, request.path_params["id"])
    await api.delete(ctx, found.id)
    return respond(WebhookEndpoint.of(found))


async def rotate_secret(ctx: Context, request: Request) -> Response:
    body = await read_optional_object(request)
    refuse_unknown(body, RotateWebhook.keys_sent())
    hours = body.get("overlapHours", OVERLAP_HOURS)
    if not isinstance(hours, int) or isinstance(hours, bool):
        message = "must be a whole number"
        raise ValidationFailed(f"overlapHours {message}", faults=[Fault("overlapHours", message)])
    made = await api.rotate(ctx, request.path_params["id"], overlap_hours=hours)
    return respond(WebhookSecret.of(made))


async def test_endpoint(ctx: Context, request: Request) -> Response:
    delivery = await deliveries.test_endpoint(ctx, request.path_params["id"])
    return respond(WebhookDelivery.of(delivery), status=202)


async def replay(ctx: Context, request: Request) -> Response:
    body = await read_object(request)
    refuse_unknown(body, ReplayWebhook.keys_sent())
    after = text_or_none(body, "after")
    if after is None:
        raise ValidationFailed("after is needed", faults=[Fault("after", "is needed")])
    return respond(WebhookEndpoint.of(await api.replay(ctx, request.path_params["id"], after)), status=202)


def _moving(
    move: Callable[[Context, str], Awaitable[EndpointRow]],
) -> Callable[[Context, Request], Awaitable[Response]]:
    async def answer(ctx: Context, request: Request) -> Response:
        return respond(WebhookEndpoint.of(await move(ctx, request.path_params["id"])))

    return answer


def _wanted(body: dict[str, Any]) -> EndpointChange:
    return EndpointChange(
        text_or_none(body, "url"),
        text_or_none(body, "description"),
        _chosen(body, "kinds", EventKind),
        _chosen(body, "entityTypes", EntityType),
    )


def _chosen(body: dict[str, Any], key: str, kind: type[E]) -> list[E] | None:
    """The words of a list, in any case; None where it is absent. Raises ValidationFailed for what is no such word."""
    words = body.get(key)
    if words is None:
        return None
    if not isinstance(words, list):
        raise ValidationFailed(f"{key} must be a list", faults=[Fault(key, "must be a list")])
    members = {member.value: member for member in kind}
    found = [members.get(word.lower()) if isinstance(word, str) else None for word in words]
    message = f"unknown; accepted are {', '.join(kind)}"
    faults = [Fault(f"{key}[{index}]", message) for index, member in enumerate(found) if member is None]
    if faults:
        raise ValidationFailed(f"{key} holds what is unknown", faults=faults)
    return [member for member in found if member is not None]


_ENDPOINT = RouteAnswer(description="The endpoint", shape=WebhookEndpoint, example=shape.EXAMPLE)
_PATH = "/webhook-endpoints"
_TAG = "Webhooks"


def _operation(method: str, path: str, handler: Any, name: str, summary: str, **more: Any) -> RestOperation:
    of_one = "{id}" in path
    return RestOperation(
        **{
            "method": method,
            "path": _PATH + path,
            "handler": handler,
            "id": name,
            "tag": _TAG,
            "summary": summary,
            "role": Role.ADMIN,
            "parameters": (ENDPOINT_ID,) if of_one else (),
            "answer": _ENDPOINT,
            **more,
            "refusals": (*(("NOT_FOUND",) if of_one else ()), *more.get("refusals", ())),
        }
    )


OPERATIONS = (
    _operation(
        "GET",
        "",
        list_endpoints,
        "listWebhookEndpoints",
        "List webhook endpoints",
        description="Oldest first: 20 at most.",
        answer=RouteAnswer(description="The endpoints", shape=list[WebhookEndpoint], example=[shape.EXAMPLE]),
    ),
    _operation(
        "POST",
        "",
        create_endpoint,
        "createWebhookEndpoint",
        "Add a webhook endpoint",
        description=(
            "What changes from now on is posted to the address, signed as Standard Webhooks has it, with the secret"
            " that is shown here once."
        ),
        body=Body(shape=CreateWebhook, examples=shape.CREATE_EXAMPLES),
        answer=RouteAnswer(
            description="The endpoint and its secret", shape=WebhookSecret, example=shape.SECRET_EXAMPLE, status=201
        ),
        refusals=("STATE_CONFLICT",),
        shown_once=("secret",),
    ),
    _operation("GET", "/{id}", get_endpoint, "getWebhookEndpoint", "Get a webhook endpoint"),
    _operation(
        "PATCH",
        "/{id}",
        update_endpoint,
        "updateWebhookEndpoint",
        "Change a webhook endpoint",
        description="What is absent stays. It counts from the next attempt on.",
        body=Body(shape=ChangeWebhook, examples=shape.CHANGE_EXAMPLES),
    ),
    _operation(
        "DELETE",
        "/{id}",
        delete_endpoint,
        "deleteWebhookEndpoint",
        "Remove a webhook endpoint",
        description="Its deliveries go with it. Answers the endpoint as it was.",
    ),
    _operation(
        "POST",
        "/{id}/pause",
        _moving(api.pause),
        "pauseWebhookEndpoint",
        "Pause a webhook endpoint",
        description="What happens meanwhile waits in the log.",
    ),
    _operation(
        "POST",
        "/{id}/resume",
        _moving(api.resume),
        "resumeWebhookEndpoint",
        "Resume a webhook endpoint",
        description="Goes on where it was: with what waits, then with what the log has.",
    ),
    _operation(
        "POST",
        "/{id}/rotate",
        rotate_secret,
        "rotateWebhookSecret",
        "Sign with a new secret",
        description="The secret before signs as well for the hours of the overlap.",
        body=Body(shape=RotateWebhook, examples=shape.ROTATE_EXAMPLES, required=False),
        answer=RouteAnswer(
            description="The endpoint and its new secret", shape=WebhookSecret, example=shape.SECRET_EXAMPLE
        ),
        shown_once=("secret",),
    ),
    _operation(
        "POST",
        "/{id}/test",
        test_endpoint,
        "testWebhookEndpoint",
        "Try a webhook endpoint",
        description="Sends an event of kind `webhook.test`; what becomes of it the delivery shows.",
        answer=RouteAnswer(
            description="The delivery", shape=WebhookDelivery, example=shape.DELIVERY_EXAMPLE, status=202
        ),
        refusals=("STATE_CONFLICT",),
    ),
    _operation(
        "POST",
        "/{id}/replay",
        replay,
        "replayWebhookEndpoint",
        "Send everything again after a cursor",
        description="Each event comes with the same `webhook-id` as before.",
        body=Body(shape=ReplayWebhook, examples=shape.REPLAY_EXAMPLES),
        answer=RouteAnswer(description="The endpoint", shape=WebhookEndpoint, example=shape.EXAMPLE, status=202),
        refusals=("CURSOR_EXPIRED",),
    ),
)
