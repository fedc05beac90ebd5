"""What a provider's answer comes to for a job: canonical values, and the words for what is no answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import Refused, fields_of, normalize
from enrichment.decide.merge import Candidate
from enrichment.enums import StepOutcome
from enrichment.waterfall.planner import SkipReason
from enrichment.waterfall.session import Reply
from models.answer_cache import CachedAnswer
from models.db.columns import from_micros
from providers.api import Answer, Pending, Provider, ProviderError, Question

_MOST_CONFIDENCE = 0.99


@dataclass(slots=True)
class LookupReply(Reply):
    """How asking ended. `pending`: what the provider said of an answer that comes later.

    `extra`: the answer brought what costs more; `uncounted`: it costs nothing, whatever the provider counts.
    """

    extra: bool = False
    uncounted: bool = False
    error: ProviderError | None = None
    pending: Pending | None = None


def canonical(provider: Provider, question: Question, answer: Answer, moment: datetime) -> dict[str, Candidate]:
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
    return candidates


def candidates_of(provider: Provider, question: Question, findings: list[dict[str, Any]]) -> dict[str, Candidate]:
    """Kept findings as candidates, of what the provider gives today."""
    gives = provider.info.gives.get(question.entity_type, frozenset())
    return {
        finding["field"]: Candidate(
            provider.info.id,
            finding["value"],
            finding["confidence"],
            datetime.fromisoformat(finding["observedAt"]),
        )
        for finding in findings
        if finding["field"] in gives
    }


def reused(provider: Provider, question: Question, kept: CachedAnswer) -> LookupReply:
    """An answer that was kept."""
    since = from_micros(kept.answered_at or 0).date().isoformat()
    return LookupReply(
        StepOutcome.MATCH if kept.matched else StepOutcome.NO_MATCH,
        candidates=candidates_of(provider, question, kept.findings) if kept.matched else {},
        detail=f"{kept.detail} (answered on {since}, not asked again)".strip(),
        reused=True,
    )


def finding_json(name: str, candidate: Candidate) -> dict[str, Any]:
    """A candidate as an answer keeps it; `candidates_of` reads it."""
    return {
        "field": name,
        "value": candidate.value,
        "confidence": candidate.confidence,
        "observedAt": candidate.observed_at.isoformat(),
    }


def waiting(
    until: datetime,
    so_far: dict[str, Candidate] | None = None,
    detail: str = "",
    *,
    reason: SkipReason = SkipReason.WAITING,
) -> LookupReply:
    """An answer that is not there yet; what came at once is part of it."""
    return LookupReply(StepOutcome.SKIPPED, candidates=so_far or {}, skipped=reason, detail=detail, waits_until=until)


def with_so_far(asked: LookupReply, so_far: dict[str, Candidate], *, over: bool) -> LookupReply:
    """The answer with what came at once, which is part of it and was a match; when the wait is `over`, that alone."""
    if asked.pending is not None and not over:
        asked.candidates = {**so_far, **asked.candidates}
        return asked
    if asked.pending is not None or asked.error is not None:
        if so_far:
            return LookupReply(StepOutcome.MATCH, candidates=so_far, detail="the rest of the answer never came")
        if over:
            return failed(ProviderError("timeout", "the promised answer never came", retryable=False))
        return asked
    if so_far:
        asked.outcome, asked.candidates = StepOutcome.MATCH, {**so_far, **asked.candidates}
    return asked


def failed(error: ProviderError) -> LookupReply:
    """A question that the provider could not answer."""
    return LookupReply(StepOutcome.ERROR, detail=error.message, error=error)


def maybe_charged(told: str) -> ProviderError:
    """The error of a call that may have been charged and is not repeated."""
    return ProviderError("maybe_charged", told, retryable=False)
