"""Limits of credits where several questions meet: items of one request, a lead and its account, a person's company."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.credit.entry import CreditEntry
from models.job import Job
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.simulation.api import simulate_config
from tests.support.factories import Clock, configure, context, send, services, work
from tests.workers.lookup.test_bulk import Together, leads
from tests.workers.lookup.test_company_questions import COMPANY, provider

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    "limit",
    [
        {"credits": {"monthlyLimit": 7}},
        {"credits": {"dailyLimit": 7}},
        {"providers": [{"id": "standin", "dailyLimit": 7}]},
    ],
)
async def test_credits_that_run_out_between_the_items_of_a_request_keep_the_others_out_of_it(
    redis: ArqRedis, limit: dict[str, Any]
) -> None:
    standin = Together.knowing(10)
    clock = Clock()
    shared = services(redis, standin, now=clock)
    ctx = context(shared)
    await configure(ctx, **limit)
    await leads(ctx, 10)
    await work(shared)
    clock.ahead_seconds += 60  # those look again that waited for what was set aside
    await work(shared)
    assert sum(map(len, standin.batches)) + len(standin.asked) == 3  # of 2 credits each
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (6, 0)
    jobs = await Job.all()
    assert sorted(job.credits_used for job in jobs) == [0] * 7 + [2] * 3
    assert {job.error_code for job in jobs if not job.credits_used} == {"insufficient_credits"}
    assert (await check_ledger("acme")).faults == []


async def test_of_a_budget_no_more_items_are_asked_than_it_pays(redis: ArqRedis) -> None:
    standin = Together.knowing(10)
    shared = services(redis, standin)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    await leads(ctx, 10)
    await enrich_records(ctx, RecordSelection(EntityType.LEAD), max_credits=5)
    await work(shared)
    assert sum(map(len, standin.batches)) + len(standin.asked) == 2
    assert (await get_credits(ctx)).used == 4
    assert (await check_ledger("acme")).faults == []


async def test_a_lead_and_the_account_of_its_company_ask_about_it_once_at_the_same_time(redis: ArqRedis) -> None:
    paid = provider(delay_seconds=0.05, remote=True)
    ctx = context(services(redis, paid))
    await configure(ctx, triggers={"onCreate": False})
    for name in ("ann", "bob", "cid"):  # whom it does not know
        await send(ctx, "lead", name, email=f"{name}@acme.com")
    await send(ctx, "account", "A1", domain="acme.com")
    for kind in (EntityType.LEAD, EntityType.ACCOUNT):
        await enrich_records(ctx, RecordSelection(kind))
    await work(ctx.services)
    assert {job.status for job in await Job.all()} == {JobStatus.COMPLETED}
    assert sorted(paid.asked) == ["acme.com", "ann@acme.com", "bob@acme.com", "cid@acme.com"]
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (1, 0)
    assert await CreditEntry.filter(kind="charge").count() == 1
    assert sum(job.credits_used for job in await Job.all()) == 1
    assert (await check_ledger("acme")).faults == []


@pytest.mark.parametrize(("most", "asked", "used"), [(0, [], 0), (1, ["jo@acme.com"], 1), (2, None, 2)])
async def test_the_most_for_a_record_holds_for_person_and_company_together(
    redis: ArqRedis, most: int, asked: list[str] | None, used: int
) -> None:
    """What is estimated and previewed stays within it as well."""
    paid = provider()
    ctx = context(services(redis, paid))
    await configure(ctx, triggers={"onCreate": False}, credits={"perRecordMax": most})
    await send(ctx, "lead", "L1", email="jo@acme.com")
    leads_ = RecordSelection(EntityType.LEAD)
    estimate = await estimate_enrichment(ctx, leads_)
    assert estimate.minimum <= estimate.expected <= estimate.maximum <= most
    preview = await preview_enrichment(ctx, leads_)
    assert sum(preview.credits_most.values()) <= most
    await enrich_records(ctx, leads_)
    await work(ctx.services)
    [job] = await Job.all()
    assert paid.asked == (["jo@acme.com", "acme.com"] if asked is None else asked)
    assert (job.credits_used, (await get_credits(ctx)).used) == (used, used)
    assert (await check_ledger("acme")).faults == []


async def test_a_simulation_charges_person_and_company_as_the_rules_would_have(redis: ArqRedis) -> None:
    ctx = context(services(redis, provider(knows={"jo@acme.com": {"title": "Engineer"}, "acme.com": COMPANY})))
    for name in ("ann", "jo"):  # a miss and the company, then a match and the company that is known by then
        await send(ctx, "lead", name, email=f"{name}@acme.com")
        await work(ctx.services)
    assert (await get_credits(ctx)).used == 2
    for rules, simulated in (({}, 2), ({"credits": {"perRecordMax": 1}}, 2), ({"companyQuestions": False}, 1)):
        outcome = await simulate_config(ctx, rules)
        [part] = outcome.credits
        assert (part.actual, part.simulated, part.unknown) == (2, simulated, 0), rules
    nothing = await simulate_config(ctx, {"credits": {"perRecordMax": 0}})
    assert [(part.actual, part.simulated) for part in nothing.credits] == [(2, 0)]
    assert (await get_credits(ctx)).used == 2  # a simulation charges nobody
    assert (await check_ledger("acme")).faults == []
