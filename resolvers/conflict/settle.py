"""Settle an open conflict: the decision, the values it writes, what is learned of it, and the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import value_key
from enrichment.enums import SOURCE_REVIEWER, ConflictStatus, ResolutionAction
from enrichment.record_state import Unreadable
from models.conflict.rejection import NewRejection, insert_rejections
from models.conflict.settle import conflict_state, mark_resolved
from models.conflict.table import Conflict
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.of_conflict import conflict_event
from models.event.write import add_events
from models.record.row import RecordRow, lock_records, records_of, update_records
from models.record.value import NewValue, current_values, replace_values
from models.trust import count_judgements
from resolvers.audit import record_audit
from resolvers.conflict.stored import FieldQuestion, Stored, questions_of, stated_confidence
from resolvers.conflict.trust import is_chosen, judged_in_review, keeps_unreadable
from resolvers.context import Services
from resolvers.erasure.kept_out import ProposedValues, refuse_erased
from resolvers.errors import ConflictAlreadyResolved, NotFound, StateConflict
from resolvers.record.change import record_update

_SAME_DECISION = ("action", "candidateId", "value", "parts", "note", "resolvedBy")


@dataclass(frozen=True, slots=True)
class SettledValue:
    """Whose value it is that a settlement writes, and how much it is believed (0-1)."""

    source: str
    confidence: float
    observed_at: datetime
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class SettledField:
    """How one field ends: that of the conflict, or a part of its unit.

    `value` is what it holds afterwards, None: nothing. `write` tells whose it is from then on; None leaves the value
    that is there as it is.
    """

    field: str
    action: ResolutionAction
    value: Any
    candidate_id: str | None
    write: SettledValue | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a conflict ends: as a whole, and each of its fields.

    `rule`: the rule, in words, that decided in place of a person; `user` accepted it. `because`: why, where a
    recommendation was followed. Unless it `is_judged`, it counts for and against no source.
    """

    action: ResolutionAction
    value: Any
    candidate_id: str | None
    fields: Sequence[SettledField]
    user: str
    settled_at: datetime
    note: str | None = None
    rule: str | None = None
    because: str | None = None
    is_judged: bool = True

    def resolution(self, conflict: Conflict) -> dict[str, Any]:
        """The settlement as it is stored and shown; that of a unit shows its parts."""
        shown = {
            "action": self.action.value,
            "candidateId": self.candidate_id,
            "value": self.value,
            "note": self.note,
            "resolvedBy": self.user,
            "rule": self.rule,
            "because": self.because,
            "resolvedAt": self.settled_at.isoformat().replace("+00:00", "Z"),
        }
        if conflict.unit is not None:
            shown["parts"] = [
                {
                    "field": settled.field,
                    "action": settled.action.value,
                    "candidateId": settled.candidate_id,
                    "value": settled.value,
                }
                for settled in self.fields
            ]
        return shown


@unit_of_work
async def settle_conflict(
    tx: Transaction, services: Services, conflict: Conflict, settlement: Settlement, *, origin: str | None = None
) -> None:
    """`settle` in a transaction of its own."""
    await settle(tx, services, conflict, settlement, origin=origin)


async def settle(
    tx: Transaction,
    services: Services,
    conflict: Conflict,
    settlement: Settlement,
    *,
    origin: str | None,
    resolution_id: str | None = None,
) -> None:
    """Write the settlement. The same decision of the same person again changes nothing.

    `resolution_id` is the operation on many conflicts that it is a part of.

    A person's decision counts for or against the sources, and the values that it rejects are remembered. A rule
    settles only a conflict that nobody has changed since it was read, and never replaces a reviewer's value; a person
    decides about a unit as they have seen it.

    Raises NotFound when the conflict is gone, ConflictAlreadyResolved when it was settled otherwise before, Erased
    where a value would bring an erased person back, and StateConflict where the question has changed, or a rule does
    not apply any more.
    """
    by_rule = settlement.rule is not None
    await lock_records(tx, [conflict.record_id])  # the record first, as everyone who writes both does
    resolution = settlement.resolution(conflict)
    resolved = await mark_resolved(
        tx,
        conflict,
        resolution,
        settlement.settled_at,
        by_rule=by_rule,
        resolution_id=resolution_id,
        unchanged=by_rule or conflict.unit is not None,
    )
    if resolved is None:
        await _refuse_unless_repeated(tx, conflict, resolution)
        return
    conflict.candidates = resolved.candidates
    if by_rule:
        await _refuse_over_reviewer(tx, conflict, settlement)
    await _write_values(tx, services, conflict, settlement)
    if not by_rule:
        await insert_rejections(tx, _rejections(conflict, settlement))
    if not by_rule and settlement.is_judged:
        chosen = {settled.field: settled.value for settled in settlement.fields}
        await count_judgements(tx, judged_in_review(conflict, chosen))
    written = [settled.field for settled in settlement.fields if settled.write is not None]
    await add_events(tx, [conflict_event(EventKind.CONFLICT_RESOLVED, conflict, settlement.settled_at, written)])
    await record_audit(
        tx,
        conflict.organization_id,
        action="conflict.resolved",
        subject=conflict.id,
        actor=settlement.user,
        origin=origin,
        now=settlement.settled_at,
        seals=services.audit_seals,
        details={"action": settlement.action.value, "field": conflict.field, "record": conflict.record_id}
        | ({"parts": {settled.field: settled.action.value for settled in settlement.fields}} if conflict.unit else {})
        | ({"rule": settlement.rule} if by_rule else {})
        | ({"operation": resolution_id} if resolution_id else {}),
    )


async def _refuse_unless_repeated(tx: Transaction, conflict: Conflict, wanted: Mapping[str, Any]) -> None:
    state = await conflict_state(tx, conflict.organization_id, conflict.id)
    if state is None:
        raise NotFound("no such conflict")  # erased with its record
    if state.status is ConflictStatus.OPEN:
        raise StateConflict("the question has changed meanwhile", state=state.status.value)
    first = state.resolution
    if first is None:
        message = "the record has changed, so that this conflict is gone"
    elif all(first.get(key) == wanted.get(key) for key in _SAME_DECISION):
        return
    else:
        message = f"{first['resolvedBy']} resolved this conflict before ({first['action']})"
    raise ConflictAlreadyResolved(message, state=state.status.value, resolution=first)


async def _refuse_over_reviewer(tx: Transaction, conflict: Conflict, settlement: Settlement) -> None:
    writing = [settled.field for settled in settlement.fields if settled.write is not None]
    if not writing:
        return
    current = (await current_values([conflict.record_id], using=tx))[conflict.record_id]
    if any(name in current and current[name].source == SOURCE_REVIEWER for name in writing):
        raise StateConflict("a reviewer chose the current value: no rule replaces it", state=ConflictStatus.OPEN.value)


async def _write_values(tx: Transaction, services: Services, conflict: Conflict, settlement: Settlement) -> None:
    """Make the settled values those of their fields. Raises Erased where they would bring an erased person back."""
    writing = [(settled, settled.write) for settled in settlement.fields if settled.write is not None]
    if not writing:
        return
    now = settlement.settled_at
    record = (await records_of(tx, conflict.organization_id, [conflict.record_id]))[conflict.record_id]
    proposed = {settled.field: settled.value for settled, _ in writing}
    await refuse_erased(
        services, ProposedValues(conflict.organization_id, conflict.entity_type, record.fields, proposed), using=tx
    )
    fields, unreadable = dict(record.fields), dict(record.unreadable or {})
    questions = {question.field: question for question in questions_of(conflict)}
    written: list[NewValue] = []
    for settled, write in writing:
        question = questions.get(settled.field)
        kept = _kept_unreadable(question, record, settled)
        unreadable.pop(settled.field, None)
        if kept is None:
            fields[settled.field] = settled.value
        else:
            unreadable[settled.field] = kept
        accepted = _accepted(question, settled) if write.source == SOURCE_REVIEWER else None
        written.append(_new_value(conflict, settled, write, kept, accepted, now))
    changed = record_update(record.id, record.version, record.entity_type, record.external_id, fields, unreadable)
    await update_records(tx, [changed], now)
    await replace_values(tx, written, now)


def _accepted(question: FieldQuestion | None, settled: SettledField) -> Stored | None:
    """The candidate whose value a reviewer accepted."""
    if question is None or settled.action is not ResolutionAction.ACCEPT_CANDIDATE:
        return None
    return next((candidate for candidate in question.candidates if candidate["id"] == settled.candidate_id), None)


def _new_value(
    conflict: Conflict,
    settled: SettledField,
    write: SettledValue,
    kept: Unreadable | None,
    accepted: Stored | None,
    now: datetime,
) -> NewValue:
    return NewValue(
        id=new_id(),
        organization_id=conflict.organization_id,
        record_id=conflict.record_id,
        field=settled.field,
        value=settled.value if kept is None else None,
        source=write.source,
        actor=write.actor,
        confidence=write.confidence,
        job_id=conflict.job_id,
        observed_at=write.observed_at,
        written_at=now,
        raw_value=None if kept is None else kept["raw"],
        unreadable=None if kept is None else kept["reason"],
        conflict_id=conflict.id,
        accepted_from=None
        if accepted is None
        else {
            "provider": accepted["provider"],
            "confidence": stated_confidence(accepted),
            "observedAt": accepted["observedAt"],
        },
    )


def _kept_unreadable(question: FieldQuestion | None, record: RecordRow, settled: SettledField) -> Unreadable | None:
    """What cannot be read and stays, where the decision keeps it: as the CRM sent it last."""
    if question is None or question.current is None or not keeps_unreadable(question.current, settled.value):
        return None
    asked_about: Unreadable = {"raw": settled.value, "reason": question.current["unreadable"]}
    return (record.unreadable or {}).get(settled.field, asked_about)


def _rejections(conflict: Conflict, settlement: Settlement) -> list[NewRejection]:
    """The candidates for each field that mean something else than the value that was chosen for it."""
    chosen = {settled.field: settled.value for settled in settlement.fields}
    return [
        NewRejection(
            id=new_id(),
            organization_id=conflict.organization_id,
            record_id=conflict.record_id,
            field=question.field,
            value_key=value_key(conflict.entity_type, question.field, candidate["value"]),
            source=candidate["provider"],
            rejected_at=settlement.settled_at,
            conflict_id=conflict.id,
        )
        for question in questions_of(conflict)
        if question.field in chosen
        for candidate in question.candidates
        if not is_chosen(conflict.entity_type, question, candidate["value"], chosen[question.field])
    ]
