"""One job from its claim to its result: whom to ask next, what each reply leads to, and how the job ends.

Nothing is asked and nothing written here: `workers.job.batch` does that for many jobs at once.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from enrichment.decide.decision import Decision
from enrichment.decide.job_outcome import Attempt, JobOutcome, job_outcome, skipped_outcome
from enrichment.decide.start import why_not_started
from enrichment.enums import AnsweredQuestion, JobStatus, StepOutcome
from enrichment.packed_json import pack
from enrichment.replay.snapshot import Origin
from enrichment.replay.snapshot_json import write_snapshot
from enrichment.waterfall.planner import COMPANY
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import JobContext, WaterfallSession
from enrichment.words import NO_NAMES, WITHHELD, Names
from models.job.steps import EarlierStep
from providers.api import Provider, Question
from providers.registry import Registry
from providers.sources import question_of, sources_of
from workers.job.candidates import read_candidate
from workers.job.load import ClaimedJob

_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing; the process's own is left to others


@dataclass(slots=True)
class JobResult:
    """How a job ends, or goes back to wait (`status` pending, with `next_attempt_at`)."""

    job: ClaimedJob
    status: JobStatus
    replies: list[tuple[str, Reply]] = field(default_factory=list)  # by provider, in order of priority
    decisions: dict[str, Decision] = field(default_factory=dict)
    matched: bool | None = None
    short_of_credits: bool = False
    error_code: str | None = None
    error_message: str | None = None
    error_retryable: bool | None = None
    next_attempt_at: datetime | None = None
    counts: bool = True  # whether this attempt uses up one of the job's
    snapshot: bytes | None = None  # the decision snapshot, packed; None where it would show nothing new

    @property
    def credits_used(self) -> int:
        return sum(self.job.charged.values())


def _job_result(job: ClaimedJob, end: JobOutcome) -> JobResult:
    return JobResult(
        job,
        end.status,
        matched=end.matched,
        short_of_credits=end.short_of_credits,
        error_code=end.error_code,
        error_message=end.error_message,
        error_retryable=end.error_retryable,
        next_attempt_at=end.next_attempt_at,
        counts=end.counts,
    )


@dataclass(slots=True)
class Course:
    """The course of one attempt of a job, between its claim and its result."""

    job: ClaimedJob
    attempt: Attempt
    providers: Mapping[str, Provider]
    session: WaterfallSession

    def next_question(self) -> tuple[str, Provider, Question] | None:
        """The source to ask next, its provider, and what; None when nobody could still help. Notes how far it is."""
        query = self.session.next_question()
        if query is None:
            return None
        source, job = query.source, self.job
        count = len(self.session.waterfall.sources) or 1
        job.progress, job.running_step = 5 + 90 * len(self.session.results) // count, source.provider
        provider = self.providers[source.provider]
        return source.id, provider, question_of(provider.info, job.entity_type, query, job.organization_id)

    def record_reply(self, source: str, reply: Reply) -> None:
        """What became of the question that was given last, and of what it cost."""
        job = self.job
        if reply.credits or source in job.charged:
            # Also what it paid before it was decided again, or before its worker died; it pays a provider once.
            job.charged[source] = reply.credits = max(job.charged.get(source, 0), reply.credits)
        self.session.record_reply(source, reply)

    def result(self, now: datetime) -> JobResult:
        """Every field decided, and how the job ends."""
        job, session = self.job, self.session
        decisions = session.decide()
        attempt = replace(self.attempt, at=now)
        end = job_outcome(session, decisions, job.config, attempt)
        result = _job_result(job, end)
        result.decisions = decisions
        result.replies = _replies(session)
        if end.status.is_final or _brought_something(job, session, decisions):
            result.snapshot = _packed_snapshot(job, attempt, end, session, decisions)
        return result


def begin(job: ClaimedJob, registry: Registry, now: datetime) -> Course | JobResult:
    """The course of a claimed job; its result at once where nobody is to be asked at all."""
    not_started = why_not_started(
        job.config,
        job.entity_type,
        forced=job.forced,
        last_enriched_at=job.record.state.last_enriched_at,
        at=job.claimed_at,
        suppressed=job.suppressed,
    )
    attempt = Attempt(
        number=job.attempts,
        most=job.max_attempts,
        created_at=job.created_at,
        at=now,
        wrote_before=bool(job.fields_updated),
        spread=_CHANCE.random(),
    )
    if not_started is not None:
        end = skipped_outcome(not_started, job.config)
        result = _job_result(job, end)
        result.snapshot = _packed_snapshot(job, attempt, end)
        return result
    providers = _providers(job, registry)
    return Course(job, attempt, providers, _begin(job, providers, registry.names))


def failed_result(job: ClaimedJob, now: datetime) -> JobResult:
    """After a fault of our own the job tries again later, as long as it has attempts, and says so."""
    again = job.attempts < job.max_attempts
    return JobResult(
        job,
        JobStatus.PENDING if again else JobStatus.FAILED,
        error_code="internal",
        error_message="an internal error; the service's log has it under this job's id",
        error_retryable=True,
        next_attempt_at=now + timedelta(seconds=10 * job.attempts) if again else None,
    )


def put_off_result(job: ClaimedJob, now: datetime) -> JobResult:
    """After the database or Redis failed the job goes on when that is back, and no attempt is used up."""
    return JobResult(
        job,
        JobStatus.PENDING,
        error_code="unavailable",
        error_message="the database or the queue could not be reached; the job goes on by itself",
        error_retryable=True,
        next_attempt_at=now + timedelta(seconds=_CHANCE.uniform(1.0, 3.0)),
        counts=False,
    )


def _brought_something(job: ClaimedJob, session: WaterfallSession, decisions: Mapping[str, Decision]) -> bool:
    """Whether an attempt after which the job waits brought anything: it may wait for one answer many times."""
    earlier = {outcome["field"]: outcome["reason"] for outcome in job.earlier_outcomes}
    return any(given.reply.outcome.is_answer for given in session.replies.values()) or any(
        decision.write or decision.verified_at or (decision.question and earlier.get(name) != decision.reason)
        for name, decision in decisions.items()
    )


def _packed_snapshot(
    job: ClaimedJob,
    attempt: Attempt,
    end: JobOutcome,
    session: WaterfallSession | None = None,
    decisions: Mapping[str, Decision] | None = None,
) -> bytes:
    origin = Origin(job.trigger, job.forced, job.by_hand, job.config_version)
    last_enriched_at = job.record.state.last_enriched_at
    snapshot = write_snapshot(_subject(job), origin, last_enriched_at, attempt, end, session, decisions)
    return pack(snapshot)


def _providers(job: ClaimedJob, registry: Registry) -> dict[str, Provider]:
    """Those that are switched on, in order of priority."""
    switched_on = (rule.id for rule in job.config.providers if rule.enabled)
    return {name: provider for name in switched_on if (provider := registry.get(name)) is not None}


def _begin(job: ClaimedJob, providers: Mapping[str, Provider], names: Names) -> WaterfallSession:
    infos = [provider.info for provider in providers.values()]
    sources = sources_of(infos, job.entity_type, company_questions=job.config.company_questions)
    session = WaterfallSession(_subject(job, names), sources, job.charged)
    for step in job.earlier_steps:
        answered = _answered_source(step)
        if answered is not None and any(source.id == answered for source in sources):
            session.restore_reply(answered, _recalled(job, step, answered))
    return session


def _subject(job: ClaimedJob, names: Names = NO_NAMES) -> JobContext:
    return JobContext(
        entity_type=job.entity_type,
        config=job.config,
        trigger=job.trigger,
        forced=job.forced,
        fields=job.record.state.fields,
        current=job.record.state.current,
        rejected=job.record.state.rejected,
        asked_at=job.claimed_at,
        trust=job.trust,
        names=names,
        half_lives=job.half_lives,
        yields=job.yields,
    )


def _answered_source(step: EarlierStep) -> str | None:
    """The source whose answer a step has. Where only one of a provider's two questions failed, that is put again."""
    if step.answered_question is AnsweredQuestion.COMPANY:
        return step.provider + COMPANY
    return step.provider if step.answered_question is not None or step.outcome.is_answer else None


def _recalled(job: ClaimedJob, step: EarlierStep, source_id: str) -> Reply:
    other = step.provider if source_id.endswith(COMPANY) else step.provider + COMPANY
    kept = [stored for stored in step.candidates if not job.keeps_out(stored["field"], stored["value"])]
    withheld = {outcome["field"] for outcome in job.earlier_outcomes if outcome["detail"] == WITHHELD}
    return Reply(
        step.outcome if step.outcome.is_answer else StepOutcome.NO_MATCH,
        candidates={stored["field"]: read_candidate(step.provider, stored) for stored in kept},
        withheld=frozenset(withheld | {stored["field"] for stored in step.candidates if stored not in kept}),
        detail=step.detail,
        latency_ms=step.latency_ms,
        credits=step.credits_charged - job.charged.get(other, 0),
    )


def _replies(session: WaterfallSession) -> list[tuple[str, Reply]]:
    """Every provider that is switched on with its reply, in order of priority."""
    return session.replies_by_provider()
