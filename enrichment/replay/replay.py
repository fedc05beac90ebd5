"""Take past decisions again under other rules, record by record in order of time, with the answers given then.

A later hearing of a record finds what the replay wrote before, with all that others changed meanwhile laid over:
an edit of the CRM, a review, an undo show as the difference between what a hearing left and what the next found.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.decide.job_outcome import SUPPRESSED, job_outcome, skipped_outcome
from enrichment.decide.start import why_not_started
from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.replay.answer_index import ANSWERED, AnswerIndex, Bill, FoundAnswer
from enrichment.replay.diff import Difference, Replayed, kinds_of, opened
from enrichment.replay.snapshot import DecisionSnapshot, FieldEffect, StoredSnapshot, effects_of
from enrichment.replay.timeline import RecordTimeline, ReplayedDecision, ReplayedJob
from enrichment.waterfall.planner import SkipReason, Source
from enrichment.waterfall.session import JobContext, Reply, SessionQuestion, WaterfallSession


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a replay: the configuration, the sources that it switches on in order of priority, and the
    configurations that were in force, by version."""

    config: Config
    sources: Mapping[EntityType, Sequence[Source]]
    in_force: Mapping[int, Config]


class Replay:
    """One replay of many hearings, in order of time. `open_before`: fields of each record with an open conflict."""

    def __init__(self, rules: Rules, answers: AnswerIndex, open_before: Mapping[str, Set[str]]) -> None:
        self._rules = rules
        self._answers = answers
        self._open_before = open_before
        self.bill: Bill = answers.bill()
        self._tracks: dict[str, RecordTimeline] = {}
        self._ran_then: set[str] = set()
        self._ran_now: set[str] = set()
        self._jobs: set[str] = set()
        self.outcome = Replayed()

    def run(self, pasts: Sequence[StoredSnapshot]) -> Replayed:
        for past in pasts:
            self._replay(past, past.read())
        outcome = self.outcome
        outcome.jobs = len(self._jobs)
        outcome.actual.jobs_run, outcome.simulated.jobs_run = len(self._ran_then), len(self._ran_now)
        return outcome

    def _replay(self, past: StoredSnapshot, hearing: DecisionSnapshot) -> None:
        timeline = self._tracks.get(past.record_id)
        if timeline is None:
            open_before = self._open_before.get(past.record_id, frozenset())
            timeline = self._tracks[past.record_id] = RecordTimeline.begin(hearing.state, open_before)
        else:
            timeline.lay_over(hearing.state)
        replayed = self._hear(past, hearing, timeline)
        sources = () if replayed.why else self._rules.sources[hearing.entity_type]
        self.bill.close(past, hearing, sources)
        self._compare(past, hearing, timeline, replayed)
        timeline.apply(hearing, replayed, past.decided_at)
        timeline.runs[past.job_id] = replayed.run
        self._jobs.add(past.job_id)
        if hearing.said or hearing.recalled:
            self._ran_then.add(past.job_id)
        if replayed.asked:
            self._ran_now.add(past.job_id)

    def _hear(self, past: StoredSnapshot, hearing: DecisionSnapshot, timeline: RecordTimeline) -> ReplayedDecision:
        before = timeline.runs.get(past.job_id)
        config, origin = self._rules.config, hearing.origin
        why = self._why_not(hearing, timeline, before)
        if why is not None:
            run = ReplayedJob(None, hearing.status) if before is None else replace(before, recorded=hearing.status)
            return ReplayedDecision(run, why=why)
        not_started = why_not_started(
            config,
            hearing.entity_type,
            forced=origin.forced,
            last_enriched_at=timeline.enriched_at,
            at=hearing.asked_at,
            suppressed=hearing.code == SUPPRESSED[0] and not hearing.said,
        )
        if not_started is not None:
            end = skipped_outcome(not_started, config)
            return ReplayedDecision(ReplayedJob(end.status, hearing.status), why=end.error_code or "")
        return self._ask(past, hearing, timeline, before)

    def _why_not(self, hearing: DecisionSnapshot, timeline: RecordTimeline, before: ReplayedJob | None) -> str | None:
        """Why the replay has no such attempt; None where it has."""
        if before is None:
            return None if self._starts(hearing, timeline) else "not_started"
        if before.status is JobStatus.PENDING:
            return None
        retried = before.recorded.is_final  # a person wanted it again
        if before.status in {JobStatus.FAILED, JobStatus.PARTIAL} and retried:
            return None
        return "not_started" if before.status is None else "ended_before"

    def _starts(self, hearing: DecisionSnapshot, timeline: RecordTimeline) -> bool:
        origin, config = hearing.origin, self._rules.config
        if origin.by_hand or origin.trigger is JobTrigger.MANUAL:
            return True
        if origin.trigger is JobTrigger.CREDITS_RESTORED:
            return timeline.short_now or not timeline.short_then
        if not config.starts_on(origin.trigger, hearing.entity_type):
            return False
        if origin.trigger is JobTrigger.SCHEDULED_REFRESH:
            return self._is_due(hearing, timeline)
        return True

    def _is_due(self, hearing: DecisionSnapshot, timeline: RecordTimeline) -> bool:
        """Whether a refresh that was due under the rules in force is due under these."""
        days = self._rules.config.triggers.refresh_after_days
        then = self._rules.in_force.get(hearing.origin.config_version)
        if days is None or (then is not None and then.triggers.refresh_after_days == days):
            return days is not None
        last = timeline.enriched_at
        return last is not None and last < hearing.attempt.created_at - timedelta(days=days)

    def _ask(
        self, past: StoredSnapshot, hearing: DecisionSnapshot, timeline: RecordTimeline, before: ReplayedJob | None
    ) -> ReplayedDecision:
        config = self._rules.config
        subject = JobContext(
            entity_type=hearing.entity_type,
            config=config,
            trigger=hearing.origin.trigger,
            forced=hearing.origin.forced,
            fields=timeline.fields,
            current=timeline.current,
            rejected=timeline.rejected,
            asked_at=hearing.asked_at,
        )
        sources = self._rules.sources[hearing.entity_type]
        paid = {source.id: credits for source in sources if (credits := _paid(source.id, hearing, before))}
        session = WaterfallSession(subject, sources, paid)
        earlier = hearing.recalled if before is None else before.results
        for source in session.waterfall.sources:
            reply = earlier.get(source.id)
            if reply is not None and reply.outcome in ANSWERED:
                session.restore_reply(source.id, reply)
        doubts = _Doubts(subject, set(timeline.doubtful))
        while (query := session.next_question()) is not None:
            found = self._answers.find(hearing, query, poorer=self.bill.poorer)
            doubts.note(query, found)
            session.record_reply(query.source.id, self._reply(past, hearing, query, found))
        decisions = session.decide()
        wrote_before = hearing.attempt.wrote_before if before is None else before.wrote
        end = job_outcome(session, decisions, config, replace(hearing.attempt, wrote_before=wrote_before))
        if doubts.unknown and end.status is JobStatus.SKIPPED:
            end.status = JobStatus.COMPLETED  # somebody would have been asked
        effects = effects_of(decisions)
        run = ReplayedJob(
            end.status,
            hearing.status,
            results=session.results,
            paid=paid | {name: reply.credits for name, reply in session.results.items() if reply.credits},
            paid_then=hearing.paid.keys() | {name for name, said in hearing.said.items() if said.reply.credits},
            wrote=wrote_before or any(decision.write for decision in decisions.values()),
            doubtful=doubts.unknown,
        )
        asked = bool(session.replies) or any(reply.outcome in ANSWERED for reply in session.results.values())
        return ReplayedDecision(run, effects, doubts.fields, asked=asked, short=end.short_of_credits)

    def _reply(
        self, past: StoredSnapshot, hearing: DecisionSnapshot, query: SessionQuestion, found: FoundAnswer | None
    ) -> Reply:
        if found is None:
            return Reply(StepOutcome.SKIPPED, skipped=SkipReason.UNKNOWN)
        credits = self.bill.charge(past, hearing, query.source, found)
        return found.reply if found.reply.credits == credits else replace(found.reply, credits=credits)

    def _compare(
        self, past: StoredSnapshot, hearing: DecisionSnapshot, timeline: RecordTimeline, replayed: ReplayedDecision
    ) -> None:
        then, now = hearing.effects, replayed.effects
        opened_then, opened_now = opened(then, timeline.open_then), opened(now, timeline.open_now)
        for tally, effects, new in (
            (self.outcome.actual, then, opened_then),
            (self.outcome.simulated, now, opened_now),
        ):
            tally.values_written += sum(effect.reason is FieldOutcomeReason.WRITTEN for effect in effects.values())
            tally.conflicts_raised += len(new)
        if then == now and opened_then == opened_now:
            return
        doubtful = replayed.doubtful | timeline.doubtful
        all_doubtful = bool(replayed.why) and replayed.run.doubtful
        for name in fields_of(hearing.entity_type):
            kinds = kinds_of(then.get(name), now.get(name), name in opened_then, name in opened_now)
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


def _paid(source: str, hearing: DecisionSnapshot, before: ReplayedJob | None) -> int:
    """What a job of the replay has paid a source before this attempt is decided."""
    if before is None:
        return hearing.paid.get(source, 0)
    if source in hearing.paid and source not in before.paid_then:
        return hearing.paid[source]  # in this attempt, before it was decided again
    return before.paid.get(source, 0)


def _why(effect: FieldEffect | None, replayed: ReplayedDecision) -> str:
    if effect is not None:
        return effect.reason.value
    return replayed.why or FieldOutcomeReason.NO_DATA.value


@dataclass(slots=True)
class _Doubts:
    """The fields that an answer which nobody knows could change."""

    subject: JobContext
    fields: set[str]
    unknown: bool = False
    all_further: bool = False  # it could change what the others are asked, too

    def __post_init__(self) -> None:
        known = fields_of(self.subject.entity_type)
        self.all_further = any(known[name].identifying for name in self.fields)

    def note(self, query: SessionQuestion, found: FoundAnswer | None) -> None:
        if found is None or self.all_further:
            self.fields |= query.wanted
        if found is not None:
            return
        self.unknown = True
        known = fields_of(self.subject.entity_type)
        lends = any(known[name].identifying and query.fields.get(name) is None for name in query.wanted)
        limited = self.subject.config.credits.per_record_max is not None and query.source.price > 0
        self.all_further = self.all_further or lends or limited
