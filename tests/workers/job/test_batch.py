"""Jobs claimed together are worked on together: what they cost the database and the loop does not grow with them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.db import statements
from models.job import Job
from models.record import FieldValue, Record
from providers.api import Answer, Finding, Question
from resolvers.context import Services
from resolvers.credit.verify import check_ledger
from resolvers.record.api import upsert_records
from tests.support.factories import StandIn, context, job_of, send, services, work
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("db")

FEW, MANY = 3, 60


class AtOnce(StandIn):
    """A source that answers from memory, and notes which task it was asked in."""

    def answer(self, question: Question) -> Answer:
        tasks.add(asyncio.current_task())
        assert question.fields["domain"] != "bad.com"
        return Answer(True, (Finding("industry", "Software", 0.9),))


tasks: set[object] = set()


async def ingest(shared: Services, organization_id: str, count: int) -> None:
    records = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"{organization_id}{n}.com"}}
        for n in range(count)
    ]
    await upsert_records(context(shared, org=organization_id), records)


async def statements_of_work(shared: Services, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that it takes to do what is due."""
    found: list[str] = []

    def counted(run: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any) -> Any:
            found.append(next(text for text in args if isinstance(text, str)))
            return run(*args)

        return counting

    with monkeypatch.context() as patch:
        patch.setattr(statements, "_translate", counted(statements._translate))
        patch.setattr(statements, "_execute_on_sqlite", counted(statements._execute_on_sqlite))
        await work(shared)
    return found


@pytest.mark.parametrize("price", [0, 2])
async def test_many_jobs_take_as_many_statements_as_few(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch, price: int
) -> None:
    shared = services(redis, AtOnce(id="first", price=price), AtOnce(id="second"))
    await ingest(shared, "few", FEW)
    few = await statements_of_work(shared, monkeypatch)
    await ingest(shared, "many", MANY)
    many = await statements_of_work(shared, monkeypatch)
    assert len(many) <= len(few) + 2  # looks for further jobs
    assert await Job.filter(status=JobStatus.COMPLETED).count() == FEW + MANY
    assert (await check_ledger("many")).faults == []


async def test_a_record_that_gets_values_is_written_once(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = services(redis, AtOnce())
    await ingest(shared, "acme", FEW)
    ran = await statements_of_work(shared, monkeypatch)
    # SQLite locks rows by an idle change of them.
    written = [sql for sql in ran if sql.startswith("UPDATE record SET") and "SET version = version" not in sql]
    assert len(written) == 1
    assert await Record.filter(last_enriched_at=None).count() == 0
    assert await FieldValue.exclude(job_id=None).count() > 0


async def test_a_source_that_answers_at_once_is_asked_in_one_task_for_all(redis: ArqRedis) -> None:
    shared = services(redis, AtOnce())
    tasks.clear()
    await ingest(shared, "acme", MANY)
    await work(shared)
    assert await Job.filter(status=JobStatus.COMPLETED).count() == MANY
    assert len(tasks) == 1


async def test_a_few_jobs_do_not_wait_for_the_many_of_another_organization(redis: ArqRedis) -> None:
    shared = services(redis, AtOnce())
    tasks.clear()
    await ingest(shared, "big", MANY)
    await ingest(shared, "small", FEW)
    await work(shared)
    assert len(tasks) == 2
    [first, *_] = await Job.all().order_by("finished_at")
    assert first.organization_id == "small"
    assert first.finished_at is not None
    assert await Job.filter(organization_id="big", finished_at__lte=first.finished_at).count() == 0


async def test_a_source_that_fails_on_one_record_spoils_no_other_of_the_batch(redis: ArqRedis) -> None:
    shared = services(redis, AtOnce())
    bad = await send(context(shared), "account", "B", domain="bad.com")
    good = await send(context(shared), "account", "G", domain="good.com")
    await work(shared)
    assert [step.error_code for step in (await job_of(bad)).steps] == ["invalid_answer"]
    assert (await job_of(good)).status is JobStatus.COMPLETED


async def test_a_job_that_waits_for_a_remote_source_holds_back_nobody_of_its_batch(redis: ArqRedis) -> None:
    over = asyncio.Event()

    async def hang(question: Question) -> None:
        if question.fields["domain"] == "slow.com":
            await over.wait()

    gives = {EntityType.ACCOUNT: frozenset({"industry"})}
    remote = StandIn(id="remote", price=1, remote=True, gives=gives, on_ask=hang)
    shared = services(redis, remote)
    slow = await send(context(shared), "account", "S", domain="slow.com")
    others = [await send(context(shared), "account", f"A{n}", domain=f"acme{n}.com") for n in range(4)]
    working = asyncio.create_task(work(shared))

    async def others_ended() -> bool:
        return {(await job_of(other)).status.is_final for other in others} == {True}

    await until(others_ended)
    assert (await job_of(slow)).status is JobStatus.IN_PROGRESS
    over.set()
    await working
    assert (await job_of(slow)).status.is_final
    assert await statements.query("SELECT * FROM answer WHERE state = 'asking'") == []
