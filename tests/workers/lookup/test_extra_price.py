"""Matches that do not all cost the same: the most is set aside, what came is charged, and the rest is free again."""

from functools import partial
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType, JobStatus
from models.credit.entry import CreditEntry
from models.db.statements import query
from models.db.transaction import unit_of_work
from providers.api import Question
from resolvers.cost.estimate import estimate_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.settle import CreditSettlement, settle
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import ALL_FIELDS, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ANN = {"title": "CTO"}
PHONE = {"mobilePhone": "+12025550164"}
LEADS = RecordSelection(EntityType.LEAD)


def dear(**knows: Any) -> StandIn:
    """One credit for a match, eight more where it brings a phone. It knows people, and no companies."""
    known = {f"{name}@acme.com": told for name, told in knows.items()}
    phones, gives = frozenset({"phone", "mobilePhone"}), {EntityType.LEAD: ALL_FIELDS[EntityType.LEAD]}
    return StandIn(id="dear", price=1, extra_price=8, extra_for=phones, knows=known, gives=gives)


async def ledger_adds_up() -> None:
    assert (await check_ledger("acme")).faults == []


async def test_what_a_match_did_not_bring_is_not_charged(redis: ArqRedis) -> None:
    held: list[int] = []
    paid = dear(ann=ANN, bob=ANN | PHONE)
    shared = services(redis, paid)
    ctx = context(shared)

    async def look(_: Question) -> None:
        held.append((await get_credits(ctx)).reserved)

    paid.on_ask = look
    costs = []
    for name in ("ann", "bob", "nobody"):
        sent = await send(ctx, "lead", name, email=f"{name}@acme.com")
        await work(shared)
        job = await job_of(sent)
        assert job.status is JobStatus.COMPLETED
        costs.append((job.credits_used, job.steps[0].credits_charged))
    assert (held, costs) == ([9, 9, 9], [(1, 1), (9, 9), (0, 0)])
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved, usage.balance) == (10, 0, 990)
    kinds = [entry.kind for entry in await CreditEntry.filter(provider="dear").order_by("id")]
    held_and_settled = [CreditKind.RESERVATION, CreditKind.CHARGE]
    assert kinds == [
        *held_and_settled,
        CreditKind.RELEASE,
        *held_and_settled,
        CreditKind.RESERVATION,
        CreditKind.RELEASE,
    ]
    await ledger_adds_up()


async def test_settling_a_part_twice_charges_once(redis: ArqRedis) -> None:
    ctx = context(services(redis, dear(ann=ANN)))
    sent = await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(ctx.services)
    [reservation] = await CreditEntry.filter(kind=CreditKind.RESERVATION)
    for credits in (1, 9, None):
        again = CreditSettlement(reservation.id, charge=True, credits=credits)
        settling = partial(
            settle, organization_id="acme", settlements=[again], now=ctx.services.now(), monthly_grant=1000
        )
        done = await unit_of_work(settling)()
        assert done == {}
    assert (await get_credits(ctx)).used == (await job_of(sent)).credits_used == 1
    await ledger_adds_up()


async def test_a_charge_never_exceeds_what_was_set_aside(redis: ArqRedis) -> None:
    """A provider that brings, unasked, what costs more gets the price of what was asked."""
    shared = services(redis, dear(ann=ANN | PHONE))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"lead": {"fields": {"phone": "never", "mobilePhone": "never"}}})
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(shared)
    assert (await get_credits(ctx)).used == 1
    await ledger_adds_up()


async def test_what_costs_more_is_bought_to_fill_and_not_to_check(redis: ArqRedis) -> None:
    wanted: list[frozenset[str]] = []
    paid = dear(ann=ANN | PHONE)
    shared = services(redis, paid)
    ctx = context(shared)

    async def look(question: Question) -> None:
        wanted.append(question.wanted)

    paid.on_ask = look
    await send(ctx, "lead", "L1", email="ann@acme.com", phone="+12025550199", mobilePhone="+12025550198")
    await work(shared)
    assert not wanted[0] & paid.extra_for
    assert "title" in wanted[0]
    assert (await get_credits(ctx)).used == 1
    await ledger_adds_up()


async def test_a_record_that_may_not_cost_that_much_is_asked_about_without(redis: ArqRedis) -> None:
    paid = dear(ann=ANN | PHONE)
    shared = services(redis, paid)
    ctx = context(shared)
    await configure(ctx, credits={"perRecordMax": 5})
    sent = await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.credits_used, job.record.fields["title"]) == (1, "CTO")
    await configure(ctx, credits={"perRecordMax": 0})
    sent = await send(ctx, "lead", "L2", email="bob@acme.com")
    await work(shared)
    assert (await job_of(sent)).steps[0].skipped_reason == "per_record_max"
    await ledger_adds_up()


async def test_a_budget_gets_back_what_a_match_left_of_its_price(redis: ArqRedis) -> None:
    names = ("ann", "bob", "cid")
    shared = services(redis, dear(**dict.fromkeys(names, ANN)))
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for name in names:
        await send(ctx, "lead", name, email=f"{name}@acme.com")
        await enrich_records(ctx, RecordSelection(EntityType.LEAD, external_ids=(name,)), max_credits=9)
        await work(shared)
    assert [row["held"] for row in await query("SELECT held FROM credit_budget")] == [1, 1, 1]
    await ledger_adds_up()


async def test_an_estimate_counts_the_most_and_expects_what_came_so_far(redis: ArqRedis) -> None:
    names = [f"p{n}" for n in range(20)]
    shared = services(redis, dear(**dict.fromkeys(names, ANN)))
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for name in names:
        await send(ctx, "lead", name, email=f"{name}@acme.com")
    estimate = await estimate_enrichment(ctx, LEADS)
    assert (estimate.minimum, estimate.expected, estimate.maximum) == (0, 50, 180)
    await enrich_records(ctx, RecordSelection(EntityType.LEAD, external_ids=tuple(names[:10])))
    await work(shared)
    assert (await get_credits(ctx)).used == 10
    rest = await estimate_enrichment(ctx, RecordSelection(EntityType.LEAD, external_ids=tuple(names[10:])))
    assert rest.maximum == 90
    assert 10 <= rest.expected < 25  # none of ten matches brought a phone
