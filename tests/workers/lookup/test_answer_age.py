"""How old an answer may be that serves a run: a forced one asks again, a refresh and any other within their days."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.config import InvalidConfig, parse_config
from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.answer.cache import acquire
from models.answer.row import AnswerKey
from models.db.statements import query
from models.db.transaction import unit_of_work
from models.job import Job
from providers.api import ProviderError, Question
from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.credit.api import get_credits
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.provider.api import get_provider
from tests.support.factories import ALL_FIELDS, Clock, StandIn, configure, context, job_of, send, services, work
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")

DAY = 86400.0
LEADS = RecordSelection(EntityType.LEAD)
KNOWN = {"acme.com": {"company": "Acme", "city": "Oakland"}, "bolt.com": {"company": "Bolt"}}


def paid(**changes: Any) -> StandIn:
    gives = {EntityType.LEAD: ALL_FIELDS[EntityType.LEAD]}
    return StandIn(id="paid", price=1, keeps_days=30, knows=KNOWN, gives=gives, **changes)


def rule(**changes: Any) -> list[dict[str, Any]]:
    return [{"id": "paid", **changes}]


async def force(ctx: Context, selection: RecordSelection = LEADS) -> None:
    await enrich_records(ctx, selection, force=True)
    await work(ctx.services)


async def lead(ctx: Context, external_id: str, domain: str = "acme.com") -> None:
    await send(ctx, "lead", external_id, companyDomain=domain, lastName="Smith")
    await work(ctx.services)


async def test_a_forced_run_asks_again_and_pays_again(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await lead(ctx, "1")
    clock.ahead_seconds += DAY
    await force(ctx)
    assert provider.asked == ["acme.com"] * 2
    assert (await get_credits(ctx)).used == 2


async def test_records_that_are_forced_together_and_have_one_question_share_its_new_answer(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    for external_id in ("1", "2", "3"):
        await lead(ctx, external_id)
    clock.ahead_seconds += DAY
    await force(ctx)
    assert provider.asked == ["acme.com"] * 2


async def test_any_other_run_asks_where_the_answer_is_older_than_the_providers_answer_days(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await lead(ctx, "1")
    clock.ahead_seconds += 29 * DAY
    await lead(ctx, "2")
    assert provider.asked == ["acme.com"]
    clock.ahead_seconds += 2 * DAY
    await lead(ctx, "3")
    assert provider.asked == ["acme.com"] * 2


@pytest.mark.parametrize(("days", "after", "asked"), [(5, 4, 1), (5, 6, 2), (90, 60, 1), (90, 91, 2), (0, 0.01, 2)])
async def test_the_configuration_sets_how_long_kept_answers_serve(
    redis: ArqRedis, days: int, after: float, asked: int
) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await lead(ctx, "1")
    await configure(ctx, providers=rule(answerDays=days))
    clock.ahead_seconds += after * DAY
    await lead(ctx, "2")
    assert len(provider.asked) == asked
    assert (await get_provider(ctx, "paid")).answer_days == days


async def test_with_no_answer_days_at_all_jobs_at_the_same_time_still_share_an_answer(redis: ArqRedis) -> None:
    provider = paid()
    ctx = context(services(redis, provider))
    await configure(ctx, providers=rule(answerDays=0))
    for external_id in ("1", "2"):
        await send(ctx, "lead", external_id, companyDomain="acme.com", lastName="Smith")
    await work(ctx.services)
    assert provider.asked == ["acme.com"]


async def test_a_miss_is_kept_no_longer_than_the_provider_says(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await configure(ctx, providers=rule(answerDays=90))
    await lead(ctx, "1", "nobody.com")
    clock.ahead_seconds += 6 * DAY
    await lead(ctx, "2", "nobody.com")
    assert provider.asked == ["nobody.com"]
    clock.ahead_seconds += 2 * DAY
    await lead(ctx, "3", "nobody.com")
    assert provider.asked == ["nobody.com"] * 2
    assert (await get_provider(ctx, "paid")).miss_days == 7


async def test_a_scheduled_refresh_asks_where_the_answer_is_older_than_it_says(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await lead(ctx, "1")
    await configure(ctx, triggers={"refreshAfterDays": 10}, providers=rule(answerDays=90))
    clock.ahead_seconds += 8 * DAY
    await refresh({"services": ctx.services})
    await work(ctx.services)
    assert provider.asked == ["acme.com"]
    clock.ahead_seconds += 3 * DAY
    await refresh({"services": ctx.services})
    await work(ctx.services)
    assert provider.asked == ["acme.com"] * 2
    # An answer of three days ago, to another record with the same question, is young enough for this one.
    await lead(ctx, "2")
    clock.ahead_seconds += 8 * DAY
    await enrich_records(ctx, RecordSelection(EntityType.LEAD, ("2",)), force=True)
    await work(ctx.services)
    clock.ahead_seconds += 4 * DAY
    await refresh({"services": ctx.services})
    await work(ctx.services)
    assert provider.asked == ["acme.com"] * 3


async def test_a_retry_is_no_forced_run_for_what_is_kept(redis: ArqRedis) -> None:
    down = StandIn(id="down", remote=True, fails=[ProviderError("unavailable", "down", retryable=False)])
    provider = paid()
    shared = services(redis, down, provider)
    ctx = context(shared)
    await configure(ctx, providers=[{"id": "paid"}])
    await lead(ctx, "1")
    await configure(ctx, providers=[{"id": "down"}, {"id": "paid"}], credits={"perRecordMax": 0})
    failed = await send(ctx, "lead", "2", companyDomain="acme.com", lastName="Jones")
    await work(shared)
    assert (await job_of(failed)).status is JobStatus.FAILED
    await configure(ctx, credits={"perRecordMax": None})
    await retry_job(ctx, (await job_of(failed)).id)
    await work(shared)
    assert (await job_of(failed)).status is JobStatus.COMPLETED
    assert provider.asked == ["acme.com"]


async def test_a_forced_request_that_joins_a_waiting_job_lets_it_ask_again(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await pause_pipeline(ctx)
    await send(ctx, "lead", "1", companyDomain="acme.com", lastName="Smith")
    await resume_pipeline(ctx)
    await work(ctx.services)
    await pause_pipeline(ctx)
    await send(ctx, "lead", "2", companyDomain="acme.com", lastName="Jones")
    clock.ahead_seconds += DAY
    outcome = await enrich_records(ctx, RecordSelection(EntityType.LEAD, ("2",)), force=True)
    assert len(outcome.folded) == 1
    await resume_pipeline(ctx)
    await work(ctx.services)
    assert provider.asked == ["acme.com"] * 2


async def test_a_forced_request_that_joins_a_running_job_is_followed_by_a_run_that_asks_again(redis: ArqRedis) -> None:
    first, provider = StandIn(id="first", price=1, keeps_days=30, knows={"acme.com": {"company": "Acme"}}), paid()
    ctx = context(services(redis, first, provider))

    async def force_meanwhile(question: Question) -> None:
        provider.on_ask = None
        outcome = await enrich_records(ctx, LEADS, force=True)
        assert [job.status for job in outcome.folded] == [JobStatus.IN_PROGRESS]

    provider.on_ask = force_meanwhile
    await lead(ctx, "1")
    assert first.asked == ["acme.com"] * 2
    assert provider.asked == ["acme.com"]  # its answer came after the request, and serves both
    started, followed = await Job.all().order_by("created_at")
    assert (started.status, followed.status) == (JobStatus.COMPLETED, JobStatus.COMPLETED)
    assert (followed.trigger, followed.forced) == (JobTrigger.MANUAL, True)
    assert (await get_credits(ctx)).used == 3


async def test_a_forced_request_that_joins_a_forced_run_shares_its_answer(redis: ArqRedis) -> None:
    provider = paid()
    ctx = context(services(redis, provider))
    await lead(ctx, "1")

    async def force_meanwhile(question: Question) -> None:
        await enrich_records(ctx, LEADS, force=True)

    provider.on_ask = force_meanwhile
    await force(ctx)
    assert provider.asked == ["acme.com"] * 2
    assert await Job.all().count() == 2


async def test_a_forced_request_within_a_budget_is_followed_by_nothing_that_is_not_within_it(redis: ArqRedis) -> None:
    provider = paid()
    ctx = context(services(redis, provider))

    async def force_meanwhile(question: Question) -> None:
        await enrich_records(ctx, LEADS, force=True, max_credits=1)

    provider.on_ask = force_meanwhile
    await lead(ctx, "1")
    assert await Job.all().count() == 1


async def test_a_request_that_is_not_forced_adds_no_run(redis: ArqRedis) -> None:
    provider = paid()
    ctx = context(services(redis, provider))

    async def request_meanwhile(question: Question) -> None:
        await enrich_records(ctx, LEADS)

    provider.on_ask = request_meanwhile
    await lead(ctx, "1")
    assert await Job.all().count() == 1


async def test_what_a_forced_run_could_not_pay_for_is_asked_again_when_credits_return(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await lead(ctx, "1")
    await configure(ctx, credits={"monthlyLimit": 1})
    clock.ahead_seconds += 3600
    await force(ctx)
    assert provider.asked == ["acme.com"]
    await configure(ctx, credits={"monthlyLimit": 10})
    await work(ctx.services)
    assert provider.asked == ["acme.com"] * 2
    assert await Job.filter(trigger=JobTrigger.CREDITS_RESTORED).count() == 1


async def test_a_job_never_asks_again_for_its_own_answer(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    await lead(ctx, "1")
    job = await Job.first()
    assert job is not None
    other = await send(ctx, "lead", "2", companyDomain="acme.com", lastName="Jones")
    assert other.job is not None
    [answer] = await _answers()
    now = clock()
    own = AnswerKey("acme", "paid", answer["input_key"], job.id, now)
    assert (await unit_of_work(acquire)([own], now, now)).held == set()
    others = AnswerKey("acme", "paid", answer["input_key"], other.job.id, now)
    assert (await unit_of_work(acquire)([others], now, now)).held == {others}


async def _answers() -> list[dict[str, Any]]:
    return await query("SELECT input_key FROM answer")


async def test_the_estimate_and_the_preview_of_a_forced_run_count_the_calls_that_it_makes(redis: ArqRedis) -> None:
    provider, clock = paid(), Clock()
    ctx = context(services(redis, provider, now=clock))
    for external_id, domain in (("1", "acme.com"), ("2", "acme.com"), ("3", "bolt.com")):
        await lead(ctx, external_id, domain)
    provider.asked.clear()
    clock.ahead_seconds += 2 * DAY
    [kept] = (await estimate_enrichment(ctx, LEADS)).by_provider
    assert (kept.questions, kept.maximum, kept.reused) == (0, 0, 3)
    assert dict((await preview_enrichment(ctx, LEADS)).credits_most) == {}
    [asked] = (await estimate_enrichment(ctx, LEADS, force=True)).by_provider
    assert (asked.questions, asked.maximum, asked.reused) == (2, 2, 0)
    preview = await preview_enrichment(ctx, LEADS, force=True)
    assert (dict(preview.calls), dict(preview.credits_most)) == ({"paid": 2}, {"paid": 2})
    before = (await get_credits(ctx)).used
    await force(ctx)
    assert (sorted(provider.asked), (await get_credits(ctx)).used - before) == (["acme.com", "bolt.com"], 2)


@pytest.mark.parametrize("days", [-1, 3651, 1.5, "30"])
def test_answer_days_that_cannot_be_are_refused_by_path(days: Any) -> None:
    with pytest.raises(InvalidConfig) as refused:
        parse_config({"providers": [{"id": "paid", "answerDays": days}]}, ["paid"])
    assert [path for path, _ in refused.value.faults] == ["providers[0].answerDays"]
