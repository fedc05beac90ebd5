"""What belongs to many things at once, with one question for all of them: for the pages of GraphQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tortoise.queryset import QuerySet

from models.conflict import Conflict
from models.db.statements import marks, query
from models.job import Job
from models.record import FieldValue
from resolvers.context import Context, Role
from resolvers.paging import Page

T = TypeVar("T", Job, FieldValue)


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
    ids = await _newest_of_each("job", caller.organization_id, record_ids, size + 1)
    jobs = await jobs_by_id(ctx, ids)

    def all_of(record_id: str) -> QuerySet[Job]:
        return Job.filter(organization_id=caller.organization_id, record_id=record_id)

    return _first_pages(record_ids, jobs.values(), size, all_of)


async def history_by_record(
    ctx: Context, record_ids: Sequence[str], name: str | None, size: int
) -> dict[str, Page[FieldValue]]:
    """The newest values that the fields (or one field) of each of these records had, `size` at most."""
    caller = ctx.require(Role.VIEWER)
    of_field = {} if name is None else {"field": name}
    ids = await _newest_of_each("field_value", caller.organization_id, record_ids, size + 1, of_field)
    values = await FieldValue.filter(organization_id=caller.organization_id, id__in=ids)

    def all_of(record_id: str) -> QuerySet[FieldValue]:
        return FieldValue.filter(organization_id=caller.organization_id, record_id=record_id, **of_field)

    return _first_pages(record_ids, values, size, all_of)


async def _newest_of_each(
    table: str,
    organization_id: str,
    record_ids: Sequence[str],
    most: int,
    exact: Mapping[str, Any] | None = None,
) -> list[str]:
    wanted = "".join(f" AND {column} = ?" for column in exact or ())
    sql = (
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY record_id ORDER BY id DESC) AS place"
        f" FROM {table} WHERE organization_id = ? AND record_id IN ({marks(record_ids)}){wanted}) AS ranked"
        " WHERE place <= ?"
    )
    values = [organization_id, *record_ids, *(exact or {}).values(), most]
    return [row["id"] for row in await query(sql, values)]


def _first_pages(
    record_ids: Sequence[str], rows: Iterable[T], size: int, all_of: Callable[[str], QuerySet[T]]
) -> dict[str, Page[T]]:
    found: dict[str, list[T]] = {record_id: [] for record_id in record_ids}
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        found[row.record_id].append(row)
    return {
        record_id: Page(items[:size], has_next=len(items) > size, has_previous=False, count=all_of(record_id).count)
        for record_id, items in found.items()
    }
