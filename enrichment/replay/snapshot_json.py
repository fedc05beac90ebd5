"""Decision snapshots as JSON: what is stored, and how it is read. Times are microseconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment.decide.decision import Decision
from enrichment.decide.edition import Edition
from enrichment.decide.job_outcome import Attempt, JobOutcome
from enrichment.decide.merge import Candidate
from enrichment.enums import (
    ConflictReason,
    EntityType,
    FieldOutcomeReason,
    FieldUnit,
    JobStatus,
    JobTrigger,
    StepOutcome,
)
from enrichment.provenance import Current
from enrichment.record_state import RecordState
from enrichment.replay.snapshot import DecisionSnapshot, FieldEffect, Origin, effects_of
from enrichment.replay.snapshot_format import FORMAT
from enrichment.waterfall.planner import provider_of
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import JobContext, SourceReply, WaterfallSession
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import Yields

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _StoredError:
    code: str
    message: str
    retryable: bool
    retry_after_seconds: float | None


def write_snapshot(
    context: JobContext,
    origin: Origin,
    last_enriched_at: datetime | None,
    attempt: Attempt,
    end: JobOutcome,
    session: WaterfallSession | None = None,
    decisions: Mapping[str, Decision] | None = None,
) -> dict[str, Any]:
    """The JSON value of a snapshot. Without `session` the job ended before a question."""
    replies = {} if session is None else session.replies
    results = {} if session is None else session.results
    restored = {name: reply for name, reply in results.items() if name not in replies and reply.outcome.is_answer}
    return {
        "format": FORMAT,
        "edition": context.edition.value,
        "entityType": context.entity_type.value,
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
        "askedAt": _micros(context.asked_at),
        "status": end.status.value,
        "code": end.error_code,
        "enrichedAt": None if last_enriched_at is None else _micros(last_enriched_at),
        "fields": dict(context.fields),
        "current": {name: _current_json(name, current, context.fields) for name, current in context.current.items()},
        "rejected": sorted(context.rejected),
        "said": [_source_reply_json(name, reply) for name, reply in replies.items()],
        "recalled": [_reply_json(name, reply) for name, reply in restored.items()],
        "paid": {} if session is None else dict(session.paid),
        "halfLives": dict(context.half_lives),
        **({"yields": context.yields.as_json()} if context.config.weighs_value else {}),
        "effects": [_effect_json(name, effect) for name, effect in effects_of(decisions or {}).items()],
    }


def read_snapshot(stored: Mapping[str, Any]) -> DecisionSnapshot:
    """A snapshot from its JSON value, as `parse_snapshot` gives it."""
    number, most, created_at, at, wrote_before = stored["attempt"]
    fields = stored["fields"]
    last = stored["enrichedAt"]
    return DecisionSnapshot(
        entity_type=EntityType(stored["entityType"]),
        origin=Origin(JobTrigger(stored["trigger"]), stored["forced"], stored["byHand"], stored["config"]),
        attempt=Attempt(number, most, to_moment(created_at), to_moment(at), wrote_before),
        asked_at=to_moment(stored["askedAt"]),
        state=RecordState(
            fields=fields,
            current={name: _read_current(name, encoded, fields) for name, encoded in stored["current"].items()},
            rejected=frozenset((name, key, source) for name, key, source in stored["rejected"]),
            last_enriched_at=None if last is None else to_moment(last),
        ),
        replies={
            encoded["source"]: SourceReply(
                _read_reply(encoded), encoded.get("lent", {}), frozenset(encoded.get("extra", ()))
            )
            for encoded in stored["said"]
        },
        restored={encoded["source"]: _read_reply(encoded) for encoded in stored["recalled"]},
        paid=stored.get("paid", {}),
        effects={encoded[0]: _read_effect(encoded) for encoded in stored["effects"]},
        status=JobStatus(stored["status"]),
        code=stored["code"],
        half_lives=stored.get("halfLives", {}),
        yields=Yields.of_json(stored["yields"]) if "yields" in stored else None,
        edition=Edition(stored["edition"]),
    )


def questions_of(stored: Mapping[str, Any]) -> list[tuple[str, str, bool, int]]:
    """Of each question of a snapshot: its source, its key, whether it was answered, and the credits paid."""
    return [
        (reply["source"], reply["key"], StepOutcome(reply["outcome"]).is_answer, reply.get("credits", 0))
        for reply in stored["said"]
        if "key" in reply
    ]


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def to_moment(micros: int) -> datetime:
    """A moment from microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def _current_json(name: str, current: Current, fields: Mapping[str, Any]) -> list[Any]:
    encoded = [
        current.source,
        current.confidence,
        _micros(current.observed_at),
        _micros(current.written_at),
        current.observed_at_known,
        None if current.edited_at is None else _micros(current.edited_at),
    ]
    if current.unreadable is not None:
        return [*encoded, current.value, current.unreadable]
    # The value is left out where it is the record's, as it nearly always is.
    return encoded if fields.get(name) == current.value else [*encoded, current.value]


def _read_current(name: str, encoded: list[Any], fields: Mapping[str, Any]) -> Current:
    source, confidence, observed_at, written_at, known, edited_at, *others = encoded
    return Current(
        others[0] if others else fields.get(name),
        source,
        confidence,
        to_moment(observed_at),
        to_moment(written_at),
        observed_at_known=known,
        edited_at=None if edited_at is None else to_moment(edited_at),
        unreadable=others[1] if len(others) > 1 else None,
    )


def _source_reply_json(name: str, given: SourceReply) -> dict[str, Any]:
    encoded = _reply_json(name, given.reply)
    if given.borrowed_ids:
        encoded["lent"] = dict(given.borrowed_ids)
    if given.extra:
        encoded["extra"] = sorted(given.extra)
    return encoded


def _reply_json(name: str, reply: Reply) -> dict[str, Any]:
    encoded: dict[str, Any] = {"source": name, "outcome": reply.outcome.value}
    if reply.key is not None:
        encoded["key"] = reply.key
    if reply.candidates:
        encoded["found"] = [_candidate_json(field, candidate) for field, candidate in reply.candidates.items()]
    if reply.credits:
        encoded["credits"] = reply.credits
    if reply.reused:
        encoded["reused"] = True
    if reply.withheld:
        encoded["withheld"] = sorted(reply.withheld)
    if reply.skipped is not None:
        encoded["skipped"] = reply.skipped.value
    if reply.waits_until is not None:
        encoded["waitsUntil"] = _micros(reply.waits_until)
    if reply.error is not None:
        error = reply.error
        encoded["error"] = [error.code, error.message, error.retryable, error.retry_after_seconds]
    return encoded


def _read_reply(encoded: Mapping[str, Any]) -> Reply:
    source = provider_of(encoded["source"])
    error = encoded.get("error")
    waits = encoded.get("waitsUntil")
    skipped = encoded.get("skipped")
    return Reply(
        StepOutcome(encoded["outcome"]),
        candidates={
            field: Candidate(source, value, confidence, to_moment(observed_at), *trust)
            for field, value, confidence, observed_at, *trust in encoded.get("found", ())
        },
        skipped=None if skipped is None else SkipReason(skipped),
        credits=encoded.get("credits", 0),
        error=None if error is None else _StoredError(*error),
        waits_until=None if waits is None else to_moment(waits),
        key=encoded.get("key"),
        reused=encoded.get("reused", False),
        withheld=frozenset(encoded.get("withheld", ())),
    )


def _candidate_json(field: str, candidate: Candidate) -> list[Any]:
    encoded = [field, candidate.value, candidate.confidence, _micros(candidate.observed_at)]
    if candidate.earlier is not None:
        return [*encoded, candidate.before_trust, candidate.earlier]
    return encoded if candidate.before_trust is None else [*encoded, candidate.before_trust]


def _effect_json(name: str, effect: FieldEffect) -> list[Any]:
    encoded = [name, effect.reason.value, effect.source, effect.confidence]
    observed = None if effect.observed_at is None else _micros(effect.observed_at)
    if effect.reason is FieldOutcomeReason.WRITTEN:
        return [*encoded, observed, effect.value]
    if effect.conflict is not None:
        whole = [] if effect.unit is None else [effect.unit.value, effect.is_disputed]
        return [*encoded, observed, effect.value, effect.conflict.value, *whole]
    return encoded if observed is None else [*encoded, observed]


def _read_effect(encoded: list[Any]) -> FieldEffect:
    reason, source, confidence, *rest = encoded[1:]
    return FieldEffect(
        FieldOutcomeReason(reason),
        source,
        confidence,
        value=rest[1] if len(rest) > 1 else None,
        observed_at=to_moment(rest[0]) if rest and rest[0] is not None else None,
        conflict=ConflictReason(rest[2]) if len(rest) > 2 else None,
        unit=FieldUnit(rest[3]) if len(rest) > 3 else None,
        is_disputed=rest[4] if len(rest) > 4 else True,
    )
