"""Jobs and their steps are printed by the database, as they are encoded where they are read."""

from dataclasses import replace
from datetime import UTC, datetime
from json import loads
from typing import Any

import pytest
from arq.connections import ArqRedis
from msgspec import Raw

from enrichment.enums import StepOutcome
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.words import NOT_ASKED
from models.db.paging import Keyset
from models.db.printed import PrintedRound
from models.db.rows import columns_of
from models.db.statements import dump as dumped
from models.db.statements import execute, query
from models.job import steps
from models.job.page import job_page
from models.job.queries import JobFilter
from models.job.shown import FAILURE, ShownJob
from models.job.steps import StepSoFar
from service.http.json import dump
from service.http.shape import Shape
from service.rest.shapes.job import SHOWN, SHOWN_AS_PRINTED, Job, JobError, Step
from service.rest.shapes.printed import printed
from tests.support.factories import StandIn, context, send, services, work
from tests.support.rest_client import Rest

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


@pytest.mark.usefixtures("_jobs")
async def test_steps_of_an_attempt_under_way_are_printed_and_read_alike() -> None:
    so_far = StepSoFar(
        position=2,
        provider="standin",
        outcome=StepOutcome.ERROR,
        skipped_reason=None,
        detail=HARD,
        latency_ms=12,
        credits_charged=3,
        fields_found=["city", "industry"],
        error_code="timeout",
        error_message=HARD,
        error_retryable=True,
        asked_at=datetime(2026, 1, 2, 3, 4, 5, 678, UTC),
    )
    first = replace(so_far, position=1, provider="first", outcome=StepOutcome.MATCH, error_code=None)
    [job, *_] = await query("SELECT id FROM job WHERE status = 'completed'")
    await execute(
        "UPDATE job SET status = 'in_progress', lease_until = 1, finished_at = NULL, steps_so_far = ? WHERE id = ?",
        [dumped(steps.so_far([so_far, first])), job["id"]],
    )
    shown, read = await jobs(wanted=SHOWN), await jobs()
    assert all(isinstance(job.steps, Raw) for job in shown)
    assert dump([Job.of(job, []) for job in shown]).decode() == dump([Job.of(job, []) for job in read]).decode()
    [under_way] = [row for row in read if row.id == job["id"]]
    assert [step.provider for step in under_way.steps] == ["first", "standin"]
    assert [getattr(under_way.steps[1], name) for name in columns_of(StepSoFar, without=["position"])] == [
        getattr(so_far, name) for name in columns_of(StepSoFar, without=["position"])
    ]
    await execute("UPDATE job SET status = 'completed', lease_until = NULL, finished_at = 1 WHERE id = ?", [job["id"]])
    assert all(step.detail != so_far.detail or step.latency_ms != 12 for row in await jobs() for step in row.steps)


async def listed_and_one_by_one(redis: ArqRedis) -> tuple[str, str]:
    """The list of jobs as it is answered, and what it is to be: each job as it is answered alone, where it is read."""
    rest = Rest(services(redis))
    listed = await rest.get("/jobs?entityType=all&status=all")
    alone = [(await rest.get(f"/jobs/{job['id']}")).text for job in listed.json()]
    return listed.text, f"[{','.join(alone)}]"


async def rows_of_the_list() -> list[Any]:
    return (await job_page("acme", JobFilter(), Keyset(size=50), SHOWN_AS_PRINTED)).items


@pytest.mark.usefixtures("_jobs")
async def test_a_list_of_jobs_is_printed_and_is_what_is_read(redis: ArqRedis) -> None:
    outcomes = [
        {"field": HARD, "reason": "verified", "provider": HARD, "confidence": 1.0, "detail": HARD},
        {"field": "city", "reason": "skipped", "provider": None, "confidence": 1, "detail": SkipReason.NO_KEY},
        {"field": "industry", "reason": "verified", "confidence": 0.1},
    ]
    [newest, ended, *_] = await jobs()
    await execute("UPDATE job SET outcomes = ?, fields_updated = ? WHERE id = ?", [dumped(outcomes), '["é"]', ended.id])
    await execute("UPDATE job SET requested_by = ?, running_step = ? WHERE id = ?", [HARD, HARD, newest.id])
    rows = await rows_of_the_list()
    assert all(isinstance(row, PrintedRound) for row in rows)
    listed, one_by_one = await listed_and_one_by_one(redis)
    assert listed == one_by_one
    shown = {job["id"]: job for job in loads(listed)}
    assert {bool(job["conflicts"]) for job in shown.values()} == {True, False}
    assert shown[ended.id]["fieldsVerified"] == [HARD, "industry"]
    assert shown[ended.id]["fieldOutcomes"][1]["detail"] == NOT_ASKED[SkipReason.NO_KEY]


@pytest.mark.usefixtures("_jobs")
async def test_where_a_job_cannot_be_printed_the_list_is_read(redis: ArqRedis) -> None:
    await execute("UPDATE job SET updated_at = -1 WHERE id = ?", [(await jobs())[0].id])
    assert not any(isinstance(row, PrintedRound) for row in await rows_of_the_list())
    listed, one_by_one = await listed_and_one_by_one(redis)
    assert listed == one_by_one


def test_a_step_is_printed_with_all_fields_of_its_shape_and_no_other() -> None:
    shape = printed(Step, error=FAILURE)
    assert tuple(shape) == Step.__struct_encode_fields__
    assert tuple(shape["error"].shape) == JobError.__struct_encode_fields__  # type: ignore[union-attr] # it is Beside


def test_what_cannot_be_printed_is_refused_when_it_is_declared() -> None:
    class Odd(Shape, frozen=True):
        free: dict[str, Any]

    with pytest.raises(TypeError, match="cannot be printed"):
        printed(Odd)
