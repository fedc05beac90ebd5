"""How likely each value of a field is, by all that was seen of it and of the fields that change together with it.

A source is right with the chance that its stated confidence means, else it makes a mistake; some answers are about
somebody else as a whole, and some values are copied from another source. What the record holds is right with a chance
of its own. Facts change with time (see `enrichment.recommend.epochs`): with a job, or with a move, many at once. So an
answer that differs in all that a new job brings is hardly a mistake in each, and only the later of both holds now;
one that differs in a single field, while the rest of the job is the same, tells of no change but of a mistake.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment.enums import SOURCE_CRM, SOURCE_REVIEWER, EntityType, FieldUnit
from enrichment.learn.freshness import UNKNOWN_AGE_DAYS
from enrichment.learn.reliability import Reliability, log_odds
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.provenance import Current
from enrichment.recommend.epochs import Chain, Epochs
from enrichment.recommend.subject import kind_of
from enrichment.recommend.weights import FACTS, SAME_MISTAKE, SAME_MISTAKE_OTHERWISE, Weights
from enrichment.recommend.witnesses import HELD, Statement, Together, Witness

_DAY_SECONDS = 86_400.0
_SURE = 0.995  # nothing is surer than this by itself
_ALONE = math.log(2) / (30 * 365.25)  # every field changes by itself, though seldom: so many times a day at least
# What changes as often as the unit does as a whole: a job with its company, an address with its city.
_LEADING = {FieldUnit.EMPLOYMENT: "company", FieldUnit.ADDRESS: "city"}
_HARDLY = 0.005  # an answer with lower odds of being about somebody else is about the record
_AGES = (0.13, 0.47, 0.98, 2.08)  # the means of four equal parts of an exponential, as shares of its own


def likelihoods(
    said: Together, entity_type: EntityType, now: datetime, weights: Weights, *, sized: bool
) -> list[float]:
    """How likely all that was seen is under each value of the field, and at last under any other; not normalized."""
    return _Model(said, entity_type, now, weights, sized=sized).likelihoods()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was said of the field that is `asked` about, of the fields that change with it (`own`, the field itself
    among them), and of those whose change may bring theirs (`causing`).

    A field of which something was said on one day alone is in neither: whatever changed when, that is as likely, and
    `apart` is how likely it is of all of these fields together.
    """

    asked: Chain
    own: list[Chain]
    causing: list[Chain]
    apart: float

    @classmethod
    def of(cls, chains: Mapping[str, Chain], said: Together) -> "_Seen":
        apart = 1.0
        own: list[Chain] = []
        causing: list[Chain] = []
        for name, chain in chains.items():
            if name != said.name and chain.is_seen_once:
                apart *= chain.likelihood_of_once
            else:
                (causing if name in said.causing else own).append(chain)
        return cls(chains[said.name], own, causing, apart)


class _Model:
    def __init__(
        self, said: Together, entity_type: EntityType, now: datetime, weights: Weights, *, sized: bool
    ) -> None:
        self._said, self._entity_type, self._now, self._weights, self._sized = said, entity_type, now, weights, sized
        self._sources = [witness for witness in said.witnesses if witness.source != HELD]
        self._same = {
            name: SAME_MISTAKE.get(kind_of(entity_type, name), SAME_MISTAKE_OTHERWISE) for name in said.counts
        }
        self._own = {id(witness): self._observed(witness, mixed_up=False) for witness in said.witnesses}
        self._mixed_up = {id(witness): self._observed(witness, mixed_up=True) for witness in self._sources}
        self._priors = {name: self._prior(name) for name in said.counts}
        self._known: dict[tuple[object, ...], _Seen] = {}
        self._has_cause = any(name in said.causing for name in said.counts)
        self._changes()

    def likelihoods(self) -> list[float]:
        sums = [0.0] * (self._said.counts[self._said.name] + 1)
        for weight, days, other in self._readings():
            for index, part in enumerate(self._reading(days, other)):
                sums[index] += weight * part
        return sums

    def _readings(self) -> Iterator[tuple[float, list[tuple[float, list[Witness]]], Witness | None]]:
        """The ways to read what was said: how old the undated is, and which answer is about somebody else.

        Each has its weight, and the witnesses by the days since they saw it, the oldest first.
        """
        others = [(self._another(witness), witness) for witness in self._sources]
        others = [(weight, witness) for weight, witness in others if weight > _HARDLY]
        undated = any(witness.seen_at is None for witness in self._said.witnesses)
        for age in [share * UNKNOWN_AGE_DAYS for share in _AGES] if undated else [0.0]:
            days = self._by_day(age)
            yield 1.0, days, None
            for weight, other in others:
                yield weight, days, other

    def _by_day(self, age: float) -> list[tuple[float, list[Witness]]]:
        """The witnesses by the days since they saw it; of one day they are of one moment."""
        seen = [(age if each.seen_at is None else self._days(each.seen_at), each) for each in self._said.witnesses]
        found: list[tuple[float, list[Witness]]] = []
        for days, witness in sorted(seen, key=lambda pair: -pair[0]):
            if found and found[-1][0] - days < 1.0:
                found[-1][1].append(witness)
            else:
                found.append((days, [witness]))
        return found

    def _days(self, moment: datetime) -> float:
        return max((self._now - moment).total_seconds(), 0.0) / _DAY_SECONDS

    def _another(self, witness: Witness) -> float:
        """The odds that an answer is about somebody else, by how it agrees with the rest of the record."""
        weights = self._weights
        same, different = (min(count, weights.most_shared) for count in (witness.same, witness.different))
        lead = weights.another - same * weights.agreement_with_record - different * weights.difference_from_record
        return math.exp(lead)

    def _reading(self, days: Sequence[tuple[float, Sequence[Witness]]], other: Witness | None) -> list[float]:
        seen = self._seen([witnesses for _, witnesses in days], other)
        ages = [age for age, _ in days]
        likelihood, besides = seen.apart, list[float]()
        if self._has_cause:
            cause = Epochs(ages, seen.causing, self._cause_rate)
            likelihood *= cause.likelihood
            besides = [changed * self._brings for changed in cause.changed()]
        ends = Epochs(ages, seen.own, self._together, besides).ends(seen.asked)
        return [likelihood * end for end in ends]

    def _seen(self, days: Sequence[Sequence[Witness]], other: Witness | None) -> "_Seen":
        """What was said of each field day by day. Another age of what is undated seldom changes who speaks when."""
        key = (id(other), *(tuple(map(id, witnesses)) for witnesses in days))
        known = self._known.get(key)
        if known is None:
            vectors = [[(self._mixed_up if each is other else self._own)[id(each)] for each in seen] for seen in days]
            chains = {
                name: Chain(prior, [_of_day(name, said) for said in vectors], self._rates[name])
                for name, prior in self._priors.items()
            }
            known = self._known[key] = _Seen.of(chains, self._said)
        return known

    def _changes(self) -> None:
        """How often fields change, in changes a day: those of the unit together, and each by itself."""
        unit, cause = self._said.unit, self._said.cause
        self._cause_rate = 0.0 if cause is None else self._rate(_LEADING[cause])
        self._together = 0.0 if unit is None else self._rate(_LEADING[unit])
        whole = self._together or self._rate(self._said.name)
        # A change of the cause brings one of these as often as they change at all, and always where they do more often.
        self._brings = min(whole / self._cause_rate, 1.0) if self._cause_rate else 0.0
        if unit is not None:
            self._together = max(whole - self._cause_rate, min(whole, _ALONE))
        self._rates = {name: self._alone(name, whole if unit is not None else 0.0) for name in self._said.counts}

    def _alone(self, name: str, together: float) -> float:
        rate = self._rate(name)
        with_others = self._cause_rate if name in self._said.causing else max(together, self._cause_rate)
        if with_others:
            rate = max(rate - with_others, min(rate, _ALONE))
        longer = self._weights.size_half_lives if self._sized and name == self._said.name else 1.0
        return rate / longer

    def _rate(self, name: str) -> float:
        half_life = self._said.half_lives.get(name)
        return 0.0 if half_life is None else math.log(2) / half_life

    def _prior(self, name: str) -> list[float]:
        count, same = self._said.counts[name], self._same[name]
        each = min(same, 0.9 / count)
        return [each] * count + [1.0 - count * each]

    def _observed(self, witness: Witness, *, mixed_up: bool) -> dict[str, list[float]]:
        """For each field the chance of what is said of it, under each value that may be true."""
        return {
            name: [self._same[name]] * (self._said.counts[name] + 1)
            if mixed_up
            else self._vector(witness, name, statement)
            for name, statement in witness.statements.items()
        }

    def _vector(self, witness: Witness, name: str, statement: Statement) -> list[float]:
        right, same = self._right(name, statement), self._same[name]
        vector = [(1.0 - right) * same] * (self._said.counts[name] + 1)
        vector[statement.value] = right
        copies, copied = self._copied(witness, name, statement)
        if not copies:
            return vector
        return [copied + (1.0 - copies) * chance for chance in vector]

    def _copied(self, witness: Witness, name: str, statement: Statement) -> tuple[float, float]:
        """The chance that the source has its value from one before it, and the same where that one says the same."""
        if witness.source == HELD:
            return 0.0, 0.0
        known, copies, copied = statement.reliability, 0.0, 0.0
        for other in self._sources[: next(i for i, other in enumerate(self._sources) if other is witness)]:
            if name in other.statements:
                share = self._weights.copies if known is None else known.shares.get(other.source, self._weights.copies)
                copies = max(copies, share)
                copied = max(copied, share if other.statements[name].value == statement.value else 0.0)
        return copies, copied

    def _right(self, name: str, statement: Statement) -> float:
        """The chance that who says this was right when it was seen."""
        if statement.current is not None:
            return self._right_of_held(name, statement, statement.current)
        found = reliability(self._weights, statement.stated, statement.trust, statement.relative)
        if (known := statement.reliability) is not None:
            lead = log_odds(known.accuracy_of(statement.key)) + known.told_by_confidence(
                statement.key, statement.stated
            )
            found = _blended(
                _share(self._weights, known), lead + math.log(_learned(self._weights, statement.trust)), found
            )
        if self._sized and name == self._said.name:
            found = 1.0 - (1.0 - found) * self._weights.size_doubt
        return found

    def _right_of_held(self, name: str, statement: Statement, current: Current) -> float:
        weights = self._weights
        if current.source == SOURCE_REVIEWER:
            return weights.reviewer
        if current.source == SOURCE_CRM:
            dated = current.observed_at_known or current.edited_at is not None
            held = odds(weights.crm_dated if dated else weights.crm_undated)
            held *= math.exp(weights.facts) if kind_of(self._entity_type, name) in FACTS else 1.0
            found = held / (1.0 + held)
            if (known := statement.reliability) is not None:
                lead = log_odds(min(known.accuracy_of(statement.key), weights.crm_most))
                if dated:
                    return _blended(_share(weights, known), lead, found)
                return _blended(_share_in(known, statement.key, weights), lead, found)
            return found
        return reliability(weights, current.confidence, UNJUDGED)


def _of_day(name: str, said: Sequence[Mapping[str, list[float]]]) -> list[float] | None:
    """How likely all that was said of a field on one day is, under each of its values; None where nothing was."""
    observed = [vectors[name] for vectors in said if name in vectors]
    if len(observed) < 2:
        return observed[0] if observed else None
    return [math.prod(chances) for chances in zip(*observed, strict=True)]


def _share(weights: Weights, known: Reliability) -> float:
    """How much (0-1) what the organization's records show of a source counts against what is known of all sources."""
    return weights.compared_most * known.compared / (known.compared + weights.compared_worth)


def _share_in(known: Reliability, key: str, weights: Weights) -> float:
    """How much (0-1) what the records show of the CRM in one field counts against what is known of all CRMs."""
    compared = known.compared_in.get(key, 0.0)
    return compared / (compared + weights.crm_worth)


def _blended(share: float, lead: float, otherwise: float) -> float:
    """A chance (0-1) of which this share is by what the records show (`lead`, in logarithms of odds)."""
    return 1.0 / (1.0 + math.exp(-share * lead - (1.0 - share) * log_odds(otherwise)))


def odds(chance: float) -> float:
    """The odds of a chance (0-1), which is kept from certainty."""
    kept = min(max(chance, 1.0 - _SURE), _SURE)
    return kept / (1.0 - kept)


def reliability(weights: Weights, stated: float, trust: SourceTrust, relative: float = 0.0) -> float:
    """The chance (0-1) that a source which states this confidence was right when it looked.

    `relative`: by how much more than usual it is less sure than of its other values, in logarithms of odds.
    """
    meant = _meant(weights, stated) * _learned(weights, trust) * math.exp(weights.stated_relative * relative)
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
