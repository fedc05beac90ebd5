"""Settle an open conflict by a rule of the organization, as if the rule had been there before it was asked."""

from datetime import datetime
from typing import Any

from enrichment.config import ReviewRule
from enrichment.decide.merge import Proposal
from enrichment.decide.rules import RuleDecision
from enrichment.enums import SOURCE_REVIEWER, ResolutionAction
from models.conflict import Conflict
from models.db.columns import to_micros
from models.db.statements import dump, query
from models.db.transaction import Transaction, unit_of_work
from models.record.row import lock_records
from resolvers.audit import record_audit
from resolvers.conflict.resolve import refuse_unless_repeated, write_resolved
from resolvers.errors import StateConflict


async def settle_by_rule(
    conflict: Conflict, ruled: RuleDecision, user: str, now: datetime, *, origin: str | None = None
) -> None:
    """Write what the rule says, in one transaction: an accepted value is its provider's, a kept one stays whose it is.

    Nothing is remembered as rejected and nobody's decision is counted. `user` accepted the rule. Raises
    ConflictAlreadyResolved when a person was faster, StateConflict when the question has changed.
    """
    assert ruled.rule is not None  # the caller picks those that a rule decides
    moment = to_micros(now)
    resolution = _resolution(conflict, ruled.rule, ruled.accepts, user, now)

    async def body(tx: Transaction) -> None:
        await lock_records(tx, [conflict.record_id])
        settled = await query(
            "UPDATE conflict SET status = 'resolved', by_rule = TRUE, resolution = ?, resolved_at = ?, updated_at = ?"
            " WHERE id = ? AND status = 'open' AND updated_at = ? RETURNING id",
            [dump(resolution), moment, moment, conflict.id, to_micros(conflict.updated_at)],
            using=tx,
        )
        if not settled:
            await _refuse(tx, conflict, resolution)
            return
        if ruled.accepts is not None:
            await _write(tx, conflict, ruled.accepts, now)
        await record_audit(
            tx,
            conflict.organization_id,
            action="conflict.resolved",
            subject=conflict.id,
            actor=user,
            origin=origin,
            now=now,
            details={
                "action": resolution["action"],
                "field": conflict.field,
                "record": conflict.record_id,
                "rule": resolution["rule"],
            },
        )

    await unit_of_work(body)()


def _resolution(
    conflict: Conflict, rule: ReviewRule, accepts: Proposal | None, user: str, now: datetime
) -> dict[str, Any]:
    kept = conflict.current["value"] if conflict.current else None
    taken = None if accepts is None else _candidate(conflict, accepts)
    action = ResolutionAction.KEEP_CURRENT if taken is None else ResolutionAction.ACCEPT_CANDIDATE
    return {
        "action": action.value,
        "candidateId": None if taken is None else taken["id"],
        "value": kept if taken is None else taken["value"],
        "note": None,
        "resolvedBy": user,
        "resolvedAt": now.isoformat().replace("+00:00", "Z"),
        "rule": rule.words(),
    }


def _candidate(conflict: Conflict, accepts: Proposal) -> dict[str, Any]:
    provider, value = accepts.provider, accepts.value
    return next(one for one in conflict.candidates if one["provider"] == provider and one["value"] == value)


async def _write(tx: Transaction, conflict: Conflict, accepts: Proposal, now: datetime) -> None:
    held = await query(
        "SELECT source FROM field_value WHERE record_id = ? AND field = ? AND replaced_at IS NULL",
        [conflict.record_id, conflict.field],
        using=tx,
    )
    if any(row["source"] == SOURCE_REVIEWER for row in held):
        raise StateConflict("a reviewer chose the current value: no rule replaces it", state="open")
    await write_resolved(
        tx,
        conflict,
        accepts.value,
        now,
        source=accepts.provider,
        confidence=accepts.confidence,
        observed_at=accepts.observed_at,
    )


async def _refuse(tx: Transaction, conflict: Conflict, resolution: dict[str, Any]) -> None:
    found = await query("SELECT 1 AS one FROM conflict WHERE id = ? AND status = 'open'", [conflict.id], using=tx)
    if found:
        raise StateConflict("the question has changed meanwhile", state="open")
    await refuse_unless_repeated(tx, conflict.id, resolution)
