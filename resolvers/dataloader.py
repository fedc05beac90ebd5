"""What belongs to many things at once, read with one query for all of them: for the pages of GraphQL."""

from collections.abc import Sequence

from models.conflict import queries as conflicts
from models.conflict.shown import ShownConflict, conflicts_of_jobs
from models.conflict.table import Conflict
from models.db.wanted import EVERYTHING, Wanted
from models.job.shown import ShownJob, first_job_pages
from models.job.shown import jobs_by_id as read_jobs
from models.record import Record
from models.record import queries as records
from models.record.page import first_value_pages
from models.record.shown import ShownValue
from resolvers.context import Context, Role
from resolvers.paging import Page


async def jobs_by_id(ctx: Context, job_ids: Sequence[str], shown: Wanted) -> dict[str, ShownJob]:
    """What is to be shown of the organization's jobs of these ids. Ids that are not there are left out."""
    caller = ctx.require(Role.VIEWER)
    return {job.id: job for job in await read_jobs(caller.organization_id, job_ids, shown)}


async def records_by_id(ctx: Context, record_ids: Sequence[str]) -> dict[str, Record]:
    """The organization's records of these ids. Ids that are not there are left out."""
    return await records.records_by_id(ctx.require(Role.VIEWER).organization_id, record_ids)


async def conflicts_by_id(ctx: Context, conflict_ids: Sequence[str]) -> dict[str, Conflict]:
    """The organization's conflicts of these ids, with their records. Ids that are not there are left out."""
    return await conflicts.conflicts_by_id(ctx.require(Role.VIEWER).organization_id, conflict_ids)


async def conflicts_by_job(
    ctx: Context, job_ids: Sequence[str], shown: Wanted = EVERYTHING
) -> dict[str, list[ShownConflict]]:
    """What is to be shown of the conflicts that each of these jobs raised, whatever became of them, oldest first."""
    caller = ctx.require(Role.VIEWER)
    found: dict[str, list[ShownConflict]] = {job_id: [] for job_id in job_ids}
    for conflict in await conflicts_of_jobs(caller.organization_id, job_ids, shown):
        found[conflict.job_id].append(conflict)
    return found


async def jobs_by_record(
    ctx: Context, record_ids: Sequence[str], size: int, shown: Wanted, *, backwards: bool = False
) -> dict[str, Page[ShownJob]]:
    """What is to be shown of the newest jobs of each of these records, `size` at most; `backwards`: of the oldest."""
    caller = ctx.require(Role.VIEWER)
    return await first_job_pages(caller.organization_id, record_ids, size, shown, backwards=backwards)


async def history_by_record(
    ctx: Context, record_ids: Sequence[str], name: str | None, size: int, shown: Wanted, *, backwards: bool = False
) -> dict[str, Page[ShownValue]]:
    """What is to be shown of the newest values that the fields (or one field) of each of these records had.

    `size` at most of each record; `backwards`: of the oldest.
    """
    caller = ctx.require(Role.VIEWER)
    return await first_value_pages(caller.organization_id, record_ids, name, size, shown, backwards=backwards)
