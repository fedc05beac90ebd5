"""The odds of each value that a field could hold: the current one, and each that a source gave.

Each value has the odds that it was right when it was seen last: a single source's come from the confidence that it
states and from how reviewers judged it. One that agrees multiplies them by how much likelier it is that two agree where
both are right than where both made the same mistake; some agree only because the one has it from the other.

Age counts between the values, not up to now: what was seen later may be the change of what was seen before. A value
that was right once and has changed since is as wrong as one that never was, so that the odds of both are joined as
1 / (1 / odds + (1 - fresh) / fresh), where `fresh` is the chance that nothing changed until the newest observation.
Signs, and how far a source's answer agrees with the record, multiply what comes of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from enrichment.enums import SOURCE_CRM, SOURCE_REVIEWER, Recommendation
from enrichment.learn.freshness import UNKNOWN_AGE_DAYS
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.provenance import Current
from enrichment.recommend.observe import Observations, Observed, Sighting
from enrichment.recommend.weights import FACTS, SAME_MISTAKE, SAME_MISTAKE_OTHERWISE, WEIGHTS, Weights

_SURE = 0.995  # nothing is surer than this by itself
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """One value with what speaks for it.

    `support`: the odds that it was right when it was seen last. `fresh` (0-1): the chance that it still held when the
    newest of all values was seen. `odds`: against none of the values being right, with all that speaks for or against
    it; `chance` (0-1) is the same as a share.
    """

    observed: Observed
    support: float
    fresh: float
    odds: float
    chance: float = 0.0


def weigh(observations: Observations, weights: Weights = WEIGHTS) -> list[Weighed]:
    """Every value, the likeliest first."""
    ages = Ages.of(observations, weights)
    found = [_weigh(observed, observations, ages, weights) for observed in observations.values]
    total = 1.0 + sum(weighed.odds for weighed in found)  # one: that none of them is right
    found = [replace(weighed, chance=weighed.odds / total) for weighed in found]
    return sorted(found, key=lambda weighed: -weighed.odds)


def _weigh(observed: Observed, observations: Observations, ages: "Ages", weights: Weights) -> Weighed:
    seen: list[tuple[float, datetime | None]] = []
    if observed.current is not None:
        seen.append((_chance_of_current(observed.current, observations, weights), observations.held_seen_at))
    for sighting in observed.sightings:
        found = reliability(weights, sighting.candidate.stated, sighting.trust)
        found = 1.0 - (1.0 - found) * weights.size_doubt if observations.sized else found
        seen.append((found, sighting.candidate.observed_at))
    support = _joint_odds(seen, ages, weights, SAME_MISTAKE.get(observations.kind, SAME_MISTAKE_OTHERWISE))
    undated = observations.undated and observed.current is None
    fresh = max(ages.fresh(at, undated_rival=undated) for _, at in seen)
    joined = 1.0 / (1.0 / support + (1.0 - fresh) / fresh) if fresh > 0 else 0.0
    signs = sum(weights.signs[found.sign] for found in observed.signs)
    signs = max(min(signs, weights.most_signs), -weights.most_signs)
    about = 0.0 if observed.current is not None else max(_about(sighting, weights) for sighting in observed.sightings)
    return Weighed(observed, support, fresh, joined * math.exp(signs + about))


def _chance_of_current(current: Current, observations: Observations, weights: Weights) -> float:
    if current.source == SOURCE_REVIEWER:
        return weights.reviewer
    if current.source == SOURCE_CRM:
        held = odds(weights.crm_undated if observations.undated else weights.crm_dated)
        held *= math.exp(weights.facts) if observations.kind in FACTS else 1.0
        return held / (1.0 + held)
    return reliability(weights, current.confidence, UNJUDGED)


def _about(sighting: Sighting, weights: Weights) -> float:
    same, different = (min(count, weights.most_shared) for count in (sighting.same, sighting.different))
    about = same * weights.agreement_with_record + different * weights.difference_from_record
    return about + (weights.moved if sighting.moved else 0.0)


def odds(chance: float) -> float:
    """The odds of a chance (0-1), which is kept from certainty."""
    kept = min(max(chance, 1.0 - _SURE), _SURE)
    return kept / (1.0 - kept)


def reliability(weights: Weights, stated: float, trust: SourceTrust) -> float:
    """The chance (0-1) that a source which states this confidence was right when it looked."""
    meant = _meant(weights, stated) * _learned(weights, trust)
    return meant / (1.0 + meant)


def _meant(weights: Weights, stated: float) -> float:
    return math.exp(weights.stated_offset + weights.stated_slope * math.log(odds(stated)))


def _learned(weights: Weights, trust: SourceTrust) -> float:
    """By how much reviewers' decisions move the odds of all that a source says."""
    if not trust.judged:
        return 1.0
    meant = _meant(weights, trust.stated / trust.judged)
    expected = meant / (1.0 + meant)
    seen = (weights.trust_decisions * expected + trust.accepted) / (weights.trust_decisions + trust.judged)
    return odds(seen) / odds(expected)


@dataclass(frozen=True, slots=True)
class Ages:
    """How the values of a question age: `latest` is when the newest was seen, as far as it is known."""

    now: datetime
    latest: datetime | None
    rate: float  # the chance of a change in a short time, divided by that time in days

    @classmethod
    def of(cls, observations: Observations, weights: Weights) -> "Ages":
        longer = weights.size_half_lives if observations.sized else 1.0
        rate = math.log(2) / (observations.half_life_days * longer)
        return cls(observations.now, observations.latest, rate)

    def fresh(self, seen_at: datetime | None, *, undated_rival: bool) -> float:
        """The chance (0-1) that what was seen then had not changed when the newest value was seen.

        An age that is not known is taken as exponential with a mean of UNKNOWN_AGE_DAYS, and the chance is averaged
        over it. `undated_rival`: the current value's age is not known, so that it may be the newest.
        """
        if self.latest is None:
            return 1.0
        if seen_at is None:
            return self._of_unknown_age()
        held = self.held(seen_at, self.latest)
        return held * self._until_unknown_age() if undated_rival else held

    def held(self, seen_at: datetime, until: datetime) -> float:
        """The chance (0-1) that what was seen then had not changed until another moment."""
        return math.exp(-self.rate * max((until - seen_at).total_seconds(), 0.0) / _DAY_SECONDS)

    def _of_unknown_age(self) -> float:
        older = math.exp(-self._days / UNKNOWN_AGE_DAYS)
        return 1.0 - older * (1.0 - 1.0 / (1.0 + UNKNOWN_AGE_DAYS * self.rate))

    def _until_unknown_age(self) -> float:
        older, difference = math.exp(-self._days / UNKNOWN_AGE_DAYS), self.rate - 1.0 / UNKNOWN_AGE_DAYS
        if abs(difference) < 1e-9:
            return older * (1.0 + self._days / UNKNOWN_AGE_DAYS)
        return older + (older - math.exp(-self.rate * self._days)) / (UNKNOWN_AGE_DAYS * difference)

    @property
    def _days(self) -> float:
        return 0.0 if self.latest is None else max((self.now - self.latest).total_seconds(), 0.0) / _DAY_SECONDS


def _joint_odds(
    seen: Sequence[tuple[float, datetime | None]], ages: Ages, weights: Weights, same_mistake: float
) -> float:
    """The odds that what these sources agree on was right when the last of them saw it."""
    last = max((at for _, at in seen if at is not None), default=None)
    chances = [chance if at is None or last is None else chance * ages.held(at, last) for chance, at in seen]
    best, *others = sorted(chances, reverse=True)
    joint = odds(best)
    for chance in others:
        both_right = weights.copies + (1.0 - weights.copies) * chance
        both_wrong = weights.copies + (1.0 - weights.copies) * (1.0 - chance) * same_mistake
        joint *= both_right / both_wrong
    return joint


def lead_of(best: Weighed, rival: Weighed) -> float:
    """By how much (as a logarithm of odds) the one is likelier than the other."""
    return math.log(max(best.odds, _LEAST_ODDS) / max(rival.odds, _LEAST_ODDS))


_LEAST_ODDS = 1e-9


def of_lead(lead: float, weights: Weights = WEIGHTS) -> Recommendation:
    """What is recommended of a proposal that is likelier by so much (a logarithm of odds) than what is there."""
    if abs(lead) < weights.even:
        return Recommendation.NONE
    return Recommendation.ACCEPT if lead > 0 else Recommendation.KEEP


def verdict(best: Weighed, rival: Weighed | None, weights: Weights = WEIGHTS) -> Recommendation:
    """What is recommended of the likeliest proposal and its rival: the current value, or another proposal.

    KEEP where the rival is likelier. None of them where the odds are nearly even, or where even the likelier one is
    hardly to be believed.
    """
    if max(best.chance, 0.0 if rival is None else rival.chance) < weights.least:
        return Recommendation.NONE
    return Recommendation.ACCEPT if rival is None else of_lead(lead_of(best, rival), weights)
