"""Settle an open conflict: the decision, the value it writes, what is learned of it, and the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent, value_key
from enrichment.enums import SOURCE_REVIEWER, ConflictStatus, ResolutionAction
from enrichment.record_state import Unreadable
from models.conflict.rejection import NewRejection, insert_rejections
from models.conflict.settle import conflict_state, mark_resolved
from models.conflict.table import Conflict
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.record.row import RecordRow, lock_records, records_of, update_records
from models.record.value import NewValue, current_values, replace_values
from models.trust import count_judgements
from resolvers.audit import record_audit
from resolvers.conflict.trust import judged_in_review, keeps_unreadable
from resolvers.context import Services
from resolvers.errors import ConflictAlreadyResolved, NotFound, StateConflict
from resolvers.record.change import record_update

_SAME_DECISION = ("action", "candidateId", "value", "note", "resolvedBy")


@dataclass(frozen=True, slots=True)
class SettledValue:
    """Whose value it is that a settlement writes, and how much it is believed (0-1)."""

    source: str
    confidence: float
    observed_at: datetime
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a conflict ends.

    `value` is what the field holds afterwards, None: nothing. `write` tells whose it is from then on; None leaves the
    value that is there as it is. `rule`: the rule, in words, that decided in place of a person; `user` accepted it.
    """

    action: ResolutionAction
    value: Any
    candidate_id: str | None
    user: str
    settled_at: datetime
    write: SettledValue | None
    note: str | None = None
    rule: str | None = None

    def resolution(self) -> dict[str, Any]:
        """The settlement as it is stored and shown."""
        return {
            "action": self.action.value,
            "candidateId": self.candidate_id,
            "value": self.value,
            "note": self.note,
            "resolvedBy": self.user,
            "rule": self.rule,
            "resolvedAt": self.settled_at.isoformat().replace("+00:00", "Z"),
        }


@unit_of_work
async def settle_conflict(
    tx: Transaction, services: Services, conflict: Conflict, settlement: Settlement, *, origin: str | None = None
) -> None:
    """Write the settlement. The same decision of the same person again changes nothing.

    A person's decision counts for or against the sources, and the values that it rejects are remembered. A rule
    settles only a conflict that nobody has changed since it was read, and never replaces a reviewer's value.

    Raises NotFound when the conflict is gone, ConflictAlreadyResolved when it was settled otherwise before, and
    StateConflict where a rule does not apply any more.
    """
    by_rule = settlement.rule is not None
    await lock_records(tx, [conflict.record_id])  # the record first, as everyone who writes both does
    resolved = await mark_resolved(tx, conflict, settlement.resolution(), settlement.settled_at, by_rule=by_rule)
    if resolved is None:
        await _refuse_unless_repeated(tx, conflict, settlement)
        return
    if by_rule and settlement.write is not None:
        await _refuse_over_reviewer(tx, conflict)
    if settlement.write is not None:
        await _write_value(tx, conflict, settlement.value, settlement.write, settlement.settled_at)
    if not by_rule:
        await insert_rejections(tx, _rejections(conflict, resolved.candidates, settlement))
        await count_judgements(tx, judged_in_review(conflict, resolved.candidates, settlement.value))
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
        | ({"rule": settlement.rule} if by_rule else {}),
    )


async def _refuse_unless_repeated(tx: Transaction, conflict: Conflict, settlement: Settlement) -> None:
    state = await conflict_state(tx, conflict.organization_id, conflict.id)
    if state is None:
        raise NotFound("no such conflict")  # erased with its record
    if state.status is ConflictStatus.OPEN:
        raise StateConflict("the question has changed meanwhile", state=state.status.value)
    first, wanted = state.resolution, settlement.resolution()
    if first is None:
        message = "the record has changed, so that this conflict is gone"
    elif all(first[key] == wanted[key] for key in _SAME_DECISION):
        return
    else:
        message = f"{first['resolvedBy']} resolved this conflict before ({first['action']})"
    raise ConflictAlreadyResolved(message, state=state.status.value, resolution=first)


async def _refuse_over_reviewer(tx: Transaction, conflict: Conflict) -> None:
    current = (await current_values([conflict.record_id], using=tx))[conflict.record_id].get(conflict.field)
    if current is not None and current.source == SOURCE_REVIEWER:
        raise StateConflict("a reviewer chose the current value: no rule replaces it", state=ConflictStatus.OPEN.value)


async def _write_value(tx: Transaction, conflict: Conflict, value: Any, write: SettledValue, now: datetime) -> None:
    """Make this the value of the conflict's field."""
    record = (await records_of(tx, conflict.organization_id, [conflict.record_id]))[conflict.record_id]
    kept = _kept_unreadable(conflict, record, value)
    fields = dict(record.fields) if kept is not None else {**record.fields, conflict.field: value}
    unreadable = dict(record.unreadable or {})
    unreadable.pop(conflict.field, None)
    if kept is not None:
        unreadable[conflict.field] = kept
    changed = record_update(record.id, record.version, record.entity_type, record.external_id, fields, unreadable)
    await update_records(tx, [changed], now)
    written = NewValue(
        id=new_id(),
        organization_id=conflict.organization_id,
        record_id=conflict.record_id,
        field=conflict.field,
        value=value if kept is None else None,
        source=write.source,
        actor=write.actor,
        confidence=write.confidence,
        job_id=conflict.job_id,
        observed_at=write.observed_at,
        written_at=now,
        raw_value=None if kept is None else kept["raw"],
        unreadable=None if kept is None else kept["reason"],
    )
    await replace_values(tx, [written], now)


def _kept_unreadable(conflict: Conflict, record: RecordRow, value: Any) -> Unreadable | None:
    """What cannot be read and stays, where the decision keeps it: as the CRM sent it last."""
    if not keeps_unreadable(conflict.current, value):
        return None
    asked_about = {"raw": value, "reason": conflict.current["unreadable"]} if conflict.current else None
    return (record.unreadable or {}).get(conflict.field, asked_about)


def _rejections(conflict: Conflict, candidates: Sequence[dict[str, Any]], settlement: Settlement) -> list[NewRejection]:
    """The candidates that mean something else than the value that was chosen."""
    return [
        NewRejection(
            id=new_id(),
            organization_id=conflict.organization_id,
            record_id=conflict.record_id,
            field=conflict.field,
            value_key=value_key(conflict.entity_type, conflict.field, candidate["value"]),
            source=candidate["provider"],
            rejected_at=settlement.settled_at,
        )
        for candidate in candidates
        if settlement.value is None
        or keeps_unreadable(conflict.current, settlement.value)
        or not is_equivalent(conflict.entity_type, conflict.field, candidate["value"], settlement.value)
    ]
