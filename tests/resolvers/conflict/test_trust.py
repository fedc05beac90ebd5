"""What people decide about a source's values is counted once, and changes what it is believed."""

import asyncio
from typing import Any

import pytest
from arq.connections import ArqRedis
from hypothesis import given
from hypothesis import strategies as st

from enrichment.decide.merge import MOST_CONFIDENCE
from enrichment.enums import ConflictStatus, EntityType, ResolutionAction
from enrichment.learn import beta
from enrichment.learn.trust import OWN_WEIGHT, SourceTrust, Trust
from models.answer.row import Answer
from models.conflict.table import Conflict
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.conflict.trust import trust_of
from resolvers.context import Services
from resolvers.errors import ConflictAlreadyResolved
from tests.support.factories import StandIn, configure, context, job_of, send, services, work
from tests.support.graphql_client import Operations

SCIPY = [  # yes, no, and scipy.stats.beta.ppf([0.025, 0.975], yes + 1, no + 1)
    (0, 0, 0.025, 0.975), (1, 0, 0.158113883, 0.987420883), (0, 34, 0.000723104, 0.100032436),
    (20, 0, 0.838902385, 0.998795117), (47, 3, 0.837577782, 0.978216438), (3, 7, 0.109263444, 0.609742560),
    (500, 500, 0.469063140, 0.530936860), (99999, 1, 0.999944285, 0.999997578),
]  # fmt: skip


@pytest.mark.parametrize(("yes", "no", "low", "high"), SCIPY)
def test_the_interval_is_that_of_the_beta_distribution(yes: int, no: int, low: float, high: float) -> None:
    assert beta.interval(yes, no) == pytest.approx((low, high), abs=1e-8)


@given(st.floats(1, 5000), st.floats(1, 5000), st.floats(0.001, 0.999))
def test_a_quantile_is_where_the_distribution_reaches_it(a: float, b: float, share: float) -> None:
    assert beta.below(beta.quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-5)


def test_without_history_a_sources_own_confidence_stays_as_it_is() -> None:
    assert [SourceTrust().believe(figure) for figure in (0.0, 0.1, 0.7, 0.87, 0.99)] == [0.0, 0.1, 0.7, 0.87, 0.99]


@given(st.floats(0.05, 0.95), st.integers(0, 300), st.integers(0, 300))
def test_a_source_that_states_one_figure_is_believed_the_mean_of_the_posterior(
    figure: float, accepted: int, rejected: int
) -> None:
    judged = accepted + rejected
    trust = SourceTrust(accepted, rejected, 0, figure * judged)
    mean = (OWN_WEIGHT * figure + accepted) / (OWN_WEIGHT + judged)
    assert trust.believe(figure) == pytest.approx(min(mean, MOST_CONFIDENCE))


@given(st.floats(0, 0.98), st.floats(0.001, 0.01), st.integers(0, 999), st.integers(0, 999), st.floats(0, 1))
def test_a_source_stays_surer_of_what_it_was_surer_of(
    figure: float, more: float, accepted: int, rejected: int, average: float
) -> None:
    trust = SourceTrust(accepted, rejected, 0, average * (accepted + rejected))
    assert 0.0 <= trust.believe(figure) <= trust.believe(figure + more) <= MOST_CONFIDENCE


ACCEPT = Resolution(ResolutionAction.ACCEPT_CANDIDATE)
KEEP = Resolution(ResolutionAction.KEEP_CURRENT)


def custom(value: Any) -> Resolution:
    return Resolution(ResolutionAction.CUSTOM_VALUE, value=value)


async def trust_in(provider: str = "standin", field: str = "city", org: str = "acme") -> SourceTrust:
    trust: Trust = (await trust_of([org]))[org]
    return trust.of(provider, EntityType.ACCOUNT, field)


async def raised(shared: Services, name: str = "acme", org: str = "acme", **fields: Any) -> Conflict:
    """A conflict about an account whose city the CRM has as Hamburg."""
    ctx = context(shared, org=org)
    outcome = await send(ctx, "account", name, domain=f"{name}.com", **({"city": "Hamburg"} | fields))
    await work(shared)
    assert outcome.record is not None
    return await Conflict.get(status=ConflictStatus.OPEN, record_id=outcome.record.id)


def knows(*names: str, **fields: Any) -> dict[str, dict[str, Any]]:
    return {f"{name}.com": {"city": "Berlin", **fields} for name in names}


@pytest.mark.usefixtures("db")
class TestCounting:
    @pytest.mark.parametrize(
        ("resolution", "counted"),
        [
            (None, (1, 0)), (ACCEPT, (1, 0)), (KEEP, (0, 1)), (custom("BERLIN"), (1, 0)), (custom("Bremen"), (0, 1)),
        ],
    )  # fmt: skip
    async def test_each_decision_judges_the_source(
        self, redis: ArqRedis, resolution: Resolution | None, counted: tuple[int, int]
    ) -> None:
        shared = services(redis, StandIn(knows=knows("acme")))
        conflict = await raised(shared)
        await resolve_conflict(context(shared), conflict.id, resolution)
        found = await trust_in()
        assert (found.accepted, found.rejected, found.overwritten) == (*counted, 0)
        assert found.stated == pytest.approx(0.9)

    async def test_of_several_sources_those_that_said_the_chosen_value_are_accepted(self, redis: ArqRedis) -> None:
        two, three = StandIn(id="two", knows=knows("acme", city="Munich")), StandIn(id="three", knows=knows("acme"))
        shared = services(redis, StandIn(knows=knows("acme")), two, three)
        await configure(context(shared), strategy="consensus")
        conflict = await raised(shared)
        chosen = next(candidate["id"] for candidate in conflict.candidates if candidate["provider"] == "three")
        resolution = Resolution(ResolutionAction.ACCEPT_CANDIDATE, candidate_id=chosen)
        await resolve_conflict(context(shared), conflict.id, resolution)
        found = [await trust_in(name) for name in ("standin", "two", "three")]
        assert [(counts.accepted, counts.rejected) for counts in found] == [(1, 0), (0, 1), (1, 0)]

    async def test_a_repeated_or_refused_decision_counts_nothing(self, redis: ArqRedis) -> None:
        shared = services(redis, StandIn(knows=knows("acme")))
        conflict = await raised(shared)
        ends = await asyncio.gather(
            resolve_conflict(context(shared), conflict.id, KEEP),
            resolve_conflict(context(shared), conflict.id, KEEP),
            resolve_conflict(context(shared, user="bob"), conflict.id, KEEP),
            return_exceptions=True,
        )
        refused = [end for end in ends if isinstance(end, BaseException)]
        assert refused
        assert all(isinstance(end, ConflictAlreadyResolved) for end in refused)
        assert (await trust_in()).judged == 1

    async def test_what_the_crm_replaces_was_overwritten_once(self, redis: ArqRedis) -> None:
        shared = services(redis, StandIn(knows={"acme.com": {"city": "St. Louis", "website": "acme.com"}}))
        ctx = context(shared)
        await send(ctx, "account", "A1", domain="acme.com")
        await send(ctx, "account", "A2", domain="acme.com")
        await work(shared)

        await send(ctx, "account", "A2", city="Saint Louis")
        assert (await trust_in()).judged == 0, "a rewording is no judgement"
        await send(ctx, "account", "A1", city="Bremen", website="n/a")
        await send(ctx, "account", "A1", city="Bremen", website="n/a")
        await send(ctx, "account", "A1", city="Kiel")

        found = await trust_in()
        assert (found.accepted, found.rejected, found.overwritten) == (0, 0, 1)
        assert (await trust_in(field="website")).judged == 0, "what the CRM never sent cannot be taken away by it"
        assert (await trust_in(org="other")).judged == 0

    async def test_organizations_learn_apart(self, redis: ArqRedis) -> None:
        shared = services(redis, StandIn(knows=knows("acme")))
        mine, theirs = await raised(shared), await raised(shared, org="other")
        await resolve_conflict(context(shared), mine.id, ACCEPT)
        await resolve_conflict(context(shared, org="other"), theirs.id, KEEP)
        assert ((await trust_in()).accepted, (await trust_in()).rejected) == (1, 0)
        assert (await trust_in(org="other")).rejected == 1


@pytest.mark.usefixtures("db")
class TestBelief:
    async def test_kept_answers_are_worth_what_is_known_today(self, redis: ArqRedis) -> None:
        standin = StandIn(knows=knows("acme", "beta"), price=1, keeps_days=30)
        shared = services(redis, standin)
        ctx = context(shared)
        await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}}, minConfidence=0.95)
        for name in ("acme", "beta"):
            conflict = await raised(shared, name)
            assert conflict.candidates[0]["confidence"] == pytest.approx(
                0.9 if name == "acme" else OWN_WEIGHT * 0.9 / (OWN_WEIGHT + 1)
            )
            assert conflict.candidates[0]["statedConfidence"] == pytest.approx(0.9)
            await resolve_conflict(ctx, conflict.id, KEEP)
        asked = list(standin.asked)

        await send(ctx, "account", "twin", domain="acme.com", city="Kiel")
        await work(shared)

        again = await Conflict.get(status=ConflictStatus.OPEN)
        assert standin.asked == asked
        assert again.candidates[0]["confidence"] == pytest.approx(OWN_WEIGHT * 0.9 / (OWN_WEIGHT + 2))
        stored = await Answer.filter(provider="standin").first()
        assert stored is not None
        assert stored.findings is not None
        assert stored.findings[0]["confidence"] == pytest.approx(0.9)

    async def test_a_source_that_is_always_turned_down_is_no_longer_written(self, redis: ArqRedis) -> None:
        names = [f"name{n}" for n in range(4)]
        shared = services(redis, StandIn(knows=knows(*names, "last")))
        ctx = context(shared)
        await configure(ctx, minConfidence=0.83)
        for name in names:
            conflict = await raised(shared, name)
            await resolve_conflict(ctx, conflict.id, KEEP)
        last = await send(ctx, "account", "last", domain="last.com")
        await work(shared)
        outcomes = {outcome["field"]: outcome["reason"] for outcome in (await job_of(last)).outcomes}
        assert outcomes["city"] == "below_threshold"


@pytest.mark.usefixtures("db")
async def test_the_providers_show_what_was_learned(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows=knows("acme")))
    conflict = await raised(shared)
    await resolve_conflict(context(shared), conflict.id, ACCEPT)
    shown = (
        await Operations(shared)(
            "{ providers { id trust { entityType field accepted rejected overwritten mean low high } } }"
        )
    )["providers"]
    (trust,) = shown[0]["trust"]
    assert (trust["mean"], trust["low"], trust["high"]) == pytest.approx((2 / 3, 0.158113883, 0.987420883))
    figures = {key: trust[key] for key in ("entityType", "field", "accepted", "rejected", "overwritten")}
    assert figures == {"entityType": "ACCOUNT", "field": "city", "accepted": 1, "rejected": 0, "overwritten": 0}
    assert (await Operations(shared, org="other")("{ providers { trust { field } } }"))["providers"] == [{"trust": []}]
