"""What resolving a conflict does: the choice, checked; then the value, its provenance and what is remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import Refused, is_equivalent, normalize, value_key
from enrichment.enums import SOURCE_REVIEWER, ResolutionAction
from models.conflict import Conflict
from models.conflict_queue import remember_rejections
from models.db.columns import new_id, to_micros
from models.db.statements import dump, load, query
from models.db.transaction import Transaction, unit_of_work
from models.record.row import lock_records, records_of, update_records
from models.record.value import NewValue, replace_values
from models.trust import count_judgements
from resolvers.audit import record_audit
from resolvers.conflict.trust import judged_in_review
from resolvers.errors import ConflictAlreadyResolved, Fault, NotFound, ValidationFailed
from resolvers.record.change import record_update
from resolvers.validation import check_text

UNSET: Any = object()
MAX_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a reviewer asks for. Without `candidate_id` an accepted candidate is the recommended or only one."""

    action: ResolutionAction
    candidate_id: str | None = None
    value: Any = UNSET
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A resolution that can be carried out: the value to hold, None to leave the field empty."""

    action: ResolutionAction
    value: Any
    candidate_id: str | None
    note: str | None


def choose(conflict: Conflict, resolution: Resolution | None) -> Choice:
    """The choice a resolution makes in this conflict. Raises ValidationFailed naming the fault."""
    if resolution is None:
        accept = conflict.recommended_id is not None
        action = ResolutionAction.ACCEPT_CANDIDATE if accept else ResolutionAction.KEEP_CURRENT
        resolution = Resolution(action)
    if resolution.note is not None:
        check_text(resolution.note, "note", longest=MAX_NOTE)
    if resolution.action is ResolutionAction.CUSTOM_VALUE:
        return Choice(resolution.action, _custom_value(conflict, resolution.value), None, resolution.note)
    if resolution.value is not UNSET:
        raise _invalid("value", "goes with custom_value only")
    if resolution.action is ResolutionAction.KEEP_CURRENT:
        if resolution.candidate_id is not None:
            raise _invalid("candidateId", "goes with accept_candidate only")
        kept = conflict.current["value"] if conflict.current else None
        return Choice(resolution.action, kept, None, resolution.note)
    candidate = _candidate(conflict, resolution.candidate_id)
    return Choice(resolution.action, candidate["value"], candidate["id"], resolution.note)


def _invalid(path: str, message: str) -> ValidationFailed:
    return ValidationFailed(f"{path}: {message}", faults=[Fault(path, message)])


def _custom_value(conflict: Conflict, raw: Any) -> Any:
    if raw is UNSET:
        raise _invalid("value", "custom_value needs a value")
    try:
        value = normalize(conflict.entity_type, conflict.field, raw, hints=conflict.record.fields)
    except Refused as refusal:
        raise _invalid("value", str(refusal)) from refusal
    if value is None:
        raise _invalid("value", "is empty or a placeholder")
    return value


def _candidate(conflict: Conflict, candidate_id: str | None) -> dict[str, Any]:
    wanted = candidate_id or conflict.recommended_id
    if wanted is None and len(conflict.candidates) == 1:
        return conflict.candidates[0]
    if wanted is None:
        raise _invalid("candidateId", "accept_candidate needs one: there are several candidates")
    for candidate in conflict.candidates:
        if candidate["id"] == wanted.strip().lower():
            return candidate
    raise _invalid("candidateId", "is no candidate of this conflict")


async def settle_conflict(
    conflict: Conflict, choice: Choice, user: str, now: datetime, *, origin: str | None = None
) -> None:
    """Write the choice: conflict, value, provenance, rejections and audit line in one transaction."""
    moment = to_micros(now)
    resolution = {
        "action": choice.action.value,
        "candidateId": choice.candidate_id,
        "value": choice.value,
        "note": choice.note,
        "resolvedBy": user,
        "rule": None,
        "resolvedAt": now.isoformat().replace("+00:00", "Z"),
    }

    async def body(tx: Transaction) -> None:
        # The record first, as everyone who writes both does.
        await lock_records(tx, [conflict.record_id])
        settled = await query(
            "UPDATE conflict SET status = 'resolved', resolution = ?, resolved_at = ?, updated_at = ?"
            " WHERE id = ? AND status = 'open' RETURNING candidates",
            [dump(resolution), moment, moment, conflict.id],
            using=tx,
        )
        if not settled:
            await refuse_unless_repeated(tx, conflict.id, resolution)
            return
        await _hold_value(tx, conflict, choice, user, now)
        candidates = load(settled[0]["candidates"])
        await _remember_rejected(tx, conflict, choice, candidates, moment)
        await count_judgements(tx, judged_in_review(conflict, candidates, choice.value))
        await record_audit(
            tx,
            conflict.organization_id,
            action="conflict.resolved",
            subject=conflict.id,
            actor=user,
            origin=origin,
            now=now,
            details={"action": choice.action.value, "field": conflict.field, "record": conflict.record_id},
        )

    await unit_of_work(body)()


async def refuse_unless_repeated(tx: Transaction, conflict_id: str, wanted: Mapping[str, Any]) -> None:
    """Nothing, where this is how the conflict was resolved; raises ConflictAlreadyResolved otherwise."""
    found = await query("SELECT status, resolution FROM conflict WHERE id = ?", [conflict_id], using=tx)
    if not found:
        raise NotFound("no such conflict")  # erased with its record
    row = found[0]
    first = load(row["resolution"])
    compared = ("action", "candidateId", "value", "note", "resolvedBy")
    if first is not None and all(first[key] == wanted[key] for key in compared):
        return
    if first is None:
        message = "the record has changed, so that this conflict is gone"
    else:
        message = f"{first['resolvedBy']} resolved this conflict before ({first['action']})"
    raise ConflictAlreadyResolved(message, state=row["status"], resolution=first)


async def _hold_value(tx: Transaction, conflict: Conflict, choice: Choice, user: str, now: datetime) -> None:
    """Make the chosen value the field's, held by the reviewer from now on, also where it is the current one."""
    if choice.value is None:
        return
    await write_resolved(
        tx, conflict, choice.value, now, source=SOURCE_REVIEWER, confidence=1.0, observed_at=now, actor=user
    )


async def write_resolved(
    tx: Transaction,
    conflict: Conflict,
    value: Any,
    now: datetime,
    *,
    source: str,
    confidence: float,
    observed_at: datetime,
    actor: str | None = None,
) -> None:
    """Make this the value of the conflict's field."""
    record = (await records_of(tx, conflict.organization_id, [conflict.record_id]))[conflict.record_id]
    fields = {**record.fields, conflict.field: value}
    changed = record_update(record.id, record.version, record.entity_type, record.external_id, fields)
    await update_records(tx, [changed], now)
    written = NewValue(
        id=new_id(),
        organization_id=conflict.organization_id,
        record_id=conflict.record_id,
        field=conflict.field,
        value=value,
        source=source,
        actor=actor,
        confidence=confidence,
        job_id=conflict.job_id,
        observed_at=observed_at,
        written_at=now,
    )
    await replace_values(tx, [written], now)


async def _remember_rejected(
    tx: Transaction,
    conflict: Conflict,
    choice: Choice,
    candidates: Sequence[dict[str, Any]],
    moment: int,
) -> None:
    rejected = [
        {
            "id": new_id(),
            "organization_id": conflict.organization_id,
            "record_id": conflict.record_id,
            "field": conflict.field,
            "value_key": value_key(conflict.entity_type, conflict.field, candidate["value"]),
            "source": candidate["provider"],
            "rejected_at": moment,
        }
        for candidate in candidates
        if choice.value is None
        or not is_equivalent(conflict.entity_type, conflict.field, candidate["value"], choice.value)
    ]
    await remember_rejections(tx, rejected)
