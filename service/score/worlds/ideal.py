"""What can be known at most of a record in a drawn world, by somebody who knows how the world was drawn.

This observer knows each source's share of mistakes, how its confidence falls where it errs, whom it copies from, how
fast facts change and how old the CRM's values are in the mean; only the dice are hidden from it. What it finds
likeliest is about the most that any rule can reach in that world. It leaves out little: that more than one answer of a
record is about somebody else, and that a value of unknown age may be younger than its record. The product's rule knows
none of these numbers.

Facts change in epochs: with a job, or with a move to another city, many fields change at once; some change alone too.
The observations are put in order of time, and all ways to cut them into epochs are added up, each as likely as its
times and values make it. Within an epoch a field has one of the values that were observed, or another.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, is_equivalent
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType
from enrichment.recommend.epochs import Chain, Epochs
from enrichment.recommend.nearness import is_slip
from service.score.worlds.draw import NOW, SOURCE_KINDS, DrawnRecord, DrawnSource, World
from service.score.worlds.entities import ACCOUNT_YEARS, LEAD_YEARS
from service.score.worlds.errors import KINDS, makes

Prior = Mapping[str, float]  # how likely a value is by itself, by its text, against others of the field
_DAYS = 365.25
_AGES = (0.13, 0.47, 0.98, 2.08)  # four equal parts of an exponential, as shares of its mean
_SLIPS = 40.0  # ways to mistype a value
_OTHER = "another value"


@dataclass(frozen=True, slots=True)
class _Changes:
    """The chance that an event changes them: all fields of the `group` at once, and each field `alone`."""

    group: frozenset[str]
    together: float
    alone: Mapping[str, float]
    years: float  # between two events, in the mean


_CHANGES = {
    EntityType.LEAD: _Changes(
        frozenset({"company", "companyDomain", "website", "email", "title", "phone", "city", "industry"}),
        0.6,
        {"title": 0.25, "phone": 0.15, "country": 0.09},
        LEAD_YEARS,
    ),
    EntityType.ACCOUNT: _Changes(
        frozenset({"street", "postalCode", "city", "phone"}),
        0.15,
        {"street": 0.25, "postalCode": 0.25, "phone": 0.3, "numberOfEmployees": 0.2, "state": 0.1},
        ACCOUNT_YEARS,
    ),
}
_VALUES = {"country": 30, "title": 16, "industry": 60, "foundedYear": 130, "numberOfEmployees": 30, "state": 100}
_VALUES_OTHERWISE = 300  # how many values a field could have as well


@dataclass(frozen=True, slots=True)
class _Seen:
    """Values that were seen at a moment, `days` ago: a source's, or without one the CRM's. None: nobody knows when."""

    days: float | None
    values: Mapping[str, Any]
    source: DrawnSource | None = None
    stated: Mapping[str, float] = field(default_factory=dict)


def ideal_chances(world: World, record: DrawnRecord, priors: Mapping[str, Prior]) -> dict[str, list[tuple[Any, float]]]:
    """How likely (0-1) each observed value is right now, by field."""
    return _Observer(world, record, priors).chances()


class _Observer:
    def __init__(self, world: World, record: DrawnRecord, priors: Mapping[str, Prior]) -> None:
        self._world, self._record, self._priors = world, record, priors
        self._changes = _CHANGES[record.entity_type]
        self._a_day = world.pace / (self._changes.years * _DAYS)
        sources = {source.id: source for source in world.sources}
        answers = [_of_source(sources[provider], answer) for provider, answer in record.answers.items() if answer]
        self._seen = [*self._of_crm(), *answers]
        self._values = {name: self._different(name) for each in self._seen for name in each.values}
        self._own = {id(each): self._observed(each, mixed_up=False) for each in self._seen}
        self._mixed_up = {id(each): self._observed(each, mixed_up=True) for each in answers}

    def chances(self) -> dict[str, list[tuple[Any, float]]]:
        total, sums = 0.0, {name: [0.0] * (len(values) + 1) for name, values in self._values.items()}
        for weight, days, other in self._readings():
            likelihood, ends = self._read(days, other)
            total += weight * likelihood
            for name, chances in ends.items():
                sums[name] = [a + weight * b for a, b in zip(sums[name], chances, strict=True)]
        return {
            name: [(value, part / total) for value, part in zip(self._values[name], held[:-1], strict=True)]
            for name, held in sums.items()
        }

    def _readings(self) -> Iterator[tuple[float, list[tuple[float, _Seen]], _Seen | None]]:
        """The ways to read a record, each with its weight: how old the CRM is, and which answer is of somebody else."""
        answers = [each for each in self._seen if each.source is not None]
        for share in _AGES if any(each.days is None for each in self._seen) else (0.0,):
            age = share * self._world.crm_mean_age
            days = [(age if each.days is None else each.days, each) for each in self._seen]
            days.sort(key=lambda pair: -pair[0])
            for other in (None, *answers):
                weight = 1.0
                for each in answers:
                    assert each.source is not None  # it is an answer
                    chance = each.source.another_entity
                    weight *= max(chance if each is other else 1.0 - chance, 1e-4)
                yield weight, days, other

    def _read(self, days: Sequence[tuple[float, _Seen]], other: _Seen | None) -> tuple[float, dict[str, list[float]]]:
        """How likely this reading is, and the same divided among the values of each field."""
        chains = {name: self._chain(name, days, other) for name in self._values}
        ages = [age for age, _ in days]
        group = [chain for name, chain in chains.items() if name in self._changes.group]
        together = Epochs(ages, group, self._a_day * self._changes.together)
        epochs = {
            name: together if name in self._changes.group else Epochs(ages, [chain], 0.0)
            for name, chain in chains.items()
        }
        likelihood = math.prod(each.likelihood for each in {id(each): each for each in epochs.values()}.values())
        ends: dict[str, list[float]] = {}
        for name, chain in chains.items():
            others = likelihood / epochs[name].likelihood
            ends[name] = [end * others for end in epochs[name].ends(chain)]
        return likelihood, ends

    def _of_crm(self) -> Iterator[_Seen]:
        current = self._record.current
        dates = {held.observed_at if self._world.dated else None for held in current.values()}
        for date in sorted(dates, key=str):
            values = {name: held.value for name, held in current.items() if date in {None, held.observed_at}}
            yield _Seen(None if date is None else _days(date), values)

    def _different(self, name: str) -> list[Any]:
        found: list[Any] = []
        for value in self._all(name):
            if not any(is_equivalent(self._record.entity_type, name, value, other) for other in found):
                found.append(value)
        return found

    def _all(self, name: str) -> list[Any]:
        return [each.values[name] for each in self._seen if name in each.values]

    def _chain(self, name: str, days: Sequence[tuple[float, _Seen]], other: _Seen | None) -> Chain:
        values, count = self._values[name], _VALUES.get(name, _VALUES_OTHERWISE)
        priors = [self._priors.get(name, {}).get(str(value), 1.0) / count for value in values]
        priors = [chance / max(sum(priors) / 0.9, 1.0) for chance in priors]
        observed = [(self._mixed_up if each is other else self._own)[id(each)].get(name) for _, each in days]
        return Chain([*priors, 1.0 - sum(priors)], observed, self._a_day * self._changes.alone.get(name, 0.0))

    def _observed(self, seen: _Seen, *, mixed_up: bool) -> dict[str, list[float]]:
        """How likely what is said of each field is, under each of its values."""
        return {
            name: [self._emits(seen, name, value, true, mixed_up=mixed_up) for true in (*self._values[name], _OTHER)]
            for name, value in seen.values.items()
        }

    def _emits(self, seen: _Seen, name: str, observed: Any, true: Any, *, mixed_up: bool) -> float:
        """How likely it is that this is observed where that is true (`_OTHER`: something that nobody says)."""
        source = seen.source
        is_right = true is not _OTHER and is_equivalent(self._record.entity_type, name, observed, true)
        rate, weights = (self._world.spoils, self._world.kinds) if source is None else (source.wrong, SOURCE_KINDS)
        possible, by_mistake = self._mistakes(name, weights, observed, true)
        errs = rate * possible
        found = 1.0 - errs if is_right else max(errs, 1e-3) * by_mistake
        if source is None:
            return found
        if mixed_up:
            return _density(source, seen.stated[name], errs=True) / _VALUES.get(name, _VALUES_OTHERWISE)
        copies, copied = self._copied(source, name, observed)
        return (copies * copied + (1.0 - copies) * found) * _density(source, seen.stated[name], errs=not is_right)

    def _mistakes(self, name: str, weights: Sequence[float], observed: Any, true: Any) -> tuple[float, float]:
        """Which share of the mistakes is possible in this field, and how likely one of them makes this value."""
        entity, count = self._record.entity_type, _VALUES.get(name, _VALUES_OTHERWISE)
        changing = self._changes.together * (name in self._changes.group) + self._changes.alone.get(name, 0.0)
        shares = {kind: weight for kind, weight in zip(KINDS, weights, strict=True) if makes(kind, name)}
        shares["stale"] *= changing
        possible, typed, stale = sum(shares.values()), shares.get("typo", 0.0), shares["stale"]
        is_typed = true is not _OTHER and is_slip(fields_of(entity)[name].kind, true, observed)
        is_repeated = sum(is_equivalent(entity, name, observed, each) for each in self._all(name)) > 1
        made = typed * (1.0 / _SLIPS if is_typed else 0.0) + stale * (0.5 if is_repeated else 1.0 / count)
        made += (possible - typed - stale) / count
        return possible / sum(weights), made / possible

    def _copied(self, source: DrawnSource, name: str, observed: Any) -> tuple[float, bool]:
        """How often the source copies the field, and whether the value is that of its origin."""
        origin = source.copies_of
        given = None if origin is None else self._record.answers.get(origin.id, {}).get(name)
        return (0.0, False) if given is None else (source.copies, bool(given.value == observed))


def _days(moment: datetime) -> float:
    return (NOW - moment).total_seconds() / 86_400.0


def _of_source(source: DrawnSource, answer: Mapping[str, Candidate]) -> _Seen:
    days = _days(next(iter(answer.values())).observed_at) if source.is_dated else source.mean_age
    values = {name: candidate.value for name, candidate in answer.items()}
    return _Seen(days, values, source, {name: candidate.confidence for name, candidate in answer.items()})


def _density(source: DrawnSource, stated: float, *, errs: bool) -> float:
    """How likely a source states this confidence, to two digits, where it is right or errs."""
    mean, spread = source.stated - (source.insight if errs else 0.0), max(source.spread, 0.003)
    low = -math.inf if stated <= 0.35 else stated - 0.005
    high = math.inf if stated >= 0.97 else stated + 0.005
    return max(_below((high - mean) / spread) - _below((low - mean) / spread), 1e-6)


def _below(deviations: float) -> float:
    return 0.5 * (1.0 + math.erf(deviations / math.sqrt(2.0)))
