"""What each job decided on is written down, reads back as it was, and is forgotten in time."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.replay.snapshot import DecisionSnapshot
from enrichment.replay.snapshot_format import parse_snapshot
from enrichment.replay.snapshot_json import read_snapshot
from models.db.columns import from_micros
from models.db.statements import execute, query
from models.decision_log import delete_snapshots, latest_snapshots, snapshots_of_period
from models.job import Job
from models.record import FieldValue, Record
from providers.api import Pending, ProviderError, Question
from resolvers.credit.verify import check_ledger
from resolvers.job.api import retry_job
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from workers.upkeep.prune import prune

pytestmark = pytest.mark.usefixtures("db")


async def _snapshots() -> list[DecisionSnapshot]:
    rows = await snapshots_of_period("acme", None, None, 1000)
    return [read_snapshot(parse_snapshot(row.stored)) for row in rows]


async def test_a_snapshot_holds_what_the_job_found_what_the_sources_replied_and_what_it_did(redis: ArqRedis) -> None:
    first = StandIn("first", {"acme": {"domain": ("acme.com", 0.8), "phone": ("+442079460818", 0.4)}})
    second = StandIn("second", {"acme.com": {"industry": ("Software", 0.9), "city": ("Oslo", 0.9)}}, price=2)
    ctx = context(services(redis, first, second))
    job = await _run(ctx, name="Acme", city="Bergen", owner="ann")

    [snapshot] = await _snapshots()
    assert snapshot.origin.trigger is JobTrigger.RECORD_CREATED
    assert (snapshot.status, snapshot.origin.config_version) == (JobStatus.COMPLETED, 1)
    assert snapshot.state.fields == {"name": "Acme", "city": "Bergen", "owner": "ann"}
    assert snapshot.state.current["name"].source == "crm"
    assert snapshot.state.last_enriched_at is None
    reply = snapshot.replies["second"]
    assert reply.borrowed_ids == {"domain": "acme.com"}
    # As the source stated it: not yet discounted for the domain that it was borrowed from another source.
    assert reply.reply.candidates["industry"].confidence == 0.9
    assert (reply.reply.outcome, reply.reply.credits) == (StepOutcome.MATCH, 2)
    effects = {name: (effect.reason, effect.value) for name, effect in snapshot.effects.items()}
    assert effects["domain"] == (FieldOutcomeReason.WRITTEN, "acme.com")
    assert effects["industry"][0] is FieldOutcomeReason.WRITTEN
    assert effects["phone"][0] is FieldOutcomeReason.BELOW_THRESHOLD
    assert effects["city"] == (FieldOutcomeReason.CONFLICT, "Oslo")
    written = await FieldValue.get(job_id=job.id, field="industry")
    assert snapshot.effects["industry"].confidence == written.confidence == 0.8 * 0.9


async def _run(ctx: Any, **fields: Any) -> Job:
    sent = await send(ctx, "account", "A1", **fields)
    await work(ctx.services)
    return await job_of(sent)


async def test_attempts_that_bring_nothing_new_leave_no_snapshot(redis: ArqRedis) -> None:
    later = [Pending(f"t{n}", 1.0) for n in range(3)]
    slow = StandIn("slow", {"acme": {"industry": "Software"}}, price=1, keeps_days=30, later=later)
    quick = StandIn("quick", {"acme": {"phone": "+442079460818"}})
    clock = Clock()
    ctx = context(services(redis, quick, slow, now=clock))
    await _run(ctx, name="Acme")
    for _ in range(3):
        clock.ahead_seconds += 60
        await work(ctx.services)
    snapshots = await _snapshots()
    assert [snapshot.status for snapshot in snapshots] == [JobStatus.PENDING, JobStatus.COMPLETED]
    assert list(snapshots[0].effects) == ["phone"]
    assert list(snapshots[1].restored) == ["quick"]


async def test_a_job_that_was_never_begun_leaves_its_state_alone(redis: ArqRedis) -> None:
    ctx = context(services(redis, StandIn()))
    await configure(ctx, entityTypes={"account": True})
    await _run(ctx, name="Acme")
    await _run(ctx, name="Acme Ltd & Sons")
    snapshots = await _snapshots()
    assert [(snapshot.status, snapshot.code) for snapshot in snapshots][1:] == [(JobStatus.SKIPPED, "cooldown")]
    assert snapshots[1].state.last_enriched_at is not None
    assert not snapshots[1].replies


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
    [snapshot] = await _snapshots()
    assert snapshot.state.fields["phone"] == "+442079460818"
    assert snapshot.replies["paid"].reply.credits == 3
    assert (await check_ledger("acme")).faults == []


async def test_a_retry_restores_what_was_paid_before(redis: ArqRedis) -> None:
    paid = StandIn("paid", {"acme": {"industry": "Software"}}, price=3, keeps_days=30)
    broken = StandIn("broken", fails=[ProviderError("rejected", "no", retryable=False)])
    ctx = context(services(redis, paid, broken))
    job = await _run(ctx, name="Acme")
    assert job.status is JobStatus.PARTIAL
    await retry_job(ctx, job.id)
    await work(ctx.services)
    job = await Job.get(id=job.id)
    assert (job.status, job.credits_used) == (JobStatus.COMPLETED, 3)
    first, second = await _snapshots()
    assert first.replies["broken"].reply.error is not None
    assert second.restored["paid"].credits == 3
    assert second.origin.by_hand
    assert second.attempt.wrote_before


async def test_snapshots_go_with_their_record_and_after_their_time(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = context(services(redis, StandIn(), now=clock))
    await _run(ctx, name="Acme")
    await send(ctx, "account", "A2", name="Other")
    await work(ctx.services)
    rows = await snapshots_of_period("acme", None, None, 10)
    assert len(rows) == 2
    assert await snapshots_of_period("acme", None, rows[1].decided_at, 10) == rows[:1]
    assert await snapshots_of_period("other", None, None, 10) == []
    record = await Record.get(external_id="A1")
    assert [row.record_id for row in await latest_snapshots([record.id])] == [record.id]
    await execute("DELETE FROM record WHERE id = ?", [record.id])
    assert [row["record_id"] for row in await query("SELECT record_id FROM decision_snapshot")] == [rows[1].record_id]

    assert await prune({"services": ctx.services}) == 0
    clock.ahead_seconds += timedelta(days=ctx.services.keep_days.decisions).total_seconds() + 60
    assert await prune({"services": ctx.services}) == 1
    assert await delete_snapshots(from_micros(0)) == 0
