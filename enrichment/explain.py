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
    FieldUnit,
    JobTrigger,
    ResolutionAction,
)
from enrichment.words import ENDED, LEFT_ALONE, POLICIES, STARTED_BY, WITHHELD, NameOf, at_start, of_detail, source_name


@dataclass(frozen=True, slots=True)
class StatedValue:
    """A value that a source gave for the field in a job, and when. `is_current`: the field holds it now.

    `is_rejected`: a person rejected this value of this source.
    """

    provider: str
    value: Any
    confidence: float
    observed_at: datetime
    stated_at: datetime
    job_id: str
    is_current: bool
    is_rejected: bool


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
class AcceptedValue:
    """What a reviewer accepted: whose value, how sure the source was of it (0-1), and when the source saw it."""

    provider: str
    confidence: float
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class CurrentValue:
    """The value, its provenance and what started its job. `previous` is the value and source that it replaced.

    `is_restored`: an undo brought it back, `is_taken_back`: taking back a decision did. `accepted` is the source's
    value that a reviewer chose, where it is known. Where `observed_at_known` is False, `observed_at` says nothing.
    `raw` is what the CRM sent, as it was sent; `unreadable` why it cannot be read, where there is no value for that
    reason.
    """

    value: Any
    source: str
    actor: str | None
    confidence: float
    observed_at: datetime
    since: datetime
    job_id: str | None
    trigger: JobTrigger | None
    previous: tuple[Any, str] | None
    is_restored: bool
    observed_at_known: bool = True
    raw: Any = None
    unreadable: str | None = None
    accepted: AcceptedValue | None = None
    is_taken_back: bool = False


@dataclass(frozen=True, slots=True)
class LatestConflict:
    """The newest conflict about the field, or about the unit that it is a part of; then `action` is the part's."""

    status: ConflictStatus
    raised_at: datetime
    settled_at: datetime | None
    resolved_by: str | None
    action: ResolutionAction | None
    unit: FieldUnit | None = None


@dataclass(frozen=True, slots=True)
class ExplanationFacts:
    """All that is known of one field of one record.

    `emptied_at` is when an undo emptied it, or taking back a decision (`emptied_in_review`).

    `credits` is what its value's source was paid in its job, `credits_of_record` what all jobs of the record cost.
    """

    field: str
    current: CurrentValue | None
    emptied_at: datetime | None
    emptied_in_review: bool
    policy: FieldPolicy
    minimum: float
    enrichable: bool
    last_outcome: LatestOutcome | None
    stated: Sequence[StatedValue]
    conflict: LatestConflict | None
    credits: int
    credits_of_record: int


def to_sentences(facts: ExplanationFacts, name_of: NameOf = source_name) -> list[str]:
    """The facts as sentences, in the order in which a reader would ask; `name_of` names a source."""
    return [
        *_value(facts, name_of),
        *_alternatives(facts, name_of),
        _policy(facts),
        *_last_outcome(facts, name_of),
        *_conflict(facts),
        _cost(facts, name_of),
    ]


def _value(facts: ExplanationFacts, name_of: NameOf) -> Iterator[str]:
    current = facts.current
    if current is not None and current.unreadable is not None:
        yield from _unreadable(facts.field, current)
        return
    if current is None or current.value is None:
        yield from _empty(facts, name_of)
        return
    yield f"{facts.field} is {_shown(current.value)}."
    if current.source == SOURCE_CRM:
        yield _sent(current)
    elif current.source == SOURCE_REVIEWER:
        yield _chosen(current, name_of)
    else:
        started = f" in a job that was started {STARTED_BY[current.trigger]}" if current.trigger else ""
        yield (
            f"{at_start(name_of(current.source))} gave it{started}, with a confidence of {current.confidence:.2f};"
            f" it was observed on {_day(current.observed_at)}."
        )
    if current.is_restored:
        yield f"An undo put it back on {_day(current.since)}."
    elif current.is_taken_back:
        yield f"It came back on {_day(current.since)}, when a decision in review was taken back."
    if current.previous is not None and current.previous[0] is not None:
        value, source = current.previous
        yield f"Before, it was {_shown(value)}, from {name_of(source)}."


def _empty(facts: ExplanationFacts, name_of: NameOf) -> Iterator[str]:
    current = facts.current
    yield f"{facts.field} is empty."
    if facts.emptied_at is not None and facts.emptied_in_review:
        yield f"It was emptied on {_day(facts.emptied_at)}, when a decision in review was taken back."
    elif facts.emptied_at is not None:
        yield f"An undo emptied it on {_day(facts.emptied_at)}."
    elif current is not None:
        by = current.actor if current.source == SOURCE_REVIEWER and current.actor else name_of(current.source)
        yield f"{at_start(by)} cleared it on {_day(current.since)}."


def _chosen(current: CurrentValue, name_of: NameOf) -> str:
    who, accepted = current.actor or "A reviewer", current.accepted
    if accepted is None:
        return f"{who} chose it in review on {_day(current.observed_at)}."
    return (
        f"{who} accepted the value of {name_of(accepted.provider)} ({accepted.confidence:.2f}, seen"
        f" {accepted.observed_at:%Y-%m-%d}) in review on {_day(current.observed_at)}."
    )


def _sent(current: CurrentValue) -> str:
    if not current.observed_at_known:
        return f"The CRM sent it on {_day(current.observed_at)}; its age is unknown."
    sent = "" if current.is_restored or current.is_taken_back else f" on {_day(current.since)}"
    return f"The CRM sent it{sent}; it was last seen on {_day(current.observed_at)}."


def _unreadable(field: str, current: CurrentValue) -> Iterator[str]:
    yield f"{field} holds {_shown(current.raw)}, which cannot be read: {current.unreadable}."
    if current.source == SOURCE_REVIEWER:
        yield f"{current.actor or 'A reviewer'} kept it in review on {_day(current.since)}."
    else:
        yield f"The CRM sent it on {_day(current.since)}, and it is kept as it was sent."


def _alternatives(facts: ExplanationFacts, name_of: NameOf) -> Iterator[str]:
    others = [stated for stated in facts.stated if not stated.is_current]
    if others:
        shown = ", ".join(
            f"{_shown(stated.value)} by {name_of(stated.provider)} ({stated.confidence:.2f}"
            f"{', turned down by a person' if stated.is_rejected else ''})"
            for stated in others[:5]
        )
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        yield f"Also proposed: {shown}{more}."


def _policy(facts: ExplanationFacts) -> str:
    if not facts.enrichable:
        return "This field is never enriched."
    policy = POLICIES[facts.policy]
    return f"The policy of the field is {policy}; the least confidence to write is {facts.minimum:.2f}."


def _last_outcome(facts: ExplanationFacts, name_of: NameOf) -> Iterator[str]:
    outcome = facts.last_outcome
    if outcome is None:
        if facts.enrichable:
            yield "No job has looked at it yet."
        return
    about = f" ({name_of(outcome.provider)})" if outcome.provider else ""
    detail = f": {of_detail(outcome.detail)}" if outcome.detail else ""
    ended = LEFT_ALONE if outcome.detail == WITHHELD else ENDED[outcome.reason]
    yield f"The last job, on {_day(outcome.at)}, {ended}{about}{detail}."


def _conflict(facts: ExplanationFacts) -> Iterator[str]:
    conflict = facts.conflict
    if conflict is None:
        return
    about = "it" if conflict.unit is None else f"the {conflict.unit.value} that it is a part of"
    if conflict.status is ConflictStatus.OPEN:
        yield f"A conflict about {about} has waited for a person since {_day(conflict.raised_at)}."
    elif conflict.status is ConflictStatus.SUPERSEDED:
        yield f"A conflict about {about} went away because the record changed."
    elif conflict.action is not None and conflict.settled_at is not None:
        done = {
            ResolutionAction.ACCEPT_CANDIDATE: "accepted a proposed value",
            ResolutionAction.KEEP_CURRENT: "kept the value",
            ResolutionAction.CUSTOM_VALUE: "set a value",
        }[conflict.action]
        yield f"{conflict.resolved_by or 'A reviewer'} {done} in review on {_day(conflict.settled_at)}."


def _cost(facts: ExplanationFacts, name_of: NameOf) -> str:
    spent = _credits(facts.credits_of_record)
    if facts.current is None or facts.current.source in HUMAN_SOURCES:
        return f"Enriching this record has cost {spent} so far."
    name = at_start(name_of(facts.current.source))
    return f"{name} was paid {_credits(facts.credits)} in that job; the record has cost {spent} so far."


def _credits(count: int) -> str:
    return "1 credit" if count == 1 else f"{count} credits" if count else "no credits"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"“{value if len(value) <= 80 else value[:79] + '…'}”"
    if isinstance(value, list):
        return f"“{', '.join(str(part) for part in value[:5])}{', …' if len(value) > 5 else ''}”"
    return str(value)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
