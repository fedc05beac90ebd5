"""Everything that is known about one field of one record, as facts and as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of, is_equivalent, value_key, value_keys
from enrichment.enums import ConflictStatus, EntityType, FieldOutcomeReason, ResolutionAction
from enrichment.explain import (
    AcceptedValue,
    CurrentValue,
    ExplanationFacts,
    LatestConflict,
    LatestOutcome,
    StatedValue,
    to_sentences,
)
from enrichment.words import naming
from models.conflict.queries import conflicts_of_field
from models.conflict.rejection import rejections_of
from models.conflict.table import Conflict
from models.credit.usage import charged_for_record, charged_to
from models.job.queries import JobOutcomes, latest_outcomes, trigger_of
from models.job.steps import candidates_of_record
from models.record import Record
from models.record.table import is_dated
from models.record.value import ValueVersion, versions_of
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
    versions = (await versions_of([record.id], [name])).get((record.id, name), [])
    current = await _current(versions)
    outcomes = await latest_outcomes(record.id, JOBS_LOOKED_AT)
    conflicts = await conflicts_of_field(record.organization_id, record.id, name)
    emptied_at = versions[-1].replaced_at if current is None and versions else None
    facts = ExplanationFacts(
        field=name,
        current=current,
        emptied_at=emptied_at,
        emptied_in_review=emptied_at in {moment for conflict in conflicts for moment in conflict.taken_back_at},
        policy=config.rule(entity_type, name).policy,
        minimum=config.minimum(entity_type, name),
        enrichable=field.enrichable,
        last_outcome=_last_outcome(outcomes, name),
        stated=await _stated(record, name, outcomes, current),
        conflict=_latest(conflicts[0], name) if conflicts else None,
        credits=0 if current is None or current.job_id is None else await charged_to(current.job_id, current.source),
        credits_of_record=await charged_for_record(record.id),
    )
    return Explanation(record, facts, to_sentences(facts, naming(ctx.services.registry.names)), conflicts)


async def _current(versions: Sequence[ValueVersion]) -> CurrentValue | None:
    current = next((version for version in versions if version.replaced_at is None), None)
    if current is None:
        return None
    previous = next((version for version in versions if version.id == current.replaces), None)
    return CurrentValue(
        value=current.value,
        source=current.source,
        actor=current.actor,
        confidence=current.confidence,
        observed_at=current.observed_at,
        since=current.written_at,
        job_id=current.job_id,
        trigger=None if current.job_id is None else await trigger_of(current.job_id),
        previous=None if previous is None else (previous.value, previous.source),
        is_restored=current.undo_id is not None,
        observed_at_known=is_dated(current),
        raw=current.raw_value,
        unreadable=current.unreadable,
        accepted=_accepted(current.accepted_from),
        is_taken_back=current.restores is not None and current.undo_id is None,
    )


def _accepted(stored: Mapping[str, Any] | None) -> AcceptedValue | None:
    if stored is None:
        return None
    return AcceptedValue(stored["provider"], stored["confidence"], datetime.fromisoformat(stored["observedAt"]))


def _last_outcome(jobs: Sequence[JobOutcomes], name: str) -> LatestOutcome | None:
    for job in jobs:
        outcome = next((outcome for outcome in job.outcomes if outcome["field"] == name), None)
        if outcome is not None:
            return LatestOutcome(
                reason=FieldOutcomeReason(outcome["reason"]),
                detail=outcome["detail"] or "",
                provider=outcome["provider"],
                confidence=outcome["confidence"],
                job_id=job.id,
                at=job.finished_at or job.updated_at,
            )
    return None


async def _stated(
    record: Record, name: str, jobs: Sequence[JobOutcomes], current: CurrentValue | None
) -> list[StatedValue]:
    """Each value that a source gave for the field, as it gave it last, newest first."""
    if not jobs:
        return []
    rejected = (await rejections_of([record.id]))[record.id]
    kind = record.entity_type
    found: dict[tuple[str, str], StatedValue] = {}
    for step in await candidates_of_record(record.id, since_job=jobs[-1].id):
        for candidate in step.candidates:
            if candidate["field"] != name:
                continue
            value = candidate["value"]
            key = value_key(kind, name, value)
            held = None if current is None else current.value
            stated = StatedValue(
                provider=step.provider,
                value=value,
                confidence=candidate["confidence"],
                observed_at=datetime.fromisoformat(candidate["observedAt"]),
                stated_at=step.asked_at,
                job_id=step.job_id,
                is_current=held is not None and is_equivalent(kind, name, held, value),
                is_rejected=any((name, other, step.provider) in rejected for other in value_keys(kind, name, value)),
            )
            found.setdefault((step.provider, key), stated)
    return list(found.values())


def _latest(conflict: Conflict, name: str) -> LatestConflict:
    resolution = conflict.resolution or {}
    parts = {part["field"]: part for part in resolution.get("parts", ())}
    decided = resolution if conflict.unit is None else parts.get(name)
    return LatestConflict(
        status=ConflictStatus(conflict.status),
        raised_at=conflict.created_at,
        settled_at=conflict.resolved_at,
        resolved_by=resolution.get("resolvedBy"),
        action=ResolutionAction(decided["action"]) if decided else None,
        unit=conflict.unit,
    )
