"""What a conflict keeps of values, as JSON: the current value and the candidates, of a field or of a unit's parts.

See `models.conflict.table` for the layout.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from enrichment.catalogue import disputing_parts, is_equivalent, parts_of
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, FieldUnit
from enrichment.provenance import Current
from enrichment.words import NameOf
from models.conflict.shown import AnyConflict
from models.conflict.table import is_dated_then
from models.db.columns import new_id

Stored = Mapping[str, Any]


def stored_value(current: Current | None) -> dict[str, Any] | None:
    """The value of a field when a conflict is raised; None for an empty field.

    What cannot be read is shown as the CRM sent it, with the reason as `unreadable`.
    """
    if current is None or current.value is None:
        return None
    shown = {
        "value": current.value,
        "source": current.source,
        "confidence": current.confidence,
        "observedAt": iso(current.observed_at),
        "observedAtKnown": current.observed_at_known,
    }
    return shown if current.unreadable is None else {**shown, "unreadable": current.unreadable}


def stored_candidate(candidate: Candidate) -> dict[str, Any]:
    """A candidate with an id of its own."""
    return {
        "id": new_id(),
        "value": candidate.value,
        "provider": candidate.provider,
        "confidence": candidate.confidence,
        "statedConfidence": candidate.stated,
        "observedAt": iso(candidate.observed_at),
    }


def answer_of_parts(unit: FieldUnit, provider: str, parts: Mapping[str, Stored]) -> dict[str, Any]:
    """What a source says of a unit as one candidate, made of candidates for its parts."""
    telling = [parts[part] for part in parts if part in disputing_parts(unit)] or list(parts.values())
    return {
        "id": new_id(),
        "value": {part: candidate["value"] for part, candidate in parts.items()},
        "provider": provider,
        "confidence": min(candidate["confidence"] for candidate in telling),
        "statedConfidence": min(stated_confidence(candidate) for candidate in telling),
        "observedAt": min(candidate["observedAt"] for candidate in telling),
        "parts": dict(parts),
    }


def stored_unit(unit: FieldUnit, parts: Mapping[str, Stored | None]) -> dict[str, Any] | None:
    """The parts that a unit holds, as one value: as sure, and as old, as the least of its disputing parts.

    It is the source's of the first of these. None: it holds none.
    """
    held = {part: value for part, value in parts.items() if value is not None}
    if not held:
        return None
    telling = [value for part, value in held.items() if part in disputing_parts(unit)] or list(held.values())
    return {
        "value": {part: value["value"] for part, value in held.items()},
        "source": telling[0]["source"],
        "confidence": min(value["confidence"] for value in telling),
        "observedAt": min(value["observedAt"] for value in telling),
        "observedAtKnown": all(is_dated_then(value) for value in telling),
        "parts": held,
    }


def stated_confidence(candidate: Stored) -> float:
    """The confidence (0-1) that the source of a stored candidate stated itself."""
    stated: float = candidate.get("statedConfidence", candidate["confidence"])
    return stated


_EQUAL_FIGURES = re.compile(r" \(([0-9.]+) against \1\)")


def why_recommended(conflict: AnyConflict, name_of: NameOf) -> str:
    """Why the recommended choice is, in plain words.

    Version 0.1.0, which stored no recommendation, wrote the ids of sources, and figures that do not differ.
    """
    because = conflict.recommended_because
    if conflict.recommendation is not None:
        return because
    sources = "|".join(re.escape(candidate["provider"]) for candidate in conflict.candidates)
    because = re.sub(rf"(?<![\w-])(?:{sources})(?![\w-])", lambda found: name_of(found[0]), because)
    return _EQUAL_FIGURES.sub("", because)


def names_between_spaces(names: Sequence[str]) -> str:
    """Names as a column lists them, so that a filter can look for one: " apollo hunter "."""
    return f" {' '.join(dict.fromkeys(names))} "


def iso(moment: datetime) -> str:
    """A moment as JSON columns have it."""
    return moment.isoformat().replace("+00:00", "Z")


class ConflictRow(Protocol):
    """What the rows of a conflict have that show its question."""

    @property
    def entity_type(self) -> EntityType: ...

    @property
    def field(self) -> str: ...

    @property
    def unit(self) -> FieldUnit | None: ...

    @property
    def current(self) -> dict[str, Any] | None: ...

    @property
    def candidates(self) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class FieldQuestion:
    """One field that a conflict asks about: the current value and the candidates as stored.

    A candidate for a part names the unit's candidate that it is a part of, as `answerId`. `is_asked`: a candidate says
    otherwise than the record; else the part is shown beside those that are asked about.
    """

    field: str
    current: Stored | None
    candidates: Sequence[Stored]
    is_asked: bool = True

    @property
    def value(self) -> Any:
        """What the field held when the conflict was raised; None: nothing."""
        return None if self.current is None else self.current["value"]

    def differs(self, entity_type: EntityType, value: Any) -> bool:
        """Whether a value means something else than the current one; what cannot be read means the same as no other."""
        unreadable = self.current is not None and self.current.get("unreadable") is not None
        return unreadable or not is_equivalent(entity_type, self.field, self.value, value)


def questions_of(conflict: ConflictRow) -> list[FieldQuestion]:
    """The fields that a conflict is about: its own, or the parts of its unit, in catalogue order."""
    if conflict.unit is None:
        return [FieldQuestion(conflict.field, conflict.current, conflict.candidates)]
    found: list[FieldQuestion] = []
    held = {} if conflict.current is None else conflict.current["parts"]
    for part in parts_of(conflict.entity_type, conflict.unit):
        current = held.get(part)
        given = [
            {**candidate["parts"][part], "answerId": candidate["id"]}
            for candidate in conflict.candidates
            if part in candidate["parts"]
        ]
        if current is not None or given:
            shown = FieldQuestion(part, current, given)
            asked = any(shown.differs(conflict.entity_type, candidate["value"]) for candidate in given)
            found.append(replace(shown, is_asked=asked))
    return found


def disputed_parts(conflict: ConflictRow) -> set[str]:
    """The disputing parts in which an answer differs from the record, or from another answer."""
    if conflict.unit is None:
        return set()
    return {
        question.field
        for question in questions_of(conflict)
        if question.field in disputing_parts(conflict.unit) and _is_disputed(conflict.entity_type, question)
    }


def _is_disputed(entity_type: EntityType, question: FieldQuestion) -> bool:
    values = [candidate["value"] for candidate in question.candidates]
    if question.value is not None:
        return any(question.differs(entity_type, value) for value in values)
    return any(not is_equivalent(entity_type, question.field, values[0], value) for value in values[1:])


def recommended_part(conflict: AnyConflict, question: FieldQuestion) -> str | None:
    """The id of the candidate for a part that is recommended; None recommends keeping the value.

    It is the recommended answer's, or, where that does not give the part, one of an answer that agrees with it.
    """
    answer = next((answer for answer in conflict.candidates if answer["id"] == conflict.recommended_id), None)
    if answer is None:
        return None
    part = answer["parts"].get(question.field)
    found: str | None = part["id"] if part is not None else answer.get("completedBy", {}).get(question.field)
    return found


def recommended_parts(conflict: AnyConflict, asked: Sequence[FieldQuestion]) -> dict[str, Stored]:
    """The recommended candidates by part, of those parts of a unit that have one."""
    return {
        question.field: candidate
        for question in asked
        for candidate in question.candidates
        if candidate["id"] == recommended_part(conflict, question)
    }
