"""What is kept for a time goes after it, and nothing that undo, explain, history or the proofs need."""

from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.db.statements import execute, query
from models.job import Job
from models.record import FieldValue
from models.retention import KeepDays, delete_answers, delete_jobs, delete_steps
from resolvers.context import Context
from resolvers.credit.verify import verify_ledger
from resolvers.job.api import get_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.explain import explain
from resolvers.retention import RetentionKind, preview_retention
from resolvers.simulation.api import simulate_config
from resolvers.stats import get_stats
from resolvers.undo.api import undo_job
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.plans import statements_read
from workers.upkeep import prune as pruning
from workers.upkeep.prune import prune

pytestmark = pytest.mark.usefixtures("db")

ACCOUNT = EntityType.ACCOUNT
KNOWS = {"acme.com": {"industry": "Software"}, "globex.com": {"city": "Oakland"}}


async def past(redis: ArqRedis, clock: Clock) -> Context:
    """Two accounts with three jobs each: the first of one wrote a value, that of the other raised a conflict."""
    ctx = context(services(redis, StandIn("source", KNOWS, price=1), now=clock))
    await configure(ctx, cooldownHours=0)
    await send(ctx, "account", "A", domain="acme.com")
    await send(ctx, "account", "G", domain="globex.com", city="Berkeley")
    await work(ctx.services)
    for _ in range(2):
        clock.ahead_seconds += 60
        await enrich_records(ctx, RecordSelection(ACCOUNT), force=True)
        await work(ctx.services)
    clock.ahead_seconds += timedelta(days=50).total_seconds()
    return ctx


async def jobs() -> list[tuple[str, str]]:
    """Each job's account and id, in order of their creation."""
    found = await query(
        "SELECT record.external_id, job.id FROM job JOIN record ON record.id = job.record_id ORDER BY 1, 2"
    )
    return [(row["external_id"], row["id"]) for row in found]


async def pruned(ctx: Context, **more: Any) -> int:
    return await prune({"services": ctx.services} | more)


async def test_without_a_setting_no_job_goes(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    before = await jobs()
    assert await pruned(ctx) == 0
    assert await jobs() == before
    kept = {one.kind: one for one in await preview_retention(ctx)}
    assert kept[RetentionKind.JOBS].keep_days is None
    assert {one.goes for one in kept.values()} == {0}


async def test_jobs_go_that_changed_nothing_and_what_is_promised_holds(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    before, stats = await jobs(), await get_stats(ctx)
    values = await FieldValue.all().order_by("id").values_list("id", "value", "job_id")
    ctx.services.keep_days = KeepDays(jobs=30)
    [shown] = [one for one in await preview_retention(ctx) if one.kind is RetentionKind.JOBS]

    wrote, again, last = before[:3]
    # Of the other account the first raised the conflict, and the second is no longer the latest.
    assert await pruned(ctx) == shown.goes == 2
    assert await jobs() == [wrote, last, before[3], before[5]]
    assert await query("SELECT id FROM step WHERE job_id = ?", [again[1]]) == []
    assert await FieldValue.all().order_by("id").values_list("id", "value", "job_id") == values
    assert (await get_stats(ctx)).jobs_by_status == stats.jobs_by_status
    assert (await verify_ledger(ctx, whole=True)).faults == []
    assert "Software" in (await explain(ctx, ACCOUNT, "A", "industry")).text
    undone = await undo_job(ctx, wrote[1])
    assert undone.restored == 1


@pytest.mark.parametrize(
    "keep",
    [
        "UPDATE job SET short_of_credits = TRUE",
        "UPDATE job SET finished_at = finished_at + 2592000000000",
        "INSERT INTO refresh_plan (organization_id, record_id, place, staleness, job_id)"
        " SELECT organization_id, record_id, 1, 0.5, id FROM job WHERE id IN ('{0}', '{1}')",
        "UPDATE answer SET asked_by = CASE WHEN asked_by IN (SELECT id FROM job WHERE record_id ="
        " (SELECT record_id FROM job WHERE id = '{0}')) THEN '{0}' ELSE '{1}' END",
    ],
    ids=["runs again when credits return", "ended later", "is a refresh under way", "asked for an answer that is kept"],
)
async def test_a_job_that_is_needed_stays(redis: ArqRedis, keep: str) -> None:
    ctx = await past(redis, Clock())
    before = await jobs()
    ctx.services.keep_days = KeepDays(jobs=30)
    await execute(keep.format(before[1][1], before[4][1]))
    assert await pruned(ctx) == 0
    assert await jobs() == before


async def test_a_job_that_was_taken_up_again_meanwhile_stays(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    job = await Job.all().first()
    assert job is not None
    await execute("UPDATE job SET status = 'pending', finished_at = NULL, next_attempt_at = 1 WHERE id = ?", [job.id])
    assert await delete_jobs([job.id], ctx.services.now()) == 0
    assert (await get_job(ctx, job.id)).id == job.id


async def test_old_jobs_are_gone_through_in_parts_each_once(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_AT_ONCE", 2)
    monkeypatch.setattr(pruning, "_PARTS", 1)
    ctx = await past(redis, Clock())
    ctx.services.keep_days = KeepDays(jobs=30)
    positions: dict[str, Any] = {}
    deleted: list[int] = []
    for _ in range(4):
        with statements_read() as statements:
            deleted.append(await pruned(ctx, prune_positions=positions))
        assert len([sql for sql in statements if "may_go" in sql]) == 1
    assert sum(deleted) == 2
    assert positions == {}  # all were seen, so that the next run begins anew


async def test_a_preview_says_how_many_and_of_when_and_deletes_nothing(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    other = context(ctx.services, org="other")
    found = {one.kind: one for one in await preview_retention(ctx, decision_days=1, job_days=40)}
    decisions, gone, steps = (
        found[kind] for kind in (RetentionKind.DECISIONS, RetentionKind.JOBS, RetentionKind.STEPS)
    )
    assert (decisions.keep_days, decisions.goes) == (1, 6)
    assert (gone.keep_days, gone.goes, steps.goes) == (40, 2, 2)
    ago = ctx.services.now() - timedelta(days=50)
    assert gone.oldest is not None
    assert gone.newest is not None
    assert ago - timedelta(minutes=5) < gone.oldest <= gone.newest <= ago
    assert found[RetentionKind.LEDGER].goes == found[RetentionKind.VALUES].goes == 0
    assert {one.goes for one in await preview_retention(other, decision_days=1, job_days=40)} == {0}
    assert len(await jobs()) == 6


async def test_a_simulation_of_what_is_kept_no_longer_says_so(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = await past(redis, clock)
    start = ctx.services.now() - timedelta(days=55)
    assert (await simulate_config(ctx, {}, start)).not_replayed == []
    ctx.services.keep_days = KeepDays(decisions=20)
    assert await pruned(ctx) == 6
    first = ctx.services.now() - timedelta(days=20)
    assert (await simulate_config(ctx, {}, start)).not_replayed == [
        f"decisions from before {first:%Y-%m-%d} are kept no longer (REPLAY_DAYS)"
    ]


async def steps() -> int:
    [found] = await query("SELECT COUNT(*) AS number FROM step")
    return int(found["number"])


async def test_steps_go_of_jobs_that_changed_nothing_and_nothing_else_of_them(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    before, all_steps, stats = await jobs(), await steps(), await get_stats(ctx)
    await execute("UPDATE answer SET asked_by = NULL")
    await execute("UPDATE job SET status = 'failed' WHERE id = ?", [before[5][1]])
    ctx.services.keep_days = KeepDays(steps=30)
    [shown] = [one for one in await preview_retention(ctx) if one.kind is RetentionKind.STEPS]
    # Of six jobs one wrote a value, one raised a conflict, and one may be tried again.
    assert await pruned(ctx) == shown.goes == 3
    assert await steps() == all_steps - 3
    assert await jobs() == before
    kept = {row["job_id"] for row in await query("SELECT job_id FROM step")}
    assert kept == {before[0][1], before[3][1], before[5][1]}
    assert (await get_stats(ctx)).match_rate == stats.match_rate
    assert (await verify_ledger(ctx, whole=True)).faults == []
    assert await pruned(ctx) == 0


async def test_steps_of_a_job_that_was_taken_up_again_meanwhile_stay(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    [_, again, *_] = await jobs()
    await execute("UPDATE job SET status = 'pending', finished_at = NULL, next_attempt_at = 1 WHERE id = ?", [again[1]])
    assert await delete_steps([again[1]], ctx.services.now()) == 0


async def answers() -> list[str]:
    return [row["id"] for row in await query("SELECT id FROM answer ORDER BY id")]


async def test_answers_go_once_they_are_over_for_so_long(redis: ArqRedis) -> None:
    ctx = await past(redis, Clock())
    assert len(await answers()) == 2
    preview = [one.goes for one in await preview_retention(ctx, answer_days=10) if one.kind is RetentionKind.ANSWERS]
    assert await pruned(ctx) == 0  # without a setting
    assert await delete_answers("other", ctx.services.now(), limit=5) == 0
    ctx.services.keep_days = KeepDays(answers=60)
    assert await pruned(ctx) == 0
    ctx.services.keep_days = KeepDays(answers=10)
    assert [await pruned(ctx)] == preview == [2]
    assert await answers() == []


@pytest.mark.parametrize(
    "keep",
    [
        "UPDATE answer SET state = 'asking', answered_at = NULL, matched = NULL",
        "UPDATE answer SET state = 'pending', answered_at = NULL, matched = NULL, due_at = 1, token = 't'",
        "UPDATE answer SET expires_at = 9000000000000000",
        "UPDATE answer SET answered_at = 9000000000000000",
        "UPDATE job SET status = 'failed'",
        "UPDATE job SET status = 'partial'",
    ],
)
async def test_an_answer_that_may_still_serve_stays(redis: ArqRedis, keep: str) -> None:
    ctx = await past(redis, Clock())
    await execute(keep)
    assert await delete_answers("acme", ctx.services.now() - timedelta(days=10), limit=5) == 0
    assert len(await answers()) == 2
