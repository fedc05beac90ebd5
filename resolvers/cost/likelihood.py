"""How likely a call is needed, by what the calls before it are expected to settle.

A call before either knew the record or not, and all that is left follows from that: so each such course is followed by
itself, with its probability. In one course fields are settled independently of each other by sources that are known
well; of the others a match settles as much as the field of which it is least likely.
"""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from enrichment.waterfall.yields import Yields

_MOST_COURSES = 8  # the less likely ones are taken together
_ALL_BUT_SURE = 0.999


class _Course(NamedTuple):
    """One way in which the calls so far may have gone. `left`: how likely each field is still wanted; 1 for others."""

    probability: float
    left: Mapping[str, float]
    has_match: bool
    is_known: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What a call of a source would be made for.

    `least`: how many values it must be expected to bring; `chance`: how likely (0-1) it must be to bring any. None: it
    is made wherever anything is left.
    """

    source: str
    names: Set[str]
    least: float | None = None
    chance: float | None = None
    is_paid: bool = True


@dataclass(slots=True)
class Likelihood:
    """The courses that the calls planned for one record may take."""

    _courses: list[_Course] = field(default_factory=lambda: [_Course(1.0, {}, has_match=False, is_known=True)])

    def of(self, need: Need, yields: Yields) -> float:
        """How likely (0-1) this call is made."""
        return sum(course.probability * _asked(course, need, yields) for course in self._courses)

    def settle(self, names: Set[str]) -> None:
        """An answer that is stored settles these fields, whatever course it is."""
        if names:
            gone = dict.fromkeys(names, 0.0)
            self._courses = [course._replace(left={**course.left, **gone}, has_match=True) for course in self._courses]

    def expect(self, need: Need, settles: Set[str], yields: Yields) -> None:
        """A call is made where there is need of it, and may settle these fields."""
        rate, known = yields.match_rate(need.source), yields.is_known(need.source)
        found: list[_Course] = []
        for course in self._courses:
            matched = course.probability * _asked(course, need, yields) * rate
            left = dict(course.left)
            for name in settles:
                fill = yields.fill_rate(need.source, name, later=course.has_match)
                left[name] = left.get(name, 1.0) * (1.0 - fill)
            has_match = course.has_match or need.is_paid
            found.append(_Course(matched, left, has_match=has_match, is_known=course.is_known and known))
            found.append(course._replace(probability=course.probability - matched))
        found = sorted((course for course in found if course.probability > 0.0), reverse=True, key=lambda each: each[0])
        self._courses = found[: _MOST_COURSES - 1]
        if rest := found[_MOST_COURSES - 1 :]:
            self._courses.append(_together(rest))


def _asked(course: _Course, need: Need, yields: Yields) -> float:
    if not need.names:
        return 0.0
    left = [course.left.get(name, 1.0) for name in need.names]
    likely = 1.0 - math.prod(1.0 - share for share in left) if course.is_known else max(left)
    if need.least is None and need.chance is None:
        return likely
    fills = [yields.fill_rate(need.source, name, later=course.has_match) for name in need.names]
    if need.least is not None:
        likely = min(likely, _reaches(need.least, left, fills))
    if need.chance is not None:
        # That any of several comes is as likely as is wanted where the logarithms of their misses reach so far.
        logs = [_log_miss(fill) for fill in fills]
        likely = min(likely, _reaches(_log_miss(need.chance), left, logs))
    return likely


def _log_miss(chance: float) -> float:
    return -math.log1p(-min(chance, _ALL_BUT_SURE))


def _reaches(least: float, left: Sequence[float], weights: Iterable[float]) -> float:
    """How likely the weights of what is left come to so much together, by the normal distribution."""
    parts = list(zip(left, weights, strict=True))
    expected = sum(share * weight for share, weight in parts)
    spread = math.sqrt(sum(share * (1.0 - share) * weight * weight for share, weight in parts))
    if spread < 1e-9:
        return 1.0 if expected >= least - 1e-9 else 0.0
    return 0.5 * (1.0 + math.erf((expected - least) / (spread * math.sqrt(2.0))))


def _together(courses: Sequence[_Course]) -> _Course:
    total = sum(course.probability for course in courses)
    names = {name for course in courses for name in course.left}
    left = {name: sum(course.probability * course.left.get(name, 1.0) for course in courses) / total for name in names}
    has_match = sum(course.probability for course in courses if course.has_match) * 2 > total
    return _Course(total, left, has_match=has_match, is_known=all(course.is_known for course in courses))
