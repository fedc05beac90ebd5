"""Several questions about one unit become one: parts that were asked about by themselves, and answers that join it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from enrichment.catalogue import disputing_parts, fields_of
from enrichment.enums import ConflictReason, FieldUnit
from models.conflict.open_row import OpenConflict, open_conflicts, supersede_conflicts, update_questions
from models.conflict.queue import ConflictId
from models.db.transaction import Transaction
from resolvers.conflict.follow import PARTS, UNITS
from resolvers.conflict.stored import (
    FieldQuestion,
    Stored,
    answer_of_parts,
    names_between_spaces,
    questions_of,
    stored_unit,
)

DISPUTING = frozenset(part for unit in FieldUnit for part in disputing_parts(unit))
_GRAVEST = (ConflictReason.EXISTING_DIFFERS, ConflictReason.PROVIDERS_DISAGREE, ConflictReason.LOW_CONFIDENCE)


async def merge_parts(tx: Transaction, record_ids: Sequence[str], now: datetime) -> list[ConflictId]:
    """Make of each unit's open conflicts about single parts one about the unit, with the id of the newest of them.

    Version 0.1.0 asked about each part by itself. The records are locked. A part that disputes nothing stays a
    question of its own, unless one that does is open too. Returns the conflicts that are otherwise now.
    """
    found = await open_conflicts(tx, record_ids, sorted(PARTS), about_units=False)
    groups: dict[tuple[str, FieldUnit], list[OpenConflict]] = {}
    for conflict in found:
        unit = fields_of(conflict.entity_type)[conflict.field].unit
        if unit is not None:
            groups.setdefault((conflict.record_id, unit), []).append(conflict)
    disputed = {key: group for key, group in groups.items() if any(part.field in DISPUTING for part in group)}
    if not disputed:
        return []
    units = await open_conflicts(tx, record_ids, UNITS, about_units=True)
    there = {(conflict.record_id, conflict.unit) for conflict in units}
    merged = [_merged(unit, group) for (record_id, unit), group in disputed.items() if (record_id, unit) not in there]
    kept = {conflict.id for conflict in merged}
    gone = [part.id for group in disputed.values() for part in group if part.id not in kept]
    ended = await supersede_conflicts(tx, gone, now)
    await update_questions(tx, merged, now)
    return [*ended, *(conflict.named for conflict in merged)]


def _merged(unit: FieldUnit, parts: Sequence[OpenConflict]) -> OpenConflict:
    """One conflict about the unit in place of these about its parts, the newest of which comes last."""
    newest = parts[-1]
    by_provider: dict[str, dict[str, Stored]] = {}
    for part in parts:
        for candidate in part.candidates:
            by_provider.setdefault(candidate["provider"], {}).setdefault(part.field, candidate)
    answers = [answer_of_parts(unit, provider, given) for provider, given in by_provider.items()]
    recommended = [_recommended_provider(part) for part in parts]
    answer = next((answer for answer in answers if {answer["provider"]} == set(recommended)), None)
    keeping = next((part for part in parts if part.recommended_id is None), newest)
    reasons = {part.reason for part in parts}
    merged = replace(
        newest,
        field=unit.value,
        unit=unit,
        part_names=names_between_spaces([part.field for part in parts]),
        reason=next(reason for reason in _GRAVEST if reason in reasons),
        current=stored_unit(unit, {part.field: part.current for part in parts}),
        candidates=answers,
        providers=names_between_spaces(list(by_provider)),
        recommended_id=None if answer is None else answer["id"],
        recommended_because=keeping.recommended_because,
        recommendation=None,  # as the version that wrote the reason has it
    )
    return replace(merged, reason=ConflictReason.JOB_CHANGE) if _changes_employer(merged) else merged


def _recommended_provider(conflict: OpenConflict) -> str | None:
    return next(
        (candidate["provider"] for candidate in conflict.candidates if candidate["id"] == conflict.recommended_id), None
    )


def _changes_employer(conflict: OpenConflict) -> bool:
    """Whether a source says both company and domain otherwise than the record: it names another employer."""
    return conflict.unit is FieldUnit.EMPLOYMENT and any(
        _disputed_by(conflict, answer) >= disputing_parts(FieldUnit.EMPLOYMENT) for answer in conflict.candidates
    )


def _disputed_by(conflict: OpenConflict, answer: Stored) -> set[str]:
    """The parts that the record holds and a source says otherwise."""
    return {
        question.field
        for question in questions_of(conflict)
        if question.value is not None
        and any(
            candidate["answerId"] == answer["id"] and question.differs(conflict.entity_type, candidate["value"])
            for candidate in question.candidates
        )
    }


async def join_questions(
    tx: Transaction, joining: Iterable[tuple[OpenConflict, FieldQuestion]], now: datetime
) -> list[ConflictId]:
    """Add what sources say of further parts to the open conflicts about their units. Returns the conflicts."""
    joined: dict[str, OpenConflict] = {}
    for conflict, question in joining:
        joined[conflict.id] = _joined(joined.get(conflict.id, conflict), question)
    await update_questions(tx, list(joined.values()), now)
    return [conflict.named for conflict in joined.values()]


def _joined(conflict: OpenConflict, asked: FieldQuestion) -> OpenConflict:
    assert conflict.unit is not None  # the caller picks conflicts about units
    answers: dict[str, dict[str, Any]] = {answer["provider"]: answer for answer in conflict.candidates}
    for candidate in asked.candidates:
        before: Mapping[str, Any] | None = answers.get(candidate["provider"])
        parts = {**(before["parts"] if before else {}), asked.field: candidate}
        answer = answer_of_parts(conflict.unit, candidate["provider"], parts)
        answers[candidate["provider"]] = {**answer, "id": before["id"]} if before else answer
    held = {question.field: question.current for question in questions_of(conflict)} | {asked.field: asked.current}
    return replace(
        conflict,
        current=stored_unit(conflict.unit, held),
        candidates=list(answers.values()),
        providers=names_between_spaces(list(answers)),
        part_names=names_between_spaces(list(held)),
    )
