"""The conflicts that the results of jobs raise, renew or end: about a field, or about a unit of fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, parts_of
from enrichment.decide.decision import ConflictQuestion, UnitAnswer
from enrichment.decide.merge import Candidate
from enrichment.provenance import Current
from models.conflict.open_row import OpenConflict
from models.conflict.queue import ConflictId, NewConflict, raise_conflicts, supersede
from models.db.columns import new_id
from models.db.transaction import Transaction
from resolvers.conflict.follow import UnitOfRecord, follow_answers
from resolvers.conflict.merge import join_questions, merge_parts
from resolvers.conflict.stored import (
    FieldQuestion,
    answer_of_parts,
    names_between_spaces,
    stored_candidate,
    stored_unit,
    stored_value,
)
from workers.job.process import JobResult


@dataclass(frozen=True, slots=True)
class _Asked:
    """One field that a result asks a person about."""

    result: JobResult
    field: str
    question: ConflictQuestion

    @property
    def unit(self) -> UnitOfRecord | None:
        """The unit that the field is a part of, of its record."""
        unit = fields_of(self.result.job.entity_type)[self.field].unit
        return None if unit is None else (self.result.job.record_id, unit)


@dataclass(frozen=True, slots=True)
class WrittenConflicts:
    """The conflicts that are otherwise than they were, each once, and the ids of those that are new."""

    changed: Sequence[ConflictId]
    raised: frozenset[str]

    def by_organization(self) -> dict[str, list[str]]:
        """The ids of all, by organization."""
        found: dict[str, list[str]] = {}
        for conflict in self.changed:
            found.setdefault(conflict.organization_id, []).append(conflict.id)
        return found


async def write_conflicts(tx: Transaction, results: Sequence[JobResult], now: datetime) -> WrittenConflicts:
    """Raise conflicts, and end those that the results answer."""
    asked = [
        _Asked(result, name, decision.question)
        for result in results
        for name, decision in result.decisions.items()
        if decision.question is not None
    ]
    whole = {
        (asking.result.job.record_id, asking.question.whole.unit): asking
        for asking in asked
        if asking.question.whole is not None
    }
    single = [asking for asking in asked if asking.question.whole is None]
    settled = [
        (result.job.record_id, name)
        for result in results
        for name, decision in result.decisions.items()
        if decision.reason.settles_conflict
    ]
    # A part that is asked about by itself is looked at too: its unit may have an open question, which it joins.
    followed = await follow_answers(tx, settled, whole, now, besides=[asking.unit for asking in single if asking.unit])
    joining = list(_joining(single, followed.open_units))
    taken = {(asking.result.job.id, asking.field) for asking, _ in joining}
    raised = [_conflict(asking, now) for asking in single if (asking.result.job.id, asking.field) not in taken]
    raised += [_unit_conflict(asking, now) for asking in whole.values()]
    changed = [
        *followed.changed,
        *await join_questions(tx, [(conflict, _question(asking)) for asking, conflict in joining], now),
        *await _give_way(tx, whole, now),
        *await raise_conflicts(tx, raised),
    ]
    return WrittenConflicts(
        list({conflict.id: conflict for conflict in changed}.values()), frozenset(conflict.id for conflict in raised)
    )


def _joining(
    single: Sequence[_Asked], open_units: Mapping[UnitOfRecord, OpenConflict]
) -> Iterator[tuple[_Asked, OpenConflict]]:
    for asking in single:
        if asking.unit is not None and (conflict := open_units.get(asking.unit)) is not None:
            yield asking, conflict


async def _give_way(tx: Transaction, whole: Mapping[UnitOfRecord, _Asked], now: datetime) -> list[ConflictId]:
    """Let the questions about single parts give way to those about their units, which keep the id of the newest."""
    record_ids = sorted({record_id for record_id, _ in whole})
    merged = await merge_parts(tx, record_ids, now)
    parts = [
        (record_id, part)
        for (record_id, unit), asking in whole.items()
        for part in parts_of(asking.result.job.entity_type, unit)
    ]
    return [*merged, *await supersede(tx, parts, now)]


def _question(asking: _Asked) -> FieldQuestion:
    candidates = [stored_candidate(candidate) for candidate in asking.question.candidates]
    return FieldQuestion(asking.field, stored_value(_current(asking.result, asking.field)), candidates)


def _current(result: JobResult, name: str) -> Current | None:
    return result.job.record.state.current.get(name)


def _conflict(asking: _Asked, now: datetime) -> NewConflict:
    job, question = asking.result.job, asking.question
    stored = [(candidate, stored_candidate(candidate)) for candidate in question.candidates]
    return NewConflict(
        id=new_id(),
        organization_id=job.organization_id,
        record_id=job.record_id,
        job_id=job.id,
        entity_type=job.entity_type,
        field=asking.field,
        unit=None,
        part_names=None,
        reason=question.reason,
        current=stored_value(_current(asking.result, asking.field)),
        candidates=[candidate for _, candidate in stored],
        providers=names_between_spaces([candidate.provider for candidate in question.candidates]),
        recommended_id=next((kept["id"] for candidate, kept in stored if candidate is question.recommended), None),
        recommended_because=question.because,
        recommendation=question.recommendation,
        created_at=now,
        updated_at=now,
    )


def _unit_conflict(asking: _Asked, now: datetime) -> NewConflict:
    job, question = asking.result.job, asking.question.whole
    assert question is not None  # the caller picks questions about units
    stored = [
        (answer, answer_of_parts(question.unit, answer.provider, parts))
        for answer in question.answers
        if (parts := {part: stored_candidate(candidate) for part, candidate in answer.parts.items()})
    ]
    recommended = next((kept for answer, kept in stored if answer is question.recommended), None)
    if recommended is not None and question.completed:
        recommended["completedBy"] = _ids(question.completed, stored)
    held = {part: stored_value(_after(asking.result, part, now)) for part in question.parts}
    return NewConflict(
        id=new_id(),
        organization_id=job.organization_id,
        record_id=job.record_id,
        job_id=job.id,
        entity_type=job.entity_type,
        field=question.unit.value,
        unit=question.unit,
        part_names=names_between_spaces(question.parts),
        reason=question.reason,
        current=stored_unit(question.unit, held),
        candidates=[candidate for _, candidate in stored],
        providers=names_between_spaces([answer.provider for answer in question.answers]),
        recommended_id=None if recommended is None else recommended["id"],
        recommended_because=question.because,
        recommendation=question.recommendation,
        created_at=now,
        updated_at=now,
    )


def _ids(completed: Mapping[str, Candidate], stored: Sequence[tuple[UnitAnswer, dict[str, Any]]]) -> dict[str, str]:
    """The ids under which these candidates for parts are stored, by part."""
    return {
        part: kept["parts"][part]["id"]
        for part, candidate in completed.items()
        for answer, kept in stored
        if answer.parts.get(part) is candidate
    }


def _after(result: JobResult, name: str, now: datetime) -> Current | None:
    """What a field holds once the result is written."""
    write = result.decisions[name].write
    if write is None:
        return _current(result, name)
    return Current(write.value, write.provider, write.confidence, write.observed_at, now)
