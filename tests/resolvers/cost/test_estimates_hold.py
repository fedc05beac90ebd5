"""What an estimate expects is what is then spent, over drawn mixes of known and unknown people and their companies."""

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from providers.api import Question
from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection, enrich_records
from tests.support.factories import Clock, StandIn, configure, context, send, services, work

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.either_store]

PERSON = {"title": "Engineer", "department": "Engineering", "city": "Oakland", "mobilePhone": "+12025550164"}
COMPANY = {"industry": "Software", "numberOfEmployees": 120, "annualRevenue": 5_000_000}
OF_PERSON = frozenset({*PERSON, *COMPANY, "company"})
OF_COMPANY = frozenset({*COMPANY, "name", "domain", "foundedYear"})
BEFORE, CHOSEN, MIXES = 120, 120, 3


@dataclass
class Bureau(StandIn):
    """Knows people by their e-mail address, and companies by their domain."""

    def input_key(self, question: Question) -> str | None:
        if question.entity_type is EntityType.ACCOUNT:
            return question.fields.get("domain")
        email = question.fields.get("email")
        return email if email and not email.startswith("info@") else None


@dataclass
class World:
    """People and companies as they are drawn, and how much of them each bureau knows."""

    rng: random.Random
    people: list[str] = field(default_factory=list)

    def bureau(self, number: int) -> Bureau:
        gives = {EntityType.LEAD: OF_PERSON, EntityType.CONTACT: OF_PERSON, EntityType.ACCOUNT: OF_COMPANY}
        price = self.rng.choice([1, 1, 2])
        return Bureau(id=f"p{number}", price=price, remote=True, keeps_days=30, gives=gives, knows={})

    def draw(self, bureaus: list[Bureau]) -> None:
        rates = {bureau.id: {name: self.rng.choice([0.1, 0.6, 0.95]) for name in OF_PERSON} for bureau in bureaus}
        known = {bureau.id: self.rng.uniform(0.4, 0.9) for bureau in bureaus}
        for number in range(BEFORE + CHOSEN):
            company = f"c{self.rng.randint(0, 60)}.com"
            name = "info" if self.rng.random() < 0.15 else f"p{number}"
            self.people.append(f"{name}@{company}")
            is_anyone = self.rng.random() < 0.75
            for bureau in bureaus:
                knows: dict[str, Any] = bureau.knows  # type: ignore[assignment]  # the test's own, still to be filled
                rate = rates[bureau.id]
                if company not in knows and self.rng.random() < 0.7:
                    knows[company] = {key: value for key, value in COMPANY.items() if self.rng.random() < 0.8}
                    knows[company]["name"] = company.removesuffix(".com").upper()
                if is_anyone and name != "info" and self.rng.random() < known[bureau.id]:
                    told = {key: value for key, value in PERSON.items() if self.rng.random() < rate[key]}
                    knows[f"{name}@{company}"] = told


async def enriched(ctx: Context, clock: Clock, rng: random.Random, world: World) -> tuple[int, int]:
    """What was expected of a part of the records, and what it then cost; the others had taught the organization."""
    order = rng.choice(["priority", "value"])
    await configure(ctx, triggers={"onCreate": False}, order=order)
    for number, email in enumerate(world.people):
        await send(ctx, rng.choice(["lead", "contact"]), f"R{number}", email=email, lastName=f"P{number}")

    def chosen(start: int, end: int) -> list[RecordSelection]:
        ids = tuple(f"R{number}" for number in range(start, end))
        return [RecordSelection(kind, external_ids=ids) for kind in (EntityType.LEAD, EntityType.CONTACT)]

    for selection in chosen(0, BEFORE):
        await enrich_records(ctx, selection)
        await work(ctx.services)
    clock.ahead_seconds += 1200  # by when the worker has learned of it
    least = expected = most = 0
    before = (await get_credits(ctx)).used
    for selection in chosen(BEFORE, BEFORE + CHOSEN):
        estimate = await estimate_enrichment(ctx, selection)
        assert estimate.minimum <= estimate.expected <= estimate.maximum
        least, expected, most = least + estimate.minimum, expected + estimate.expected, most + estimate.maximum
        await enrich_records(ctx, selection)
        await work(ctx.services)
    spent = (await get_credits(ctx)).used - before
    assert least <= spent <= most
    return expected, spent


async def test_what_is_expected_is_spent_within_15_percent(redis: ArqRedis) -> None:
    clock, expected, spent = Clock(), 0, 0
    for seed in range(MIXES):
        rng = random.Random(seed)  # noqa: S311 -- a play of chance, no secret
        world = World(rng)
        bureaus = [world.bureau(number) for number in range(rng.randint(2, 4))]
        world.draw(bureaus)
        ctx = context(replace(services(redis, *bureaus, now=clock), monthly_credit_grant=100_000), org=f"org{seed}")
        of_mix = await enriched(ctx, clock, rng, world)
        assert abs(of_mix[0] - of_mix[1]) <= 0.35 * of_mix[1], (seed, of_mix)  # few records, each of which is chance
        expected, spent = expected + of_mix[0], spent + of_mix[1]
        assert (await check_ledger(f"org{seed}")).faults == []
    assert abs(expected - spent) <= 0.15 * spent, (expected, spent)
