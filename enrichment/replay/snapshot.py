"""What is kept of a job's decision, so that the same decision can be taken again under other rules.

A hearing is written down as one JSON value: the record as the job found it, what each source said or why it said
nothing, and what was decided. Times are microseconds since 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from enrichment.decide.decision import Decision
from enrichment.decide.job_outcome import Attempt, JobOutcome
from enrichment.decide.merge import Candidate
from enrichment.enums import (
    ConflictReason,
    EntityType,
    FieldOutcomeReason,
    JobStatus,
    JobTrigger,
    StepOutcome,
)
from enrichment.provenance import Current
from enrichment.record_state import RecordState
from enrichment.waterfall.planner import SkipReason
from enrichment.waterfall.session import JobContext, Reply, SourceReply, WaterfallSession

_ANSWERED = frozenset({StepOutcome.MATCH, StepOutcome.NO_MATCH})
_TOLD = frozenset(
    {
        FieldOutcomeReason.WRITTEN,
        FieldOutcomeReason.SAME,
        FieldOutcomeReason.VERIFIED,
        FieldOutcomeReason.PROTECTED,
        FieldOutcomeReason.BELOW_THRESHOLD,
        FieldOutcomeReason.CONFLICT,
    }
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FieldEffect:
    """What became of a field that a source gave a value for.

    `value` is what was written, or the foremost candidate of a conflict; `observed_at` when it was observed, or
    when the current value was confirmed.
    """

    reason: FieldOutcomeReason
    source: str | None = None
    confidence: float | None = None
    value: Any = None
    observed_at: datetime | None = None
    conflict: ConflictReason | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """How a job came to be. `by_hand`: a person asked for it, whatever started it first."""

    trigger: JobTrigger
    forced: bool
    by_hand: bool
    config_version: int


@dataclass(frozen=True, slots=True)
class DecisionSnapshot:
    """One attempt of one job, as it was.

    `recalled` is what earlier attempts had been answered, `paid` what the job had been charged before, by source.
    """

    entity_type: EntityType
    origin: Origin
    attempt: Attempt
    asked_at: datetime
    state: RecordState
    said: Mapping[str, SourceReply]
    recalled: Mapping[str, Reply]
    paid: Mapping[str, int]
    effects: Mapping[str, FieldEffect]
    status: JobStatus
    code: str | None


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A kept hearing, unread: `body` is its JSON text."""

    id: str
    record_id: str
    job_id: str
    decided_at: datetime
    body: str

    def read(self) -> DecisionSnapshot:
        return read_snapshot(orjson.loads(self.body))

    def glance(self) -> "SnapshotSummary":
        """What was asked, without reading the rest."""
        kept = orjson.loads(self.body)
        told = [
            (one["source"], one["key"], one["outcome"] in _ANSWERED, one.get("credits", 0))
            for one in kept["said"]
            if "key" in one
        ]
        return SnapshotSummary(_moment(kept["askedAt"]), kept["config"], told)


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """The questions of a hearing: of each its source, its key, whether it was answered, and the credits paid."""

    asked_at: datetime
    config_version: int
    questions: Sequence[tuple[str, str, bool, int]]


@dataclass(frozen=True, slots=True)
class _Trouble:
    code: str
    message: str
    retryable: bool
    retry_after_seconds: float | None


def effects_of(decisions: Mapping[str, Decision]) -> dict[str, FieldEffect]:
    """What these decisions do, by field; fields that nobody gave a value for are left out."""
    return {
        name: _effect(decision)
        for name, decision in decisions.items()
        if decision.reason in _TOLD and decision.provider is not None
    }


def _effect(decision: Decision) -> FieldEffect:
    reason, source, confidence = decision.reason, decision.provider, decision.confidence
    if decision.write is not None:
        return FieldEffect(reason, source, confidence, decision.write.value, decision.write.observed_at)
    if decision.question is not None:
        foremost = decision.question.candidates[0].value
        return FieldEffect(reason, source, confidence, foremost, conflict=decision.question.reason)
    return FieldEffect(reason, source, confidence, observed_at=decision.verified_at)


def write_snapshot(
    subject: JobContext,
    origin: Origin,
    last_enriched_at: datetime | None,
    attempt: Attempt,
    end: JobOutcome,
    session: WaterfallSession | None = None,
    decisions: Mapping[str, Decision] | None = None,
) -> dict[str, Any]:
    """The JSON value of a hearing. Without `session` the job ended before a question."""
    said = {} if session is None else session.replies
    recalled = (
        {}
        if session is None
        else {name: reply for name, reply in session.results.items() if name not in said and reply.outcome in _ANSWERED}
    )
    return {
        "entityType": subject.entity_type.value,
        "trigger": origin.trigger.value,
        "forced": origin.forced,
        "byHand": origin.by_hand,
        "config": origin.config_version,
        "attempt": [
            attempt.number,
            attempt.most,
            _micros(attempt.created_at),
            _micros(attempt.at),
            attempt.wrote_before,
        ],
        "askedAt": _micros(subject.asked_at),
        "status": end.status.value,
        "code": end.error_code,
        "enrichedAt": None if last_enriched_at is None else _micros(last_enriched_at),
        "fields": dict(subject.fields),
        "current": {name: _current_json(name, one, subject.fields) for name, one in subject.current.items()},
        "rejected": sorted(subject.rejected),
        "said": [_said_json(name, one) for name, one in said.items()],
        "recalled": [_reply_json(name, reply) for name, reply in recalled.items()],
        "paid": {} if session is None else dict(session.paid),
        "effects": [_effect_json(name, effect) for name, effect in effects_of(decisions or {}).items()],
    }


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _current_json(name: str, current: Current, fields: Mapping[str, Any]) -> list[Any]:
    told = [current.source, current.confidence, _micros(current.observed_at), _micros(current.written_at)]
    # A field's value is the record's own, as good as always.
    return told if fields.get(name) == current.value else [*told, current.value]


def _said_json(name: str, said: SourceReply) -> dict[str, Any]:
    told = _reply_json(name, said.reply)
    if said.borrowed_ids:
        told["lent"] = dict(said.borrowed_ids)
    if said.extra:
        told["extra"] = sorted(said.extra)
    return told


def _reply_json(name: str, reply: Reply) -> dict[str, Any]:
    told: dict[str, Any] = {"source": name, "outcome": reply.outcome.value}
    if reply.key is not None:
        told["key"] = reply.key
    if reply.candidates:
        told["found"] = [_candidate_json(field, candidate) for field, candidate in reply.candidates.items()]
    if reply.credits:
        told["credits"] = reply.credits
    if reply.reused:
        told["reused"] = True
    if reply.skipped is not None:
        told["skipped"] = reply.skipped.value
    if reply.waits_until is not None:
        told["waitsUntil"] = _micros(reply.waits_until)
    if reply.error is not None:
        error = reply.error
        told["error"] = [error.code, error.message, error.retryable, error.retry_after_seconds]
    return told


def _candidate_json(field: str, candidate: Candidate) -> list[Any]:
    told = [field, candidate.value, candidate.confidence, _micros(candidate.observed_at)]
    return told if candidate.before_trust is None else [*told, candidate.before_trust]


def _effect_json(name: str, effect: FieldEffect) -> list[Any]:
    told = [name, effect.reason.value, effect.source, effect.confidence]
    observed = None if effect.observed_at is None else _micros(effect.observed_at)
    if effect.reason is FieldOutcomeReason.WRITTEN:
        return [*told, observed, effect.value]
    if effect.conflict is not None:
        return [*told, observed, effect.value, effect.conflict.value]
    return told if observed is None else [*told, observed]


def read_snapshot(kept: Mapping[str, Any]) -> DecisionSnapshot:
    """A hearing as `write_snapshot` wrote it."""
    number, most, created_at, at, wrote_before = kept["attempt"]
    fields = kept["fields"]
    last = kept["enrichedAt"]
    return DecisionSnapshot(
        entity_type=EntityType(kept["entityType"]),
        origin=Origin(JobTrigger(kept["trigger"]), kept["forced"], kept["byHand"], kept["config"]),
        attempt=Attempt(number, most, _moment(created_at), _moment(at), wrote_before),
        asked_at=_moment(kept["askedAt"]),
        state=RecordState(
            fields=fields,
            current={name: _read_current(name, told, fields) for name, told in kept["current"].items()},
            rejected=frozenset((name, key, source) for name, key, source in kept["rejected"]),
            last_enriched_at=None if last is None else _moment(last),
        ),
        said={
            told["source"]: SourceReply(_read_reply(told), told.get("lent", {}), frozenset(told.get("extra", ())))
            for told in kept["said"]
        },
        recalled={told["source"]: _read_reply(told) for told in kept["recalled"]},
        paid=kept.get("paid", {}),
        effects={told[0]: _read_effect(told) for told in kept["effects"]},
        status=JobStatus(kept["status"]),
        code=kept["code"],
    )


def _read_current(name: str, told: list[Any], fields: Mapping[str, Any]) -> Current:
    source, confidence, observed_at, written_at = told[:4]
    value = told[4] if len(told) > 4 else fields.get(name)
    return Current(value, source, confidence, _moment(observed_at), _moment(written_at))


def _read_reply(told: Mapping[str, Any]) -> Reply:
    source = told["source"]
    error = told.get("error")
    waits = told.get("waitsUntil")
    skipped = told.get("skipped")
    return Reply(
        StepOutcome(told["outcome"]),
        candidates={
            field: Candidate(source, value, confidence, _moment(observed_at), *trust)
            for field, value, confidence, observed_at, *trust in told.get("found", ())
        },
        skipped=None if skipped is None else SkipReason(skipped),
        credits=told.get("credits", 0),
        error=None if error is None else _Trouble(*error),
        waits_until=None if waits is None else _moment(waits),
        key=told.get("key"),
        reused=told.get("reused", False),
    )


def _read_effect(told: list[Any]) -> FieldEffect:
    reason, source, confidence, *rest = told[1:]
    return FieldEffect(
        FieldOutcomeReason(reason),
        source,
        confidence,
        value=rest[1] if len(rest) > 1 else None,
        observed_at=_moment(rest[0]) if rest and rest[0] is not None else None,
        conflict=ConflictReason(rest[2]) if len(rest) > 2 else None,
    )
