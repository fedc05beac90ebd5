"""Read what a batch of claimed jobs needs: records, provenance, what was rejected, what was answered before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment.config import Config
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, JobTrigger
from enrichment.identity import tells
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.provenance import Current
from enrichment.waterfall.session import RejectedValue
from models.conflict.rejection import rejections_of
from models.credit.entry import charges_of
from models.db.columns import from_micros
from models.db.statements import load, marks, query
from models.job.leases import Lease
from models.job.steps import EarlierStep, steps_of
from models.job.transitions import JobClaim
from models.record.value import current_values
from models.suppression import suppresses
from resolvers.conflict.trust import stated_confidence, trust_of
from resolvers.context import Services
from resolvers.job.new_job import PRIORITY
from resolvers.organizations import read_config
from resolvers.suppression.check import Subject, suppressed


@dataclass(slots=True)
class Snapshot:
    """A record as a job decides on it."""

    id: str
    external_id: str
    version: int
    fields: dict[str, Any]
    last_enriched_at: datetime | None
    current: dict[str, Current]
    rejected: set[RejectedValue]
    found_suppressed: bool = False  # a source told the record's e-mail, phone or domain, and it is suppressed


@dataclass(slots=True)
class ClaimedJob:
    """One job in a worker's hands."""

    lease: Lease
    organization_id: str
    record_id: str
    entity_type: EntityType
    trigger: JobTrigger
    attempts: int
    max_attempts: int
    forced: bool
    budget_id: str | None
    created_at: datetime
    config: Config
    config_version: int
    claimed_at: datetime  # a person's edit after this is newer than any answer
    snapshot: Snapshot
    trust: Trust = NO_TRUST  # what the organization's people taught about the sources
    earlier_steps: list[EarlierStep] = field(default_factory=list)
    earlier_outcomes: list[dict[str, Any]] = field(default_factory=list)
    filled_before: list[str] = field(default_factory=list)
    fields_updated: list[str] = field(default_factory=list)
    by_hand: bool = False  # a person asked for it, whatever started it first
    charged: dict[str, int] = field(default_factory=dict)  # what it has paid, by provider
    progress: int = 0  # percent
    running_step: str | None = None
    suppressed: bool = False  # nobody is asked about the record

    @property
    def id(self) -> str:
        return self.lease.id


async def load_claimed(services: Services, claims: Sequence[JobClaim], now: datetime) -> list[ClaimedJob]:
    """The jobs claimed just `now`, with all that they decide on; those whose record is gone are left out."""
    job_ids = [claim.id for claim in claims]
    organization_ids = {claim.organization_id for claim in claims}
    configs, suppressing = await _configs(organization_ids)
    trusts = await trust_of(organization_ids)
    snapshots = await load_snapshots([claim.record_id for claim in claims])
    steps = await steps_of(job_ids)
    charged = await charges_of([claim.id for claim in claims if claim.fence > 1])
    claimed = [
        ClaimedJob(
            lease=claim.lease,
            organization_id=claim.organization_id,
            record_id=claim.record_id,
            entity_type=claim.entity_type,
            trigger=claim.trigger,
            attempts=claim.attempts,
            max_attempts=claim.max_attempts,
            forced=claim.forced,
            budget_id=claim.budget_id,
            created_at=claim.created_at,
            config=configs[claim.organization_id][0],
            config_version=configs[claim.organization_id][1],
            claimed_at=now,
            snapshot=snapshots[claim.record_id],
            trust=trusts[claim.organization_id],
            earlier_steps=steps.get(claim.id, []),
            earlier_outcomes=claim.outcomes,
            filled_before=claim.filled_before,
            fields_updated=claim.fields_updated,
            by_hand=claim.priority <= PRIORITY[JobTrigger.MANUAL],
            charged=charged.get(claim.id, {}),
        )
        for claim in claims
        if claim.record_id in snapshots
    ]
    await _mark_suppressed(services, [job for job in claimed if job.organization_id in suppressing])
    return claimed


async def load_snapshots(record_ids: Sequence[str]) -> dict[str, Snapshot]:
    """These records as they are now, by id."""
    if not record_ids:
        return {}
    ids = list(dict.fromkeys(record_ids))
    records = await query(
        "SELECT id, external_id, entity_type, version, fields, last_enriched_at FROM record"
        f" WHERE id IN ({marks(ids)})",
        ids,
    )
    values = await current_values(ids)
    rejected = await rejections_of(ids)
    return {
        row["id"]: Snapshot(
            id=row["id"],
            external_id=row["external_id"],
            version=row["version"],
            fields=load(row["fields"]),
            last_enriched_at=None if row["last_enriched_at"] is None else from_micros(row["last_enriched_at"]),
            current={name: value.to_current() for name, value in values[row["id"]].items()},
            rejected=rejected[row["id"]],
        )
        for row in records
    }


async def _configs(organization_ids: set[str]) -> tuple[dict[str, tuple[Config, int]], set[str]]:
    """The organizations' configurations and their versions, and which of them suppress anybody."""
    ids = sorted(organization_ids)
    found = await query(
        f"SELECT id, config, config_version, {suppresses('organization.id')} AS suppresses FROM organization"
        f" WHERE id IN ({marks(ids)})",
        ids,
    )
    configs = {row["id"]: (read_config(load(row["config"])), row["config_version"]) for row in found}
    return configs, {row["id"] for row in found if row["suppresses"]}


async def _mark_suppressed(services: Services, jobs: Sequence[ClaimedJob]) -> None:
    """Note which records are on a list, and forget what of an earlier attempt's answers is on it."""
    steps = [(job, step) for job in jobs for step in job.earlier_steps if step.candidates]
    subjects = [Subject(job.organization_id, job.entity_type, job.snapshot.fields) for job in jobs]
    subjects += [
        Subject(job.organization_id, job.entity_type, {kept["field"]: kept["value"] for kept in step.candidates})
        for job, step in steps
    ]
    found = await suppressed(services, subjects, suppressing={job.organization_id for job in jobs})
    for job, listed in zip(jobs, found, strict=False):
        job.suppressed = bool(listed)
    for (job, step), listed in zip(steps, found[len(jobs) :], strict=True):
        if listed:
            step.candidates[:] = [
                kept for kept in step.candidates if not tells(job.entity_type, kept["field"], kept["value"], listed)
            ]


def candidate_json(candidate: Candidate, name: str) -> dict[str, Any]:
    """A candidate as a step stores it."""
    return {
        "field": name,
        "value": candidate.value,
        "confidence": candidate.confidence,
        "statedConfidence": candidate.stated,
        "observedAt": candidate.observed_at.isoformat().replace("+00:00", "Z"),
    }


def read_candidate(provider: str, stored: Mapping[str, Any]) -> Candidate:
    """A candidate as `candidate_json` wrote it."""
    observed_at = datetime.fromisoformat(stored["observedAt"])
    return Candidate(provider, stored["value"], stored["confidence"], observed_at, stated_confidence(stored))
