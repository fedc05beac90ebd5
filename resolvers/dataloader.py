"""What belongs to many things at once, read with one query for all of them: for the pages of GraphQL."""

from collections.abc import Awaitable, Callable, Sequence

from models.conflict import Conflict
from models.db.paging import first_pages, newest_of_records
from models.job import Job
from models.record import FieldValue
from models.record.page import first_value_pages
from resolvers.context import Context, Role
from resolvers.paging import Page


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


async def jobs_by_record(ctx: Context, record_ids: Sequence[str], size: int) -> dict[str, Page[Job]]:
    """The newest jobs of each of these records, `size` at most, with record and steps."""
    caller = ctx.require(Role.VIEWER)
    ids = await newest_of_records("job", caller.organization_id, record_ids, size + 1)
    jobs = await jobs_by_id(ctx, ids)

    def count(record_id: str) -> Callable[[], Awaitable[int]]:
        return Job.filter(organization_id=caller.organization_id, record_id=record_id).count

    return first_pages(record_ids, jobs.values(), size, count)


async def history_by_record(
    ctx: Context, record_ids: Sequence[str], name: str | None, size: int
) -> dict[str, Page[FieldValue]]:
    """The newest values that the fields (or one field) of each of these records had, `size` at most."""
    caller = ctx.require(Role.VIEWER)
    return await first_value_pages(caller.organization_id, record_ids, name, size)
