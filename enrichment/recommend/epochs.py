"""What holds now, by observations at different moments of facts that change with time.

Some fields change together: with a job, or with a move to another city. The time in which none of that happened is an
epoch. The observations are put in order of time, and all ways to cut them into epochs are added up, each as likely as
its times and the values make it (a forward pass over a semi-Markov chain). Within an epoch a field keeps its value,
unless it changes by itself. A change brings any value, as likely as the value is by itself.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Vector = Sequence[float]  # a figure for each value that a field may have; the last is for any that was not observed


@dataclass(slots=True)
class Chain:
    """One field. `priors`: how likely each value is by itself, one in all.

    `observed`: for each observation how likely it is under each true value, None where it does not tell of the field.
    `rate`: how often the field changes by itself, in changes a day.
    """

    priors: Vector
    observed: Sequence[Vector | None]
    rate: float
    _within: dict[tuple[int, int], list[float]] = field(default_factory=dict)

    def within(self, first: int, last: int, gaps: Sequence[float]) -> list[float]:
        """How likely the observations of an epoch are up to its last one, for each value that is true then."""
        found = self._within.get((first, last))
        if found is None:
            found = (
                list(self.priors) if first == last else self.after(self.within(first, last - 1, gaps), gaps[last - 1])
            )
            observed = self.observed[last]
            if observed is not None:
                found = [a * b for a, b in zip(found, observed, strict=True)]
            self._within[first, last] = found
        return found

    def after(self, held: Sequence[float], days: float) -> list[float]:
        """The same so many days later, as the field may have changed by itself."""
        if not self.rate:
            return list(held)
        changed, total = -math.expm1(-self.rate * days), sum(held)
        return [(1.0 - changed) * a + changed * total * b for a, b in zip(held, self.priors, strict=True)]


@dataclass(slots=True)
class Epochs:
    """Observations so many `days` ago, the oldest first, of the fields that change together, at `rate` changes a day.

    `besides`: for each gap until the next observation, or at last until now, the chance (0-1) that they changed for
    another reason. There is at least one observation.
    """

    days: Sequence[float]
    chains: Sequence[Chain]
    rate: float
    besides: Sequence[float] = ()
    gaps: list[float] = field(init=False)
    _stays: list[float] = field(init=False)
    _spans: list[list[tuple[int, float, bool]]] = field(init=False)
    _begins: list[float] = field(init=False)  # how likely all is that was seen before an epoch which begins there
    _lasting: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = [before - after for before, after in pairwise(self.days)] + [max(self.days[-1], 0.0)]
        besides = self.besides or [0.0] * len(self.gaps)
        self._stays = [
            math.exp(-self.rate * gap) * (1.0 - other) for gap, other in zip(self.gaps, besides, strict=True)
        ]
        self._spans = [list(self._spans_from(first)) for first in range(len(self.days))]
        self._begins = self._pass()
        self._lasting = self._all_lasting()

    @property
    def likelihood(self) -> float:
        """How likely all that was observed is."""
        return sum(self._lasting)

    def ends(self, chain: Chain) -> list[float]:
        """The likelihood, divided among the values of one of the fields that may be true now."""
        sums, last = [0.0] * len(chain.priors), len(self.days) - 1
        for first, weight in enumerate(self._lasting):
            held = list(chain.priors)
            if first <= last:
                held = chain.after(chain.within(first, last, self.gaps), self.gaps[last])
            total = sum(held)
            if total > 0:
                sums = [a + weight * b / total for a, b in zip(sums, held, strict=True)]
        return sums

    def changed(self) -> list[float]:
        """The chance (0-1) that the fields changed together in each gap, by all that was observed."""
        count = len(self.days)
        follows = [0.0] * count + [1.0]  # how likely all is that was seen from an epoch on which begins there
        for first in reversed(range(count)):
            follows[first] = sum(
                chance * (follows[last + 1] if ends else 1.0) for last, chance, ends in self._spans[first]
            )
        total, changes = follows[0], [0.0] * count
        for first in range(count):
            for last, chance, ends in self._spans[first]:
                if ends and total > 0:
                    changes[last] += self._begins[first] * chance * follows[last + 1] / total
        return changes

    def _spans_from(self, first: int) -> Iterator[tuple[int, float, bool]]:
        """The epochs that begin with an observation: the last one in it, how likely they are, and whether they end."""
        held, count = 1.0, len(self.days)
        for last in range(first, count):
            together = held * math.prod(sum(chain.within(first, last, self.gaps)) for chain in self.chains)
            yield last, together * (1.0 - self._stays[last]), True
            held *= self._stays[last]
            if last == count - 1:
                yield last, together * self._stays[last], False

    def _pass(self) -> list[float]:
        begins = [1.0] + [0.0] * len(self.days)
        for first in range(len(self.days)):
            for last, chance, ends in self._spans[first]:
                begins[last + 1] += begins[first] * chance if ends else 0.0
        return begins

    def _all_lasting(self) -> list[float]:
        """How likely all is, by the observation that begins the epoch which lasts; at last one after all of them."""
        lasting = [
            self._begins[first] * sum(chance for _, chance, ends in self._spans[first] if not ends)
            for first in range(len(self.days))
        ]
        return [*lasting, self._begins[-1]]
