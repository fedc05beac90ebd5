"""`/jobs`: what was enriched, and trying again."""

from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from enrichment.enums import EntityType, JobStatus
from enrichment.words import naming
from models.db.printed import PrintedRound
from models.job.order import JobOrder
from models.job.queries import JobFilter
from models.job.shown import ShownJob
from resolvers import dataloader
from resolvers.context import Context, Role
from resolvers.job import api as jobs
from resolvers.refresh.freshness import aging
from service.http.json import respond
from service.http.request import read_optional_object
from service.rest.operation import Body, RestOperation, RouteAnswer
from service.rest.paging import read_page, respond_with_page
from service.rest.parameters import JOB_ID, PAGING, choice, moment, one_of
from service.rest.query import QueryParameters
from service.rest.request import refuse_unknown
from service.rest.shapes import job as shape
from service.rest.shapes.conflict import Conflict
from service.rest.shapes.job import Job, PrintedJob
from service.rest.shapes.resolution import NOTHING_TO_SAY


async def list_jobs(ctx: Context, request: Request) -> Response:
    query = QueryParameters(request)
    entity_types = query.choices("entityType", EntityType, required=True)
    status = query.choices("status", JobStatus, required=True)
    order = query.choice("orderBy", JobOrder, JobOrder.CREATED_AT_DESC)
    wanted = JobFilter(
        entity_types=entity_types or (),
        status=status or (),
        created_after=query.moment("createdAfter"),
        created_before=query.moment("createdBefore"),
        finished_after=query.moment("finishedAfter"),
        finished_before=query.moment("finishedBefore"),
    )
    page = query.page()
    query.check()
    found = await read_page(jobs.list_jobs(ctx, wanted, page, shape.SHOWN_AS_PRINTED, order))
    if found.items and isinstance(found.items[0], PrintedRound):
        return respond_with_page(request, found, await _printed(ctx, cast("list[PrintedRound]", found.items)))
    return respond_with_page(request, found, await _shown(ctx, found.items))


async def get_job(ctx: Context, request: Request) -> Response:
    job = await jobs.get_job(ctx, request.path_params["id"], shape.SHOWN)
    return respond((await _shown(ctx, [job]))[0])


async def retry_job(ctx: Context, request: Request) -> Response:
    job = await jobs.retry_job(ctx, request.path_params["id"])
    return respond((await _shown(ctx, [job]))[0], status=202)


async def cancel_job(ctx: Context, request: Request) -> Response:
    refuse_unknown(await read_optional_object(request), ())
    job = await jobs.cancel_job(ctx, request.path_params["id"])
    return respond((await _shown(ctx, [job]))[0])


async def _shown(ctx: Context, found: Sequence[ShownJob]) -> list[Job]:
    """Jobs, with the conflicts that they raised."""
    raising = {job.id: job.record.external_id for job in found if getattr(job, "has_conflicts", True)}
    raised = await _conflicts(ctx, raising)
    return [Job.of(job, raised.get(job.id, [])) for job in found]


async def _printed(ctx: Context, found: Sequence[PrintedRound]) -> Raw:
    """The same as JSON."""
    printed = [PrintedJob(row) for row in found]
    raised = await _conflicts(ctx, {job.id: job.external_id for job in printed if job.has_conflicts})
    return Raw(f"[{','.join([job.text(raised.get(job.id, [])) for job in printed])}]".encode())


async def _conflicts(ctx: Context, external_ids: Mapping[str, str]) -> dict[str, list[Conflict]]:
    """What each of these jobs raised, by its id. `external_ids` are those of their records."""
    if not external_ids:
        return {}
    raised = await dataloader.conflicts_by_job(ctx, list(external_ids))
    ages, name_of = await aging(ctx), naming(ctx.services.registry.names)
    return {
        job_id: [Conflict.of(item, external_ids[job_id], ages, name_of) for item in items]
        for job_id, items in raised.items()
    }


OPERATIONS = (
    RestOperation(
        method="GET",
        path="/jobs",
        handler=list_jobs,
        id="listJobs",
        tag="Jobs",
        summary="List enrichment jobs",
        description=(
            "Newest first, or as `orderBy` says. `entityType` and `status` are required: where one is absent or empty,"
            " the answer is 400 and names it. Where there are more, `Link` leads to the next page."
        ),
        parameters=(
            choice("entityType", EntityType, "Jobs of which entity types:", required=True),
            choice("status", JobStatus, "Jobs in which states:", required=True),
            moment("createdAfter", "Jobs that were created after it."),
            moment("createdBefore", "Jobs that were created before it."),
            moment("finishedAfter", "Jobs that ended after it."),
            moment("finishedBefore", "Jobs that ended before it."),
            one_of(
                "orderBy",
                JobOrder,
                "In which order. By `finished_at` those that have not ended count as the oldest.",
                JobOrder.CREATED_AT_DESC,
            ),
            *PAGING,
        ),
        answer=RouteAnswer(
            description="List of enrichment jobs",
            shape=list[Job],
            example=[shape.EXAMPLE],
            headers=("Link",),
        ),
    ),
    RestOperation(
        method="GET",
        path="/jobs/{id}",
        handler=get_job,
        id="getJob",
        tag="Jobs",
        summary="Get enrichment job details",
        description="Which providers were asked, what they found, and how each field ended.",
        parameters=(JOB_ID,),
        answer=RouteAnswer(description="Enrichment job details", shape=Job, example=shape.EXAMPLE),
        refusals=("NOT_FOUND",),
    ),
    RestOperation(
        method="POST",
        path="/jobs/{id}/retry",
        handler=retry_job,
        id="retryJob",
        tag="Jobs",
        summary="Retry a failed enrichment job",
        description=(
            "For failed and partial jobs. Asks only what has not been answered: an answer that was paid for"
            " is never paid again."
        ),
        role=Role.USER,
        parameters=(JOB_ID,),
        answer=RouteAnswer(description="Job queued for retry", shape=Job, example=shape.QUEUED_EXAMPLE, status=202),
        refusals=("NOT_FOUND", "JOB_NOT_RETRYABLE"),
    ),
    RestOperation(
        method="POST",
        path="/jobs/{id}/cancel",
        handler=cancel_job,
        id="cancelJob",
        tag="Jobs",
        summary="Cancel an enrichment job",
        description="Stops a job that has not ended. An answer that is on its way is kept for whoever asks next.",
        role=Role.USER,
        parameters=(JOB_ID,),
        body=Body(shape=NOTHING_TO_SAY, examples={"nothing": {}}, required=False),
        answer=RouteAnswer(description="The job, cancelled", shape=Job, example=shape.QUEUED_EXAMPLE),
        refusals=("NOT_FOUND", "JOB_NOT_CANCELLABLE"),
    ),
)
