"""What holds now, by observations at different moments of facts that change with time.

Some fields change together: with a job, or with a move to another city. The time in which none of that happened is an
epoch. The observations are put in order of time, and all ways to cut them into epochs are added up, each as likely as
its times and the values make it (a forward pass over a semi-Markov chain). Within an epoch a field keeps its value,
unless it changes by itself. A change brings any value, as likely as the value is by itself.

The loops are written out: they are the most that a recommendation costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

Vector = Sequence[float]  # a figure for each value that a field may have; the last is for any that was not observed


@dataclass(frozen=True, slots=True)
class Chain:
    """One field. `priors`: how likely each value is by itself, one in all.

    `observed`: for each observation how likely it is under each true value, None where it does not tell of the field.
    `rate`: how often the field changes by itself, in changes a day.
    """

    priors: Vector
    observed: Sequence[Vector | None]
    rate: float

    @property
    def is_seen_once(self) -> bool:
        """Whether no more than one observation tells of the field, so that nothing can be told of its changes."""
        return sum(observed is not None for observed in self.observed) <= 1

    @property
    def likelihood_of_once(self) -> float:
        """How likely the only observation is, whenever the field changed; 1 where there is none."""
        seen = [observed for observed in self.observed if observed is not None]
        return sum(a * b for a, b in zip(self.priors, seen[0], strict=True)) if seen else 1.0

    def change_in(self, days: float) -> float:
        """The chance (0-1) that the field changes by itself in so many days."""
        return -math.expm1(-self.rate * days) if self.rate else 0.0

    def after(self, held: list[float], changed: float) -> list[float]:
        """How likely each value is once the field may have changed by itself, with this chance (0-1)."""
        if not self.rate:
            return held
        kept, brought = 1.0 - changed, changed * sum(held)
        return [kept * a + brought * b for a, b in zip(held, self.priors, strict=True)]


class Epochs:
    """Observations so many `days` ago, the oldest first, of the fields that change together, at `rate` changes a day.

    `besides`: for each gap until the next observation, or at last until now, the chance (0-1) that they changed for
    another reason. There is at least one observation.
    """

    def __init__(
        self, days: Sequence[float], chains: Sequence[Chain], rate: float, besides: Sequence[float] = ()
    ) -> None:
        self.days, self.chains, self.rate = days, chains, rate
        count = self._count = len(days)
        self.gaps = [days[index] - days[index + 1] for index in range(count - 1)] + [max(days[-1], 0.0)]
        # The chance that no change of all comes in a gap.
        self._stays = [math.exp(-rate * gap) for gap in self.gaps]
        if besides:
            self._stays = [stays * (1.0 - other) for stays, other in zip(self._stays, besides, strict=True)]
        self._held_last: dict[int, list[list[float]]] = {}  # by the place of a chain: see `_likelihoods`
        self._whole = self._likelihoods()
        self._begins, self._lasting = self._pass()

    def _likelihoods(self) -> list[list[float]]:
        """How likely the observations of an epoch are by its first and its last one, whatever is true.

        Notes for each chain, by the first observation of an epoch that lasts, how likely each value is at the last one.
        """
        count = self._count
        whole = [[1.0] * count for _ in range(count)]
        for index, chain in enumerate(self.chains):
            changed = [chain.change_in(gap) for gap in self.gaps[:-1]]
            held_last: list[list[float]] = []
            for first in range(count):
                sums, held = whole[first], list(chain.priors)
                for last in range(first, count):
                    if last > first:
                        held = chain.after(held, changed[last - 1])
                    observed = chain.observed[last]
                    if observed is not None:
                        held = list(map(mul, held, observed))
                    sums[last] *= sum(held)
                held_last.append(held)
            self._held_last[index] = held_last
        return whole

    def _pass(self) -> tuple[list[float], list[float]]:
        """How likely all is that was seen before an epoch, by where it begins; and all, by where the last one begins.

        The last place is behind all observations.
        """
        count, stays, whole = self._count, self._stays, self._whole
        begins = [1.0] + [0.0] * count
        lasting = [0.0] * count
        for first in range(count):
            held = 1.0
            for last in range(first, count):
                together = held * whole[first][last]
                begins[last + 1] += begins[first] * (together * (1.0 - stays[last]))
                held *= stays[last]
            lasting[first] = begins[first] * (together * stays[count - 1])
        return begins, [*lasting, begins[count]]

    @property
    def likelihood(self) -> float:
        """How likely all that was observed is."""
        return sum(self._lasting)

    def ends(self, chain: Chain) -> list[float]:
        """The likelihood, divided among the values of `chain` that may be true now; it is one of `chains`."""
        index = next(index for index, known in enumerate(self.chains) if known is chain)
        changed = chain.change_in(self.gaps[-1])
        held_now = [chain.after(held, changed) for held in self._held_last[index]]
        sums = [0.0] * len(chain.priors)
        for held, weight in zip([*held_now, chain.priors], self._lasting, strict=True):
            total = sum(held)
            if total > 0:
                sums = [a + weight * b / total for a, b in zip(sums, held, strict=True)]
        return sums

    def changed(self) -> list[float]:
        """The chance (0-1) that the fields changed together in each gap, by all that was observed."""
        count, stays, whole = self._count, self._stays, self._whole
        spans: list[list[float]] = []  # how likely an epoch is that begins and ends with these observations
        follows = [0.0] * count + [1.0]  # how likely all is that was seen from an epoch on which begins there
        for first in range(count):
            held, ending = 1.0, list[float]()
            for last in range(first, count):
                together = held * whole[first][last]
                ending.append(together * (1.0 - stays[last]))
                held *= stays[last]
            spans.append(ending)
            follows[first] = together * stays[count - 1]  # it lasts
        for first in reversed(range(count)):
            ended = sum(chance * follows[first + 1 + index] for index, chance in enumerate(spans[first]))
            follows[first] = ended + follows[first]
        total, changes = follows[0], [0.0] * count
        for first, ending in enumerate(spans):
            for index, chance in enumerate(ending):
                if total > 0:
                    changes[first + index] += self._begins[first] * chance * follows[first + 1 + index] / total
        return changes
