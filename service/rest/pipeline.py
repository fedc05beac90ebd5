"""`/pause` and `/resume`: whether the organization's jobs are dispatched."""

from starlette.requests import Request
from starlette.responses import Response

from resolvers import pipeline
from resolvers.context import Context, Role
from service.rest.examples import PAUSE_REQUESTS, PAUSED, RUNNING
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.request import read_optional_object, refuse_unknown, text_or_none
from service.rest.schemas.build import ref
from service.rest.serialize import pipeline_json, respond


async def pause(ctx: Context, request: Request) -> Response:
    body = await read_optional_object(request)
    refuse_unknown(body, ("reason",))
    return respond(pipeline_json(await pipeline.pause_pipeline(ctx, reason=text_or_none(body, "reason"))))


async def resume(ctx: Context, request: Request) -> Response:
    return respond(pipeline_json(await pipeline.resume_pipeline(ctx)))


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
        body=Body(schema=ref("PauseRequest"), examples=PAUSE_REQUESTS, required=False),
        answer=RouteAnswer(description="Pipeline paused", schema=ref("Pipeline"), example=PAUSED),
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
        answer=RouteAnswer(description="Pipeline resumed", schema=ref("Pipeline"), example=RUNNING),
    ),
)
