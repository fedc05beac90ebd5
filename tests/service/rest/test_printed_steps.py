"""The steps of jobs are printed by the database, as they are encoded where they are read."""

from typing import Any

import pytest
from arq.connections import ArqRedis
from msgspec import Raw

from models.db.paging import Keyset
from models.db.statements import execute, query
from models.job.queries import JobFilter
from models.job.shown import FAILURE, ShownJob, job_page
from service.http.json import dump
from service.http.shape import Shape
from service.rest.shapes.job import SHOWN, Job, JobError, Step
from service.rest.shapes.printed import printed
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

HARD = "\x01\t\x1f\x7f\xe9\u2028\U0001f600 \\ ' \" ? $1"


@pytest.fixture
async def _jobs(db: None, redis: ArqRedis) -> None:
    """Three jobs, two of which have steps of all kinds; one raised a conflict."""
    shared = services(redis, StandIn(knows={"acme.com": {"industry": "Software", "city": "Berlin"}}))
    for number, city in enumerate(("Paris", "", "")):
        await send(context(shared), "account", f"A{number}", name="Acme", domain="acme.com", city=city)
    await work(shared)
    await send(context(shared), "lead", "L1", email="ann@acme.com")
    for number, row in enumerate(await query("SELECT id FROM step ORDER BY id")):
        await execute(
            "UPDATE step SET detail = ?, skipped_reason = ?, latency_ms = ?, error_code = ?, error_message = ?,"
            " error_retryable = ?, asked_at = ? WHERE id = ?",
            [
                HARD,
                None if number % 2 else HARD,
                None if number % 3 else number,
                "timeout" if number % 2 else None,
                HARD if number % 3 else None,
                None if number % 3 else True,
                1_764_273_600_000_000 + number * 1_000_010,
                row["id"],
            ],
        )


async def jobs(**options: Any) -> list[ShownJob]:
    return (await job_page("acme", JobFilter(), Keyset(size=50), **options)).items


@pytest.mark.usefixtures("_jobs")
async def test_printed_steps_are_those_that_are_read() -> None:
    shown, read = await jobs(wanted=SHOWN), await jobs()
    assert all(isinstance(job.steps, Raw) for job in shown)
    assert dump([Job.of(job, []) for job in shown]).decode() == dump([Job.of(job, []) for job in read]).decode()
    assert any(job.has_conflicts for job in shown)
    assert not all(job.has_conflicts for job in shown)


@pytest.mark.usefixtures("_jobs")
async def test_where_steps_cannot_be_printed_they_are_read() -> None:
    await execute("UPDATE step SET asked_at = -1")
    shown, read = await jobs(wanted=SHOWN), await jobs()
    assert not any(isinstance(job.steps, Raw) for job in shown)
    assert dump([Job.of(job, []) for job in shown]).decode() == dump([Job.of(job, []) for job in read]).decode()


def test_a_step_is_printed_with_all_fields_of_its_shape_and_no_other() -> None:
    shape = printed(Step, error=FAILURE)
    assert tuple(shape) == Step.__struct_encode_fields__
    assert tuple(shape["error"].shape) == JobError.__struct_encode_fields__  # type: ignore[union-attr] # it is Beside


def test_what_cannot_be_printed_is_refused_when_it_is_declared() -> None:
    class Odd(Shape, frozen=True):
        free: dict[str, Any]

    with pytest.raises(TypeError, match="cannot be printed"):
        printed(Odd)
