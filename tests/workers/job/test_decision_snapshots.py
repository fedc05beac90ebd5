"""What each job decided on is written down, reads back as it was, and is forgotten in time."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis

from enrichment.enums import FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.replay.snapshot import DecisionSnapshot, read_snapshot
from models.db.columns import from_micros, to_micros
from models.db.statements import execute, query
from models.decision_log import drop_hearings, hearings_of_period, latest_hearings
from models.job import Job
from models.record import FieldValue, Record
from providers.api import Pending, ProviderError, Question
from resolvers.credit.verify import check_ledger
from resolvers.job.api import retry_job
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from workers.schedule import drop_old_hearings

pytestmark = pytest.mark.usefixtures("db")


async def _hearings() -> list[DecisionSnapshot]:
    rows = await hearings_of_period("acme", None, None, 1000)
    return [read_snapshot(orjson.loads(row["body"])) for row in rows]


async def test_a_hearing_holds_what_the_job_found_what_it_was_told_and_what_it_did(redis: ArqRedis) -> None:
    first = StandIn("first", {"acme": {"domain": ("acme.com", 0.8), "phone": ("+442079460818", 0.4)}})
    second = StandIn("second", {"acme.com": {"industry": ("Software", 0.9), "city": ("Oslo", 0.9)}}, price=2)
    ctx = context(services(redis, first, second))
    job = await _run(ctx, name="Acme", city="Bergen", owner="ann")

    [hearing] = await _hearings()
    assert hearing.origin.trigger is JobTrigger.RECORD_CREATED
    assert (hearing.status, hearing.origin.config_version) == (JobStatus.COMPLETED, 1)
    assert hearing.state.fields == {"name": "Acme", "city": "Bergen", "owner": "ann"}
    assert hearing.state.current["name"].source == "crm"
    assert hearing.state.last_enriched_at is None
    told = hearing.said["second"]
    assert told.borrowed_ids == {"domain": "acme.com"}
    # As the source said it: not yet believed less for the domain that it was lent.
    assert told.reply.candidates["industry"].confidence == 0.9
    assert (told.reply.outcome, told.reply.credits) == (StepOutcome.MATCH, 2)
    effects = {name: (effect.reason, effect.value) for name, effect in hearing.effects.items()}
    assert effects["domain"] == (FieldOutcomeReason.WRITTEN, "acme.com")
    assert effects["industry"][0] is FieldOutcomeReason.WRITTEN
    assert effects["phone"][0] is FieldOutcomeReason.BELOW_THRESHOLD
    assert effects["city"] == (FieldOutcomeReason.CONFLICT, "Oslo")
    written = await FieldValue.get(job_id=job.id, field="industry")
    assert hearing.effects["industry"].confidence == written.confidence == 0.8 * 0.9


async def _run(ctx: Any, **fields: Any) -> Job:
    sent = await send(ctx, "account", "A1", **fields)
    await work(ctx.services)
    return await job_of(sent)


async def test_attempts_that_bring_nothing_new_leave_no_hearing(redis: ArqRedis) -> None:
    later = [Pending(f"t{n}", 1.0) for n in range(3)]
    slow = StandIn("slow", {"acme": {"industry": "Software"}}, price=1, keeps_days=30, later=later)
    quick = StandIn("quick", {"acme": {"phone": "+442079460818"}})
    clock = Clock()
    ctx = context(services(redis, quick, slow, now=clock))
    await _run(ctx, name="Acme")
    for _ in range(3):
        clock.ahead_seconds += 60
        await work(ctx.services)
    hearings = await _hearings()
    assert [hearing.status for hearing in hearings] == [JobStatus.PENDING, JobStatus.COMPLETED]
    assert list(hearings[0].effects) == ["phone"]
    assert list(hearings[1].recalled) == ["quick"]


async def test_a_job_that_was_never_begun_leaves_its_state_alone(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await configure(ctx, entityTypes={"account": True})
    await _run(ctx, name="Acme")
    await _run(ctx, name="Acme Ltd & Sons")
    hearings = await _hearings()
    assert [(hearing.status, hearing.code) for hearing in hearings][1:] == [(JobStatus.SKIPPED, "cooldown")]
    assert hearings[1].state.last_enriched_at is not None
    assert not hearings[1].said


async def test_a_job_that_decides_again_still_shows_what_it_paid(redis: ArqRedis) -> None:
    edits: list[str] = []

    async def edit(question: Question) -> None:
        if not edits:
            edits.append("phone")
            await send(context(shared), "account", "A1", name="Acme", phone="+442079460818")

    paid = StandIn("paid", {"acme": {"industry": "Software"}}, price=3, keeps_days=30, on_ask=edit)
    shared = services(redis, paid)
    job = await _run(context(shared), name="Acme")
    assert paid.asked == ["acme"]
    assert (job.credits_used, job.steps[0].credits_charged) == (3, 3)
    [hearing] = await _hearings()
    assert hearing.state.fields["phone"] == "+442079460818"
    assert hearing.said["paid"].reply.credits == 3
    assert (await check_ledger("acme")).faults == []


async def test_a_retry_recalls_what_was_paid_before(redis: ArqRedis) -> None:
    paid = StandIn("paid", {"acme": {"industry": "Software"}}, price=3, keeps_days=30)
    broken = StandIn("broken", fails=[ProviderError("rejected", "no", retryable=False)])
    ctx = context(services(redis, paid, broken))
    job = await _run(ctx, name="Acme")
    assert job.status is JobStatus.PARTIAL
    await retry_job(ctx, job.id)
    await work(ctx.services)
    job = await Job.get(id=job.id)
    assert (job.status, job.credits_used) == (JobStatus.COMPLETED, 3)
    first, second = await _hearings()
    assert first.said["broken"].reply.error is not None
    assert second.recalled["paid"].credits == 3
    assert second.origin.by_hand
    assert second.attempt.wrote_before


async def test_hearings_go_with_their_record_and_after_their_time(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = context(services(redis, StandIn(), now=clock))
    await _run(ctx, name="Acme")
    await send(ctx, "account", "A2", name="Other")
    await work(ctx.services)
    rows = await hearings_of_period("acme", None, None, 10)
    assert len(rows) == 2
    assert await hearings_of_period("acme", None, rows[1]["decided_at"], 10) == rows[:1]
    assert await hearings_of_period("other", None, None, 10) == []
    record = await Record.get(external_id="A1")
    assert [row["record_id"] for row in await latest_hearings([record.id])] == [record.id]
    await execute("DELETE FROM record WHERE id = ?", [record.id])
    left = await query("SELECT record_id FROM decision_snapshot")
    assert [row["record_id"] for row in left] == [rows[1]["record_id"]]

    assert await drop_old_hearings({"services": ctx.services}) == 0
    clock.ahead_seconds += timedelta(days=ctx.services.replay_days).total_seconds() + 60
    assert await drop_old_hearings({"services": ctx.services}) == 1
    assert await drop_hearings(to_micros(from_micros(0))) == 0
