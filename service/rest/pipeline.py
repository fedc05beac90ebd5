"""`/pause` and `/resume`: whether the organization's jobs are dispatched."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers import pipeline
from resolvers.context import Context, Role
from service.http.json import respond
from service.http.request import read_optional_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.request import refuse_unknown, text_or_none
from service.rest.shapes import pipeline as shape
from service.rest.shapes.pipeline import PauseRequest, Pipeline


async def pause(ctx: Context, request: Request) -> Response:
    body = await read_optional_object(request)
    refuse_unknown(body, PauseRequest.keys_sent())
    return respond(Pipeline.of(await pipeline.pause_pipeline(ctx, reason=text_or_none(body, "reason"))))


async def resume(ctx: Context, request: Request) -> Response:
    return respond(Pipeline.of(await pipeline.resume_pipeline(ctx)))


OPERATIONS = (
    RestOperation(
        method="POST",
        path="/pause",
        handler=pause,
        id="pausePipeline",
        tag="Pipeline",
        summary="Pause enrichment pipeline",
        description=(
            "Work in flight finishes and nothing new starts; triggers are accepted and wait. Pausing what is"
            " paused is not an error."
        ),
        role=Role.MANAGER,
        body=Body(shape=PauseRequest, examples=shape.REQUEST_EXAMPLES, required=False),
        answer=RouteAnswer(description="Pipeline paused", shape=Pipeline, example=shape.PAUSED_EXAMPLE),
    ),
    RestOperation(
        method="POST",
        path="/resume",
        handler=resume,
        id="resumePipeline",
        tag="Pipeline",
        summary="Resume enrichment pipeline",
        description="Everything that waited runs. Resuming what runs is not an error.",
        role=Role.MANAGER,
        answer=RouteAnswer(description="Pipeline resumed", shape=Pipeline, example=shape.RUNNING_EXAMPLE),
    ),
)
