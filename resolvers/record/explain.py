"""Everything that is known about one field of one record, as facts and as sentences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import Field, fields_of, is_equivalent, value_key, value_keys
from enrichment.config import Config
from enrichment.enums import ConflictStatus, EntityType, FieldOutcomeReason, JobTrigger, ResolutionAction
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
from models.conflict.queries import conflicts_of_record
from models.conflict.rejection import rejections_of
from models.conflict.table import Conflict
from models.credit.entry import charges_of
from models.credit.usage import charged_for_record
from models.job.queries import JobOutcomes, latest_outcomes, triggers_of
from models.job.steps import StatedCandidates, candidates_of_record
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
    return (await explain_record(ctx, entity_type, external_id, [name]))[0]


async def explain_record(
    ctx: Context, entity_type: EntityType, external_id: str, names: Sequence[str] | None = None
) -> list[Explanation]:
    """As `explain`, for these fields, or all fields of the record's kind in the order of the catalogue.

    What is read does not depend on the number of fields, but for its size.
    """
    caller = ctx.require(Role.VIEWER)
    record = await get_record(ctx, entity_type, external_id)
    known = fields_of(entity_type)
    wanted = list(known if names is None else dict.fromkeys(names))
    faults = [Fault("field", f"{entity_type.value}s have no field {name[:64]}") for name in wanted if name not in known]
    if faults:
        raise ValidationFailed(faults[0].message, faults=faults)
    config = config_of(await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now()))
    evidence = await _gather(record, wanted)
    name_of = naming(ctx.services.registry.names)
    explained = []
    for name in wanted:
        facts = _facts(evidence, record, known[name], config)
        explained.append(Explanation(record, facts, to_sentences(facts, name_of), evidence.conflicts_about(name)))
    return explained


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What explanations of a record's fields rest on. `stated` has the candidates of sources by field."""

    versions: Mapping[tuple[str, str], Sequence[ValueVersion]]
    outcomes: Sequence[JobOutcomes]
    conflicts: Sequence[Conflict]
    stated: Mapping[str, Sequence[tuple[StatedCandidates, Mapping[str, Any]]]]
    rejected: Collection[tuple[str, str, str]]
    triggers: Mapping[str, JobTrigger]
    charges: Mapping[str, Mapping[tuple[str, EntityType], int]]
    credits_of_record: int

    def conflicts_about(self, name: str) -> list[Conflict]:
        """Those about a field, or its unit, newest first."""
        return [one for one in self.conflicts if one.field == name or f" {name} " in (one.part_names or "")]


async def _gather(record: Record, names: Sequence[str]) -> _Evidence:
    versions = await versions_of([record.id], names)
    outcomes = await latest_outcomes(record.id, JOBS_LOOKED_AT)
    steps = await candidates_of_record(record.id, since_job=outcomes[-1].id) if outcomes else []
    stated: dict[str, list[tuple[StatedCandidates, Mapping[str, Any]]]] = {}
    for step in steps:
        for candidate in step.candidates:
            stated.setdefault(candidate["field"], []).append((step, candidate))
    current = (version for of_field in versions.values() for version in of_field if version.replaced_at is None)
    jobs = sorted({version.job_id for version in current if version.job_id is not None})
    return _Evidence(
        versions=versions,
        outcomes=outcomes,
        conflicts=await conflicts_of_record(record.organization_id, record.id, names[0] if len(names) == 1 else None),
        stated=stated,
        rejected=(await rejections_of([record.id]))[record.id] if stated else frozenset(),
        triggers=await triggers_of(jobs),
        charges=await charges_of(jobs),
        credits_of_record=await charged_for_record(record.id),
    )


def _facts(evidence: _Evidence, record: Record, field: Field, config: Config) -> ExplanationFacts:
    name, kind = field.name, record.entity_type
    versions = evidence.versions.get((record.id, name), [])
    current = _current(versions, evidence.triggers)
    conflicts = evidence.conflicts_about(name)
    emptied_at = versions[-1].replaced_at if current is None and versions else None
    charges = {} if current is None or current.job_id is None else evidence.charges.get(current.job_id, {})
    return ExplanationFacts(
        field=name,
        current=current,
        emptied_at=emptied_at,
        emptied_in_review=emptied_at in {moment for conflict in conflicts for moment in conflict.taken_back_at},
        policy=config.rule(kind, name).policy,
        minimum=config.minimum(kind, name),
        enrichable=field.enrichable,
        last_outcome=_last_outcome(evidence.outcomes, name),
        stated=_stated(kind, name, evidence, current),
        conflict=_latest(conflicts[0], name) if conflicts else None,
        credits=sum(paid for (source, _), paid in charges.items() if current and source == current.source),
        credits_of_record=evidence.credits_of_record,
    )


def _current(versions: Sequence[ValueVersion], triggers: Mapping[str, JobTrigger]) -> CurrentValue | None:
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
        trigger=None if current.job_id is None else triggers.get(current.job_id),
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


def _stated(kind: EntityType, name: str, evidence: _Evidence, current: CurrentValue | None) -> list[StatedValue]:
    """Each value that a source gave for the field, as it gave it last, newest first."""
    found: dict[tuple[str, str], StatedValue] = {}
    held = None if current is None else current.value
    for step, candidate in evidence.stated.get(name, ()):
        value = candidate["value"]
        rejected = ((name, other, step.provider) in evidence.rejected for other in value_keys(kind, name, value))
        stated = StatedValue(
            provider=step.provider,
            value=value,
            confidence=candidate["confidence"],
            observed_at=datetime.fromisoformat(candidate["observedAt"]),
            stated_at=step.asked_at,
            job_id=step.job_id,
            is_current=held is not None and is_equivalent(kind, name, held, value),
            is_rejected=any(rejected),
        )
        found.setdefault((step.provider, value_key(kind, name, value)), stated)
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
