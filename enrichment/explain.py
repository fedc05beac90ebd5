"""Why a field holds what it holds, in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import (
    HUMAN_SOURCES,
    SOURCE_CRM,
    SOURCE_REVIEWER,
    ConflictStatus,
    FieldOutcomeReason,
    FieldPolicy,
    JobTrigger,
    ResolutionAction,
)


@dataclass(frozen=True, slots=True)
class StatedValue:
    """A value that a source gave for the field in a job, and when. `held` is the value the field holds now.

    `turned_down`: a person rejected this value of this source.
    """

    provider: str
    value: Any
    confidence: float
    observed_at: datetime
    told_at: datetime
    job_id: str
    held: bool
    turned_down: bool


@dataclass(frozen=True, slots=True)
class LatestOutcome:
    """How the field ended in the last job that looked at it."""

    reason: FieldOutcomeReason
    detail: str
    provider: str | None
    confidence: float | None
    job_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CurrentValue:
    """The value, its provenance and what started its job. `before` is the value and source that it replaced."""

    value: Any
    source: str
    actor: str | None
    confidence: float
    observed_at: datetime
    since: datetime
    job_id: str | None
    trigger: JobTrigger | None
    before: tuple[Any, str] | None
    put_back: bool


@dataclass(frozen=True, slots=True)
class LatestConflict:
    """The newest conflict about the field."""

    status: ConflictStatus
    raised_at: datetime
    settled_at: datetime | None
    resolved_by: str | None
    action: ResolutionAction | None


@dataclass(frozen=True, slots=True)
class ExplanationFacts:
    """All that is known of one field of one record. `credits` is what its value's source was paid in its job,
    `credits_of_record` what all jobs of the record cost. `emptied_at`: an undo emptied it then.
    """

    field: str
    held: CurrentValue | None
    emptied_at: datetime | None
    policy: FieldPolicy
    minimum: float
    enrichable: bool
    verdict: LatestOutcome | None
    told: Sequence[StatedValue]
    question: LatestConflict | None
    credits: int
    credits_of_record: int


def to_sentences(facts: ExplanationFacts) -> list[str]:
    """The facts as sentences, in the order in which one would ask."""
    return [
        *_value(facts),
        *_rivals(facts),
        _policy(facts),
        *_verdict(facts),
        *_question(facts),
        _cost(facts),
    ]


def _value(facts: ExplanationFacts) -> Iterator[str]:
    held = facts.held
    if held is None or held.value is None:
        yield f"{facts.field} is empty."
        if facts.emptied_at is not None:
            yield f"An undo emptied it on {_day(facts.emptied_at)}."
        elif held is not None:
            yield f"{_source(held.source, held.actor)} cleared it on {_day(held.since)}."
        return
    yield f"{facts.field} is {_shown(held.value)}."
    if held.source == SOURCE_CRM:
        yield f"The CRM sent it on {_day(held.observed_at)}."
    elif held.source == SOURCE_REVIEWER:
        yield f"{held.actor or 'A reviewer'} chose it in review on {_day(held.observed_at)}."
    else:
        started = f" in a job started by {held.trigger.value}" if held.trigger else ""
        yield (
            f"{held.source} gave it{started}, with a confidence of {held.confidence:.2f};"
            f" it was observed on {_day(held.observed_at)}."
        )
    if held.put_back:
        yield f"An undo put it back on {_day(held.since)}."
    if held.before is not None and held.before[0] is not None:
        value, source = held.before
        yield f"Before, it was {_shown(value)}, from {_source(source, None).lower()}."


def _rivals(facts: ExplanationFacts) -> Iterator[str]:
    others = [told for told in facts.told if not told.held]
    if others:
        shown = ", ".join(
            f"{_shown(told.value)} by {told.provider} ({told.confidence:.2f}"
            f"{', turned down by a person' if told.turned_down else ''})"
            for told in others[:5]
        )
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        yield f"Also proposed: {shown}{more}."


def _policy(facts: ExplanationFacts) -> str:
    if not facts.enrichable:
        return "This field is never enriched."
    return f"The policy of the field is {facts.policy.value}; the least confidence to write is {facts.minimum:.2f}."


def _verdict(facts: ExplanationFacts) -> Iterator[str]:
    verdict = facts.verdict
    if verdict is None:
        if facts.enrichable:
            yield "No job has looked at it yet."
        return
    about = f" (about what {verdict.provider} said)" if verdict.provider else ""
    detail = f": {verdict.detail}" if verdict.detail else ""
    yield f"The last job, on {_day(verdict.at)}, ended {verdict.reason.value} for it{about}{detail}."


def _question(facts: ExplanationFacts) -> Iterator[str]:
    question = facts.question
    if question is None:
        return
    if question.status is ConflictStatus.OPEN:
        yield f"A conflict about it has waited for a person since {_day(question.raised_at)}."
    elif question.status is ConflictStatus.SUPERSEDED:
        yield "A conflict about it went away because the record changed."
    elif question.action is not None and question.settled_at is not None:
        done = {
            ResolutionAction.ACCEPT_CANDIDATE: "accepted a proposed value",
            ResolutionAction.KEEP_CURRENT: "kept the value",
            ResolutionAction.CUSTOM_VALUE: "set a value",
        }[question.action]
        yield f"{question.resolved_by or 'A reviewer'} {done} in review on {_day(question.settled_at)}."


def _cost(facts: ExplanationFacts) -> str:
    spent = _credits(facts.credits_of_record)
    if facts.held is None or facts.held.source in HUMAN_SOURCES:
        return f"Enriching this record has cost {spent} so far."
    return f"{facts.held.source} was paid {_credits(facts.credits)} in that job; the record has cost {spent} so far."


def _credits(count: int) -> str:
    return "1 credit" if count == 1 else f"{count} credits" if count else "no credits"


def _source(source: str, actor: str | None) -> str:
    if source == SOURCE_CRM:
        return "The CRM"
    return (actor or "A reviewer") if source == SOURCE_REVIEWER else source


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"“{value if len(value) <= 80 else value[:79] + '…'}”"
    if isinstance(value, list):
        return f"“{', '.join(str(part) for part in value[:5])}{', …' if len(value) > 5 else ''}”"
    return str(value)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
