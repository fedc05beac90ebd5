"""Carry one job from its claim to its end: ask the waterfall, judge every field, say how the job ends."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enrichment.backoff import wait_seconds
from enrichment.catalogue import fields_of
from enrichment.judge import Heard, Hearing, judge
from enrichment.merge import discount
from enrichment.policy import Decision
from enrichment.vocabulary import JobStatus, StepOutcome
from enrichment.waterfall import SkipReason, Source, Want, Waterfall, refreshes, want
from providers.base import Provider, Question
from providers.registry import Registry
from workers.ask import Asked, Asker
from workers.load import Claimed, candidate_json, read_candidate

SHORT = {SkipReason.INSUFFICIENT_CREDITS, SkipReason.PROVIDER_DAILY_LIMIT}
LONGEST_PATIENCE = timedelta(days=1)  # with a provider that keeps telling a job to come back later
Progress = Callable[[Claimed, int, str | None], None]


@dataclass(slots=True)
class Ending:
    """How a job ends, or goes back to wait (`status` pending, with `next_attempt_at`)."""

    job: Claimed
    status: JobStatus
    steps: list[dict[str, Any]] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    matched: bool | None = None
    short_of_credits: bool = False
    error_code: str | None = None
    error_message: str | None = None
    error_retryable: bool | None = None
    next_attempt_at: datetime | None = None
    counts: bool = True  # whether this attempt uses up one of the job's

    @property
    def credits_used(self) -> int:
        return sum(step["credits_charged"] for step in self.steps)


def _skipped(job: Claimed, code: str, message: str) -> Ending:
    return Ending(job, JobStatus.SKIPPED, error_code=code, error_message=message, error_retryable=False)


async def carry(job: Claimed, registry: Registry, asker: Asker, now: Callable[[], datetime], told: Progress) -> Ending:
    """Decide how this job ends. Writes nothing but what the calls themselves cost and brought."""
    if not job.config.enabled or not job.config.entity_types.allows(job.entity_type):
        return _skipped(job, "disabled", "enrichment is switched off for this entity type")
    if _cools_down(job):
        return _skipped(job, "cooldown", f"enriched within the last {job.config.cooldown_hours} hours")
    asking = _Asking(job, registry, asker, told)
    await asking.ask_all()
    decisions = asking.judge()
    return _end(job, asking, decisions, now)


def _cools_down(job: Claimed) -> bool:
    last = job.snapshot.last_enriched_at
    return not job.forced and last is not None and last + timedelta(hours=job.config.cooldown_hours) > job.claimed_at


class _Asking:
    """The questions of one job: the waterfall's state, and what each source said."""

    def __init__(self, job: Claimed, registry: Registry, asker: Asker, told: Progress) -> None:
        self._job = job
        self._asker = asker
        self._told = told
        self._providers: dict[str, Provider] = {}
        sources: list[Source] = []
        for rule in job.config.providers:
            provider = registry.get(rule.id)
            if rule.enabled and provider is not None:
                self._providers[rule.id] = provider
                gives = provider.info.gives.get(job.entity_type, frozenset())
                sources.append(Source(rule.id, gives, provider.info.price))
        refresh = refreshes(job.trigger, forced=job.forced)
        known = [known.name for known in fields_of(job.entity_type).values() if known.enrichable]
        wants = {
            name: want(job.config, job.entity_type, name, job.snapshot.current.get(name), refresh=refresh)
            for name in known
        }
        self.waterfall = Waterfall(job.config, sources, wants)
        self.results: dict[str, Asked] = {}
        self._spent = 0
        self._fields: dict[str, Any] = dict(job.snapshot.fields)
        self._borrowed: dict[str, float] = {}  # identifiers that a source found, and how surely
        for step in job.earlier_steps:
            self._recall(step)

    def _recall(self, step: Mapping[str, Any]) -> None:
        """What an earlier attempt was answered counts: it is not asked, or paid for, again."""
        provider = step["provider"]
        outcome = StepOutcome(step["outcome"])
        if outcome in {StepOutcome.MATCH, StepOutcome.NO_MATCH} and provider in self._providers:
            candidates = {kept["field"]: read_candidate(provider, kept) for kept in step["candidates"]}
            self._note(
                provider,
                Asked(
                    outcome,
                    candidates=candidates,
                    detail=step["detail"],
                    latency_ms=step["latency_ms"],
                    credits=step["credits_charged"],
                ),
            )

    async def ask_all(self) -> None:
        count = len(self.waterfall.sources) or 1
        while (source := self.waterfall.next()) is not None:
            self._told(self._job, 5 + 90 * len(self.results) // count, source.id)
            asked = await self._ask(source)
            self._note(source.id, asked)
            if asked.waits_until is not None:
                break  # whoever comes after it may not be needed

    async def _ask(self, source: Source) -> Asked:
        limit = self._job.config.credits.per_record_max
        if source.price and limit is not None and self._spent + source.price > limit:
            return Asked(StepOutcome.SKIPPED, skipped=SkipReason.PER_RECORD_MAX)
        question = Question(
            entity_type=self._job.entity_type,
            fields=self._fields,
            wanted=self.waterfall.could_give(source),
            organization_id=self._job.organization_id,
        )
        asked = await self._asker.ask(self._providers[source.id], question, self._job)
        if self._borrowed:
            asked.candidates = discount(self._job.entity_type, asked.candidates, self._fields, self._borrowed)
        return asked

    def _note(self, source_id: str, asked: Asked) -> None:
        self.results[source_id] = asked
        self._spent += asked.credits
        confident = {
            name
            for name, candidate in asked.candidates.items()
            if candidate.confidence >= self._job.config.minimum(self._job.entity_type, name)
        }
        self.waterfall.answered(source_id, confident)
        known = fields_of(self._job.entity_type)
        for name in confident:
            # What one source found out helps to ask the next one.
            if known[name].identifying and self._fields.get(name) is None:
                self._fields = {**self._fields, name: asked.candidates[name].value}
                self._borrowed[name] = asked.candidates[name].confidence

    def judge(self) -> dict[str, Decision]:
        job = self._job
        return judge(
            Hearing(
                entity_type=job.entity_type,
                config=job.config,
                current=job.snapshot.current,
                wants=self.waterfall.wants,
                heard=[self._heard(source) for source in self.waterfall.sources],
                rejected=lambda name, value, source: job.snapshot.was_rejected(job.entity_type, name, value, source),
                asked_at=job.claimed_at,
            )
        )

    def _heard(self, source: Source) -> Heard:
        asked = self.results.get(source.id)
        if asked is None:
            return Heard(source.id, StepOutcome.SKIPPED, source.gives, skipped=self.waterfall.why_not_asked(source))
        return Heard(
            source.id,
            asked.outcome,
            source.gives,
            candidates=asked.candidates,
            skipped=asked.skipped,
            error=asked.error.message if asked.error else None,
        )

    def steps(self) -> list[dict[str, Any]]:
        """One row for each provider of the configuration, in order of priority."""
        return [self._step(place, source) for place, source in enumerate(self.waterfall.sources, 1)]

    def _step(self, place: int, source: Source) -> dict[str, Any]:
        asked = self.results.get(source.id)
        if asked is None:
            asked = Asked(StepOutcome.SKIPPED, skipped=self.waterfall.why_not_asked(source))
        return {
            "position": place,
            "provider": source.id,
            "outcome": asked.outcome.value,
            "skipped_reason": asked.skipped,
            "detail": asked.detail,
            "latency_ms": asked.latency_ms,
            "credits_charged": asked.credits,
            "fields_found": sorted(asked.candidates),
            "candidates": [candidate_json(candidate, name) for name, candidate in asked.candidates.items()],
            "error_code": asked.error.code if asked.error else None,
            "error_message": asked.error.message if asked.error else None,
            "error_retryable": asked.error.retryable if asked.error else None,
        }


def _end(job: Claimed, asking: _Asking, decisions: dict[str, Decision], now: Callable[[], datetime]) -> Ending:
    asked = asking.results.values()
    answered = [one for one in asked if one.outcome in {StepOutcome.MATCH, StepOutcome.NO_MATCH}]
    failed = [one for one in asked if one.error is not None]
    short = any(one.skipped in SHORT for one in asked)
    ending = Ending(
        job,
        JobStatus.COMPLETED,
        steps=asking.steps(),
        decisions=decisions,
        matched=any(one.outcome is StepOutcome.MATCH for one in answered) if answered else None,
        short_of_credits=short,
    )
    waits = [one.waits_until for one in asked if one.waits_until is not None]
    if waits:
        ending.status, ending.next_attempt_at, ending.counts = JobStatus.PENDING, min(waits), False
    elif failed:
        _end_with_errors(ending, failed, now)
    elif short:
        _blame(ending, "insufficient_credits", "there were not enough credits to ask a paid provider", retryable=True)
        ending.status = JobStatus.PARTIAL if _wrote(ending) else JobStatus.FAILED
    elif not answered:
        _end_unasked(ending, asking)
    return ending


def _end_unasked(ending: Ending, asking: _Asking) -> None:
    ending.status = JobStatus.SKIPPED
    if any(one.skipped is SkipReason.NOT_ENOUGH_INPUT for one in asking.results.values()):
        _blame(ending, "not_enough_input", "the record has nothing that a provider could be asked with")
    elif any(one.skipped in {SkipReason.BUDGET, SkipReason.PER_RECORD_MAX} for one in asking.results.values()):
        _blame(ending, "budget", "the credits allowed for this record or request do not reach")
    elif all(why is Want.NONE for why in asking.waterfall.wants.values()) or asking.waterfall.sources:
        _blame(ending, "nothing_to_fill", "no provider could add anything that the policies allow")
    else:
        _blame(ending, "no_provider", "no provider is switched on")


def _end_with_errors(ending: Ending, failed: list[Asked], now: Callable[[], datetime]) -> None:
    job = ending.job
    errors = [one.error for one in failed if one.error is not None]
    worst = min(errors, key=lambda error: (not error.retryable, error.code == "rate_limited"))
    _blame(ending, worst.code, worst.message, retryable=worst.retryable)
    # A provider's pace is nobody's failure, but does not hold a job for ever.
    ending.counts = worst.code != "rate_limited" or now() - job.created_at > LONGEST_PATIENCE
    if worst.retryable and (job.attempts < job.max_attempts or not ending.counts):
        waits = [
            wait_seconds(
                job.config.backoff,
                job.attempts,
                spread=random.random(),  # noqa: S311 -- spreads load, guards nothing
                retry_after=error.retry_after_seconds,
            )
            for error in errors
            if error.retryable
        ]
        ending.status = JobStatus.PENDING
        ending.next_attempt_at = now() + timedelta(seconds=max(waits))
    else:
        ending.status = JobStatus.PARTIAL if _wrote(ending) else JobStatus.FAILED


def _blame(ending: Ending, code: str, message: str, *, retryable: bool = False) -> None:
    ending.error_code, ending.error_message, ending.error_retryable = code, message, retryable


def _wrote(ending: Ending) -> bool:
    return bool(ending.job.fields_updated) or any(decision.write for decision in ending.decisions.values())
