"""Take back the decision on a conflict: its values, what was remembered and learned of it, and the question itself.

A decision is taken back as long as it is the last word: where its field has been written since, where the same is
asked about again, or was decided again, nothing is changed and the error says why. Of a unit a part that it does not
dispute may have changed; that part is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, parts_of
from enrichment.enums import SOURCE_CRM, SOURCE_REVIEWER, ConflictStatus, Recommendation
from enrichment.undo import Restoration, SkippedField, UndoSkipReason, take_back_field
from enrichment.words import field_words
from models.conflict.rejection import forget_rejections_of_conflict
from models.conflict.reopen import DecidedConflict, decided_conflict, later_questions, mark_reopened
from models.conflict.table import Conflict
from models.db.transaction import Transaction
from models.event.kinds import EventKind
from models.event.of_conflict import conflict_event
from models.event.write import add_events
from models.record.row import RecordRow, lock_records, records_of
from models.record.value import ValueVersion, versions_of
from models.trust import withdraw_judgements
from resolvers.audit import record_audit
from resolvers.conflict.follow import show_values
from resolvers.conflict.stored import FieldQuestion, disputed_parts, iso, questions_of
from resolvers.conflict.trust import judged_in_review
from resolvers.context import Services
from resolvers.erasure.kept_out import ProposedValues, refuse_erased
from resolvers.errors import ConflictNotReopenable, NotFound
from resolvers.undo.restore import Restorations, UndoChange, restore_values
from resolvers.undo.scope import to_version

_CHANGED_BY = {
    UndoSkipReason.CHANGED_BY_CRM: "the CRM",
    UndoSkipReason.CHANGED_BY_REVIEWER: "a reviewer",
    UndoSkipReason.CHANGED_BY_ENRICHMENT: "enrichment",
    UndoSkipReason.ALREADY_UNDONE: "an undo",
}


@dataclass(frozen=True, slots=True)
class TakenBackBy:
    """Who takes decisions back, from where, and the operation on many of them that it is a part of."""

    user: str
    origin: str | None = None
    operation_id: str | None = None


async def reopen(tx: Transaction, services: Services, conflict: Conflict, by: TakenBackBy) -> None:
    """Open a resolved conflict again. What the same person has taken back already stays so.

    Raises NotFound when the conflict is gone, Erased where a value that would return brings an erased person back, and
    ConflictNotReopenable.
    """
    await lock_records(tx, [conflict.record_id])
    decided = await decided_conflict(tx, conflict.organization_id, conflict.id)
    if decided is None:
        raise NotFound("no such conflict")
    if decided.status is not ConflictStatus.RESOLVED:
        _refuse_unless_repeated(decided, by)
        return
    assert decided.resolution is not None and decided.resolved_at is not None  # noqa: PT018 -- both are the decision
    await _refuse_if_asked_again(tx, decided, decided.resolved_at)
    outcome = await _outcome_by_field(tx, decided, decided.resolved_at)
    left = [field for field, change in outcome.items() if isinstance(change.decision, SkippedField)]
    _refuse_if_changed(decided, outcome, left)
    done = [(change, change.decision) for change in outcome.values() if isinstance(change.decision, Restoration)]
    now = services.now()
    if done:
        records = await records_of(tx, decided.organization_id, [decided.record_id])
        await _refuse_erased(tx, services, records[decided.record_id], done)
        await restore_values(tx, records, done, now)
    await forget_rejections_of_conflict(tx, decided.record_id, decided.id, decided.resolved_at)
    if _was_judged(decided):
        await withdraw_judgements(tx, judged_in_review(decided, _chosen(decided)))
    taken_back = {
        **decided.resolution,
        "resolutionId": decided.resolution_id,
        "takenBackBy": by.user,
        "takenBackAt": iso(now),
    }
    await mark_reopened(tx, decided, [*(decided.taken_back or ()), taken_back], now)
    ended = () if decided.unit is None else await show_values(tx, decided.record_id, decided.unit, now)
    restored = [change.field for change, _ in done]
    await add_events(tx, [conflict_event(EventKind.CONFLICT_REOPENED, decided, now, restored, ended)])
    await record_audit(
        tx,
        decided.organization_id,
        action="conflict.reopened",
        subject=decided.id,
        actor=by.user,
        origin=by.origin,
        now=now,
        seals=services.audit_seals,
        details={
            "field": decided.field,
            "record": decided.record_id,
            "restored": restored,
            "left": left,
        }
        | ({"operation": by.operation_id} if by.operation_id else {}),
    )


def _refuse_unless_repeated(conflict: DecidedConflict, by: TakenBackBy) -> None:
    state = conflict.status.value
    if conflict.status is ConflictStatus.SUPERSEDED:
        raise ConflictNotReopenable("the record has changed, so that this conflict is gone", state=state)
    if not conflict.taken_back or conflict.taken_back[-1]["takenBackBy"] != by.user:
        raise ConflictNotReopenable("the conflict is open: there is no decision to take back", state=state)


async def _refuse_if_asked_again(tx: Transaction, conflict: DecidedConflict, decided_at: datetime) -> None:
    """The same, or a part or the whole of it, may be asked about once only, and the last decision goes first."""
    if conflict.unit is not None:
        names = [conflict.field, *parts_of(conflict.entity_type, conflict.unit)]
    else:
        unit = fields_of(conflict.entity_type)[conflict.field].unit
        names = [conflict.field] if unit is None else [conflict.field, unit.value]
    later = await later_questions(tx, conflict, names, decided_at)
    if not later:
        return
    newest = later[-1]
    about = field_words(newest.field)
    message = (
        f"a newer conflict about the {about} is open: decide that one"
        if newest.status is ConflictStatus.OPEN
        else f"a newer conflict about the {about} was decided since: take that decision back first"
    )
    raise ConflictNotReopenable(message, state=conflict.status.value, newerConflict=newest.id)


async def _outcome_by_field(tx: Transaction, conflict: DecidedConflict, decided_at: datetime) -> dict[str, UndoChange]:
    """What becomes of each field that was decided and has to be put back, or that has changed since."""
    questions = {question.field: question for question in questions_of(conflict)}
    names = list(_chosen(conflict))
    histories = await versions_of([conflict.record_id], names, using=tx)
    outcome: dict[str, UndoChange] = {}
    for name in names:
        versions = histories.get((conflict.record_id, name), [])
        written = {version.id for version in versions if _is_of(version, conflict, decided_at)}
        decision = take_back_field([to_version(version) for version in versions], written)
        if decision is None:
            decision = _changed_since(questions.get(name), versions)
        if decision is not None:
            by_id = {version.id: version for version in versions}
            outcome[name] = UndoChange(conflict.record_id, name, decision, by_id)
    return outcome


def _is_of(version: ValueVersion, conflict: DecidedConflict, decided_at: datetime) -> bool:
    """Whether this decision, and not one before it, wrote the value. An earlier version stored no `conflict_id`."""
    if version.restores is not None or version.written_at != decided_at:
        return False
    return version.conflict_id == conflict.id or (version.conflict_id is None and version.job_id == conflict.job_id)


def _changed_since(question: FieldQuestion | None, versions: Sequence[ValueVersion]) -> SkippedField | None:
    """Whether a field that the decision left as it was, and whose it was, is otherwise now."""
    if question is None:
        return None
    current = next((version for version in versions if version.replaced_at is None), None)
    held = None if current is None else current.value if current.unreadable is None else current.raw_value
    if current is None or held is None:
        unchanged = question.current is None
    else:
        unchanged = question.current is not None and (held, current.source) == (
            question.value, question.current["source"],
        )  # fmt: skip
    if unchanged:
        return None
    by = {
        None: UndoSkipReason.ALREADY_UNDONE,
        SOURCE_CRM: UndoSkipReason.CHANGED_BY_CRM,
        SOURCE_REVIEWER: UndoSkipReason.CHANGED_BY_REVIEWER,
    }
    source = None if current is None else current.source
    return SkippedField(
        by.get(source, UndoSkipReason.CHANGED_BY_ENRICHMENT), None if current is None else to_version(current)
    )


def _refuse_if_changed(conflict: DecidedConflict, outcome: Mapping[str, UndoChange], left: Sequence[str]) -> None:
    """Where the field has changed, or of a unit what was disputed, or all of it, the question is another."""
    disputed = disputed_parts(conflict)
    gone = [field for field in left if conflict.unit is None or field in disputed]
    if not gone and len(left) == len(_chosen(conflict)):
        gone = list(left)
    if not gone:
        return
    first = outcome[gone[0]].decision
    assert isinstance(first, SkippedField)  # as all of `left`
    message = f"{_CHANGED_BY[first.because]} has changed the {field_words(gone[0])} since: it is left as it is"
    raise ConflictNotReopenable(message, state=conflict.status.value, changed=gone)


def _chosen(conflict: DecidedConflict) -> dict[str, Any]:
    """The value that was chosen for each field that was decided; None: none."""
    resolution = conflict.resolution or {}
    if conflict.unit is None:
        return {conflict.field: resolution["value"]}
    return {part["field"]: part["value"] for part in resolution["parts"]}


def _was_judged(conflict: DecidedConflict) -> bool:
    """Whether the decision counted for and against the sources: a rule's did not, nor where neither was likelier."""
    followed = (conflict.resolution or {}).get("because") is not None
    return not conflict.by_rule and not (followed and conflict.recommendation is Recommendation.NONE)


async def _refuse_erased(tx: Transaction, services: Services, record: RecordRow, done: Restorations) -> None:
    """Raises Erased where the values that would return bring an erased person back."""
    targets = {
        change.field: change.versions[restoration.target.id]
        for change, restoration in done
        if restoration.target is not None
    }
    values = {
        field: target.value if target.unreadable is None else target.raw_value for field, target in targets.items()
    }
    proposed = ProposedValues(record.organization_id, record.entity_type, record.fields, values)
    await refuse_erased(services, proposed, using=tx)
