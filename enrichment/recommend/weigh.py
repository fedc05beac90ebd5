"""The odds of each value that a field could hold: the current one, and each that a source gave.

They come of two things. What was seen of the field, and of the fields that change together with it, by whom and when,
says how likely each value is to hold now (see `enrichment.recommend.joint`). Signs, which a value bears by itself and
beside the rest of the record, multiply these odds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from enrichment.enums import Recommendation
from enrichment.learn.freshness import UNKNOWN_AGE_DAYS
from enrichment.recommend.joint import likelihoods
from enrichment.recommend.observe import Observations, Observed
from enrichment.recommend.weights import WEIGHTS, Weights
from enrichment.recommend.witnesses import HELD

_DAY_SECONDS = 86_400.0
_LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Weighed:
    """One value with what speaks for it.

    `fresh` (0-1): the chance that it still held when the newest of all values was seen, by its age alone. `odds`:
    against none of the values being right, with all that speaks for or against it; `chance` (0-1) is the same as a
    share.
    """

    observed: Observed
    fresh: float
    odds: float
    chance: float = 0.0


def weigh(observations: Observations, weights: Weights = WEIGHTS) -> list[Weighed]:
    """Every value, the likeliest first."""
    return weigh_by(seen_likelihoods(observations, weights), observations, weights)


def seen_likelihoods(observations: Observations, weights: Weights) -> list[float]:
    """How likely all that was seen is under each value, and at last under any other, whatever signs they bear."""
    said, entity_type, now = observations.said, observations.entity_type, observations.now
    return likelihoods(said, entity_type, now, weights, sized=observations.sized)


def weigh_by(likely: Sequence[float], observations: Observations, weights: Weights) -> list[Weighed]:
    """Every value by these likelihoods and by its signs, the likeliest first."""
    *seen, otherwise = likely
    found = [
        Weighed(observed, _fresh(observed, observations), _signs(observed, weights) * chance / max(otherwise, _LEAST))
        for observed, chance in zip(observations.values, seen, strict=True)
    ]
    total = 1.0 + sum(weighed.odds for weighed in found)  # one: that none of them is right
    found = [replace(weighed, chance=weighed.odds / total) for weighed in found]
    return sorted(found, key=lambda weighed: -weighed.odds)


def _signs(observed: Observed, weights: Weights) -> float:
    signs = sum(weights.signs[found.sign] for found in observed.signs)
    return math.exp(max(min(signs, weights.most_signs), -weights.most_signs))


def _fresh(observed: Observed, observations: Observations) -> float:
    """The chance (0-1) that the value had not changed when the newest of all was seen.

    An age that is not known is taken as exponential with a mean of UNKNOWN_AGE_DAYS, over which the chance is averaged.
    """
    latest, rate = observations.latest, math.log(2) / observations.half_life_days
    if latest is None:
        return 1.0
    seen = [sighting.candidate.observed_at for sighting in observed.sightings]
    if observed.current is not None and observations.held_seen_at is not None:
        seen.append(observations.held_seen_at)
    if seen:
        return math.exp(-rate * _days(max(seen), latest))
    older = math.exp(-_days(latest, observations.now) / UNKNOWN_AGE_DAYS)
    return 1.0 - older * (1.0 - 1.0 / (1.0 + UNKNOWN_AGE_DAYS * rate))


def _days(earlier: datetime, later: datetime) -> float:
    return max((later - earlier).total_seconds(), 0.0) / _DAY_SECONDS


def lead_of(best: Weighed, rival: Weighed) -> float:
    """By how much (as a logarithm of odds) the one is likelier than the other."""
    return math.log(max(best.odds, _LEAST_ODDS) / max(rival.odds, _LEAST_ODDS))


_LEAST_ODDS = 1e-9


def bound_of(observations: Observations, best: Weighed, weights: Weights = WEIGHTS) -> float:
    """By how much (as a logarithm of odds) the likeliest proposal must lead the current value to be recommended.

    The more the organization's records show of its CRM in this field, the more: the field's right values are known to
    be many then, and losing one costs more than keeping a wrong one a little longer. It is most of a value without a
    date, of which nobody knows whether it is old or wrong, and hardly anything for a source that is known to err
    hardly ever.
    """
    held = observations.said.of(HELD)
    known = None if held is None else held.reliability
    if held is None or known is None:
        return weights.even
    compared = known.compared_in.get(held.key, 0.0)
    share = compared / (compared + weights.replacing_worth) * _doubt(observations, best, weights)
    replacing = weights.replacing_undated if observations.undated else weights.replacing
    return weights.even + (replacing - weights.even) * share


def _doubt(observations: Observations, best: Weighed, weights: Weights) -> float:
    """How much (0-1) it is doubted that the sources of the proposal hardly ever err: by the most reliable of them."""
    said = [observations.said.of(sighting.candidate.provider) for sighting in best.observed.sightings]
    known = [each.reliability.accuracy_of(each.key) for each in said if each is not None and each.reliability]
    return min((1.0 - max(known)) / weights.hardly_ever, 1.0) if known else 1.0


def of_lead(lead: float, weights: Weights = WEIGHTS, *, bound: float | None = None) -> Recommendation:
    """What is recommended of a proposal that is likelier by so much (a logarithm of odds) than what is there."""
    if lead >= (weights.even if bound is None else bound):
        return Recommendation.ACCEPT
    return Recommendation.KEEP if lead <= -weights.even else Recommendation.NONE


def of_gain(gain: float, weights: Weights = WEIGHTS, *, bound: float | None = None) -> Recommendation:
    """What is recommended of an answer with which so many more values are expected to be right."""
    return of_lead(2.0 * math.atanh(max(min(gain, _SURELY), -_SURELY)), weights, bound=bound)


_SURELY = 0.999999


def verdict(
    best: Weighed, rival: Weighed | None, weights: Weights = WEIGHTS, *, bound: float | None = None
) -> Recommendation:
    """What is recommended of the likeliest proposal and its rival: the current value, or another proposal.

    KEEP where the rival is likelier. None of them where the proposal is not likelier by the `bound`, or where even the
    likelier one is hardly to be believed.
    """
    if max(best.chance, 0.0 if rival is None else rival.chance) < weights.least:
        return Recommendation.NONE
    if rival is None:
        return Recommendation.ACCEPT
    return of_lead(lead_of(best, rival), weights, bound=None if rival.observed.current is None else bound)
