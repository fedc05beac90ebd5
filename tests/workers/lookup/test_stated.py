"""What a call costs where its provider says what it consumed: whole credits, within what was reserved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType
from models.credit.entry import CreditEntry
from models.credit.usage import StatedUsage
from providers.api import NO_MATCH, Answer, Finding, Pending, ProviderError, ProviderInfo, Question
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from tests.support.daily_counts import assert_counted_as_rows
from tests.support.factories import ALL_FIELDS, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

FOUND = (Finding("title", "CTO", 0.9), Finding("mobilePhone", "+12025550164", 0.9))


OF_LEAD = ALL_FIELDS[EntityType.LEAD]


@dataclass
class Stating(StandIn):
    """Nine credits are set aside for a question; every call ends so. It knows people, and no companies."""

    ends: Answer | ProviderError = NO_MATCH
    operator_priced: bool = False
    price: int = 1
    extra_price: int = 8
    extra_for: frozenset[str] = frozenset({"mobilePhone"})
    counts_misses: bool = False
    gives: Mapping[EntityType, frozenset[str]] = field(default_factory=lambda: {EntityType.LEAD: OF_LEAD})

    @property
    def info(self) -> ProviderInfo:
        info = super().info
        return replace(info, operator_priced=self.operator_priced, counts_misses=self.counts_misses)

    async def _answer(self, question: Question) -> Answer | Pending:
        if isinstance(self.ends, ProviderError):
            raise self.ends
        return self.ends


def match(stated: float | None) -> Answer:
    return Answer(matched=True, findings=FOUND, extra=True, stated=stated)


def miss(stated: float | None) -> Answer:
    return Answer(matched=False, stated=stated)


def about_another(stated: float | None) -> ProviderError:
    return ProviderError("wrong_entity", "about somebody else", retryable=False, stated=stated)


def lost(stated: float | None) -> ProviderError:
    return ProviderError("invalid_answer", "unreadable", retryable=False, maybe_charged=True, stated=stated)


@pytest.mark.parametrize(
    ("ends", "charged", "maybe"),
    [
        (match(None), 9, 0),
        (match(1), 1, 0),
        (match(1.2), 2, 0),
        (match(0), 0, 0),
        (match(12), 9, 0),
        (miss(None), 0, 0),
        (miss(0.4), 1, 0),
        (about_another(None), 0, 9),
        (about_another(2), 2, 0),
        (about_another(0), 0, 0),
        (lost(None), 0, 9),
        (lost(1), 1, 0),
        (lost(0), 0, 0),
    ],
)
async def test_the_figure_of_the_provider_settles_the_charge(
    redis: ArqRedis, ends: Answer | ProviderError, charged: int, maybe: int
) -> None:
    shared = services(redis, Stating(ends=ends))
    ctx = context(shared)
    sent = await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(shared)
    usage, job = await get_credits(ctx), await job_of(sent)
    assert (usage.used, usage.reserved, usage.balance) == (charged, 0, 1000 - charged)
    assert (job.credits_used, job.steps[0].credits_charged) == (charged, charged)
    assert sum(part.credits for part in usage.maybe_charged) == maybe
    stated = ends.stated
    expected = [] if stated is None else [StatedUsage("standin", 1, stated, charged)]
    assert usage.stated == expected
    assert [part.drift for part in usage.stated] == ([] if stated is None else [round(stated - charged, 3)])
    assert (await check_ledger("acme")).faults == []
    await assert_counted_as_rows()


@pytest.mark.parametrize(
    ("ends", "counts_misses", "charged"),
    [
        (match(1), False, 9),
        (match(12), False, 9),
        (miss(1), False, 0),
        (miss(0), True, 1),
        (about_another(3), False, 0),
    ],
)
async def test_a_price_of_the_operator_stays_the_charge(
    redis: ArqRedis, ends: Answer | ProviderError, counts_misses: bool, charged: int
) -> None:
    shared = services(redis, Stating(ends=ends, operator_priced=True, counts_misses=counts_misses))
    ctx = context(shared)
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(shared)
    usage = await get_credits(ctx)
    assert ends.stated is not None
    assert (usage.used, usage.stated) == (charged, [StatedUsage("standin", 1, ends.stated, charged)])
    await assert_counted_as_rows()


async def test_what_a_provider_states_above_the_limit_is_not_charged(redis: ArqRedis) -> None:
    shared = services(redis, Stating(ends=match(30)))
    ctx = context(shared)
    await configure(ctx, credits={"monthlyLimit": 10})
    for name in ("ann", "bob"):
        await send(ctx, "lead", name, email=f"{name}@acme.com")
        await work(shared)
    usage = await get_credits(ctx)
    assert usage.used == 9
    assert [(part.stated, part.charged, part.drift) for part in usage.stated] == [(30, 9, 21)]


async def test_a_figure_that_cannot_be_is_bounded(redis: ArqRedis) -> None:
    for name, stated in (("ann", 1e300), ("bob", -5.0)):
        shared = services(redis, Stating(ends=match(stated)))
        await send(context(shared), "lead", name, email=f"{name}@acme.com")
        await work(shared)
    charges = await CreditEntry.filter(kind=CreditKind.CHARGE)
    assert [charge.amount for charge in charges] == [-9]
    assert sum(part.stated for part in (await get_credits(context(shared))).stated) == 1e9
