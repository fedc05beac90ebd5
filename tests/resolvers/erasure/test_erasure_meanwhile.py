"""An erasure in the midst of things: whatever is under way writes nothing back, and nothing else breaks.

One file, because each test interrupts the same erasure at another point.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.answer.cache import acquire
from models.answer.row import AnswerKey
from models.conflict.queries import ConflictFilter
from models.db import statements
from models.db.columns import new_id
from models.db.statements import query
from models.db.transaction import unit_of_work
from models.job import Job
from models.job.transitions import claim, create
from models.record import Record
from providers.api import Question
from resolvers.conflict.api import list_conflicts, resolve_conflict
from resolvers.conflict.settle import settle_conflict
from resolvers.context import Context
from resolvers.credit.api import get_credits
from resolvers.credit.verify import verify_ledger
from resolvers.erasure.api import erase_record
from resolvers.erasure.transaction import run_erasure
from resolvers.errors import NotFound
from resolvers.job.api import cancel_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.job.new_job import new_job
from resolvers.organizations import config_of, organization_of
from resolvers.paging import PageArgs
from resolvers.record.api import get_record, upsert_records
from tests.support.canaries import stored_texts
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from workers.job import batch
from workers.job.load import load_claimed
from workers.job.results import WriteStatus, write_results
from workers.lookup import batched_store
from workers.lookup.batched_store import BatchedStore
from workers.upkeep.expire_pending import expire_pending

pytestmark = pytest.mark.usefixtures("db")

LEAD = EntityType.LEAD
JOE = {"firstName": "Joe", "lastName": "Doe", "email": "joe@acme.com"}


def paid(name: str = "paid", **more: Any) -> StandIn:
    return StandIn(id=name, price=2, remote=True, keeps_days=30, **more)


FOUND = {"title": "Found of Joe", "mobilePhone": "+49 170 1234567"}


async def nothing_is_left(ctx: Context) -> None:
    """No text names Joe, no credit is reserved, and the ledger adds up."""
    names = ("joe@acme", "found of joe", "1701234567")
    assert not [text for text in await stored_texts() if any(word in text.lower() for word in names)]
    assert await query("SELECT * FROM answer WHERE state <> 'answered'") == []
    assert (await get_credits(ctx)).reserved == 0
    assert (await verify_ledger(ctx)).faults == []


async def test_while_a_provider_is_answering(redis: ArqRedis) -> None:
    """The answer comes after the erasure: it is neither written nor stored, and no other provider is asked."""
    first, second = paid("first", knows={"joe@acme.com": FOUND}), paid("second", knows={"joe@acme.com": FOUND})
    ctx = context(services(redis, first, second))

    async def erase(question: Question) -> None:
        if question.fields.get("email") == "joe@acme.com":
            await erase_record(ctx, LEAD, "L-1")

    first.on_ask = erase
    await send(ctx, "lead", "L-1", **JOE)
    await send(ctx, "lead", "L-2", lastName="Roe", email="roe@other.com")
    await work(ctx.services)

    assert [about for about in sorted(first.asked) if "@" in about] == ["joe@acme.com", "roe@other.com"]
    assert [about for about in second.asked if "@" in about] == ["roe@other.com"]
    assert "acme.com" not in first.asked + second.asked
    await nothing_is_left(ctx)
    assert [job.status for job in await Job.all()] == [JobStatus.COMPLETED]


async def test_while_an_answer_is_about_to_be_stored(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = paid(knows={"joe@acme.com": FOUND})
    ctx = context(services(redis, provider))
    settle = batched_store._settle_calls

    async def late(*args: Any) -> Any:
        if await Record.exists():
            await erase_record(ctx, LEAD, "L-1")
        return await settle(*args)

    monkeypatch.setattr(batched_store, "_settle_calls", late)
    await send(ctx, "lead", "L-1", **JOE)
    await work(ctx.services)
    assert provider.asked == ["joe@acme.com"]
    assert await query("SELECT * FROM answer") == []
    await nothing_is_left(ctx)


async def test_while_a_result_is_about_to_be_written(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of results: that of the erased record is lost, the others are written."""
    ctx = context(services(redis, StandIn(knows={"joe@acme.com": FOUND, "roe@other.com": {"title": "CTO"}})))
    fates: list[WriteStatus] = []

    async def late(results: Any, now: Any, _: Any) -> Any:
        if await Record.filter(external_id="L-1").exists():
            await erase_record(ctx, LEAD, "L-1")
        written = await write_results(results, now, ctx.services)
        fates.extend(written.statuses)
        return written

    monkeypatch.setattr(batch, "write_results", late)
    await send(ctx, "lead", "L-1", **JOE)
    await send(ctx, "lead", "L-2", lastName="Roe", email="roe@other.com")
    await work(ctx.services)
    assert sorted(fates) == [WriteStatus.DONE, WriteStatus.LOST]
    assert (await get_record(ctx, LEAD, "L-2")).fields["title"] == "CTO"
    await nothing_is_left(ctx)


async def test_while_a_job_is_decided_again(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both records have changed, and one is erased when they are read again: the job of the other goes on."""
    ctx = context(services(redis, StandIn(knows={"joe@acme.com": FOUND, "roe@other.com": {"title": "CTO"}})))
    moved = erased = False

    async def late(results: Any, now: Any, _: Any) -> Any:
        nonlocal moved
        if not moved:
            moved = True
            for external_id in ("L-1", "L-2"):
                await send(ctx, "lead", external_id, city="Berlin")
        return await write_results(results, now, ctx.services)

    reload = BatchedStore.reload

    async def later(store: BatchedStore, record_ids: Any) -> Any:
        nonlocal erased
        if not erased:
            erased = True
            await erase_record(ctx, LEAD, "L-1")
        return await reload(store, record_ids)

    monkeypatch.setattr(batch, "write_results", late)
    monkeypatch.setattr(BatchedStore, "reload", later)
    await send(ctx, "lead", "L-1", **JOE)
    await send(ctx, "lead", "L-2", lastName="Roe", email="roe@other.com")
    await work(ctx.services)
    assert (await get_record(ctx, LEAD, "L-2")).fields["title"] == "CTO"
    assert [job.status for job in await Job.all()] == [JobStatus.COMPLETED]
    await nothing_is_left(ctx)


async def test_between_claiming_and_loading_a_job(redis: ArqRedis) -> None:
    clock = Clock()
    shared = services(redis, paid(), now=clock)
    ctx = context(shared)
    sent = await send(ctx, "lead", "L-1", **JOE)
    assert sent.job is not None
    claims = await claim("acme", clock(), 10)
    [loaded] = await load_claimed(shared, claims, clock())
    await erase_record(ctx, LEAD, "L-1")
    assert await load_claimed(shared, claims, clock()) == []
    answer_key = AnswerKey("acme", "paid", "key", loaded.id)
    acquired = await unit_of_work(acquire)([answer_key], clock(), clock())
    assert (acquired.held, acquired.cached) == (set(), {})
    await nothing_is_left(ctx)


async def test_a_request_for_an_erased_record_starts_nothing_and_spoils_nothing(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await configure(ctx, triggers={"onCreate": False})
    for external_id in ("L-1", "L-2"):
        await send(ctx, "lead", external_id, **{**JOE, "email": f"{external_id}@acme.com"})
    config = config_of(await organization_of("acme", ctx.services.registry, ctx.services.now()))
    jobs = [
        new_job("acme", record.id, LEAD, JobTrigger.MANUAL, config, ctx.services.now())
        for record in await Record.all().order_by("id")
    ]
    await erase_record(ctx, LEAD, "L-1")
    assert await unit_of_work(create)(jobs) == {jobs[1].id}
    outcome = await enrich_records(ctx, RecordSelection(LEAD, external_ids=("L-1", "L-2")))
    assert [(result.external_id, result.reason) for result in outcome.skipped] == [("L-1", "not_found")]


async def test_a_question_of_a_worker_that_died_is_deleted(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = context(services(redis, paid(), now=clock))
    await send(ctx, "lead", "L-1", **JOE)
    [taken] = await claim("acme", clock(), 10)
    answer_key = AnswerKey("acme", "paid", "key", taken.id)
    await unit_of_work(acquire)([answer_key], clock(), clock() + timedelta(seconds=60))
    # As where the question was taken in hand while the erasure was being committed.
    await statements.execute("UPDATE answer SET asked_by = ?", [new_id()])
    await expire_pending({"services": ctx.services})
    assert len(await query("SELECT * FROM answer")) == 1
    clock.ahead_seconds += 7200
    await expire_pending({"services": ctx.services})
    assert await query("SELECT * FROM answer") == []


async def test_a_cancelled_job_asks_nobody_else(redis: ArqRedis) -> None:
    first, second = StandIn(id="first"), paid("second")
    ctx = context(services(redis, first, second))

    async def cancel(_: Question) -> None:
        await cancel_job(ctx, (await Job.get()).id)

    first.on_ask = cancel
    sent = await send(ctx, "lead", "L-1", **JOE)
    await work(ctx.services)
    assert (await job_of(sent)).status is JobStatus.CANCELLED
    assert second.asked == []


async def test_a_conflict_that_is_erased_while_it_is_resolved(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context(services(redis, StandIn(knows={"joe@acme.com": FOUND})))
    await send(ctx, "lead", "L-1", **JOE, title="CTO")
    await work(ctx.services)
    [conflict] = (await list_conflicts(ctx, ConflictFilter(field="title"), PageArgs())).items

    async def late(*args: Any, **more: Any) -> Any:
        await erase_record(ctx, LEAD, "L-1")
        return await settle_conflict(*args, **more)

    monkeypatch.setattr("resolvers.conflict.api.settle_conflict", late)
    with pytest.raises(NotFound):
        await resolve_conflict(ctx, conflict.id, None)
    await nothing_is_left(ctx)


async def test_a_record_that_changes_while_it_is_erased_is_kept_out_by_its_new_values_too(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context(services(redis))
    await send(ctx, "lead", "L-1", **JOE)
    changes = iter(["joseph@acme.com"])

    async def late(*args: Any) -> Any:
        for email in changes:
            await send(ctx, "lead", "L-1", **{**JOE, "email": email})
        return await run_erasure(*args)

    monkeypatch.setattr("resolvers.erasure.run.run_erasure", late)
    await erase_record(ctx, LEAD, "L-1")
    again = await send(ctx, "lead", "L-2", lastName="Roe", email="joseph@acme.com")
    assert again.error is not None
    assert again.error.code == "ERASED"


async def test_the_same_record_sent_and_erased_at_once_is_there_or_kept_out(redis: ArqRedis) -> None:
    """However they race: after the erasure nobody holds the person who was there when it began."""
    ctx = context(services(redis, StandIn()))
    for turn in range(12):
        mine = {**JOE, "email": f"joe{turn}@acme.com", "lastName": f"Doe{turn}"}
        await send(ctx, "lead", f"L-{turn}", **mine)

        async def again(turn: int = turn, mine: dict[str, str] = mine) -> list[Any]:
            sent = [
                {"entityType": "lead", "externalId": f"L-{turn}", "fields": {**mine, "title": "CEO"}},
                {"entityType": "lead", "externalId": f"X-{turn}", "fields": {"lastName": "Ng"}},
            ]
            return await upsert_records(ctx, sent)

        _, *answers = await asyncio.gather(erase_record(ctx, LEAD, f"L-{turn}"), again(), again())
        assert await Record.filter(external_id=f"L-{turn}").count() == 0
        assert all(answer[1].error is None for answer in answers)
        for answer in answers:
            assert answer[0].error is None or answer[0].error.code == "ERASED"
    assert not [text for text in await stored_texts() if "@acme.com" in text]
    assert await Record.all().count() == 12


async def test_two_erasures_at_once_are_one(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await send(ctx, "lead", "L-1", **JOE)
    ended = await asyncio.gather(*(erase_record(ctx, LEAD, "L-1") for _ in range(4)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in ended) == ["EraseResult", "NotFound", "NotFound", "NotFound"]
    assert len(await query("SELECT * FROM erasure")) == 1


async def test_a_busy_worker_and_many_erasures(redis: ArqRedis) -> None:
    """Records are erased while their jobs run, are written and are retried: nothing of them stays."""
    provider = paid(knows={f"joe{n}@acme.com": FOUND for n in range(60)}, delay_seconds=0.01)
    ctx = context(services(redis, provider))
    for n in range(60):
        await send(ctx, "lead", f"L-{n}", lastName=f"Doe{n}", email=f"joe{n}@acme.com")

    async def erase_some() -> None:
        for n in range(0, 60, 2):
            await erase_record(ctx, LEAD, f"L-{n}")
            await asyncio.sleep(0.002)

    await asyncio.gather(work(ctx.services), erase_some())
    await work(ctx.services)
    left = await Record.all().prefetch_related("jobs")
    assert {record.external_id for record in left} == {f"L-{n}" for n in range(1, 60, 2)}
    assert all(record.fields["title"] == "Found of Joe" for record in left)
    stored = await stored_texts()
    assert not [n for n in range(0, 60, 2) if any(f"joe{n}@acme.com" in text for text in stored)]
    assert len(await query("SELECT * FROM answer")) == 31  # about 30 people, and their company
    assert (await get_credits(ctx)).reserved == 0
    assert (await verify_ledger(ctx)).faults == []
