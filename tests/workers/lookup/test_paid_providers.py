"""Not one credit wasted: breakers, answers that come later, calls that may have been charged, budgets, estimates.

One file, because the tests share one paid stand-in and the ledger beside it.
"""

from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import BreakerState, EntityType, JobStatus, OpenReason
from enrichment.waterfall.breaker import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Breaker,
    after_failure,
    after_success,
    is_worth_its_price,
)
from models.credit.alert import CreditAlert
from models.credit.entry import CreditEntry
from models.db.statements import execute
from models.job import Job
from providers.api import Answer, Finding, Pending, ProviderError, Question
from resolvers.context import Role
from resolvers.cost.estimate import estimate_enrichment
from resolvers.credit.alerts import list_alerts
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger, verify_ledger
from resolvers.errors import Forbidden, ValidationFailed
from resolvers.job.api import cancel_job, get_job, retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.provider.api import list_providers, reset_provider
from resolvers.provider.keys import set_provider_key
from resolvers.secret_box import SecretBox
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from tests.support.waiting import until
from workers.lookup.circuit_breaker import CircuitBreakers
from workers.upkeep.expire_pending import expire_pending

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin"}
ACCOUNTS = RecordSelection(EntityType.ACCOUNT)
KEY = "sk-live-0123456789abcdef"


def failing(code: str, times: int, *, retryable: bool = False, maybe: bool = False) -> list[ProviderError]:
    return [ProviderError(code, "no", retryable=retryable, maybe_charged=maybe) for _ in range(times)]


async def test_failures_in_a_row_open_the_breaker_and_a_probe_closes_it(redis: ArqRedis) -> None:
    clock = Clock()
    down = StandIn(id="down", remote=True, fails=failing("unavailable", FAILURES_TO_OPEN))
    shared = services(redis, down, now=clock)
    ctx = context(shared)
    for n in range(FAILURES_TO_OPEN):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
        await work(shared)
    refused = await send(ctx, "account", "B", domain="acme.com")
    await work(shared)
    waiting = await job_of(refused)
    assert (waiting.status, waiting.error_code) == (JobStatus.PENDING, "circuit_open")
    assert len(down.asked) == FAILURES_TO_OPEN
    [view] = await list_providers(ctx)
    assert (view.healthy, view.state, view.state_reason) == (False, BreakerState.OPEN, "failures")
    assert (view.last_error_code, view.last_error_message) == ("unavailable", "no")

    clock.ahead_seconds += 120
    down.knows = {"acme.com": ACME}
    await work(shared)

    assert (await job_of(refused)).status is JobStatus.COMPLETED
    assert (await list_providers(ctx))[0].healthy


@pytest.mark.parametrize("code", ["out_of_credits", "bad_key"])
async def test_a_bad_key_or_an_empty_account_is_not_asked_again(redis: ArqRedis, code: str) -> None:
    paid = StandIn(id="paid", price=1, remote=True, needs_key=True, fails=failing(code, 1))
    shared = services(redis, paid)
    ctx = context(shared)
    first = await send(ctx, "account", "A1", domain="acme1.com")
    await work(shared)
    second = await send(ctx, "account", "A2", domain="acme2.com")
    await work(shared)
    assert [(await job_of(one)).error_code for one in (first, second)] == [code, "circuit_open"]
    assert paid.asked == ["acme1.com"]
    assert (await get_credits(ctx)).reserved == 0

    await reset_provider(ctx, "paid")
    await retry_job(ctx, (await job_of(second)).id)
    await work(shared)

    assert paid.asked == ["acme1.com", "acme2.com"]


async def test_jobs_that_begin_together_in_another_worker_know_of_the_open_breaker(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=1, remote=True, fails=failing("bad_key", 1))
    shared = services(redis, paid)
    ctx = context(shared)
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    for n in range(8):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
    await work(shared)  # `work` is another worker each time
    assert paid.asked == ["acme.com"]


async def test_a_worker_that_knows_of_an_open_breaker_learns_of_another_key_at_once(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=1, remote=True, needs_key=True, fails=failing("bad_key", 1))
    shared = services(redis, paid)
    shared.secret_box = SecretBox(b"m" * 32)
    ctx = context(shared)
    breakers = CircuitBreakers(shared)
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    refusal = await breakers.refusal("acme", paid.info)
    assert refusal is not None and refusal.code == "circuit_open"
    await set_provider_key(ctx, "paid", KEY)

    async def is_closed() -> bool:
        return await breakers.refusal("acme", paid.info) is None

    await until(is_closed)


async def test_a_late_answer_to_the_key_before_says_nothing_of_the_new_one(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=1, remote=True, needs_key=True, fails=failing("bad_key", 1))
    shared = services(redis, paid)
    shared.secret_box = SecretBox(b"m" * 32)
    ctx = context(shared)

    async def another_key_is_set(_: Question) -> None:
        await set_provider_key(ctx, "paid", KEY)

    paid.on_ask = another_key_is_set
    await send(ctx, "account", "A", domain="acme.com")
    await work(shared)
    [view] = await list_providers(ctx)
    assert (view.state, view.state_reason) == (BreakerState.CLOSED, None)


async def test_a_provider_without_a_key_is_passed_by_and_nothing_fails(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=1, remote=True, needs_key=True, has_key=False)
    shared = services(redis, paid, StandIn(id="free", knows={"acme.com": ACME}))
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.steps[0].skipped_reason, paid.asked) == (JobStatus.COMPLETED, "no_key", [])


async def test_one_organizations_breaker_is_not_anothers(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=1, remote=True, fails=failing("bad_key", 1))
    shared = services(redis, paid)
    await send(context(shared), "account", "A1", domain="acme1.com")
    await work(shared)
    await send(context(shared, org="other"), "account", "A1", domain="acme1.com")
    await work(shared)
    assert paid.asked == ["acme1.com", "acme1.com"]


async def test_an_answer_that_comes_later_frees_the_place_and_is_paid_once(redis: ArqRedis) -> None:
    clock = Clock()
    early = Answer(matched=True, findings=(Finding("city", "Berlin", 0.9),))
    rest = {"acme.com": {"industry": "Software"}}
    paid = StandIn(id="paid", price=2, remote=True, knows=rest, later=[Pending("t1", 20, so_far=early)])
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    other = await send(ctx, "account", "A2", domain="acme.com")
    await work(shared)
    waiting = await job_of(sent)
    assert (waiting.status, waiting.attempts, waiting.steps[0].skipped_reason) == (JobStatus.PENDING, 0, "waiting")
    assert waiting.record.fields["city"] == "Berlin"
    assert (await get_credits(ctx)).reserved == 2

    for _ in range(3):
        clock.ahead_seconds += 30
        await work(shared)

    for one in (sent, other):
        job = await job_of(one)
        found = {name: job.record.fields.get(name) for name in ("city", "industry")}
        assert (job.status, found) == (JobStatus.COMPLETED, ACME)
    assert (paid.asked, paid.polled) == (["acme.com"], ["t1"])
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (2, 0)
    assert (await check_ledger("acme")).faults == []


async def test_waiting_for_an_answer_ends(redis: ArqRedis) -> None:
    clock = Clock()
    never = [Pending(f"t{n}", 20) for n in range(50)]
    paid = StandIn(id="paid", price=2, remote=True, later=never)
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    clock.ahead_seconds += timedelta(hours=2).total_seconds()
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.error_code) == (JobStatus.FAILED, "timeout")
    assert (await get_credits(ctx)).reserved == 0


async def test_the_hold_of_a_cancelled_job_that_waited_is_given_back(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=2, remote=True, later=[Pending("t1", 20)])
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    await cancel_job(ctx, (await job_of(sent)).id)
    clock.ahead_seconds += timedelta(hours=3).total_seconds()
    assert await expire_pending({"services": shared}) == 1
    assert (await get_credits(ctx)).reserved == 0
    assert (await check_ledger("acme")).faults == []


async def test_a_call_that_may_have_been_charged_is_not_repeated_by_itself(redis: ArqRedis) -> None:
    silent = failing("timeout", 1, retryable=True, maybe=True)
    paid = StandIn(id="paid", price=2, remote=True, knows={"acme.com": ACME}, fails=silent)
    shared = services(redis, paid)
    ctx = context(shared)
    first = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    second = await send(ctx, "account", "A2", domain="acme.com")
    await work(shared)
    for one in (first, second):
        job = await job_of(one)
        assert (job.status, job.error_code) == (JobStatus.FAILED, "maybe_charged")
    assert paid.asked == ["acme.com"]
    assert (await get_credits(ctx)).balance == 1000

    await retry_job(ctx, (await job_of(first)).id)
    await work(shared)

    assert (await job_of(first)).status is JobStatus.COMPLETED
    assert paid.asked == ["acme.com", "acme.com"]


async def test_an_answer_about_somebody_else_is_not_asked_for_again(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=2, remote=True, fails=failing("wrong_entity", 1))
    shared = services(redis, paid)
    ctx = context(shared)
    first = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    await send(ctx, "account", "A2", domain="acme.com")
    await work(shared)
    assert (await job_of(first)).error_code == "wrong_entity"
    assert paid.asked == ["acme.com"]
    assert (await get_credits(ctx)).balance == 1000


async def test_a_provider_that_matches_too_little_is_left_alone(redis: ArqRedis) -> None:
    poor = StandIn(id="poor", price=1, remote=True)
    shared = services(redis, poor)
    ctx = context(shared)
    await configure(ctx, providers=[{"id": "poor", "minMatchRate": 0.5, "matchRateOver": 10}])
    for n in range(25):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
        await work(shared)
    assert len(poor.asked) == 11  # ten calls that ended, and the one that showed it
    [view] = await list_providers(ctx)
    assert (view.healthy, view.state_reason, view.state_until) == (False, "low_match_rate", None)
    assert (await reset_provider(ctx, "poor")).healthy


async def test_a_request_never_costs_more_than_its_maximum(redis: ArqRedis) -> None:
    clock = Clock()
    paid = StandIn(id="paid", price=2, knows={f"acme{n}.com": ACME for n in range(9)})
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for n in range(9):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
    outcome = await enrich_records(ctx, ACCOUNTS, max_credits=7)
    for _ in range(2):
        await work(shared)
        clock.ahead_seconds += 60
    assert (await get_credits(ctx)).used == 6
    jobs = [await get_job(ctx, job.id) for job in outcome.queued]
    assert sorted(job.status for job in jobs) == ["completed"] * 3 + ["skipped"] * 6
    assert {job.error_code for job in jobs if job.status is JobStatus.SKIPPED} == {"budget"}
    with pytest.raises(ValidationFailed):
        await enrich_records(ctx, ACCOUNTS, max_credits=-1)


async def test_a_record_that_a_budget_passed_by_does_not_cool_down_though_a_free_provider_answered(
    redis: ArqRedis,
) -> None:
    paid = StandIn(id="paid", price=2, knows={"acme.com": ACME})
    free = StandIn(id="free")
    shared = services(redis, free, paid)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    await send(ctx, "account", "A", domain="acme.com")
    await enrich_records(ctx, ACCOUNTS, max_credits=1)
    await work(shared)
    [job] = await Job.all()
    assert (job.status, job.error_code, free.asked, paid.asked) == (JobStatus.SKIPPED, "budget", ["acme.com"], [])

    assert len((await enrich_records(ctx, ACCOUNTS, max_credits=2)).queued) == 1
    await work(shared)
    assert paid.asked == ["acme.com"]


async def test_an_estimate_counts_each_question_once_and_asks_nobody(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=3, knows={"acme.com": ACME})
    shared = services(redis, paid)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for n in range(4):
        await send(ctx, "account", f"A{n}", domain="acme.com")
    await send(ctx, "account", "B", domain="other.com")
    await send(ctx, "account", "C", phone="+49 30 23125 714")

    estimate = await estimate_enrichment(ctx, RecordSelection(EntityType.ACCOUNT))

    assert (estimate.eligible, estimate.ineligible) == (5, {"nothing_to_ask": 1})
    assert (estimate.minimum, estimate.expected, estimate.maximum) == (0, 4, 6)
    assert paid.asked == []
    await enrich_records(ctx, ACCOUNTS)
    await work(shared)
    assert (await get_credits(ctx)).used <= estimate.maximum
    later = await estimate_enrichment(ctx, RecordSelection(EntityType.ACCOUNT, external_ids=("A1", "X")))
    assert (later.eligible, later.ineligible, later.maximum) == (0, {"not_found": 1, "cooldown": 1}, 0)


async def test_crossing_a_threshold_is_told_once(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=3, knows={f"acme{n}.com": ACME for n in range(4)})
    shared = services(redis, paid)
    ctx = context(shared)
    await configure(ctx, credits={"monthlyLimit": 10, "alertThresholds": [0.5, 0.9]})
    for n in range(3):
        await send(ctx, "account", f"A{n}", domain=f"acme{n}.com")
        await work(shared)
    alerts = await list_alerts(ctx)
    assert [(alert.threshold, alert.used, alert.most) for alert in alerts] == [(0.9, 9, 10), (0.5, 6, 10)]
    assert await CreditAlert.all().count() == 2


async def test_the_ledger_check_finds_what_does_not_add_up(redis: ArqRedis) -> None:
    ctx = context(services(redis))
    await get_credits(ctx)
    assert (await verify_ledger(ctx)).adds_up
    await execute("UPDATE credit_account SET balance = balance + 1")
    assert not (await verify_ledger(ctx)).adds_up
    with pytest.raises(Forbidden):
        await verify_ledger(context(ctx.services, role=Role.MANAGER))
    assert await CreditEntry.all().count() == 1


def test_one_outage_is_one_opening_however_many_calls_it_hit() -> None:
    now = Clock()()
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN + 20):
        breaker = after_failure(breaker, "timeout", now, retry_after=None, cycle_end=now)
    assert (breaker.openings, breaker.until) == (1, now + FIRST_PAUSE)
    refused = after_failure(breaker, "bad_key", now, retry_after=None, cycle_end=now)
    late = after_failure(refused, "unavailable", now, retry_after=None, cycle_end=now)
    assert (late.reason, late.until) == (OpenReason.BAD_KEY, None)


def test_each_opening_lasts_longer_and_a_success_forgets_them() -> None:
    now = Clock()()
    breaker, pauses = Breaker(), []
    for _ in range(8):
        for _ in range(FAILURES_TO_OPEN):
            breaker = after_failure(breaker, "timeout", now, retry_after=None, cycle_end=now)
        assert breaker.until is not None
        pauses.append(breaker.until - now)
        breaker = Breaker(BreakerState.HALF_OPEN, breaker.reason, now, 0, breaker.openings)
    assert pauses[0] == FIRST_PAUSE and pauses == sorted(pauses) and pauses[-1] == LONGEST_PAUSE
    assert after_success(breaker) == Breaker()
    bad = after_failure(Breaker(), "bad_key", now, retry_after=None, cycle_end=now)
    assert (bad.reason, bad.until, after_success(bad)) == (OpenReason.BAD_KEY, None, bad)
    assert after_failure(Breaker(), "wrong_entity", now, retry_after=None, cycle_end=now) == Breaker()
    assert is_worth_its_price(9, 0, floor=0.5, over=10) and not is_worth_its_price(10, 4, floor=0.5, over=10)
