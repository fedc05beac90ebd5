"""What an estimate says before anyone is asked holds afterwards, whatever the providers then do."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.catalogue import fields_of, normalize
from enrichment.enums import EntityType, JobStatus
from models.db.statements import query
from models.job import Job
from providers.api import Answer, Finding, Pending, ProviderError, Question
from resolvers.context import Context, Services
from resolvers.cost.candidate_call import example_ids
from resolvers.cost.estimate import Estimate, estimate_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import ALL_FIELDS, Clock, StandIn, configure, context, send, services, work
from tests.support.seeds import seeds
from workers.upkeep.expire_pending import expire_pending

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.either_store]

ACCOUNTS = RecordSelection(EntityType.ACCOUNT)
ACME = {"industry": "Software", "city": "Berlin"}
VALUES: dict[str, list[Any]] = {
    "domain": ["acme.com", "bolt.com", "cargo.com"],
    "name": ["Acme", "Bolt", "Cargo"],
    "website": ["https://acme.com", "https://bolt.com"],
    "linkedinUrl": ["https://www.linkedin.com/company/acme", "https://www.linkedin.com/company/bolt"],
    "phone": ["+12025550164", "+12025550165"],
    "industry": ["Software", "Banking"],
    "city": ["Berlin", "Paris"],
    "numberOfEmployees": [12, 5000],
    "foundedYear": [1999, 2010],
    "description": ["Makes things.", "Sells things."],
}


@dataclass
class Fickle(StandIn):
    """Answers, misses and fails at random, and is asked by what the record and the wish happen to hold."""

    chance: Callable[[], float] = random.random
    asked_by: tuple[str, ...] = ("domain", "name")
    for_people: frozenset[str] = frozenset()  # wanted, these make it another question

    def input_key(self, question: Question) -> str | None:
        kind = "people" if question.wanted & self.for_people else "company"
        for name in self.asked_by:
            if question.fields.get(name):
                return f"{kind}|{name}={question.fields[name]}".lower()
        return None

    async def ask(self, question: Question) -> Answer | Pending:
        self.asked.append(self.input_key(question) or "")
        luck = self.chance()
        if luck < 0.1:
            raise ProviderError("unavailable", "no", retryable=True)
        if luck < 0.15:
            raise ProviderError("invalid_answer", "no", retryable=False, maybe_charged=True)
        if luck < 0.25 and self.price:
            early = Answer(matched=True, findings=self._some()) if self.chance() < 0.5 else None
            return Pending("token", 20, so_far=early)
        return await self._answer(question)

    async def poll(self, question: Question, token: str) -> Answer | Pending:
        if self.chance() < 0.2:
            raise ProviderError("rejected", "no", retryable=False)
        return await self._answer(question)

    async def _answer(self, question: Question) -> Answer | Pending:
        if self.chance() < 0.3:
            return Answer(matched=False)
        return Answer(matched=True, findings=self._some())

    def _some(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(name, VALUES[name][int(self.chance() * len(VALUES[name]))], 0.5 + self.chance() / 2)
            for name in sorted(self.gives[EntityType.ACCOUNT] & VALUES.keys())
            if self.chance() < 0.6
        )


def fickle(rng: random.Random, number: int) -> Fickle:
    gives = frozenset(rng.sample(sorted(VALUES), rng.randint(2, len(VALUES))))
    return Fickle(
        id=f"p{number}",
        price=rng.choice([0, 0, 1, 2, 5]),
        remote=rng.random() < 0.5,
        has_key=rng.random() < 0.9,
        needs_key=rng.random() < 0.5,
        gives={EntityType.ACCOUNT: gives},
        chance=rng.random,
        asked_by=tuple(rng.sample(["domain", "name", "website", "linkedinUrl", "phone"], rng.randint(1, 3))),
        for_people=frozenset(rng.sample(sorted(gives), 1)) if rng.random() < 0.3 else frozenset(),
    )


def some_fields(rng: random.Random) -> dict[str, Any]:
    """What the CRM knows of one of a few companies."""
    return {name: rng.choice(values) for name, values in VALUES.items() if rng.random() < 0.4}


async def run_to_the_end(shared: Services, clock: Clock) -> None:
    """Work until no job waits for anything but what never comes."""
    for _ in range(60):
        await work(shared)
        await expire_pending({"services": shared})
        if not await Job.filter(status__in=[JobStatus.PENDING, JobStatus.IN_PROGRESS]).exists():
            return
        clock.ahead_seconds += 1200
    raise AssertionError("a job never ends")


async def spent(ctx: Context) -> dict[str, int]:
    rows = await query(
        "SELECT provider, SUM(-amount) AS spent FROM credit_entry WHERE kind = 'charge' AND organization_id = ?"
        " GROUP BY provider",
        ["acme"],
    )
    return {row["provider"]: int(row["spent"]) for row in rows}


def assert_within(estimate: Estimate, before: dict[str, int], after: dict[str, int]) -> None:
    total = sum(after.values()) - sum(before.values())
    assert estimate.minimum <= total <= estimate.maximum
    assert estimate.minimum <= estimate.expected <= estimate.maximum
    parts = {part.provider: part for part in estimate.by_provider}
    for provider, credits in after.items():
        assert credits - before.get(provider, 0) <= parts[provider].maximum, provider


@pytest.mark.parametrize("seed", seeds(at_home=6))
async def test_what_is_spent_lies_between_minimum_and_maximum(redis: ArqRedis, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 -- a play of chance, no secret
    clock = Clock()
    providers = [fickle(rng, number) for number in range(rng.randint(2, 5))]
    shared = services(redis, *providers, now=clock)
    ctx = context(shared)
    await configure(
        ctx,
        triggers={"onCreate": False, "onUpdate": False},
        strategy=rng.choice(["waterfall", "consensus"]),
        fieldPolicies={"account": {"default": rng.choice(["review", "tracked", "fill_empty", "overwrite"])}},
        credits={"perRecordMax": rng.choice([None, None, 3, 6])},
        maybeCharged=rng.choice(["hold", "retry"]),
    )
    for number in range(14):
        await send(ctx, "account", f"A{number}", **some_fields(rng))
    for _ in range(3):
        chosen = tuple(f"A{number}" for number in range(14) if rng.random() < 0.6)
        selection = RecordSelection(EntityType.ACCOUNT, external_ids=chosen)
        force = rng.random() < 0.5
        before = await spent(ctx)
        estimate = await estimate_enrichment(ctx, selection, force=force)
        calls = {provider.id: len(provider.asked) for provider in providers}
        outcome = await enrich_records(ctx, selection, force=force)
        assert estimate.eligible <= len(outcome.queued) + len(outcome.folded)
        await run_to_the_end(shared, clock)
        assert_within(estimate, before, await spent(ctx))
        parts = {part.provider: part for part in estimate.by_provider}
        for provider in providers:
            if len(provider.asked) > calls[provider.id]:
                assert parts[provider.id].questions and parts[provider.id].skipped is None
        clock.ahead_seconds += rng.choice([0, 3600 * 25, 3600 * 24 * 10])
    assert (await check_ledger("acme")).faults == []


async def test_the_price_of_a_pending_answer_is_certain(redis: ArqRedis) -> None:
    clock = Clock()
    early = Answer(matched=True, findings=(Finding("city", "Berlin", 0.9),))
    paid = StandIn(id="paid", price=2, remote=True, knows={"acme.com": ACME}, later=[Pending("t", 20, so_far=early)])
    shared = services(redis, paid, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    estimate = await estimate_enrichment(ctx, ACCOUNTS)
    assert (estimate.eligible, estimate.minimum, estimate.maximum) == (1, 2, 2)
    paid.fails = [ProviderError("rejected", "no", retryable=False)]
    await run_to_the_end(shared, clock)
    assert (await get_credits(ctx)).used == 2


async def test_a_provider_that_is_asked_with_what_another_finds_is_in_the_plan(redis: ArqRedis) -> None:
    free = StandIn(id="free", knows={"acme": {"domain": "acme.com"}})
    paid = Fickle(id="paid", price=3, asked_by=("domain",), chance=lambda: 0.9)
    shared = services(redis, free, paid)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for record in ("A1", "A2"):
        await send(ctx, "account", record, name="Acme")
    estimate = await estimate_enrichment(ctx, ACCOUNTS)
    assert estimate.maximum == 6
    await enrich_records(ctx, ACCOUNTS)
    await work(shared)
    assert paid.asked == ["company|domain=acme.com"]
    assert (await get_credits(ctx)).used == 3


async def test_stored_answers_and_what_they_settle_cost_nothing(redis: ArqRedis) -> None:
    everything = {name: values[0] for name, values in VALUES.items()}
    first = StandIn(id="first", price=2, knows={"acme.com": everything})
    gives = {EntityType.ACCOUNT: frozenset(everything)}
    second = StandIn(id="second", price=5, gives=gives)
    shared = services(redis, first, second)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for record in ("A1", "A2"):
        await send(ctx, "account", record, domain="acme.com")
    assert (await estimate_enrichment(ctx, ACCOUNTS)).maximum == 7
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT, external_ids=("A1",)))
    await work(shared)
    estimate = await estimate_enrichment(ctx, RecordSelection(EntityType.ACCOUNT, external_ids=("A2",)))
    parts_shown = [(part.provider, part.questions, part.reused, part.maximum) for part in estimate.by_provider]
    assert parts_shown == [("first", 0, 1, 0), ("second", 0, 0, 0)]
    assert (estimate.eligible, estimate.maximum) == (1, 0)


async def test_an_estimate_names_all_providers_in_order_and_those_without_a_key(redis: ArqRedis) -> None:
    free = StandIn(id="free")
    keyless = StandIn(id="keyless", price=4, needs_key=True, has_key=False)
    paid, off = StandIn(id="paid", price=3), StandIn(id="off", price=9)
    shared = services(redis, free, keyless, paid, off)
    ctx = context(shared)
    providers = [{"id": "paid"}, {"id": "keyless"}, {"id": "free"}, {"id": "off", "enabled": False}]
    await configure(ctx, triggers={"onCreate": False}, providers=providers)
    for record in ("A1", "A2", "A3"):
        await send(ctx, "account", record, domain="acme.com")
    parts = (await estimate_enrichment(ctx, ACCOUNTS)).by_provider
    parts_shown = [(part.provider, part.price, part.questions, part.maximum, part.skipped) for part in parts]
    assert parts_shown == [("paid", 3, 1, 3, None), ("keyless", 4, 0, 0, "no_key"), ("free", 0, 3, 0, None)]
    assert (paid.asked, free.asked) == ([], [])


async def test_what_comes_later_is_expected_only_where_something_is_left(redis: ArqRedis) -> None:
    paid = [StandIn(id=f"p{n}", price=10) for n in range(3)]
    apart = StandIn(id="apart", price=10, gives={EntityType.ACCOUNT: frozenset({"foundedYear"})})
    first = StandIn(id="first", price=10, gives={EntityType.ACCOUNT: ALL_FIELDS[EntityType.ACCOUNT] - {"foundedYear"}})
    shared = services(redis, first, apart, *paid)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False}, minChance=None)
    for number in range(10):
        await send(ctx, "account", f"A{number}", domain=f"acme{number}.com")
    expected = [part.expected for part in (await estimate_enrichment(ctx, ACCOUNTS)).by_provider]
    assert expected[:2] == [60, 60]
    assert expected[2] < 60 and expected[2:] == sorted(expected[2:], reverse=True)


def test_there_is_an_example_of_every_identifier() -> None:
    for kind in EntityType:
        for known in fields_of(kind).values():
            if known.identifying:
                value = example_ids(kind)[known.name]
                assert normalize(kind, known.name, value) == value


@pytest.mark.parametrize("count", [1, 20])
async def test_records_that_ask_the_same_are_expected_to_pay_once(redis: ArqRedis, count: int) -> None:
    everything = dict.fromkeys(("firstName", "lastName"), "Somebody")
    free = StandIn(id="free", gives={EntityType.LEAD: frozenset({"companyDomain", "linkedinUrl"})})
    knows, gives = {"jo@acme.com": everything}, {EntityType.LEAD: ALL_FIELDS[EntityType.LEAD]}
    paid = [StandIn(id=f"p{n}", price=1, remote=True, keeps_days=9, knows=knows, gives=gives) for n in range(6)]
    shared = services(redis, free, *paid)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for number in range(count):
        await send(ctx, "lead", f"L{number}", email="jo@acme.com")
    estimate = await estimate_enrichment(ctx, RecordSelection(EntityType.LEAD))
    assert estimate.eligible == count
    assert estimate.expected == 1
    assert [part.expected for part in estimate.by_provider if part.provider in ("p0", "p5")] == [1, 0]


async def test_what_many_providers_are_hardly_needed_for_adds_up(redis: ArqRedis) -> None:
    shared = services(redis, *(StandIn(id=f"p{n}", price=1) for n in range(6)))
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for number in range(2):
        await send(ctx, "account", f"A{number}", domain=f"acme{number}.com")
    estimate = await estimate_enrichment(ctx, ACCOUNTS)
    assert all(part.likely > 0 for part in estimate.by_provider)
    assert abs(estimate.expected - sum(part.likely for part in estimate.by_provider)) <= 0.5
