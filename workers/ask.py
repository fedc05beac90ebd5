"""Ask one provider for one job: from kept answers if there is one, else by a call that is paid for once."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from enrichment.catalogue import Refused, fields_of, normalize
from enrichment.credits import Limits
from enrichment.merge import Candidate
from enrichment.vocabulary import StepOutcome
from enrichment.waterfall import SkipReason
from models.answers import Inquiry, Kept
from models.fields import from_micros
from providers.base import Answer, Provider, ProviderError, Question
from resolvers.ledger import Hold
from workers.desk import Closing, Desk, HoldRequest
from workers.load import Claimed

CALL_SECONDS = 30.0
POLL_SECONDS = 0.1  # between two looks for an answer that another job is waiting for
_MOST_CONFIDENCE = 0.99

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Asked:
    """How asking ended."""

    outcome: StepOutcome
    candidates: dict[str, Candidate] = field(default_factory=dict)
    skipped: SkipReason | None = None
    detail: str = ""
    latency_ms: int | None = None
    credits: int = 0
    error: ProviderError | None = None


async def ask(provider: Provider, question: Question, job: Claimed, desk: Desk, now: Callable[[], datetime]) -> Asked:
    """Look the record up. A failing provider is an outcome here, never an exception."""
    try:
        input_key = provider.input_key(question)
    except Exception:
        _log.exception("provider cannot read the question", provider=provider.info.id, job_id=job.id)
        return _failed(ProviderError("invalid_answer", "the provider failed on this record", retryable=False))
    if input_key is None:
        return Asked(StepOutcome.SKIPPED, skipped=SkipReason.NOT_ENOUGH_INPUT, detail=f"needs {provider.info.needs}")
    if not keeps_answers(provider):
        return await _call(provider, question, now)
    inquiry = Inquiry(job.organization_id, provider.info.id, _digest(input_key), job.id)
    taken = await desk.take(inquiry)
    while taken is False:
        await asyncio.sleep(POLL_SECONDS)
        taken = await desk.take(inquiry)
    if isinstance(taken, Kept):
        return _reuse(provider, question, taken)
    return await _pay_and_call(provider, question, job, desk, inquiry, now)


def keeps_answers(provider: Provider) -> bool:
    """Whether answers are kept: always where they cost credits."""
    return provider.info.price > 0 or provider.info.answer_lifetime_days > 0


def _digest(input_key: str) -> str:
    return hashlib.sha256(input_key.encode("utf-8", "surrogatepass")).hexdigest()


async def _pay_and_call(
    provider: Provider, question: Question, job: Claimed, desk: Desk, inquiry: Inquiry, now: Callable[[], datetime]
) -> Asked:
    reservation: str | None = None
    answered = False
    try:
        if provider.info.price:
            held = await desk.hold(_hold(provider, job))
            if isinstance(held, SkipReason):
                return Asked(StepOutcome.SKIPPED, skipped=held)
            reservation = held
        asked = await _call(provider, question, now)
        if asked.error is None:
            asked.credits = await desk.close_call(_closing(provider, asked, inquiry, reservation))
            answered = True
        return asked
    finally:
        if not answered:
            # Also when this job is being stopped: the question and the price are free for others again.
            await asyncio.shield(desk.close_call(Closing(job.organization_id, reservation, inquiry)))


def _hold(provider: Provider, job: Claimed) -> HoldRequest:
    rule = next((rule for rule in job.config.providers if rule.id == provider.info.id), None)
    return HoldRequest(
        job.organization_id,
        Hold(
            job_id=job.id,
            record_id=job.record_id,
            provider=provider.info.id,
            price=provider.info.price,
            entity_type=job.entity_type,
            trigger=job.trigger,
            provider_daily_limit=rule.daily_limit if rule else None,
        ),
        Limits(job.config.credits.monthly_limit, job.config.credits.daily_limit),
    )


def _closing(provider: Provider, asked: Asked, inquiry: Inquiry, reservation: str | None) -> Closing:
    matched = asked.outcome is StepOutcome.MATCH
    lifetime = provider.info.answer_lifetime_days if matched else provider.info.miss_lifetime_days
    return Closing(
        organization_id=inquiry.organization_id,
        reservation_id=reservation,
        inquiry=inquiry,
        matched=matched,
        findings=[_finding_json(name, candidate) for name, candidate in asked.candidates.items()],
        detail=asked.detail,
        lifetime_days=lifetime or 30,
    )


def _finding_json(name: str, candidate: Candidate) -> dict[str, Any]:
    return {
        "field": name,
        "value": candidate.value,
        "confidence": candidate.confidence,
        "observedAt": candidate.observed_at.isoformat(),
    }


async def _call(provider: Provider, question: Question, now: Callable[[], datetime]) -> Asked:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CALL_SECONDS):
            answer = await provider.ask(question)
        asked = _read(provider, question, answer, now())
    except ProviderError as error:
        asked = _failed(error)
    except TimeoutError:
        asked = _failed(ProviderError("timeout", f"no answer within {CALL_SECONDS:.0f} s", retryable=True))
    except Exception:
        # A bug in an adapter, or an answer that it did not foresee, harms this step alone.
        _log.exception("provider failed", provider=provider.info.id)
        asked = _failed(ProviderError("invalid_answer", "the provider's answer could not be read", retryable=False))
    asked.latency_ms = round((time.perf_counter() - started) * 1000)
    return asked


def _failed(error: ProviderError) -> Asked:
    return Asked(StepOutcome.ERROR, detail=error.message, error=error)


def _read(provider: Provider, question: Question, answer: Answer, moment: datetime) -> Asked:
    """The answer's findings as canonical values; what cannot be a field's value is left out."""
    gives = provider.info.gives.get(question.entity_type, frozenset())
    known = fields_of(question.entity_type)
    candidates: dict[str, Candidate] = {}
    for finding in answer.findings:
        if finding.field not in gives or finding.field not in known or finding.field in candidates:
            continue
        try:
            value = normalize(question.entity_type, finding.field, finding.value, hints=question.fields)
        except Refused:
            continue
        if value is not None:
            confidence = min(max(float(finding.confidence), 0.0), _MOST_CONFIDENCE)
            seen = min(finding.observed_at or moment, moment)
            candidates[finding.field] = Candidate(provider.info.id, value, confidence, seen)
    outcome = StepOutcome.MATCH if answer.matched else StepOutcome.NO_MATCH
    return Asked(outcome, candidates=candidates if answer.matched else {}, detail=answer.detail)


def _reuse(provider: Provider, question: Question, kept: Kept) -> Asked:
    gives = provider.info.gives.get(question.entity_type, frozenset())
    candidates = {
        finding["field"]: Candidate(
            provider.info.id,
            finding["value"],
            finding["confidence"],
            datetime.fromisoformat(finding["observedAt"]),
        )
        for finding in kept.findings
        if finding["field"] in gives
    }
    since = from_micros(kept.answered_at).date().isoformat()
    return Asked(
        StepOutcome.MATCH if kept.matched else StepOutcome.NO_MATCH,
        candidates=candidates if kept.matched else {},
        detail=f"{kept.detail} (answered on {since}, not asked again)".strip(),
    )
