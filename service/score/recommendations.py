"""Scores what is recommended in conflicts: how often the likelier value is the right one, and how well the chance of
that is known.

Two things are measured. Worlds are drawn from seeds that the rule's numbers were not fitted on (see
`service.score.worlds`): the CRM's values are right or wrong, sources err, age and copy from each other, and every
conflict that the product raises is compared with the truth, in worlds where the CRM says when it saw its values and in
worlds where it does not. What the product knows of the sources of a world it has learned as any organization's: from
the answers of its records, without their truth, and in half of the worlds from 25 records that reviewers judged. The
records with known answers are scored apart, by the half that the numbers were not fitted
on.

Of a unit the parts that dispute it are counted, as it is decided by them; its other parts, which go with them, are
counted in a line of their own. A wrong value beside which no candidate is right is counted apart too ("no right
candidate"), and is in no share: no choice could be right there. Beside the drawn worlds stands how much somebody could
accept rightly who knew how the world was drawn (see `service.score.worlds.ideal`) and kept as much as the goal asks.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from enrichment.decide.decision import ConflictQuestion
from enrichment.enums import Recommendation
from enrichment.learn.trust import Trust
from enrichment.recommend.weigh import bound_of, verdict, weigh
from enrichment.recommend.weights import WEIGHTS, Weights
from service.score.disputes import Disputed
from service.score.worlds.draw import DrawnRecord, World, draw_world
from service.score.worlds.questions import decisions_on, disputed_values, draw_questions, ideal_leads

FITTED_ON = range(1000, 1024)  # the seeds of the worlds that the numbers were fitted on
CHOSEN_ON = (*range(5000, 5040), *range(8000, 8024))  # of those by which rules and bounds were chosen
SCORED_ON = range(7000, 7012)  # of those that are reported; one bound was changed after a look at them
RECORDS_OF_A_WORLD = 60
_BINS = 10
UNDATED, DATED = "drawn worlds, without dates", "drawn worlds, with dates"
BESIDE = ", beside it"  # parts of a unit that go with what disputes it
KEPT, KEPT_WITH_DATES = 0.95, 0.97
GOALS = "goals: 90 % accepted, 95 % kept, 97 % of both with dates, an error of at most 0.03"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


@dataclass(slots=True)
class RecommendationTally:
    """Recommendations of one kind. `counts` are of the CRM's values: "wrong" and "right" that raised a conflict, those
    of them that were "accepted" and "kept" rightly, where "none" was recommended, right ones that were "unasked", and
    wrong ones that could "not be mended". `ideal`: of each, by how much (as a logarithm of odds) the likeliest other
    value leads for somebody who knows the world, whether that one is right, and whether the CRM's is.
    """

    counts: Counter[str] = field(default_factory=Counter)
    ideal: list[tuple[float, bool, bool]] = field(default_factory=list)

    def note(
        self, recommendation: Recommendation, candidate_right: bool, *, held_right: bool, mendable: bool = True
    ) -> None:
        """Count a conflict. What recommends nothing keeps the value. `mendable`: a candidate is right."""
        if not held_right and not mendable:
            self.counts["not mendable"] += 1
            return
        accepts = recommendation is Recommendation.ACCEPT
        self.counts["right" if held_right else "wrong"] += 1
        self.counts["kept"] += held_right and not accepts
        self.counts["accepted"] += not held_right and accepts and candidate_right
        self.counts["none"] += recommendation is Recommendation.NONE

    def share(self, part: str, *wholes: str) -> float | None:
        whole = sum(self.counts[name] for name in wholes)
        return self.counts[part] / whole if whole else None

    @property
    def kept_of_all(self) -> float | None:
        """Of all right values of the CRM, also those that no source disputed, how many stay."""
        right = self.counts["right"] + self.counts["unasked"]
        return (self.counts["kept"] + self.counts["unasked"]) / right if right else None

    def line(self, label: str) -> str:
        counts = self.counts
        shares = (
            self.share("accepted", "wrong"),
            self.share("kept", "right"),
            self.kept_of_all,
            self.share("none", "wrong", "right"),
        )
        cells = [counts["wrong"], _percent(shares[0]), counts["right"], *map(_percent, shares[1:])]
        return f"{label:<38}" + "".join(f"{cell:>14}" for cell in [*cells, counts["not mendable"]])

    def reachable(self, kept: float) -> float | None:
        """How much (0-1) of the wrong values somebody accepts rightly who knows the world and keeps so many right ones.

        None where no right and wrong values were noted.
        """
        right = sorted(lead for lead, _, held_right in self.ideal if held_right)
        wrong = [(lead, is_right) for lead, is_right, held_right in self.ideal if not held_right]
        if not right or not wrong:
            return None
        bound = right[min(math.ceil(kept * len(right)), len(right)) - 1]
        return sum(lead > bound and is_right for lead, is_right in wrong) / len(wrong)


@dataclass(slots=True)
class Calibration:
    """How often a recommendation is right, by the chance that it was given. `bins`: [count, right, sum of chances]."""

    bins: dict[int, list[float]] = field(default_factory=dict)

    def note(self, chance: float, *, right: bool) -> None:
        counted = self.bins.setdefault(min(int(chance * _BINS), _BINS - 1), [0.0, 0.0, 0.0])
        for index, more in enumerate((1.0, float(right), chance)):
            counted[index] += more

    @property
    def error(self) -> float:
        """The expected calibration error: how far the chance is from the share, in the mean."""
        count = sum(counted[0] for counted in self.bins.values())
        return sum(abs(right - chances) for _, right, chances in self.bins.values()) / count if count else 0.0

    def lines(self) -> Iterator[str]:
        for _, (count, right, chances) in sorted(self.bins.items()):
            share = right / count
            bar = "#" * round(share * 40)
            yield f"    {chances / count:>6.0%} expected {share:>6.0%} right {int(count):>6}  {bar}"
        yield f"  expected calibration error {self.error:.3f}"


@dataclass(slots=True)
class RecommendationScore:
    """The tallies by label, in the order in which they are shown, and the calibration over all worlds."""

    tallies: dict[str, RecommendationTally] = field(default_factory=dict)
    calibration: Calibration = field(default_factory=Calibration)

    def tally(self, label: str) -> RecommendationTally:
        return self.tallies.setdefault(label, RecommendationTally())

    def lines(self) -> Iterator[str]:
        """The table."""
        heads = ("wrong", "accepted", "right", "kept", "of all right", "none", "no right one")
        yield f"{'What is recommended for a CRM value':<38}" + "".join(f"{head:>14}" for head in heads)
        for label, tally in self.tallies.items():
            yield tally.line(f"  {label}")
            kept = KEPT_WITH_DATES if label == DATED else KEPT
            if (most := tally.reachable(kept)) is not None:
                yield f"    who knows the world accepts {most:.1%}, where {kept:.0%} are kept"
        if self.calibration.bins:
            yield "  In drawn worlds, by the chance that was given to what is recommended"
            yield from self.calibration.lines()
        yield f"  {GOALS}"


def score_worlds(score: RecommendationScore, seeds: Iterable[int] = SCORED_ON, weights: Weights = WEIGHTS) -> None:
    """Count the conflicts of these worlds, each drawn with dates and without."""
    for label, dated in ((UNDATED, False), (DATED, True)):
        for seed in seeds:
            world = draw_world(seed, dated=dated)
            questioned = draw_questions(world, RECORDS_OF_A_WORLD)
            for record in questioned.records:
                _note_record(score, label, world, record, questioned.trust)
                for disputed in disputed_values(record, questioned.trust):
                    note_chance(score.calibration, disputed, weights)


def _note_record(score: RecommendationScore, label: str, world: World, record: DrawnRecord, trust: Trust) -> None:
    decisions, tally = decisions_on(record, trust), score.tally(label)
    asked: dict[str, bool] = {}
    for name, current in record.current.items():
        question, held_right = decisions[name].question, record.is_right(name, current.value)
        if question is None:
            tally.counts["unasked"] += held_right
            continue
        mendable = any(record.is_right(name, candidate.value) for candidate in question.candidates)
        disputes = question.whole is None or name in question.whole.disputed
        noted = tally if disputes else score.tally(f"{label}{BESIDE}")
        noted.note(*advised(question, record, name), held_right=held_right, mendable=mendable)
        if disputes and (held_right or mendable):
            asked[name] = held_right
    for name, lead, is_right in ideal_leads(world, record, asked, trust):
        tally.ideal.append((lead, is_right, asked[name]))


def advised(question: ConflictQuestion, record: DrawnRecord, name: str) -> tuple[Recommendation, bool]:
    """What is recommended for this field, and whether the recommended candidate is right."""
    if question.recommended is None:
        neither = question.recommendation is Recommendation.NONE
        return Recommendation.NONE if neither else Recommendation.KEEP, False
    return Recommendation.ACCEPT, record.is_right(name, question.recommended.value)


def note_chance(calibration: Calibration, disputed: Disputed, weights: Weights) -> None:
    """Count whether what is recommended for a disputed value is right, beside the chance that it was given."""
    found = weigh(disputed.observations, weights)
    right = {id(value): is_right for value, is_right in zip(disputed.observations.values, disputed.right, strict=True)}
    held = next(weighed for weighed in found if weighed.observed.current is not None)
    best = next((weighed for weighed in found if weighed is not held), None)
    if best is None:
        return
    recommended = verdict(best, held, weights, bound=bound_of(disputed.observations, best, weights))
    if recommended is not Recommendation.NONE:
        chosen = best if recommended is Recommendation.ACCEPT else held
        calibration.note(chosen.chance, right=right[id(chosen.observed)])
