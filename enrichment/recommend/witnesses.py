"""Who says what of the fields that change together with one field, and when they saw it.

Values that mean the same have the same number within their field; of the field that is asked about, these are the
numbers of its observed values.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, is_equivalent, parts_of, says_nothing
from enrichment.decide.merge import Candidate
from enrichment.enums import SOURCE_CRM, FieldUnit
from enrichment.learn.reliability import CRM_UNDATED, Reliability
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.provenance import Current
from enrichment.recommend.compare import key_of
from enrichment.recommend.record import RecordAround

HELD = ""  # the witness of what the record holds; any other is a provider


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of one field: the number of the value, and how sure of it the source is (`stated`, 0-1).

    `relative` (0 or below): by how much more than usual it is less sure of it than of its other values, in logarithms
    of odds. `current` is set for what the record holds. `reliability`: what the organization's records show of the
    source, or the CRM, where the field has the `key`.
    """

    value: int
    stated: float = 1.0
    relative: float = 0.0
    trust: SourceTrust = UNJUDGED
    current: Current | None = None
    reliability: Reliability | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """What a source says, or what the record holds, as seen at one moment; None: nobody knows when.

    `same` and `different`: on how many fields apart from these its answer agrees with the record, and on how many not.
    """

    source: str
    seen_at: datetime | None
    statements: Mapping[str, Statement]
    same: int = 0
    different: int = 0


@dataclass(frozen=True, slots=True)
class Together:
    """The fields that change together with one field, and what is said of them.

    `counts` are of the different values. `cause` is another unit, whose change may bring a change of these: a new job
    brings another city. Its fields are among the `counts` as well, and are `causing`.
    """

    name: str
    unit: FieldUnit | None
    cause: FieldUnit | None
    causing: frozenset[str]
    witnesses: tuple[Witness, ...]
    counts: Mapping[str, int]
    half_lives: Mapping[str, float]

    def of(self, source: str) -> Statement | None:
        """What a source says of the field, or the record holds."""
        said = (each.statements.get(self.name) for each in self.witnesses if each.source == source)
        return next((statement for statement in said if statement is not None), None)

    def beside(self, source: str) -> tuple[list[str], list[str]]:
        """Which other fields a source gives as the record has them, and which otherwise."""
        held = {name: each.value for by in self.witnesses if by.source == HELD for name, each in by.statements.items()}
        said = {
            name: each.value for by in self.witnesses if by.source == source for name, each in by.statements.items()
        }
        beside = [name for name in self.counts if name != self.name and name not in self.causing]
        shared = [name for name in beside if name in held and name in said]
        same = [name for name in shared if held[name] == said[name]]
        return same, [name for name in shared if name not in same]


_ADDRESS = frozenset({"street", "postalCode", "city", "state"})  # a country changes by itself
_OF_THE_PERSON = frozenset({"firstName", "lastName", "mobilePhone", "linkedinUrl", "twitterHandle", "avatarUrl"})


def unit_of(around: RecordAround, name: str) -> FieldUnit | None:
    """The unit whose parts change together with a field."""
    if name in _parts(around, FieldUnit.EMPLOYMENT):
        return FieldUnit.EMPLOYMENT
    return FieldUnit.ADDRESS if name in _ADDRESS else None


def _cause_of(around: RecordAround, name: str) -> FieldUnit | None:
    """The unit whose change may bring a change of a field that is no part of it."""
    if around.is_person:
        return None if name in _OF_THE_PERSON or unit_of(around, name) is FieldUnit.EMPLOYMENT else FieldUnit.EMPLOYMENT
    return FieldUnit.ADDRESS if name == "phone" else None


def _parts(around: RecordAround, unit: FieldUnit | None) -> list[str]:
    if unit is None:
        return []
    if unit is FieldUnit.ADDRESS:
        return [part for part in parts_of(around.entity_type, unit) if part in _ADDRESS]
    return [*parts_of(around.entity_type, unit), "website"] if around.is_person else []


class _Numbers:
    """Numbers the different values of each field."""

    def __init__(self, around: RecordAround) -> None:
        self._around = around
        self._values: dict[str, list[Any]] = {}

    def of(self, name: str, value: Any) -> int:
        values = self._values.setdefault(name, [])
        for number, other in enumerate(values):
            if is_equivalent(self._around.entity_type, name, value, other):
                return number
        values.append(value)
        return len(values) - 1

    def counts(self) -> dict[str, int]:
        return {name: len(values) for name, values in self._values.items()}


def together(
    around: RecordAround,
    name: str,
    half_life_days: float,
    values: Sequence[tuple[Current | None, Sequence[Candidate]]],
    trust_in: Callable[[str], SourceTrust],
) -> Together:
    """What is said of a field, and of those that change together with it.

    `values` are the field's own, each with what the record holds, if it is that, and with the candidates for it.
    """
    unit, cause, numbers = unit_of(around, name), _cause_of(around, name), _Numbers(around)
    causing = frozenset(_parts(around, cause))
    others = [part for part in (*_parts(around, unit), *causing) if part != name]
    held: dict[datetime | None, dict[str, Statement]] = {}
    said: dict[str, dict[str, Statement]] = {}
    seen: dict[str, datetime] = {}
    for number, (current, support) in enumerate(values):
        if current is not None:
            held.setdefault(current.seen_at, {})[name] = _held(around, name, number, current)
        for candidate in support:
            relative = _relative(around, candidate, name)
            said.setdefault(candidate.provider, {})[name] = Statement(
                number,
                candidate.stated,
                relative,
                trust_in(candidate.provider),
                reliability=around.trust.reliability.get(candidate.provider),
                key=key_of(around.entity_type, name),
            )
            seen[candidate.provider] = candidate.observed_at
    for part in others:
        current = around.held.get(part)
        if current is not None and current.value is not None and _is_of_the_unit(part, current.value):
            held.setdefault(current.seen_at, {})[part] = _held(around, part, numbers.of(part, current.value), current)
        for provider, answer in around.said.items():
            given = answer.get(part)
            if given is not None and _is_of_the_unit(part, given.value):
                said.setdefault(provider, {})[part] = Statement(
                    numbers.of(part, given.value),
                    given.stated,
                    _relative(around, given, part),
                    around.trust.of(provider, around.entity_type, part),
                    reliability=around.trust.reliability.get(provider),
                    key=key_of(around.entity_type, part),
                )
                seen.setdefault(provider, given.observed_at)
    apart = {name, *others, *(("country",) if unit is FieldUnit.ADDRESS else ())}
    witnesses = [Witness(HELD, at, statements) for at, statements in held.items()]
    order = [*(provider for provider in around.said if provider in said), *(p for p in said if p not in around.said)]
    for provider in order:
        witnesses.append(Witness(provider, seen[provider], said[provider], *around.agreement(provider, apart)))
    return Together(
        name,
        unit,
        cause,
        causing,
        tuple(witnesses),
        {**numbers.counts(), name: len(values)},
        {part: around.half_life(part) for part in others} | {name: half_life_days},
    )


def _held(around: RecordAround, name: str, number: int, current: Current) -> Statement:
    """What the record holds. Of a value without a date nobody knows whether it is old or wrong."""
    is_empty = name in fields_of(around.entity_type) and says_nothing(around.entity_type, name, current.value)
    source = CRM_UNDATED if current.seen_at is None else SOURCE_CRM
    says = current.source == SOURCE_CRM and not is_empty
    reliability = around.trust.reliability.get(source) if says else None
    return Statement(number, current=current, reliability=reliability, key=key_of(around.entity_type, name))


def _is_of_the_unit(part: str, value: Any) -> bool:
    """Whether a value changes with its unit: a private address does not end with a job."""
    return part != "email" or email_kind(str(value)) in {EmailKind.CORPORATE, EmailKind.ROLE}


_LEAST_OTHERS = 3  # so many other values tell how sure a source is as a rule
_USUAL = 0.5  # a source is so much less sure (in logarithms of odds) of one value than of others without a meaning
_SURE = 0.995


def _relative(around: RecordAround, candidate: Candidate, name: str) -> float:
    """By how much more than usual a source is less sure of this value than of its others; 0 or below."""
    others = list(_odds(around.said.get(candidate.provider, {}), name))
    if len(others) < _LEAST_OTHERS:
        return 0.0
    return min(_log_odds(candidate.stated) - sum(others) / len(others) + _USUAL, 0.0)


def _odds(answer: Mapping[str, Candidate], apart_from: str) -> Iterator[float]:
    return (_log_odds(candidate.stated) for name, candidate in answer.items() if name != apart_from)


def _log_odds(chance: float) -> float:
    kept = min(max(chance, 1.0 - _SURE), _SURE)
    return math.log(kept / (1.0 - kept))
