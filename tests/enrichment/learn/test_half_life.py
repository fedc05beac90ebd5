"""How fast fields change: the fit against histories whose true half-life is known, and the arithmetic under it."""

import math
import random
from collections import Counter
from datetime import timedelta

import pytest

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from enrichment.learn.freshness import HeldValue, freshness, is_own, record_freshness
from enrichment.learn.gamma import gamma_quantile, gamma_share
from enrichment.learn.half_life import PRIOR_DAYS, YEAR_DAYS, Evidence, HalfLife, fit
from tests.support.factories import Clock

YEAR = YEAR_DAYS


def watched(
    draw: random.Random, half_life: float, *, values: int, years: float, every: float, by_crm: float = 0.0
) -> Evidence:
    """What a source would observe that is asked every so many days for years; the CRM sends a share of the changes."""
    seen, rate, end = Evidence(), math.log(2) / half_life, years * YEAR
    for _ in range(values):
        since = draw.uniform(0, every)
        while True:
            changed = since + draw.expovariate(rate)
            sent = draw.random() < by_crm
            lookups = math.floor((min(changed, end) - since) / every)
            seen.confirmed += lookups * every
            last = since + lookups * every
            if sent and changed < end:
                seen.crm_edits += 1
                seen.crm_silent += changed - last
                break  # it is the CRM's from now on
            if last + every > end:
                seen.crm_silent += end - last
                break
            seen.gaps[every] += 1
            since = last + every
    return seen


@pytest.mark.parametrize(
    ("half_life", "prior", "every", "by_crm"),
    [
        (YEAR, 2 * YEAR, 30, 0.0),
        (YEAR, 2 * YEAR, 30, 0.3),
        (2 * YEAR, YEAR, 180, 0.0),
        (180, 2 * YEAR, YEAR, 0.0),  # most values change more than once between two lookups
        (15 * YEAR, 8 * YEAR, 90, 0.0),
    ],
)
def test_the_interval_holds_the_true_half_life_in_95_of_100_histories(
    half_life: float, prior: float, every: float, by_crm: float
) -> None:
    draw, histories = random.Random(7), 200  # noqa: S311 -- a repeatable simulation
    fits = [
        fit(prior, watched(draw, half_life, values=300, years=4, every=every, by_crm=by_crm)) for _ in range(histories)
    ]
    within = sum(fitted.low_days <= half_life <= fitted.high_days for fitted in fits)
    assert 0.91 <= within / histories <= 0.99
    assert sum(fitted.days for fitted in fits) / histories == pytest.approx(half_life, rel=0.1)


def test_the_half_life_follows_from_edits_of_the_crm_alone() -> None:
    draw, half_life, within = random.Random(5), 3 * YEAR, 0  # noqa: S311 -- a repeatable simulation
    for _ in range(200):
        seen = Evidence()
        for _ in range(400):
            changed = draw.expovariate(math.log(2) / half_life)
            seen.crm_silent += min(changed, 2 * YEAR)
            seen.crm_edits += changed < 2 * YEAR
        fitted = fit(YEAR, seen)
        within += fitted.low_days <= half_life <= fitted.high_days
    assert 0.9 <= within / 200 <= 0.99


def test_without_history_the_prior_stands_with_a_wide_interval() -> None:
    for priors in PRIOR_DAYS.values():
        for prior in priors.values():
            one = fit(prior, Evidence())
            assert one.days == pytest.approx(prior)
            assert one.low_days < prior / 2 and one.high_days > prior * 5
            assert (one.changes, one.observed_days) == (0, 0)


def test_the_more_is_seen_the_less_the_prior_counts() -> None:
    def of(changes: int) -> HalfLife:
        return fit(10 * YEAR, Evidence(confirmed=changes * YEAR / math.log(2), gaps=Counter({1.0: changes})))

    fits = [of(changes) for changes in (0, 2, 20, 200, 2000)]
    assert [one.days for one in fits] == sorted((one.days for one in fits), reverse=True)
    assert fits[-1].days == pytest.approx(YEAR, rel=0.02)
    widths = [one.high_days / one.low_days for one in fits]
    assert widths == sorted(widths, reverse=True) and widths[-1] < 1.1
    # The prior is worth two changes: after two that were seen, both count alike.
    rates = [math.log(2) / days for days in (10 * YEAR, YEAR)]
    assert math.log(2) / fits[1].days == pytest.approx(2 / sum(1 / rate for rate in rates), rel=0.01)


def test_the_silence_of_a_crm_that_nobody_keeps_up_does_not_make_values_steady() -> None:
    """A hundred values of 100,000 were looked up again after three years, and sixty had changed."""
    seen = Evidence(confirmed=40 * 3 * YEAR, gaps=Counter({3 * YEAR: 60}))
    alone = fit(2 * YEAR, seen)
    seen.crm_silent = 99_900 * 3 * YEAR
    assert fit(2 * YEAR, seen).days == pytest.approx(alone.days, rel=0.1)
    # Where nobody looked it up, and the CRM has never sent a change, it is worth no more than the prior.
    assert fit(2 * YEAR, Evidence(crm_silent=99_900 * 3 * YEAR)).days == pytest.approx(4 * YEAR)
    assert fit(2 * YEAR, Evidence(crm_silent=99_900 * 3 * YEAR, crm_edits=900)).days == pytest.approx(
        230 * YEAR, rel=0.02
    )


def test_a_crm_that_agrees_with_the_sources_makes_the_interval_narrower() -> None:
    seen = Evidence(confirmed=100 * YEAR, gaps=Counter({10.0: 50}))
    alone = fit(2 * YEAR, seen)
    seen.crm_silent, seen.crm_edits = 1000 * YEAR, 500
    both = fit(2 * YEAR, seen)
    assert both.changes == 550
    assert both.high_days / both.low_days < alone.high_days / alone.low_days
    assert both.observed_days == pytest.approx(1100 * YEAR, rel=0.01)


def test_every_field_has_a_prior() -> None:
    for entity_type in EntityType:
        assert PRIOR_DAYS[entity_type].keys() == fields_of(entity_type).keys()
    person, account = PRIOR_DAYS[EntityType.CONTACT], PRIOR_DAYS[EntityType.ACCOUNT]
    assert person["title"] < person["city"] < person["lastName"]
    assert account["numberOfEmployees"] < account["street"] < account["domain"] < account["foundedYear"]


def test_freshness_halves_with_every_half_life() -> None:
    now = Clock()()
    assert freshness(now, now, 100) == 1
    assert freshness(now + timedelta(days=1), now, 100) == 1
    assert freshness(now - timedelta(days=100), now, 100) == pytest.approx(0.5)
    assert freshness(now - timedelta(days=300), now, 100) == pytest.approx(0.125)
    assert freshness(now - timedelta(days=10**5), now, 1) == 0


def test_a_record_is_as_fresh_as_its_believed_values() -> None:
    assert record_freshness([]) is None
    assert record_freshness([HeldValue(0.2, 0.0)]) is None
    assert record_freshness([HeldValue(1.0, 0.9), HeldValue(0.0, 0.3)]) == pytest.approx(0.75)
    assert (is_own("crm"), is_own("reviewer"), is_own("apollo")) == (False, False, True)


@pytest.mark.parametrize("shape", [0.3, 1, 2, 7.5, 40, 900, 50_000])
def test_quantiles_of_the_gamma_distribution(shape: float) -> None:
    quantiles = [gamma_quantile(shape, share) for share in (0.025, 0.5, 0.975)]
    assert [gamma_share(shape, value) for value in quantiles] == pytest.approx([0.025, 0.5, 0.975], rel=1e-6)
    assert gamma_share(shape, 0) == 0
    assert gamma_share(shape, shape * 50 + 50) == pytest.approx(1)


def test_known_values_of_the_gamma_distribution() -> None:
    assert gamma_quantile(1, 0.5) == pytest.approx(math.log(2))
    # Half the chi-square quantiles of tables: 5 degrees of freedom at 95 %, 10 at 2.5 %.
    assert gamma_quantile(2.5, 0.95) == pytest.approx(11.0705 / 2, rel=1e-4)
    assert gamma_quantile(5, 0.025) == pytest.approx(3.24697 / 2, rel=1e-4)
