"""What a reviewer may choose in a conflict, checked against its candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from enrichment.catalogue import Refused, normalize, parts_of
from enrichment.enums import SOURCE_REVIEWER, Recommendation, ResolutionAction
from enrichment.words import source_name
from models.conflict.table import Conflict
from resolvers.conflict.settle import SettledField, SettledValue, Settlement
from resolvers.conflict.stored import (
    FieldQuestion,
    disputed_parts,
    questions_of,
    recommended_part,
    recommended_parts,
    why_recommended,
)
from resolvers.errors import Fault, ValidationFailed
from resolvers.validation import check_text

UNSET: Any = object()
MAX_NOTE = 2000
ACCEPT, KEEP, CUSTOM = (
    ResolutionAction.ACCEPT_CANDIDATE,
    ResolutionAction.KEEP_CURRENT,
    ResolutionAction.CUSTOM_VALUE,
)


@dataclass(frozen=True, slots=True)
class PartResolution:
    """What a reviewer asks for one part of a unit. An accepted candidate is the recommended or only one by default."""

    field: str
    action: ResolutionAction
    candidate_id: str | None = None
    value: Any = UNSET


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a reviewer asks for: one action, or `parts` of a unit, of which those that are not named stay.

    Without `candidate_id` an accepted candidate is the recommended or only one. A custom value of a unit is an object
    by field.
    """

    action: ResolutionAction | None = None
    candidate_id: str | None = None
    value: Any = UNSET
    note: str | None = None
    parts: Sequence[PartResolution] | None = None


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """What one field is to hold: the conflict's, or a part of its unit. The value None leaves it empty."""

    field: str
    action: ResolutionAction
    value: Any
    candidate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A resolution that the conflict allows: as a whole, and each field that it decides.

    `because`: where the recommendation was followed, what it was and why. `is_judged`: the reviewer has chosen, or
    followed a recommendation that says what is likelier.
    """

    action: ResolutionAction
    value: Any
    candidate_id: str | None
    note: str | None
    fields: Sequence[FieldChoice]
    because: str | None = None
    is_judged: bool = True

    def by_reviewer(self, user: str, now: datetime) -> Settlement:
        """How the conflict ends. The reviewer holds each value that was chosen from now on, also the current one."""
        held = SettledValue(SOURCE_REVIEWER, 1.0, now, actor=user)
        return Settlement(
            action=self.action,
            value=self.value,
            candidate_id=self.candidate_id,
            note=self.note,
            user=user,
            settled_at=now,
            fields=[
                SettledField(
                    field=chosen.field,
                    action=chosen.action,
                    value=chosen.value,
                    candidate_id=chosen.candidate_id,
                    write=held if chosen.value is not None and self.is_judged else None,
                )
                for chosen in self.fields
            ],
            because=self.because,
            is_judged=self.is_judged,
        )


def choose(conflict: Conflict, resolution: Resolution | None) -> Choice:
    """The choice that a resolution makes in this conflict; None follows the recommendation.

    Raises ValidationFailed naming the fault.
    """
    if resolution is None:
        return _as_recommended(conflict)
    if resolution.note is not None:
        check_text(resolution.note, "note", longest=MAX_NOTE)
    if resolution.parts is not None:
        return _choose_parts(conflict, resolution, resolution.parts)
    if resolution.action is None:
        raise _invalid("action", "required, unless parts are given")
    if conflict.unit is not None:
        return _choose_unit(conflict, resolution, resolution.action)
    [question] = questions_of(conflict)
    asked = PartResolution(conflict.field, resolution.action, resolution.candidate_id, resolution.value)
    chosen = _choose_field(conflict, question, asked, conflict.recommended_id)
    return Choice(chosen.action, chosen.value, chosen.candidate_id, resolution.note, [chosen])


def _as_recommended(conflict: Conflict) -> Choice:
    """What is recommended. Where that is nothing, the value stays as it is, and whose it is."""
    because = why_recommended(conflict, source_name)
    if conflict.advice is Recommendation.ACCEPT:
        return replace(choose(conflict, Resolution(ACCEPT)), because=because)
    kept = choose(conflict, Resolution(KEEP))
    if conflict.advice is Recommendation.KEEP:
        return replace(kept, because=because)
    return replace(kept, because=f"{because}; the current value was kept", is_judged=False)


def current_value(conflict: Conflict) -> Any:
    """The value that the field, or the unit, held when the conflict was raised; None: it was empty."""
    return conflict.current["value"] if conflict.current else None


def _choose_field(
    conflict: Conflict, question: FieldQuestion, asked: PartResolution, recommended_id: str | None, path: str = ""
) -> FieldChoice:
    """The choice for one field; `path` is where the resolution names it."""
    if asked.action is CUSTOM:
        return FieldChoice(asked.field, CUSTOM, _custom_value(conflict, asked.field, asked.value, f"{path}value"))
    if asked.value is not UNSET:
        raise _invalid(f"{path}value", "goes with custom_value only")
    if asked.action is KEEP:
        if asked.candidate_id is not None:
            raise _invalid(f"{path}candidateId", "goes with accept_candidate only")
        return FieldChoice(asked.field, KEEP, question.value)
    candidate = _candidate(question.candidates, asked.candidate_id, recommended_id, f"{path}candidateId")
    return FieldChoice(asked.field, ACCEPT, candidate["value"], candidate["id"])


def _choose_unit(conflict: Conflict, resolution: Resolution, action: ResolutionAction) -> Choice:
    """All parts of a unit at once: those of one answer, those that are there, or values of the reviewer's own."""
    asked = [question for question in questions_of(conflict) if question.is_asked]
    if action is CUSTOM:
        values = _custom_parts(conflict, resolution.value)
        fields = [FieldChoice(part, CUSTOM, value) for part, value in values.items()]
        fields += [
            FieldChoice(question.field, KEEP, question.value) for question in asked if question.field not in values
        ]
        return Choice(CUSTOM, values, None, resolution.note, fields)
    if resolution.value is not UNSET:
        raise _invalid("value", "goes with custom_value only")
    if action is KEEP:
        if resolution.candidate_id is not None:
            raise _invalid("candidateId", "goes with accept_candidate only")
        fields = [FieldChoice(question.field, KEEP, question.value) for question in asked]
        return Choice(KEEP, current_value(conflict), None, resolution.note, fields)
    answer = _candidate(conflict.candidates, resolution.candidate_id, conflict.recommended_id, "candidateId")
    given = dict(answer["parts"])
    if resolution.candidate_id is None and answer["id"] == conflict.recommended_id:
        given |= recommended_parts(conflict, asked)
    fields = [
        FieldChoice(question.field, ACCEPT, part["value"], part["id"])
        if (part := given.get(question.field)) is not None
        else FieldChoice(question.field, KEEP, question.value)
        for question in asked
    ]
    value = {**answer["value"], **{part: candidate["value"] for part, candidate in given.items()}}
    return Choice(ACCEPT, value, answer["id"], resolution.note, fields)


def _choose_parts(conflict: Conflict, resolution: Resolution, parts: Sequence[PartResolution]) -> Choice:
    """Each part of a unit by itself. One that is not named keeps its value."""
    if conflict.unit is None:
        raise _invalid("parts", "go with a conflict about an address or an employment only")
    if resolution.action is not None or resolution.candidate_id is not None or resolution.value is not UNSET:
        raise _invalid("parts", "go without an action, a candidateId and a value")
    if not parts:
        raise _invalid("parts", "name at least one")
    questions = {question.field: question for question in questions_of(conflict)}
    chosen: dict[str, FieldChoice] = {}
    for index, part in enumerate(parts):
        path = f"parts[{index}]."
        if part.field not in parts_of(conflict.entity_type, conflict.unit):
            raise _invalid(f"{path}field", f"is no part of the {conflict.unit.value}")
        if part.field in chosen:
            raise _invalid(f"{path}field", "is named twice")
        question = questions.get(part.field, FieldQuestion(part.field, None, ()))
        chosen[part.field] = _choose_field(conflict, question, part, recommended_part(conflict, question), path)
    for question in questions.values():
        if question.is_asked and question.field not in chosen:
            chosen[question.field] = FieldChoice(question.field, KEEP, question.value)
    fields = [chosen[part] for part in parts_of(conflict.entity_type, conflict.unit) if part in chosen]
    answer_id = _answer_of(conflict, fields)
    kept = all(field.action is KEEP for field in fields)
    action = KEEP if kept else CUSTOM if answer_id is None else ACCEPT
    value = {field.field: field.value for field in fields}
    return Choice(action, value, answer_id, resolution.note, fields)


def _answer_of(conflict: Conflict, fields: Sequence[FieldChoice]) -> str | None:
    """The answer that all of these choices are from; None where they are not from one."""
    for answer in conflict.candidates:
        ids = {part["id"] for part in answer["parts"].values()}
        if all(field.candidate_id in ids for field in fields):
            found: str = answer["id"]
            return found
    return None


def _invalid(path: str, message: str) -> ValidationFailed:
    return ValidationFailed(f"{path}: {message}", faults=[Fault(path, message)])


def _custom_parts(conflict: Conflict, raw: Any) -> dict[str, Any]:
    """The reviewer's own values for parts of a unit, each checked as its field, in catalogue order.

    They come by field; where one part alone is disputed, its plain value is enough.
    """
    assert conflict.unit is not None  # the caller has looked
    if raw is UNSET:
        raise _invalid("value", "custom_value needs a value")
    disputed = disputed_parts(conflict)
    if not isinstance(raw, dict) and len(disputed) == 1:
        [part] = disputed
        return {part: _custom_value(conflict, part, raw, "value")}
    if not isinstance(raw, dict) or not raw:
        raise _invalid("value", f"must be an object of fields of the {conflict.unit.value}")
    parts = parts_of(conflict.entity_type, conflict.unit)
    faults = [
        Fault(f"value.{name[:64]}", f"is no part of the {conflict.unit.value}") for name in raw if name not in parts
    ]
    values: dict[str, Any] = {}
    for part in sorted(raw.keys() & set(parts), key="country".__ne__):  # the country first: the others are read by it
        try:
            values[part] = _custom_value(
                conflict, part, raw[part], f"value.{part}", hints={**conflict.record.fields, **values}
            )
        except ValidationFailed as refused:
            faults += refused.faults
    if faults:
        raise ValidationFailed(f"{faults[0].path}: {faults[0].message}", faults=faults)
    return {part: values[part] for part in parts if part in values}


def _custom_value(
    conflict: Conflict, field: str, raw: Any, path: str, *, hints: Mapping[str, Any] | None = None
) -> Any:
    if raw is UNSET:
        raise _invalid(path, "custom_value needs a value")
    try:
        value = normalize(conflict.entity_type, field, raw, hints=hints or conflict.record.fields)
    except Refused as refusal:
        raise _invalid(path, str(refusal)) from refusal
    if value is None:
        raise _invalid(path, "is empty or a placeholder")
    return value


def _candidate(
    candidates: Sequence[Mapping[str, Any]], candidate_id: str | None, recommended_id: str | None, path: str
) -> Mapping[str, Any]:
    wanted = candidate_id or recommended_id
    if wanted is None and len(candidates) == 1:
        return candidates[0]
    if wanted is None:
        raise _invalid(path, "accept_candidate needs one: there are several candidates")
    for candidate in candidates:
        if wanted.strip().lower() in _ids(candidate):
            return candidate
    raise _invalid(path, "is no candidate of this conflict")


def _ids(candidate: Mapping[str, Any]) -> set[str]:
    """The ids that stand for a candidate: its own, that of its answer, and those of its parts."""
    parts = candidate.get("parts", {})
    ids = {candidate["id"], candidate.get("answerId"), *(part["id"] for part in parts.values())}
    return {key for key in ids if key is not None}
