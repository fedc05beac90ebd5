"""How likely a call is needed, by what the calls before it are expected to settle.

A call before either knew the record or not, and all that is left follows from that: so each such course is followed by
itself, with its probability. In one course fields are settled independently of each other by sources that are known
well; of the others a match settles as much as the field of which it is least likely.
"""

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST_COURSES = 8  # the less likely ones are taken together


class _Course(NamedTuple):
    """One way in which the calls so far may have gone. `left`: how likely each field is still wanted; 1 for others."""

    probability: float
    left: Mapping[str, float]
    is_known: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What a call would be made for: how likely a match fills each field, and how many values it must be expected to
    bring (None: any)."""

    fills: Mapping[str, float]
    least: float | None = None


@dataclass(slots=True)
class Likelihood:
    """The courses that the calls planned for one record may take."""

    _courses: list[_Course] = field(default_factory=lambda: [_Course(1.0, {}, is_known=True)])

    def of(self, need: Need) -> float:
        """How likely (0-1) this call is made."""
        return sum(course.probability * _asked(course, need) for course in self._courses)

    def expect(
        self, need: Need, settles: Set[str], match_rate: float, fills: Mapping[str, float], *, known: bool
    ) -> None:
        """A call that is made where there is need matches with this rate (0-1), and fills each field so likely."""
        found: list[_Course] = []
        for course in self._courses:
            matched = course.probability * _asked(course, need) * match_rate
            left = {**course.left, **{name: course.left.get(name, 1.0) * (1.0 - fills[name]) for name in settles}}
            found.append(_Course(matched, left, is_known=course.is_known and known))
            found.append(course._replace(probability=course.probability - matched))
        found = sorted((course for course in found if course.probability > 0.0), reverse=True, key=lambda each: each[0])
        self._courses = found[: _MOST_COURSES - 1]
        if rest := found[_MOST_COURSES - 1 :]:
            self._courses.append(_together(rest))


def _asked(course: _Course, need: Need) -> float:
    left = [(course.left.get(name, 1.0), fill) for name, fill in need.fills.items()]
    if not left:
        return 0.0
    least_settled = max(share for share, _ in left)
    likely = 1.0 - math.prod(1.0 - share for share, _ in left) if course.is_known else least_settled
    if need.least is None:
        return likely
    expected = sum(share * fill for share, fill in left)
    spread = math.sqrt(sum(share * (1.0 - share) * fill * fill for share, fill in left))
    if spread < 1e-9:
        return likely if expected >= need.least else 0.0
    return min(likely, 0.5 * (1.0 + math.erf((expected - need.least) / (spread * math.sqrt(2.0)))))


def _together(courses: list[_Course]) -> _Course:
    total = sum(course.probability for course in courses)
    names = {name for course in courses for name in course.left}
    left = {name: sum(course.probability * course.left.get(name, 1.0) for course in courses) / total for name in names}
    return _Course(total, left, is_known=all(course.is_known for course in courses))
