"""Everything that is known about one field of one record: gathered, and put in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, is_equivalent, value_key
from enrichment.enums import (
    ConflictStatus,
    EntityType,
    FieldOutcomeReason,
    JobTrigger,
    ResolutionAction,
)
from enrichment.explain import CurrentValue, ExplanationFacts, LatestConflict, LatestOutcome, StatedValue, to_sentences
from models.conflict import Conflict
from models.conflict_queue import rejections
from models.db.columns import from_micros
from models.db.statements import load, query
from models.record import FieldValue, Record
from resolvers.context import Context, Role
from resolvers.errors import Fault, ValidationFailed
from resolvers.organizations import config_of, organization_of
from resolvers.record.api import get_record

JOBS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Explanation:
    """`facts` as data, and `sentences` that say the same; `conflicts` about the field, newest first."""

    record: Record
    facts: ExplanationFacts
    sentences: list[str]
    conflicts: list[Conflict]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


async def explain(ctx: Context, entity_type: EntityType, external_id: str, name: str) -> Explanation:
    """Why a field holds what it holds: value, source, since when, what else was proposed, policy, cost.

    What was proposed is read from the record's last 50 jobs. Raises NotFound for a record that is not there, and
    ValidationFailed for a field that its kind does not have.
    """
    caller = ctx.require(Role.VIEWER)
    record = await get_record(ctx, entity_type, external_id)
    field = fields_of(entity_type).get(name)
    if field is None:
        message = f"{entity_type.value}s have no field {name[:64]}"
        raise ValidationFailed(message, faults=[Fault("field", message)])
    config = config_of(await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now()))
    versions = await FieldValue.filter(record_id=record.id, field=name).order_by("-written_at", "-id")
    current = next((version for version in versions if version.replaced_at is None), None)
    jobs = await query(
        "SELECT id, status, outcomes, trigger_kind, finished_at, updated_at FROM job WHERE record_id = ?"
        f" ORDER BY id DESC LIMIT {JOBS_LOOKED_AT}",
        [record.id],
    )
    conflicts = await Conflict.filter(record_id=record.id, field=name).prefetch_related("record", "job").order_by("-id")
    held = None if current is None else await _held(current, versions)
    facts = ExplanationFacts(
        field=name,
        held=held,
        emptied_at=versions[0].replaced_at if current is None and versions else None,
        policy=config.rule(entity_type, name).policy,
        minimum=config.minimum(entity_type, name),
        enrichable=field.enrichable,
        verdict=_verdict(jobs, name),
        told=await _told(record, name, jobs, held),
        question=_question(conflicts[0]) if conflicts else None,
        credits=await _paid(held),
        credits_of_record=await _cost(record.id),
    )
    return Explanation(record, facts, to_sentences(facts), conflicts)


async def _held(current: FieldValue, versions: Sequence[FieldValue]) -> CurrentValue:
    before = next((version for version in versions if version.id == current.replaces), None)
    trigger = None
    if current.job_id is not None:
        found = await query("SELECT trigger_kind FROM job WHERE id = ?", [current.job_id])
        trigger = JobTrigger(found[0]["trigger_kind"]) if found else None
    return CurrentValue(
        value=current.value,
        source=current.source,
        actor=current.actor,
        confidence=current.confidence,
        observed_at=current.observed_at,
        since=current.written_at,
        job_id=current.job_id,
        trigger=trigger,
        before=None if before is None else (before.value, before.source),
        put_back=current.undo_id is not None,
    )


def _verdict(jobs: Sequence[Mapping[str, Any]], name: str) -> LatestOutcome | None:
    for job in jobs:
        outcome = next((one for one in load(job["outcomes"]) if one["field"] == name), None)
        if outcome is not None:
            return LatestOutcome(
                reason=FieldOutcomeReason(outcome["reason"]),
                detail=outcome["detail"] or "",
                provider=outcome["provider"],
                confidence=outcome["confidence"],
                job_id=job["id"],
                at=from_micros(job["finished_at"] or job["updated_at"]),
            )
    return None


async def _told(
    record: Record, name: str, jobs: Sequence[Mapping[str, Any]], held: CurrentValue | None
) -> list[StatedValue]:
    """What each source said of the field: each value of each source once, as it said it last, newest first."""
    if not jobs:
        return []
    steps = await query(
        "SELECT step.job_id, step.provider, step.candidates, step.asked_at FROM step JOIN job ON job.id = step.job_id"
        " WHERE job.record_id = ? AND job.id >= ? ORDER BY step.asked_at DESC, step.position",
        [record.id, jobs[-1]["id"]],
    )
    turned_down = await rejections([record.id])
    kind = record.entity_type
    found: dict[tuple[str, str], StatedValue] = {}
    for step in steps:
        for candidate in load(step["candidates"]):
            if candidate["field"] != name:
                continue
            value, source = candidate["value"], step["provider"]
            key = value_key(kind, name, value)
            is_held = held is not None and held.value is not None and is_equivalent(kind, name, held.value, value)
            told = StatedValue(
                provider=source,
                value=value,
                confidence=candidate["confidence"],
                observed_at=datetime.fromisoformat(candidate["observedAt"]),
                told_at=from_micros(step["asked_at"]),
                job_id=step["job_id"],
                held=is_held,
                turned_down=(record.id, name, key, source) in turned_down,
            )
            found.setdefault((source, key), told)
    return list(found.values())


def _question(conflict: Conflict) -> LatestConflict:
    resolution = conflict.resolution or {}
    return LatestConflict(
        status=ConflictStatus(conflict.status),
        raised_at=conflict.created_at,
        settled_at=conflict.resolved_at,
        resolved_by=resolution.get("resolvedBy"),
        action=ResolutionAction(resolution["action"]) if resolution else None,
    )


async def _paid(held: CurrentValue | None) -> int:
    if held is None or held.job_id is None:
        return 0
    found = await query(
        "SELECT SUM(-amount) AS credits FROM credit_entry WHERE job_id = ? AND provider = ? AND kind = 'charge'",
        [held.job_id, held.source],
    )
    return int(found[0]["credits"] or 0)


async def _cost(record_id: str) -> int:
    found = await query(
        "SELECT SUM(-amount) AS credits FROM credit_entry WHERE kind = 'charge'"
        " AND job_id IN (SELECT id FROM job WHERE record_id = ?)",
        [record_id],
    )
    return int(found[0]["credits"] or 0)
