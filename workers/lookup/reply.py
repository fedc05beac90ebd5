"""What a provider's answer comes to for a job: canonical values, and the words for what is no answer."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enrichment.catalogue import Refused, earlier_form, fields_of, normalize, reads_by_country, says_nothing
from enrichment.decide.merge import MOST_CONFIDENCE, Candidate
from enrichment.enums import StepOutcome
from enrichment.storable import storable
from enrichment.waterfall.findings import read_findings
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.row import CachedAnswer
from providers.api import Answer, Pending, Provider, ProviderError, Question


@dataclass(slots=True)
class LookupReply(Reply):
    """How a lookup ended. `pending`: what the provider said of an answer that comes later.

    `extra`: the answer brought what costs more; `uncounted`: it costs nothing, whatever the provider counts; `stated`:
    the credits that the provider says it consumed. `is_part`: it serves nobody else. `lifetime`: how long it is
    remembered, where it is an answer.
    """

    extra: bool = False
    uncounted: bool = False
    is_part: bool = False
    stated: float | None = None
    lifetime: timedelta | None = None
    error: ProviderError | None = None
    pending: Pending | None = None

    @property
    def is_to_be_asked_alone(self) -> bool:
        """Of a question among many: whether the request was refused, maybe on another question's account."""
        error = self.error
        return error is not None and error.code == "rejected" and error.retryable and not error.maybe_charged


def reply_of(provider: Provider, question: Question, answer: Answer | Pending, now: datetime) -> LookupReply:
    """The provider's answer as a reply."""
    if isinstance(answer, Pending):
        partial = canonical(provider, question, answer.so_far, now) if answer.so_far else {}
        reply = waiting(now + timedelta(seconds=max(answer.retry_after_seconds, 0.1)), partial)
        reply.pending = answer
        return reply
    reply = LookupReply(
        StepOutcome.MATCH if answer.matched else StepOutcome.NO_MATCH,
        candidates=canonical(provider, question, answer, now) if answer.matched else {},
        detail=storable(answer.detail),
        extra=answer.extra,
        uncounted=answer.uncounted,
        is_part=answer.is_part,
        stated=answer.stated,
        lifetime=provider.info.lifetime_of(answer),
    )
    if answer.opted_out:
        reply.outcome, reply.skipped, reply.candidates = StepOutcome.SKIPPED, SkipReason.OPTED_OUT, {}
    return reply


def canonical(provider: Provider, question: Question, answer: Answer, now: datetime) -> dict[str, Candidate]:
    """The answer's findings as canonical values; what cannot be a field's value is left out.

    A value that the source dates into the future counts as observed now.
    """
    gives = provider.info.gives.get(question.entity_type, frozenset())
    fields = fields_of(question.entity_type)
    candidates: dict[str, Candidate] = {}
    for finding in answer.findings:
        if finding.field not in gives or finding.field not in fields or finding.field in candidates:
            continue
        value = _value(question, finding.field, finding.value)
        if value is not None:
            confidence = min(max(float(finding.confidence), 0.0), MOST_CONFIDENCE)
            candidates[finding.field] = Candidate(
                provider.info.id,
                value,
                confidence,
                min(finding.observed_at or now, now),
                earlier=earlier_form(question.entity_type, finding.field, finding.value, hints=question.fields),
                raw=_raw(question, finding.field, finding.value, value),
            )
    return candidates


def _value(question: Question, name: str, raw: Any) -> Any | None:
    """The canonical value of what a source gives; None where it cannot be the field's, or says nothing."""
    try:
        value = normalize(question.entity_type, name, raw, hints=question.fields)
    except Refused:
        return None
    return None if value is None or says_nothing(question.entity_type, name, value) else value


def _raw(question: Question, name: str, raw: Any, value: Any) -> Any | None:
    """The value as it was given, where it was read as one of the record's country."""
    return raw if raw != value and reads_by_country(question.entity_type, name) else None


def candidates_of(provider: Provider, question: Question, cached: CachedAnswer) -> dict[str, Candidate]:
    """The findings of a cached answer as candidates, of what the provider gives today."""
    gives = provider.info.gives.get(question.entity_type, frozenset())
    found = read_findings(provider.info.id, cached.findings or [])
    candidates: dict[str, Candidate] = {}
    for name, candidate in found.items():
        # What was read as of another record's country is read as of this one's.
        value = candidate.value if candidate.raw is None else _value(question, name, candidate.raw)
        if name in gives and value is not None:
            candidates[name] = replace(candidate, value=value)
    return candidates


def reused(provider: Provider, question: Question, cached: CachedAnswer) -> LookupReply:
    """A cached answer as a reply."""
    assert cached.answered_at is not None  # an answered one
    since = cached.answered_at.date().isoformat()
    if cached.opted_out:
        return skipped(SkipReason.OPTED_OUT, f"{cached.detail} (on {since})".strip())
    return LookupReply(
        StepOutcome.MATCH if cached.matched else StepOutcome.NO_MATCH,
        candidates=candidates_of(provider, question, cached) if cached.matched else {},
        detail=f"{cached.detail} (answered on {since}, not asked again)".strip(),
        reused=True,
    )


def waiting(
    until: datetime,
    partial: dict[str, Candidate] | None = None,
    detail: str = "",
    *,
    reason: SkipReason = SkipReason.WAITING,
) -> LookupReply:
    """An answer that is not there yet; what came at once (`partial`) is part of it."""
    return LookupReply(StepOutcome.SKIPPED, candidates=partial or {}, skipped=reason, detail=detail, waits_until=until)


def with_partial(reply: LookupReply, partial: dict[str, Candidate], *, over: bool) -> LookupReply:
    """The reply with what came at once, which is part of it and was a match; when the wait is `over`, that alone."""
    if reply.pending is not None and not over:
        reply.candidates = {**partial, **reply.candidates}
        return reply
    if reply.skipped is SkipReason.OPTED_OUT:
        return reply
    if reply.pending is not None or reply.error is not None:
        if partial:
            detail, stated = "the rest of the answer never came", reply.error.stated if reply.error else None
            return LookupReply(StepOutcome.MATCH, candidates=partial, detail=detail, stated=stated)
        if over:
            return failed(ProviderError("timeout", "the promised answer never came", retryable=False))
        return reply
    if partial:
        reply.outcome, reply.candidates = StepOutcome.MATCH, {**partial, **reply.candidates}
    return reply


def skipped(reason: SkipReason, detail: str = "") -> LookupReply:
    """A question that was not asked."""
    return LookupReply(StepOutcome.SKIPPED, skipped=reason, detail=detail)


def failed(error: ProviderError) -> LookupReply:
    """A question that the provider could not answer."""
    return LookupReply(StepOutcome.ERROR, detail=error.message, error=error)


def maybe_charged(message: str) -> ProviderError:
    """The error of a call that may have been charged and is not repeated."""
    return ProviderError("maybe_charged", message, retryable=False)
