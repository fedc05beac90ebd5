"""The page of some kinds of jobs is found kind by kind, and is the same that reading all jobs finds."""

import random
from typing import Any

import pytest

from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db.migrate import migrate
from models.db.paging import Keyset
from models.job import Job
from models.job.page import job_page
from models.job.queries import JobFilter
from tests.support.filled import ORGANIZATION, fill


def some(values: list[Any], rng: random.Random) -> tuple[Any, ...]:
    return tuple(rng.sample(values, rng.randrange(len(values))))


def expected(jobs: list[Job], filter: JobFilter, keyset: Keyset) -> list[str]:
    """By looking at every job, in the order of their ids."""
    ids = [job.id for job in jobs if matches(job, filter)]
    ids = [id for id in ids if keyset.after is None or id < keyset.after]
    ids = [id for id in ids if keyset.before is None or id > keyset.before]
    found = ids[: keyset.size] if keyset.backwards else ids[-keyset.size :]
    return found[::-1]


def matches(job: Job, filter: JobFilter) -> bool:
    return (
        (not filter.status or job.status in filter.status)
        and (not filter.entity_types or job.entity_type in filter.entity_types)
        and (not filter.trigger or job.trigger in filter.trigger)
        and (filter.created_after is None or job.created_at > filter.created_after)
        and (filter.created_before is None or job.created_at < filter.created_before)
    )


@pytest.mark.usefixtures("new_database")
async def test_a_page_of_some_kinds_is_that_of_all_jobs_without_the_others() -> None:
    await migrate()
    await fill(1_500)
    rng = random.Random(7)  # noqa: S311 - no secret
    jobs = list(await Job.all().order_by("id"))
    for _ in range(60):
        ids = sorted(rng.sample([job.id for job in jobs], 2))
        created = sorted(rng.sample([job.created_at for job in jobs], 2))
        filter = JobFilter(
            status=some(list(JobStatus), rng),
            entity_types=some(list(EntityType), rng),
            trigger=some(list(JobTrigger), rng),
            created_after=created[0] if rng.random() < 0.2 else None,
            created_before=created[1] if rng.random() < 0.2 else None,
        )
        keyset = Keyset(
            rng.choice((1, 7, 50)),
            after=ids[1] if rng.random() < 0.5 else None,
            before=ids[0] if rng.random() < 0.3 else None,
            backwards=rng.random() < 0.4,
        )
        page = await job_page(ORGANIZATION, filter, keyset, {"status": None})
        assert [job.id for job in page.items] == expected(jobs, filter, keyset), (filter, keyset)
        matching = [job for job in jobs if matches(job, filter)]
        assert await page.count() == len(matching)
