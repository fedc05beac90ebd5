"""What is said of a record's fields by its CRM and its sources, side by side, to learn of them by their agreement."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from enrichment.catalogue import fields_of, is_equivalent, says_nothing, units_of
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_REVIEWER, EntityType
from enrichment.learn.freshness import UNKNOWN_AGE_DAYS
from enrichment.learn.half_life import PRIOR_DAYS
from enrichment.learn.reliability import CRM_UNDATED, Compared, Said
from enrichment.provenance import Current
from enrichment.recommend.subject import kind_of
from enrichment.recommend.weights import FACTS, SAME_MISTAKE, SAME_MISTAKE_OTHERWISE

_DAY_SECONDS = 86_400.0
_STATED_BY_HAND = 0.9  # the CRM and reviewers state no confidence: it is always the same


@cache
def key_of(entity_type: EntityType, name: str) -> str:
    """The field of this type of record, as sources are known by it."""
    return f"{entity_type.value}.{name}"


@cache
def group_of(entity_type: EntityType, name: str) -> str:
    """Fields that a source knows about equally well: of an address, of a job, what a company is, and the rest."""
    for unit, parts in units_of(entity_type).items():
        if name in parts:
            return unit.value
    return "facts" if kind_of(entity_type, name) in FACTS else "identity"


def compare(
    entity_type: EntityType,
    current: Mapping[str, Current],
    said: Mapping[str, Mapping[str, Candidate]],
    now: datetime,
    half_lives: Mapping[str, float],
) -> Iterator[Compared]:
    """Each field of a record of which at least two say something.

    What enrichment wrote is nobody's word; what a person holds and cannot be read is left out. `said` is by source, in
    order of priority; `half_lives` in days by field, where they are not as usual. Ages are counted up to `now`.
    """
    known = fields_of(entity_type)
    for name in dict.fromkeys([*current, *(name for answer in said.values() for name in answer)]):
        if name not in known:
            continue
        field = _Field(entity_type, name, now)
        held = current.get(name)
        if held is not None and _says(entity_type, name, held):
            field.hold(held)
        for source, answer in said.items():
            if name in answer:
                field.say(source, answer[name])
        if len(field.said) > 1:
            kind, days = kind_of(entity_type, name), half_lives.get(name, PRIOR_DAYS[entity_type][name])
            same = SAME_MISTAKE.get(kind, SAME_MISTAKE_OTHERWISE)
            rate = math.log(2) / days
            yield Compared(tuple(field.said), key_of(entity_type, name), group_of(entity_type, name), rate, same)


def _says(entity_type: EntityType, name: str, held: Current) -> bool:
    """Whether the value is a person's word, and says something."""
    if not held.is_a_persons or held.value is None or held.unreadable is not None:
        return False
    return not says_nothing(entity_type, name, held.value)


class _Field:
    """One field of a record, whose different values are numbered."""

    def __init__(self, entity_type: EntityType, name: str, now: datetime) -> None:
        self.said: list[Said] = []
        self._entity_type, self._name, self._now = entity_type, name, now
        self._values: list[Any] = []

    def hold(self, held: Current) -> None:
        dated = held.seen_at is not None
        source = held.source if dated or held.source == SOURCE_REVIEWER else CRM_UNDATED
        days = UNKNOWN_AGE_DAYS if held.seen_at is None else self._days(held.seen_at)
        self.said.append(Said(source, self._number(held.value), _STATED_BY_HAND, days))

    def say(self, source: str, given: Candidate) -> None:
        self.said.append(Said(source, self._number(given.value), given.stated, self._days(given.observed_at)))

    def _number(self, value: Any) -> int:
        for number, other in enumerate(self._values):
            if is_equivalent(self._entity_type, self._name, value, other):
                return number
        self._values.append(value)
        return len(self._values) - 1

    def _days(self, moment: datetime) -> float:
        return max((self._now - moment).total_seconds(), 0.0) / _DAY_SECONDS
