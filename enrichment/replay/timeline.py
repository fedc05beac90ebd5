"""One record in the course of a replay: as it was in fact, and as it would have been."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from enrichment.decide.job_outcome import SHORT
from enrichment.enums import SOURCE_CRM, EntityType, FieldOutcomeReason, JobStatus
from enrichment.provenance import Current
from enrichment.record_state import RecordState, RejectedValue
from enrichment.replay.questions import OpenQuestions
from enrichment.replay.snapshot import DecisionSnapshot, FieldEffect
from enrichment.waterfall.reply import Reply

_ENRICHES = frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL})


@dataclass(slots=True)
class ReplayedJob:
    """A job of the replay, after its latest attempt."""

    status: JobStatus | None  # None: it would not have been started
    recorded: JobStatus
    results: Mapping[str, Reply] = field(default_factory=dict)
    paid: Mapping[str, int] = field(default_factory=dict)  # by source
    paid_then: Set[str] = frozenset()  # the sources that it had paid by then in fact
    wrote: bool = False
    doubtful: bool = False  # an answer that nobody knows could change how it ended


@dataclass(slots=True)
class ReplayedDecision:
    """How the replay of one decision ended."""

    run: ReplayedJob
    effects: Mapping[str, FieldEffect] = field(default_factory=dict)
    doubtful: Set[str] = frozenset()
    asked: bool = False
    short: bool = False
    why: str = ""  # why nobody was asked


@dataclass(slots=True)
class RecordTimeline:
    """One record as the replay has it."""

    fields: dict[str, Any]
    current: dict[str, Current]
    rejected: Set[RejectedValue]
    enriched_at: datetime | None
    left: RecordState  # what the latest decision left in fact
    open_then: OpenQuestions  # in fact
    open_now: OpenQuestions  # and in the replay
    doubtful: set[str] = field(default_factory=set)  # fields that an unknown answer could have changed
    runs: dict[str, ReplayedJob] = field(default_factory=dict)
    short_then: bool = False  # whether the latest job ended for want of credits, in fact
    short_now: bool = False

    @classmethod
    def begin(cls, entity_type: EntityType, state: RecordState, open_before: Set[str]) -> "RecordTimeline":
        """A record as its first decision found it. `open_before`: fields and units that had an open conflict then."""
        return cls(
            fields=dict(state.fields),
            current=dict(state.current),
            rejected=state.rejected,
            enriched_at=state.last_enriched_at,
            left=state,
            open_then=OpenQuestions.begin(entity_type, open_before),
            open_now=OpenQuestions.begin(entity_type, open_before),
        )

    def lay_over(self, found: RecordState) -> None:
        """What others changed between what one decision left and what the next one found."""
        left = self.left
        changed = {
            name
            for name in {*left.fields, *found.fields, *left.current, *found.current}
            if left.fields.get(name) != found.fields.get(name)
            or not _is_same(left.current.get(name), found.current.get(name))
        }
        for name, current in found.current.items():
            if name not in changed and _is_same(self.current.get(name), current):
                self.current[name] = current  # with what only the newer of two snapshots tells of its age
        for name in changed:
            _put(self.fields, name, found.fields)
            _put(self.current, name, found.current)
        rejected = found.rejected - left.rejected
        self.rejected = (self.rejected | rejected) - (left.rejected - found.rejected)
        edited_alike = {name for name in changed if _is_edited_alike(left.current.get(name), found.current.get(name))}
        touched = (changed - edited_alike) | {name for name, _, _ in rejected}
        self.open_then.follow(touched)
        self.open_now.follow(touched)
        self.doubtful -= changed
        if left.last_enriched_at != found.last_enriched_at:
            self.enriched_at = found.last_enriched_at
        self.left = found

    def apply(self, snapshot: DecisionSnapshot, replayed: ReplayedDecision, decided_at: datetime) -> None:
        """Leave the record as this decision left it, in fact and in the replay."""
        left = snapshot.state
        fields, current = dict(left.fields), dict(left.current)
        _write(fields, current, snapshot, snapshot.effects, decided_at)
        last = decided_at if snapshot.status in _ENRICHES else left.last_enriched_at
        self.left = RecordState(fields, current, left.rejected, last)
        _write(self.fields, self.current, snapshot, replayed.effects, decided_at)
        run = replayed.run
        if not replayed.why and run.status in _ENRICHES:
            self.enriched_at = decided_at
        self.doubtful |= replayed.doubtful
        if snapshot.status.is_final:
            self.short_then = any(given.reply.skipped in SHORT for given in snapshot.replies.values())
        if run.status is not None and run.status.is_final and not replayed.why:
            self.short_now = replayed.short


def _put(values: dict[str, Any], name: str, found: Mapping[str, Any]) -> None:
    if name in found:
        values[name] = found[name]
    else:
        values.pop(name, None)


def _is_edited_alike(before: Current | None, after: Current | None) -> bool:
    """Whether the CRM sent the same value in another spelling, which ends no question."""
    if before is None or after is None or after.source != SOURCE_CRM:
        return False
    return (before.value, before.unreadable) == (after.value, after.unreadable)


def _is_same(one: Current | None, other: Current | None) -> bool:
    """Whether two snapshots show the same value; an older format tells less of its age."""
    if one is None or other is None:
        return one is other
    return replace(one, observed_at_known=other.observed_at_known, edited_at=other.edited_at) == other


def _write(
    fields: dict[str, Any],
    current: dict[str, Current],
    snapshot: DecisionSnapshot,
    effects: Mapping[str, FieldEffect],
    decided_at: datetime,
) -> None:
    for name, effect in effects.items():
        if effect.reason is FieldOutcomeReason.WRITTEN:
            assert effect.source is not None
            assert effect.confidence is not None
            assert effect.observed_at is not None
            fields[name] = effect.value
            current[name] = Current(effect.value, effect.source, effect.confidence, effect.observed_at, decided_at)
        elif effect.observed_at is not None:
            held = current[name]
            confidence = snapshot.decay(name).confirmed(held, effect.confidence or 0.0, effect.observed_at)
            current[name] = replace(held, observed_at=effect.observed_at, observed_at_known=True, confidence=confidence)
