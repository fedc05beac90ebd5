"""Read what a batch of claimed jobs needs: configurations, records, earlier steps and charges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.config import Config
from enrichment.enums import EntityType, JobTrigger
from enrichment.fields_before import forms_before
from enrichment.identity import holds_identifier
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.record_state import RecordState, Unreadable, with_unreadable
from enrichment.waterfall.planner import COMPANY
from enrichment.waterfall.yields import NO_YIELDS, Yields
from models.credit.entry import charges_of
from models.job.leases import Lease
from models.job.steps import EarlierStep, steps_of
from models.job.transitions import JobClaim
from models.organization import configs_of
from models.record.row import record_versions
from resolvers.conflict.trust import trust_of
from resolvers.context import Services
from resolvers.job.new_job import PRIORITY
from resolvers.organizations import read_config
from resolvers.record.state import record_states
from resolvers.refresh.freshness import learned_by
from resolvers.suppression.check import Subject, suppressed
from resolvers.tracing import Span


@dataclass(frozen=True, slots=True)
class LoadedRecord:
    """A job's record as it was read: what is decided on it is written while it still has this version."""

    external_id: str
    version: int
    state: RecordState
    raw: Mapping[str, Any] = field(default_factory=dict)  # as the CRM last sent it
    unreadable: Mapping[str, Unreadable] = field(default_factory=dict)

    @property
    def filled(self) -> dict[str, Any]:
        """The values of the filled fields, also of those that cannot be read."""
        return with_unreadable(self.state.fields, self.unreadable)


@dataclass(frozen=True, slots=True)
class WithheldValue:
    """A value that a source gave, and the id of the erasure that keeps it out of the record."""

    field: str
    value: Any
    erasure_id: str


@dataclass(slots=True)
class ClaimedJob:
    """A claimed job with all that it decides on."""

    lease: Lease
    organization_id: str
    record_id: str
    entity_type: EntityType
    trigger: JobTrigger
    attempts: int
    max_attempts: int
    forced: bool
    budget_id: str | None
    answers_since: datetime | None  # no answer that was given before it serves the job; None: any that is kept does
    created_at: datetime
    config: Config
    config_version: int
    claimed_at: datetime  # a person's edit after this is newer than any answer
    record: LoadedRecord
    trust: Trust = NO_TRUST  # what the organization's people taught about the sources
    half_lives: Mapping[str, float] = field(default_factory=dict)  # in days by field, as its history taught them
    yields: Yields = NO_YIELDS  # what its sources brought so far, where its rules weigh it
    earlier_steps: list[EarlierStep] = field(default_factory=list)
    earlier_outcomes: list[dict[str, Any]] = field(default_factory=list)
    filled_before: list[str] = field(default_factory=list)
    fields_updated: list[str] = field(default_factory=list)
    was_lost: bool = False  # with the worker that had it before
    by_hand: bool = False  # a person asked for it, whatever started it first
    charged: dict[str, int] = field(default_factory=dict)  # what it has paid, by source
    progress: int = 0  # percent
    running_step: str | None = None
    suppressed: bool = False  # nobody is asked about the record
    found_suppressed: bool = False  # a source gave an e-mail, phone or domain of the record that is suppressed
    has_erased: bool = False  # its organization has erased somebody, whom no answer may bring back
    withheld: list[WithheldValue] = field(default_factory=list)  # what would bring an erased person back
    span: Span | None = None  # of its trace, where there is one

    _forms_before: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        return self.lease.id

    def keep_out(self, values: Mapping[str, Any], erasures: Mapping[str, str]) -> None:
        """Use those of these values no more that `erasures` names: by field the id of the erasure."""
        self.has_erased = self.has_erased or bool(erasures)  # perhaps only since the job was claimed
        for name, erasure_id in erasures.items():
            if not self.keeps_out(name, values[name]):
                self.withheld.append(WithheldValue(name, values[name], erasure_id))

    def keeps_out(self, name: str, value: Any) -> bool:
        """Whether this value of a field, in any spelling, would bring an erased person back."""
        return any(
            kept.field == name and is_equivalent(self.entity_type, name, kept.value, value) for kept in self.withheld
        )

    def forms_before(self) -> dict[str, Any]:
        """The fields that an earlier version would ask with in another form (see `enrichment.fields_before`)."""
        if self._forms_before is None:
            self._forms_before = forms_before(self.entity_type, self.record.state.fields, self.record.raw)
        return self._forms_before


async def load_claimed(services: Services, claims: Sequence[JobClaim], now: datetime) -> list[ClaimedJob]:
    """The jobs claimed just `now`, with all that they decide on; those whose record is gone are left out."""
    job_ids = [claim.id for claim in claims]
    organization_ids = {claim.organization_id for claim in claims}
    configs = {row.id: (read_config(row.config), row) for row in await configs_of(organization_ids)}
    trusts = await trust_of(organization_ids)
    learned = await learned_by(organization_ids)
    yields = {
        organization_id: await services.recent_yields.of(organization_id, now)
        for organization_id, (config, _) in configs.items()
        if config.weighs_value
    }
    records = await load_records([claim.record_id for claim in claims])
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
            answers_since=claim.answers_since,
            created_at=claim.created_at,
            config=configs[claim.organization_id][0],
            config_version=configs[claim.organization_id][1].config_version,
            claimed_at=now,
            record=records[claim.record_id],
            trust=trusts[claim.organization_id],
            half_lives=learned[claim.organization_id][claim.entity_type],
            yields=yields.get(claim.organization_id, {}).get(claim.entity_type, NO_YIELDS),
            earlier_steps=steps.get(claim.id, []),
            earlier_outcomes=claim.outcomes,
            filled_before=claim.filled_before,
            fields_updated=claim.fields_updated,
            was_lost=claim.was_lost,
            by_hand=claim.priority <= PRIORITY[JobTrigger.MANUAL],
            charged={
                provider if kind is claim.entity_type else provider + COMPANY: credits
                for (provider, kind), credits in charged.get(claim.id, {}).items()
            },
            has_erased=configs[claim.organization_id][1].has_erased,
        )
        for claim in claims
        if claim.record_id in records
    ]
    suppressing = [job for job in claimed if configs[job.organization_id][1].suppresses]
    await _mark_suppressed(services, suppressing)
    return claimed


async def load_records(record_ids: Sequence[str]) -> dict[str, LoadedRecord]:
    """These records as they are now, by id; those that are gone are left out."""
    found = await record_versions(list(dict.fromkeys(record_ids)))
    states = await record_states(found)
    return {
        record.id: LoadedRecord(
            record.external_id, record.version, states[record.id], record.raw_values or {}, record.unreadable or {}
        )
        for record in found
    }


async def _mark_suppressed(services: Services, jobs: Sequence[ClaimedJob]) -> None:
    """Note which records are on a list, and forget what of an earlier attempt's answers is on it."""
    steps = [(job, step) for job in jobs for step in job.earlier_steps if step.candidates]
    subjects = [Subject(job.organization_id, job.entity_type, job.record.state.fields, job.record.raw) for job in jobs]
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
                kept
                for kept in step.candidates
                if not holds_identifier(job.entity_type, kept["field"], kept["value"], listed)
            ]
