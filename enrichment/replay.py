"""Take past decisions again under other rules, record by record in order of time, with the answers given then.

A later hearing of a record finds what the replay wrote before, with all that others changed meanwhile laid over:
an edit of the CRM, a review, an undo show as the difference between what a hearing left and what the next found.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from enrichment.asking import Asking, Query, Reply, Subject
from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.ending import SHORT, SUPPRESSED, not_begun, verdict
from enrichment.policy import Current
from enrichment.recorded import Effect, Hearing, Past, State, effects_of
from enrichment.remembered import ANSWERED, Answers, Bill, Found
from enrichment.vocabulary import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.waterfall import SkipReason, Source

_SETTLES = frozenset({FieldOutcomeReason.WRITTEN, FieldOutcomeReason.SAME, FieldOutcomeReason.VERIFIED})
_ENRICHES = frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL})


class DifferenceKind(StrEnum):
    """What would have been otherwise."""

    WRITTEN = "written"  # a value would have been written that was not
    NOT_WRITTEN = "not_written"
    WRITTEN_DIFFERENTLY = "written_differently"  # another value, source, confidence or time of observation
    CONFLICT_RAISED = "conflict_raised"  # a person would have been asked who was not
    CONFLICT_NOT_RAISED = "conflict_not_raised"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one hearing that would have ended otherwise.

    `why`: in a word, what became of the field in the replay. `certain` is False where an answer that nobody knows
    could change it.
    """

    past: Past
    entity_type: EntityType
    field: str
    kind: DifferenceKind
    actual: Effect | None
    simulated: Effect | None
    why: str
    certain: bool


@dataclass(slots=True)
class Tally:
    """What happened in fact, or in the replay."""

    jobs_run: int = 0  # jobs that got as far as asking
    values_written: int = 0
    conflicts_raised: int = 0


@dataclass(slots=True)
class Replayed:
    """What a replay came to. `differences` are in order of time."""

    jobs: int = 0
    actual: Tally = field(default_factory=Tally)
    simulated: Tally = field(default_factory=Tally)
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a replay: the configuration, the sources that it switches on in order of priority, and the
    configurations that were in force, by version."""

    config: Config
    sources: Mapping[EntityType, Sequence[Source]]
    in_force: Mapping[int, Config]


@dataclass(slots=True)
class _Run:
    """A job of the replay, after its latest attempt."""

    status: JobStatus | None  # None: it would not have been started
    recorded: JobStatus
    results: Mapping[str, Reply] = field(default_factory=dict)
    paid: Mapping[str, int] = field(default_factory=dict)  # by source
    paid_then: Set[str] = frozenset()  # the sources that it had paid by then in fact
    wrote: bool = False
    doubtful: bool = False  # an answer that nobody knows could change how it ended


@dataclass(slots=True)
class _Track:
    """One record as the replay has it."""

    fields: dict[str, Any]
    current: dict[str, Current]
    rejected: frozenset[tuple[str, str, str]]
    enriched_at: datetime | None
    left: State  # what the latest hearing left in fact
    open_then: set[str]  # fields with an open conflict, in fact
    open_now: set[str]  # and in the replay
    doubtful: set[str] = field(default_factory=set)  # fields that an unknown answer could have changed
    runs: dict[str, _Run] = field(default_factory=dict)
    short_then: bool = False  # whether the latest job ended for want of credits, in fact
    short_now: bool = False


@dataclass(slots=True)
class _Hearing:
    """How the replay of one hearing ended."""

    run: _Run
    effects: Mapping[str, Effect] = field(default_factory=dict)
    doubtful: Set[str] = frozenset()
    asked: bool = False
    short: bool = False
    why: str = ""  # why nobody was asked


class Replay:
    """One replay of many hearings, in order of time. `open_before`: fields of each record with an open conflict."""

    def __init__(self, rules: Rules, answers: Answers, open_before: Mapping[str, Set[str]]) -> None:
        self._rules = rules
        self._answers = answers
        self._open_before = open_before
        self.bill: Bill = answers.bill()
        self._tracks: dict[str, _Track] = {}
        self._ran_then: set[str] = set()
        self._ran_now: set[str] = set()
        self._jobs: set[str] = set()
        self.outcome = Replayed()

    def run(self, pasts: Sequence[Past]) -> Replayed:
        for past in pasts:
            self._replay(past, past.read())
        outcome = self.outcome
        outcome.jobs = len(self._jobs)
        outcome.actual.jobs_run, outcome.simulated.jobs_run = len(self._ran_then), len(self._ran_now)
        return outcome

    def _replay(self, past: Past, hearing: Hearing) -> None:
        track = self._tracks.get(past.record_id)
        if track is None:
            track = self._tracks[past.record_id] = _begin(hearing.state, self._open_before.get(past.record_id, ()))
        else:
            _lay_over(track, hearing.state)
        replayed = self._hear(past, hearing, track)
        sources = () if replayed.why else self._rules.sources[hearing.entity_type]
        self.bill.close(past, hearing, sources)
        self._compare(past, hearing, track, replayed)
        _apply(track, hearing, replayed, past.decided_at)
        track.runs[past.job_id] = replayed.run
        self._jobs.add(past.job_id)
        if hearing.said or hearing.recalled:
            self._ran_then.add(past.job_id)
        if replayed.asked:
            self._ran_now.add(past.job_id)

    def _hear(self, past: Past, hearing: Hearing, track: _Track) -> _Hearing:
        before = track.runs.get(past.job_id)
        config, origin = self._rules.config, hearing.origin
        why = self._why_not(hearing, track, before)
        if why is not None:
            run = _Run(None, hearing.status) if before is None else replace(before, recorded=hearing.status)
            return _Hearing(run, why=why)
        refused = not_begun(
            config,
            hearing.entity_type,
            forced=origin.forced,
            last_enriched_at=track.enriched_at,
            at=hearing.asked_at,
            suppressed=hearing.code == SUPPRESSED[0] and not hearing.said,
        )
        if refused is not None:
            return _Hearing(_Run(refused.status, hearing.status), why=refused.error_code or "")
        return self._ask(past, hearing, track, before)

    def _why_not(self, hearing: Hearing, track: _Track, before: _Run | None) -> str | None:
        """Why the replay has no such attempt; None where it has."""
        if before is None:
            return None if self._starts(hearing, track) else "not_started"
        if before.status is JobStatus.PENDING:
            return None
        retried = before.recorded.is_final  # a person wanted it again
        if before.status in {JobStatus.FAILED, JobStatus.PARTIAL} and retried:
            return None
        return "not_started" if before.status is None else "ended_before"

    def _starts(self, hearing: Hearing, track: _Track) -> bool:
        origin, config = hearing.origin, self._rules.config
        if origin.by_hand or origin.trigger is JobTrigger.MANUAL:
            return True
        if origin.trigger is JobTrigger.CREDITS_RESTORED:
            return track.short_now or not track.short_then
        if not config.starts_on(origin.trigger, hearing.entity_type):
            return False
        if origin.trigger is JobTrigger.SCHEDULED_REFRESH:
            return self._is_due(hearing, track)
        return True

    def _is_due(self, hearing: Hearing, track: _Track) -> bool:
        """Whether a refresh that was due under the rules in force is due under these."""
        days = self._rules.config.triggers.refresh_after_days
        then = self._rules.in_force.get(hearing.origin.config_version)
        if days is None or (then is not None and then.triggers.refresh_after_days == days):
            return days is not None
        last = track.enriched_at
        return last is not None and last < hearing.attempt.created_at - timedelta(days=days)

    def _ask(self, past: Past, hearing: Hearing, track: _Track, before: _Run | None) -> _Hearing:
        config = self._rules.config
        subject = Subject(
            entity_type=hearing.entity_type,
            config=config,
            trigger=hearing.origin.trigger,
            forced=hearing.origin.forced,
            fields=track.fields,
            current=track.current,
            rejected=track.rejected,
            asked_at=hearing.asked_at,
        )
        sources = self._rules.sources[hearing.entity_type]
        paid = {source.id: credits for source in sources if (credits := _paid(source.id, hearing, before))}
        asking = Asking(subject, sources, paid)
        earlier = hearing.recalled if before is None else before.results
        for source in asking.waterfall.sources:
            reply = earlier.get(source.id)
            if reply is not None and reply.outcome in ANSWERED:
                asking.recall(source.id, reply)
        doubts = _Doubts(subject, set(track.doubtful))
        while (query := asking.next()) is not None:
            found = self._answers.find(hearing, query, poorer=self.bill.poorer)
            doubts.note(query, found)
            asking.hear(query.source.id, self._reply(past, hearing, query, found))
        decisions = asking.judge()
        wrote_before = hearing.attempt.wrote_before if before is None else before.wrote
        end = verdict(asking, decisions, config, replace(hearing.attempt, wrote_before=wrote_before))
        if doubts.unknown and end.status is JobStatus.SKIPPED:
            end.status = JobStatus.COMPLETED  # somebody would have been asked
        effects = effects_of(decisions)
        run = _Run(
            end.status,
            hearing.status,
            results=asking.results,
            paid=paid | {name: reply.credits for name, reply in asking.results.items() if reply.credits},
            paid_then=hearing.paid.keys() | {name for name, said in hearing.said.items() if said.reply.credits},
            wrote=wrote_before or any(decision.write for decision in decisions.values()),
            doubtful=doubts.unknown,
        )
        asked = bool(asking.said) or any(reply.outcome in ANSWERED for reply in asking.results.values())
        return _Hearing(run, effects, doubts.fields, asked=asked, short=end.short_of_credits)

    def _reply(self, past: Past, hearing: Hearing, query: Query, found: Found | None) -> Reply:
        if found is None:
            return Reply(StepOutcome.SKIPPED, skipped=SkipReason.UNKNOWN)
        credits = self.bill.charge(past, hearing, query.source, found)
        return found.reply if found.reply.credits == credits else replace(found.reply, credits=credits)

    def _compare(self, past: Past, hearing: Hearing, track: _Track, replayed: _Hearing) -> None:
        then, now = hearing.effects, replayed.effects
        opened_then, opened_now = _opened(then, track.open_then), _opened(now, track.open_now)
        for tally, effects, opened in (
            (self.outcome.actual, then, opened_then),
            (self.outcome.simulated, now, opened_now),
        ):
            tally.values_written += sum(effect.reason is FieldOutcomeReason.WRITTEN for effect in effects.values())
            tally.conflicts_raised += len(opened)
        if then == now and opened_then == opened_now:
            return
        doubtful = replayed.doubtful | track.doubtful
        all_doubtful = bool(replayed.why) and replayed.run.doubtful
        for name in fields_of(hearing.entity_type):
            kinds = _kinds(then.get(name), now.get(name), name in opened_then, name in opened_now)
            for kind in kinds:
                self.outcome.differences.append(
                    Difference(
                        past,
                        hearing.entity_type,
                        name,
                        kind,
                        then.get(name),
                        now.get(name),
                        _why(now.get(name), replayed),
                        certain=not all_doubtful and name not in doubtful,
                    )
                )


def _paid(source: str, hearing: Hearing, before: _Run | None) -> int:
    """What a job of the replay has paid a source before this attempt is decided."""
    if before is None:
        return hearing.paid.get(source, 0)
    if source in hearing.paid and source not in before.paid_then:
        return hearing.paid[source]  # in this attempt, before it was decided again
    return before.paid.get(source, 0)


def _why(effect: Effect | None, replayed: _Hearing) -> str:
    if effect is not None:
        return effect.reason.value
    return replayed.why or FieldOutcomeReason.NO_DATA.value


@dataclass(slots=True)
class _Doubts:
    """The fields that an answer which nobody knows could change."""

    subject: Subject
    fields: set[str]
    unknown: bool = False
    all_further: bool = False  # it could change what the others are asked, too

    def __post_init__(self) -> None:
        known = fields_of(self.subject.entity_type)
        self.all_further = any(known[name].identifying for name in self.fields)

    def note(self, query: Query, found: Found | None) -> None:
        if found is None or self.all_further:
            self.fields |= query.wanted
        if found is not None:
            return
        self.unknown = True
        known = fields_of(self.subject.entity_type)
        lends = any(known[name].identifying and query.fields.get(name) is None for name in query.wanted)
        limited = self.subject.config.credits.per_record_max is not None and query.source.price > 0
        self.all_further = self.all_further or lends or limited


def _begin(state: State, open_before: Set[str] | tuple[()]) -> _Track:
    return _Track(
        fields=dict(state.fields),
        current=dict(state.current),
        rejected=state.rejected,
        enriched_at=state.last_enriched_at,
        left=state,
        open_then=set(open_before),
        open_now=set(open_before),
    )


def _lay_over(track: _Track, found: State) -> None:
    """What others changed between what a hearing left and what the next one found."""
    left = track.left
    changed = {
        name
        for name in {*left.fields, *found.fields, *left.current, *found.current}
        if left.fields.get(name) != found.fields.get(name) or left.current.get(name) != found.current.get(name)
    }
    for name in changed:
        _put(track.fields, name, found.fields)
        _put(track.current, name, found.current)
    rejected = found.rejected - left.rejected
    track.rejected = (track.rejected | rejected) - (left.rejected - found.rejected)
    touched = changed | {name for name, _, _ in rejected}
    track.open_then -= touched
    track.open_now -= touched
    track.doubtful -= changed
    if left.last_enriched_at != found.last_enriched_at:
        track.enriched_at = found.last_enriched_at
    track.left = found


def _put(values: dict[str, Any], name: str, found: Mapping[str, Any]) -> None:
    if name in found:
        values[name] = found[name]
    else:
        values.pop(name, None)


def _apply(track: _Track, hearing: Hearing, replayed: _Hearing, decided_at: datetime) -> None:
    """Leave the record as this hearing left it, in fact and in the replay."""
    left = hearing.state
    fields, current = dict(left.fields), dict(left.current)
    _write(fields, current, hearing.effects, decided_at)
    last = decided_at if hearing.status in _ENRICHES else left.last_enriched_at
    track.left = State(fields, current, left.rejected, last)
    _write(track.fields, track.current, replayed.effects, decided_at)
    run = replayed.run
    if not replayed.why and run.status in _ENRICHES:
        track.enriched_at = decided_at
    track.doubtful |= replayed.doubtful
    for effects, still_open in ((hearing.effects, track.open_then), (replayed.effects, track.open_now)):
        still_open |= {name for name, effect in effects.items() if effect.conflict is not None}
        still_open -= {name for name, effect in effects.items() if effect.reason in _SETTLES}
    if hearing.status.is_final:
        track.short_then = any(said.reply.skipped in SHORT for said in hearing.said.values())
    if run.status is not None and run.status.is_final and not replayed.why:
        track.short_now = replayed.short


def _write(
    fields: dict[str, Any], current: dict[str, Current], effects: Mapping[str, Effect], decided_at: datetime
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
            confidence = max(held.confidence, effect.confidence or 0.0)
            current[name] = replace(held, observed_at=effect.observed_at, confidence=confidence)


def _opened(effects: Mapping[str, Effect], still_open: Set[str]) -> set[str]:
    return {name for name, effect in effects.items() if effect.conflict is not None and name not in still_open}


def _kinds(then: Effect | None, now: Effect | None, opened_then: bool, opened_now: bool) -> list[DifferenceKind]:
    wrote_then = then is not None and then.reason is FieldOutcomeReason.WRITTEN
    wrote_now = now is not None and now.reason is FieldOutcomeReason.WRITTEN
    kinds: list[DifferenceKind] = []
    if wrote_then and wrote_now and then != now:
        kinds.append(DifferenceKind.WRITTEN_DIFFERENTLY)
    elif wrote_then != wrote_now:
        kinds.append(DifferenceKind.WRITTEN if wrote_now else DifferenceKind.NOT_WRITTEN)
    if opened_then != opened_now:
        kinds.append(DifferenceKind.CONFLICT_RAISED if opened_now else DifferenceKind.CONFLICT_NOT_RAISED)
    return kinds
