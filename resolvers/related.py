"""What belongs to many things at once, with one question for all of them: for the pages of GraphQL."""

from collections.abc import Sequence

from models.conflict import Conflict
from models.job import Job
from resolvers.context import Context, Role


async def jobs_by_id(ctx: Context, job_ids: Sequence[str]) -> dict[str, Job]:
    """The organization's jobs of these ids, with record and steps. Ids that are not there are left out."""
    caller = ctx.require(Role.VIEWER)
    rows = Job.filter(organization_id=caller.organization_id, id__in=list(job_ids))
    return {job.id: job for job in await rows.prefetch_related("record", "steps")}


async def conflicts_by_job(ctx: Context, job_ids: Sequence[str]) -> dict[str, list[Conflict]]:
    """The conflicts that each of these jobs raised, whatever became of them, oldest first, with record and job."""
    caller = ctx.require(Role.VIEWER)
    found: dict[str, list[Conflict]] = {job_id: [] for job_id in job_ids}
    rows = Conflict.filter(organization_id=caller.organization_id, job_id__in=list(job_ids))
    for conflict in await rows.prefetch_related("record", "job").order_by("id"):
        found[conflict.job_id].append(conflict)
    return found
