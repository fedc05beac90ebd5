"""Fits the numbers of the recommendation (`enrichment.recommend.weights`): `python -m tools.fit_recommendation`.

They are moved one after the other, as long as the surprise at what is right becomes less: over drawn worlds with and
without dates, and over one half of the records with known answers; in each, right and wrong values of the CRM count the
same. What reason sets (`FIXED`) and the bounds hold against what these data alone would say: in them no reviewer is
wrong, and few sources copy. A prior keeps each number near where it began. It prints the numbers and changes no file.
"""

import asyncio
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from enrichment.config import default_config
from enrichment.enums import EntityType
from enrichment.recommend.weigh import seen_likelihoods, weigh_by
from enrichment.recommend.weights import WEIGHTS, Sign, Weights
from providers.registry import ProviderSettings, default_registry
from service.sample.records import account_records, lead_records
from service.score.disputes import Disputed
from service.score.known_records import is_fitted_on, known_disputes
from service.score.recommendations import FITTED_ON, RECORDS_OF_A_WORLD
from service.score.score import ACCOUNT_ANSWERS, LEAD_ANSWERS, MATCHABLE, answers_of, packaged_pairs
from service.score.trial import try_record
from service.score.worlds.draw import draw_world
from service.score.worlds.questions import RECORDS_BESIDE, disputed_values, draw_questions

FIXED = "reviewer, facts, compared_most, most_shared, even, replacing and what goes with it, least and most_signs"
STEPS: Mapping[str, float] = {
    "crm_dated": 0.03,
    "crm_undated": 0.04,
    "stated_slope": 0.1,
    "stated_offset": 0.25,
    "stated_relative": 0.3,
    "trust_decisions": 3.0,
    "compared_worth": 20.0,
    "crm_most": 0.02,
    "crm_worth": 20.0,
    "copies": 0.08,
    "another": 0.5,
    "agreement_with_record": 0.3,
    "difference_from_record": 0.3,
    "size_half_lives": 8.0,
    "size_doubt": 0.07,
}
BOUNDS: Mapping[str, tuple[float, float]] = {
    "crm_dated": (0.6, 0.95),
    "crm_undated": (0.6, 0.95),
    "stated_slope": (0.6, 1.5),
    "stated_relative": (0.0, 2.5),
    "trust_decisions": (3.0, 60.0),
    "compared_worth": (30.0, 300.0),
    "crm_most": (0.9, 0.99),
    "crm_worth": (30.0, 300.0),
    "copies": (0.12, 0.9),
    "agreement_with_record": (0.03, 3.0),
    "difference_from_record": (-3.0, -0.03),
    "size_half_lives": (1.0, 60.0),
    "size_doubt": (0.1, 1.0),
}
_SIGN_STEP = 0.4
_LEAST_SIGN = 0.05
_PRIOR = 0.0004  # what a number costs that is a step and a half from where it began
_SHARE_OF_KNOWN, _SHARE_OF_WORLDS = 1.3, 1.0
_LEAST_CHANCE = 1e-6
_KEPT = 3  # so many weighings are kept


@dataclass(frozen=True, slots=True)
class Sample:
    """Disputed values with how much each of them counts."""

    disputed: Disputed
    weight: float


def balanced(disputes: Sequence[Disputed], share: float) -> list[Sample]:
    """Right and wrong values of the CRM count the same, and all together `share`."""
    right = sum(disputed.held_right for disputed in disputes)
    counts = {True: max(right, 1), False: max(len(disputes) - right, 1)}
    return [Sample(disputed, share / 2 / counts[disputed.held_right]) for disputed in disputes]


def of_worlds(*, dated: bool) -> list[Disputed]:
    found: list[Disputed] = []
    for seed in FITTED_ON:
        beside = RECORDS_BESIDE if seed % 2 else 0  # half of the organizations know nothing of their sources yet
        questioned = draw_questions(draw_world(seed, dated=dated), RECORDS_OF_A_WORLD, beside=beside)
        for record in questioned.records:
            found += disputed_values(record, questioned.trust)
    return found


async def of_known_records() -> list[Disputed]:
    registry = default_registry(ProviderSettings())
    config = default_config(registry.ids())
    found: list[Disputed] = []
    for kind, records, columns in (
        (EntityType.ACCOUNT, account_records, ACCOUNT_ANSWERS),
        (EntityType.LEAD, lead_records, LEAD_ANSWERS),
    ):
        pairs = packaged_pairs(kind)
        for (row, truth), record in zip(pairs, records(row for row, _ in pairs), strict=True):
            record_id = row["record_id" if kind is EntityType.ACCOUNT else "lead_id"]
            if is_fitted_on(record_id) and truth.get("kind", MATCHABLE[0]) in MATCHABLE:
                outcome = await try_record(registry, config, kind, record["fields"])
                found += known_disputes(outcome, truth, answers_of(truth, columns))
    return found


class Fitting:
    """The surprise of samples under changing weights. What was seen is weighed anew where more than signs change."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._likely: dict[tuple[float, ...], list[list[float]]] = {}

    def surprise(self, weights: Weights) -> float:
        """The mean surprise (log loss) at which value is right, or that none is."""
        total = 0.0
        for sample, likely in zip(self._samples, self._likelihoods(weights), strict=True):
            disputed = sample.disputed
            found = weigh_by(likely, disputed.observations, weights)
            places = {id(value): index for index, value in enumerate(disputed.observations.values)}
            chance = sum(each.chance for each in found if disputed.right[places[id(each.observed)]])
            if not any(disputed.right):
                chance = 1.0 - sum(each.chance for each in found)
            total -= sample.weight * math.log(max(chance, _LEAST_CHANCE))
        return total / sum(sample.weight for sample in self._samples)

    def _likelihoods(self, weights: Weights) -> list[list[float]]:
        key = tuple(get(weights, name) for name in STEPS)
        if key not in self._likely:
            likely = [seen_likelihoods(sample.disputed.observations, weights) for sample in self._samples]
            self._likely = {**dict(list(self._likely.items())[-_KEPT:]), key: likely}
        return self._likely[key]


_SIGNS = frozenset(sign.value for sign in Sign)


def get(weights: Weights, name: str) -> float:
    return weights.signs[Sign(name)] if name in _SIGNS else float(getattr(weights, name))


def with_(weights: Weights, name: str, value: float) -> Weights:
    if name in _SIGNS:
        began = WEIGHTS.signs[Sign(name)]  # what a sign speaks for or against is no matter of these data
        value = max(value, _LEAST_SIGN) if began > 0 else min(value, -_LEAST_SIGN)
        return replace(weights, signs={**weights.signs, Sign(name): value})
    low, high = BOUNDS.get(name, (-math.inf, math.inf))
    changed: dict[str, Any] = {name: min(max(value, low), high)}
    return replace(weights, **changed)


def fit(samples: Sequence[Sample], rounds: int) -> Weights:
    """The numbers after so many rounds, begun at those that are in force."""
    names = [*STEPS, *(sign.value for sign in Sign)]
    first = {name: STEPS.get(name, _SIGN_STEP) for name in names}

    fitting = Fitting(samples)

    def cost(weights: Weights) -> float:
        away = sum(((get(weights, name) - get(WEIGHTS, name)) / first[name] / 1.5) ** 2 for name in names)
        return fitting.surprise(weights) + _PRIOR * away

    steps, found, least = dict(first), WEIGHTS, cost(WEIGHTS)
    for number in range(rounds):
        for name in names:
            for step in (steps[name], -steps[name]):
                tried = with_(found, name, get(found, name) + step)
                if get(tried, name) != get(found, name) and (costs := cost(tried)) < least:
                    found, least = tried, costs
                    break
            else:
                steps[name] /= 2
        print(f"round {number + 1}: {least:.4f}", flush=True)
    return found


def main(rounds: int = 3) -> None:
    known = asyncio.run(of_known_records())
    samples = balanced(known, _SHARE_OF_KNOWN)
    for dated in (False, True):
        samples += balanced(of_worlds(dated=dated), _SHARE_OF_WORLDS)
    found = fit(samples, rounds)
    print(f"{len(samples)} disputed values; set and not fitted: {FIXED}")
    for name in (*STEPS, *(sign.value for sign in Sign)):
        print(f"{name:<28}{get(WEIGHTS, name):>10.2f}{get(found, name):>10.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
