"""What an organization's records show of its sources, without anybody having judged them: how often their values
agree with each other and with the CRM's.

Where several say something of a field, what is true is hidden, but not equally well: what all say is hardly wrong, and
where they differ, those are likelier right who mostly are. The truth and the sources are estimated in turn (expectation
and maximization, after Dawid and Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm",
1979): how likely each statement was right when it was seen, by what is known of its source; and then what is known of
each source, by all its statements:

- how often it is right, in all and about each field, by what at least three say something of: of two that differ nobody
  knows which one errs. The CRM's values with a date and those without one are known apart;
- what it means that it is surer or less sure than it mostly is of the field;
- whose mistakes it shares, beyond those that two make by chance.

Values change with time: two that were seen far apart may both have been right (a chain over the moments of observation,
in which the field changes as its half-life says). All begins with a prior, so that few records change little.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from enrichment.enums import SOURCE_CRM, SOURCE_REVIEWER
from enrichment.learn.reliability import CRM_UNDATED, Compared, Reliability, Said, log_odds

_ROUNDS = 6
_STEPS = 8  # of Newton's method
_HELPING = frozenset({SOURCE_REVIEWER, CRM_UNDATED})  # what they say helps to know others
_STEP = 0.1  # confidences are counted by steps of so much, in logarithms of odds
# What is believed of a source before anything was compared, and in how many values that is worth.
_ACCURACY, _ACCURACY_WORTH = 0.9, 20.0
_CRM_ACCURACY, _CRM_WORTH = 0.9, 30.0
_GROUP_WORTH, _FIELD_WORTH = 40.0, 40.0  # of a group: as right as all that the source says; of a field: as its group
_SLOPE, _SLOPE_SPREAD = 0.8, 4.0  # of the odds of being right, by the odds that it states
_LEVEL_SPREAD = 2.0
_USUAL_WORTH = 30.0  # of a field: as sure as of all that it says
_SHARE, _SHARE_WORTH = 0.12, 6.0
_REVIEWER = 0.98  # how often a reviewer is right


def estimate(compared: Iterable[Compared]) -> dict[str, Reliability]:
    """How reliable every source is, and the CRM, by what they said of many fields."""
    beside = [item for item in compared if len(item.said) > 1]
    disputed = [item for item in beside if not item.is_undisputed]
    usual = _usual(beside)
    agreed = {source: _Sums() for source in usual}
    for item in beside:
        if item.is_undisputed:
            for each in item.said:
                agreed[each.source].add(item, _more_sure(item, each, usual), 1.0)
    found = {source: _reliability(source, sums, usual[source]) for source, sums in agreed.items()}
    for _ in range(_ROUNDS if disputed else 0):
        sums_of = {source: sums.copy() for source, sums in agreed.items()}
        for item in disputed:
            _add(sums_of, item, _right(item, found), usual)
        found = {source: _reliability(source, sums, usual[source]) for source, sums in sums_of.items()}
    return {source: reliability for source, reliability in found.items() if source != SOURCE_REVIEWER}


def _usual(compared: Iterable[Compared]) -> dict[str, dict[str, float]]:
    """How sure each source is in the mean, by field, as a logarithm of odds; of few values near to all that it says."""
    sums: dict[str, dict[str, float]] = {}
    counts: dict[str, dict[str, int]] = {}
    for item in compared:
        for each in item.said:
            of_source, count = sums.setdefault(each.source, {}), counts.setdefault(each.source, {})
            of_source[item.name] = of_source.get(item.name, 0.0) + log_odds(each.stated)
            count[item.name] = count.get(item.name, 0) + 1
    found: dict[str, dict[str, float]] = {}
    for source, of_source in sums.items():
        mean = sum(of_source.values()) / sum(counts[source].values())
        found[source] = {
            name: (total + mean * _USUAL_WORTH) / (counts[source][name] + _USUAL_WORTH)
            for name, total in of_source.items()
        }
    return found


def _more_sure(item: Compared, each: Said, usual: Mapping[str, Mapping[str, float]]) -> float:
    return log_odds(each.stated) - usual[each.source][item.name]


@dataclass(slots=True)
class _Sums:
    """Sums over the values of a source, each right and wrong as likely as was found.

    `right_in` and `said_in`: of those that tell who errs, by field, with its group in `group_of`. `said_by` and
    `right_by`: of all, by how much surer than usual it is, in steps. `mistakes` of other sources beside which it said
    something, and those that it `shared`.
    """

    right_in: dict[str, float] = field(default_factory=dict)
    said_in: dict[str, float] = field(default_factory=dict)
    group_of: dict[str, str] = field(default_factory=dict)
    right_by: dict[int, float] = field(default_factory=dict)
    said_by: dict[int, float] = field(default_factory=dict)
    mistakes: dict[str, float] = field(default_factory=dict)
    shared: dict[str, float] = field(default_factory=dict)

    def add(self, item: Compared, more_sure: float, right: float) -> None:
        step = round(more_sure / _STEP)
        self.right_by[step] = self.right_by.get(step, 0.0) + right
        self.said_by[step] = self.said_by.get(step, 0.0) + 1.0
        if item.tells_who_errs:
            self.group_of[item.name] = item.group
            self.right_in[item.name] = self.right_in.get(item.name, 0.0) + right
            self.said_in[item.name] = self.said_in.get(item.name, 0.0) + 1.0

    def share(self, other: str, wrong: float, *, same: bool) -> None:
        self.mistakes[other] = self.mistakes.get(other, 0.0) + wrong
        self.shared[other] = self.shared.get(other, 0.0) + (wrong if same else 0.0)

    def copy(self) -> "_Sums":
        return _Sums(
            dict(self.right_in), dict(self.said_in), dict(self.group_of),
            dict(self.right_by), dict(self.said_by), dict(self.mistakes), dict(self.shared),
        )  # fmt: skip

    def accuracies(self, accuracy: float) -> dict[str, float]:
        """How often it is right about each field, where of all it is so often (0-1)."""
        right: dict[str, float] = {}
        said: dict[str, float] = {}
        for name, group in self.group_of.items():
            right[group] = right.get(group, 0.0) + self.right_in[name]
            said[group] = said.get(group, 0.0) + self.said_in[name]
        found: dict[str, float] = {}
        for name, group in self.group_of.items():
            of_group = (right[group] + accuracy * _GROUP_WORTH) / (said[group] + _GROUP_WORTH)
            found[name] = (self.right_in[name] + of_group * _FIELD_WORTH) / (self.said_in[name] + _FIELD_WORTH)
        return found


def _add(
    sums_of: Mapping[str, _Sums],
    item: Compared,
    rights: Sequence[float],
    usual: Mapping[str, Mapping[str, float]],
) -> None:
    """Count what is said of a disputed field, each statement being right with its chance."""
    for index, each in enumerate(item.said):
        sums = sums_of[each.source]
        sums.add(item, _more_sure(item, each, usual), rights[index])
        for before, other in enumerate(item.said[:index]):
            if other.source not in _HELPING and other.source != SOURCE_CRM:
                sums.share(other.source, 1.0 - rights[before], same=other.value == each.value)


def _reliability(source: str, sums: _Sums, usual: Mapping[str, float]) -> Reliability:
    prior, worth = (_CRM_ACCURACY, _CRM_WORTH) if source in {SOURCE_CRM, CRM_UNDATED} else (_ACCURACY, _ACCURACY_WORTH)
    count = sum(sums.said_in.values())
    accuracy = (sum(sums.right_in.values()) + prior * worth) / (count + worth)
    level, slope = _meaning(sums)
    return Reliability(
        compared=count,
        accuracy=accuracy,
        by_field=sums.accuracies(accuracy),
        usual=usual,
        level=level,
        slope=slope,
        shares={
            other: (sums.shared[other] + _SHARE * _SHARE_WORTH) / (mistakes + _SHARE_WORTH)
            for other, mistakes in sums.mistakes.items()
        },
        compared_in=dict(sums.said_in),
    )


def _meaning(sums: _Sums) -> tuple[float, float]:
    """The level and the slope of what a source's confidence means: a logistic regression, by Newton's method."""
    count, right = sum(sums.said_by.values()), sum(sums.right_by.values())
    mean = log_odds((right + _ACCURACY) / (count + 1.0))
    level, slope = mean, _SLOPE
    for _ in range(_STEPS):
        by_level, by_slope = (mean - level) / _LEVEL_SPREAD**2, (_SLOPE - slope) / _SLOPE_SPREAD**2
        level_twice, both, slope_twice = 1.0 / _LEVEL_SPREAD**2, 0.0, 1.0 / _SLOPE_SPREAD**2
        for step, said in sums.said_by.items():
            more_sure = step * _STEP
            chance = 1.0 / (1.0 + math.exp(-max(min(level + slope * more_sure, 30.0), -30.0)))
            off, weight = sums.right_by[step] - said * chance, said * chance * (1.0 - chance)
            by_level += off
            by_slope += off * more_sure
            level_twice += weight
            both += weight * more_sure
            slope_twice += weight * more_sure**2
        divisor = level_twice * slope_twice - both**2
        level += max(min((by_level * slope_twice - by_slope * both) / divisor, 1.0), -1.0)
        slope += max(min((by_slope * level_twice - by_level * both) / divisor, 2.0), -2.0)
    return level - mean, slope


def _right(item: Compared, known: Mapping[str, Reliability]) -> list[float]:
    """The chance (0-1) of each statement that it was right when it was seen: forwards over the moments, and back."""
    count = max(each.value for each in item.said) + 1
    order = sorted(range(len(item.said)), key=lambda index: -item.said[index].days)
    seen = [_emitted(item, index, known, count) for index in order]
    days = [item.said[index].days for index in order]
    stays = [math.exp(-item.rate * (earlier - later)) for earlier, later in pairwise(days)]
    priors = [item.same] * count + [max(1.0 - count * item.same, 0.1)]
    forwards: list[list[float]] = []
    for number, chances in enumerate(seen):
        held = priors if number == 0 else _changed(forwards[-1], stays[number - 1], priors)
        forwards.append(_scaled([a * b for a, b in zip(held, chances, strict=True)]))
    rights = [0.0] * len(order)
    after = [1.0] * (count + 1)
    for number in reversed(range(len(order))):
        both = [a * b for a, b in zip(forwards[number], after, strict=True)]
        rights[order[number]] = both[item.said[order[number]].value] / sum(both)
        if number:
            then = [a * b for a, b in zip(after, seen[number], strict=True)]
            stay, anew = stays[number - 1], sum(a * b for a, b in zip(then, priors, strict=True))
            after = _scaled([stay * each + (1.0 - stay) * anew for each in then])
    return rights


def _changed(held: Sequence[float], stay: float, priors: Sequence[float]) -> list[float]:
    return [stay * each + (1.0 - stay) * prior for each, prior in zip(held, priors, strict=True)]


def _scaled(chances: Sequence[float]) -> list[float]:
    total = sum(chances)
    return [each / total for each in chances]


def _emitted(item: Compared, index: int, known: Mapping[str, Reliability], count: int) -> list[float]:
    """How likely a statement is under each value that may be true; the last is any that nobody says."""
    said = item.said[index]
    copied, copies = 0.0, 0.0
    if said.source == SOURCE_REVIEWER:
        right = _REVIEWER
    else:
        source = known[said.source]
        lead = log_odds(source.accuracy_of(item.name))
        told = 0.0 if said.source in {SOURCE_CRM, CRM_UNDATED} else source.told_by_confidence(item.name, said.stated)
        right = 1.0 / (1.0 + math.exp(-lead - told))
        for other in item.said[:index]:
            share = source.shares.get(other.source, 0.0)
            copies = max(copies, share)
            copied = max(copied, share if other.value == said.value else 0.0)
    found = [copied + (1.0 - copies) * (1.0 - right) * item.same] * (count + 1)
    found[said.value] = copied + (1.0 - copies) * right
    return found
