"""Pages of jobs by when they ended follow one another in either direction, and hold what the filter lets through."""

import random
from datetime import datetime
from typing import Any

import pytest

from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db.migrate import migrate
from models.db.statements import execute
from models.job import Job
from models.job.order import JobOrder
from models.job.page import job_page
from models.job.queries import JobFilter
from resolvers.errors import BadRequest
from resolvers.paging import PageArgs, row_cursor
from tests.models.job.test_kinds import matches, some
from tests.support.filled import ORGANIZATION, fill


async def listed(filter: JobFilter, order: JobOrder, size: int, *, backwards: bool = False) -> list[str]:
    """The ids of a whole list, page by page; `backwards` from its end."""
    found: list[str] = []
    cursor, more = None, True
    while more:
        args = PageArgs(last=size, before=cursor) if backwards else PageArgs(first=size, after=cursor)
        page = await job_page(ORGANIZATION, filter, args.keyset("jobs", order), {"id": None})
        ids = [job.id for job in page.items]
        assert (page.has_next if backwards else page.has_previous) is (cursor is not None)
        found = [*ids, *found] if backwards else [*found, *ids]
        more = page.has_previous if backwards else page.has_next
        cursor = row_cursor(page, ids[0 if backwards else -1]) if ids else None
    return found


def place(job: Job, order: JobOrder) -> tuple[Any, ...]:
    return (job.id,) if order.column is None else (job.finished_at is not None, job.finished_at, job.id)


def passes(job: Job, filter: JobFilter) -> bool:
    ends = [filter.finished_after, filter.finished_before]
    if ends != [None, None] and job.finished_at is None:
        return False
    after, before = ends
    return (
        matches(job, filter)
        and (after is None or (job.finished_at or after) > after)
        and (before is None or (job.finished_at or before) < before)
    )


@pytest.mark.usefixtures("new_database")
async def test_a_list_of_jobs_is_the_same_in_pages_of_any_size_in_either_direction() -> None:
    await migrate()
    await fill(240)
    await execute("UPDATE job SET status = 'pending', next_attempt_at = 1, finished_at = NULL WHERE id LIKE '%5'")
    await execute("UPDATE job SET finished_at = 1900000000000000 WHERE finished_at IS NOT NULL AND id LIKE '%a'")
    rng = random.Random(11)  # noqa: S311 - no secret
    jobs = list(await Job.all())
    moments: list[datetime] = sorted(job.created_at for job in jobs)
    for number in range(48):
        early, late = sorted(rng.sample(moments, 2))
        filter = JobFilter(
            status=some(list(JobStatus), rng),
            entity_types=some(list(EntityType), rng),
            trigger=some(list(JobTrigger), rng) if number % 2 else (),
            created_after=early if rng.random() < 0.2 else None,
            created_before=late if rng.random() < 0.2 else None,
            finished_after=early if rng.random() < 0.2 else None,
            finished_before=late if rng.random() < 0.2 else None,
        )
        order = rng.choice(list(JobOrder))
        right = sorted(
            (job for job in jobs if passes(job, filter)),
            key=lambda job: place(job, order),
            reverse=not order.rises,
        )
        expected = [job.id for job in right]
        assert await listed(filter, order, rng.choice((7, 50, 200))) == expected, (filter, order)
        assert await listed(filter, order, rng.choice((7, 50, 200)), backwards=True) == expected, (filter, order)


@pytest.mark.usefixtures("new_database")
async def test_a_page_goes_on_where_its_cursor_was_though_the_job_has_moved() -> None:
    await migrate()
    await fill(20)
    page = await job_page(
        ORGANIZATION, JobFilter(), PageArgs(first=5).keyset("jobs", JobOrder.FINISHED_AT_DESC), {"id": None}
    )
    cursor = row_cursor(page, page.items[-1].id)
    before = await listed(JobFilter(), JobOrder.FINISHED_AT_DESC, 20)
    await execute("UPDATE job SET finished_at = 1900000000000000 WHERE id = ?", [page.items[-1].id])
    next_page = await job_page(
        ORGANIZATION,
        JobFilter(),
        PageArgs(first=5, after=cursor).keyset("jobs", JobOrder.FINISHED_AT_DESC),
        {"id": None},
    )
    assert [job.id for job in next_page.items] == before[5:10]


async def test_a_cursor_of_another_order_is_refused_by_name() -> None:
    ordered = PageArgs(
        first=1, after="am9icy5GSU5JU0hFRF9BVF9ERVNDOjU6MDE5MzZmMmEtNmYxYy03ZDNlLThhNTUtMGM4ZjVmMmI5YTEw"
    )
    assert ordered.keyset("jobs", JobOrder.FINISHED_AT_DESC).after_key == 5
    for order in (None, JobOrder.FINISHED_AT_ASC, JobOrder.CREATED_AT_ASC, JobOrder.CREATED_AT_DESC):
        with pytest.raises(BadRequest, match=r"of jobs\.FINISHED_AT_DESC"):
            ordered.keyset("jobs", order)
