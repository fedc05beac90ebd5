"""What holds now: the pass over epochs gives what adding up every way to cut the observations gives."""

import math
import random
from itertools import pairwise, product

import pytest

from enrichment.recommend.epochs import Chain, Epochs


def by_hand(epochs: Epochs, own: Chain) -> list[float]:
    """The same by trying every set of moments at which the fields changed together, the last gap up to now included."""
    count, sums = len(epochs.days), [0.0] * len(own.priors)
    gaps = [before - after for before, after in pairwise([*epochs.days, 0.0])]
    for cut in product((False, True), repeat=count):
        weight = math.prod(
            1.0 - math.exp(-epochs.rate * gap) if changed else math.exp(-epochs.rate * gap)
            for changed, gap in zip(cut, gaps, strict=True)
        )
        ends = None
        for chain in epochs.chains:
            held, total = list(chain.priors), 1.0
            for index in range(count):
                seen = chain.observed[index]
                held = held if seen is None else [a * b for a, b in zip(held, seen, strict=True)]
                if cut[index]:
                    total, held = total * sum(held), list(chain.priors)
                else:
                    held = chain.after(held, chain.change_in(gaps[index]))
            weight *= total * (1.0 if chain is own else sum(held))
            ends = held if chain is own else ends
        assert ends is not None
        sums = [a + weight * b for a, b in zip(sums, ends, strict=True)]
    return sums


def test_a_field_of_which_something_was_seen_once_tells_nothing_of_changes() -> None:
    days, chain = [900.0, 10.0], Chain(PRIORS, [OLD, NEW], 0.0)
    for seen in ([OLD, None], [None, NEW], [None, None]):
        once = Chain(PRIORS, seen, 0.001)
        assert once.is_seen_once
        beside, alone = Epochs(days, [chain, once], 0.0005), Epochs(days, [chain], 0.0005)
        assert beside.ends(chain) == pytest.approx([once.likelihood_of_once * end for end in alone.ends(chain)])
    assert not chain.is_seen_once


@pytest.mark.parametrize("seed", range(20))
def test_all_ways_to_cut_the_observations_are_added_up(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a test, no secret
    days = sorted((rng.uniform(0, 2000) for _ in range(rng.randrange(1, 6))), reverse=True)
    chains = []
    for _ in range(rng.randrange(1, 4)):
        first = rng.uniform(0.01, 0.4)
        seen = [[rng.random() for _ in range(3)] if rng.random() < 0.8 else None for _ in days]
        chains.append(Chain([first, 0.1, 0.9 - first], seen, rng.choice((0.0, 0.001))))
    epochs = Epochs(days, chains, rng.choice((0.0, 0.0005, 0.01)))
    for chain in chains:
        ends = epochs.ends(chain)
        assert ends == pytest.approx(by_hand(epochs, chain))
        assert sum(ends) == pytest.approx(epochs.likelihood)


OLD, NEW = [0.9, 0.01, 0.01], [0.01, 0.9, 0.01]
PRIORS = [0.02, 0.02, 0.96]


def test_of_two_values_the_one_that_was_seen_later_holds_the_surer_the_more_often_the_field_changes() -> None:
    def lead(rate: float) -> float:
        chain = Chain(PRIORS, [OLD, NEW], rate)
        old, new, _ = Epochs([900.0, 10.0], [chain], 0.0).ends(chain)
        return new / old

    assert lead(0.0) == pytest.approx(1.0)
    assert lead(0.0) < lead(0.0001) < lead(0.001)


def test_what_changes_together_tells_whether_it_changed() -> None:
    def lead(beside: list[list[float]]) -> float:
        chain, other = Chain(PRIORS, [OLD, NEW], 0.0), Chain(PRIORS, beside, 0.0)
        old, new, _ = Epochs([900.0, 10.0], [chain, other], 0.0005).ends(chain)
        return new / old

    assert lead([OLD, NEW]) > 3 * lead([OLD, OLD])
