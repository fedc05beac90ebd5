"""Take past decisions again under other rules, record by record in order of time, with the answers given then.

A later decision on a record finds what the replay wrote before, with all that others changed meanwhile laid over: an
edit of the CRM, a review, an undo show as the difference between what one decision left and what the next one found.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import timedelta

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.decide.job_outcome import SUPPRESSED, job_outcome, skipped_outcome
from enrichment.decide.start import why_not_started
from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.replay.answer_index import AnswerIndex
from enrichment.replay.bill import Bill, FoundAnswer
from enrichment.replay.diff import Difference, Replayed, kinds_of
from enrichment.replay.questions import question_of
from enrichment.replay.snapshot import DecisionSnapshot, FieldEffect, effects_of
from enrichment.replay.stored import StoredSnapshot
from enrichment.replay.timeline import RecordTimeline, ReplayedDecision, ReplayedJob
from enrichment.waterfall.planner import Source
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import JobContext, SessionQuestion, WaterfallSession
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import NO_YIELDS, Yields


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a replay: the configuration, the sources that it switches on in order of priority, and the
    configurations that were in force, by version.

    `yields`: what the sources brought up to now, for decisions that did not weigh it then.
    """

    config: Config
    sources: Mapping[EntityType, Sequence[Source]]
    in_force: Mapping[int, Config]
    yields: Mapping[EntityType, Yields] = field(default_factory=dict)


class Replay:
    """One replay of many decisions, in order of time.

    `open_before`: the fields and units of each record that had an open conflict.
    """

    def __init__(self, rules: Rules, answers: AnswerIndex, open_before: Mapping[str, Set[str]]) -> None:
        self._rules = rules
        self._answers = answers
        self._open_before = open_before
        self.bill: Bill = answers.bill()
        self._timelines: dict[str, RecordTimeline] = {}
        self._ran_in_fact: set[str] = set()
        self._ran_in_replay: set[str] = set()
        self._jobs: set[str] = set()
        self.outcome = Replayed()

    def run(self, snapshots: Sequence[StoredSnapshot]) -> Replayed:
        """Replay these, which come in order of time."""
        for stored in snapshots:
            self._replay(stored, stored.read())
        outcome = self.outcome
        outcome.jobs = len(self._jobs)
        outcome.actual.jobs_run, outcome.simulated.jobs_run = len(self._ran_in_fact), len(self._ran_in_replay)
        return outcome

    def _replay(self, stored: StoredSnapshot, snapshot: DecisionSnapshot) -> None:
        timeline = self._timelines.get(stored.record_id)
        if timeline is None:
            open_before = self._open_before.get(stored.record_id, frozenset())
            timeline = self._timelines[stored.record_id] = RecordTimeline.begin(
                snapshot.entity_type, snapshot.state, open_before
            )
        else:
            timeline.lay_over(snapshot.state)
        replayed = self._decide(stored, snapshot, timeline)
        sources = () if replayed.why else self._rules.sources[snapshot.entity_type]
        self.bill.close(stored, snapshot, sources)
        self._compare(stored, snapshot, timeline, replayed)
        timeline.apply(snapshot, replayed, stored.decided_at)
        timeline.runs[stored.job_id] = replayed.run
        self._jobs.add(stored.job_id)
        if snapshot.replies or snapshot.restored:
            self._ran_in_fact.add(stored.job_id)
        if replayed.asked:
            self._ran_in_replay.add(stored.job_id)

    def _decide(self, stored: StoredSnapshot, snapshot: DecisionSnapshot, timeline: RecordTimeline) -> ReplayedDecision:
        before = timeline.runs.get(stored.job_id)
        config, origin = self._rules.config, snapshot.origin
        why = self._why_not(snapshot, timeline, before)
        if why is not None:
            run = ReplayedJob(None, snapshot.status) if before is None else replace(before, recorded=snapshot.status)
            return ReplayedDecision(run, why=why)
        not_started = why_not_started(
            config,
            snapshot.entity_type,
            forced=origin.forced,
            last_enriched_at=timeline.enriched_at,
            at=snapshot.asked_at,
            suppressed=snapshot.code == SUPPRESSED[0] and not snapshot.replies,
        )
        if not_started is not None:
            end = skipped_outcome(not_started, config)
            return ReplayedDecision(ReplayedJob(end.status, snapshot.status), why=end.error_code or "")
        return self._ask(stored, snapshot, timeline, before)

    def _why_not(self, snapshot: DecisionSnapshot, timeline: RecordTimeline, before: ReplayedJob | None) -> str | None:
        """Why the replay has no such attempt; None where it has."""
        if before is None:
            return None if self._starts(snapshot, timeline) else "not_started"
        if before.status is JobStatus.PENDING:
            return None
        retried = before.recorded.is_final  # a person wanted it again
        if before.status in {JobStatus.FAILED, JobStatus.PARTIAL} and retried:
            return None
        return "not_started" if before.status is None else "ended_before"

    def _starts(self, snapshot: DecisionSnapshot, timeline: RecordTimeline) -> bool:
        origin, config = snapshot.origin, self._rules.config
        if origin.by_hand or origin.trigger is JobTrigger.MANUAL:
            return True
        if origin.trigger is JobTrigger.CREDITS_RESTORED:
            return timeline.short_now or not timeline.short_then
        if not config.starts_on(origin.trigger, snapshot.entity_type):
            return False
        if origin.trigger is JobTrigger.SCHEDULED_REFRESH:
            return self._is_due(snapshot, timeline)
        return True

    def _is_due(self, snapshot: DecisionSnapshot, timeline: RecordTimeline) -> bool:
        """Whether a refresh that was due under the rules in force is due under these."""
        days = self._rules.config.triggers.refresh_after_days
        then = self._rules.in_force.get(snapshot.origin.config_version)
        if days is None or (then is not None and then.triggers.refresh_after_days == days):
            return days is not None
        last = timeline.enriched_at
        return last is not None and last < snapshot.attempt.created_at - timedelta(days=days)

    def _ask(
        self, stored: StoredSnapshot, snapshot: DecisionSnapshot, timeline: RecordTimeline, before: ReplayedJob | None
    ) -> ReplayedDecision:
        config = self._rules.config
        context = JobContext(
            entity_type=snapshot.entity_type,
            config=config,
            trigger=snapshot.origin.trigger,
            forced=snapshot.origin.forced,
            fields=timeline.fields,
            current=timeline.current,
            rejected=timeline.rejected,
            asked_at=snapshot.asked_at,
            half_lives=snapshot.half_lives,
            yields=self._rules.yields.get(snapshot.entity_type, NO_YIELDS)
            if snapshot.yields is None
            else snapshot.yields,
            edition=snapshot.edition,
        )
        sources = self._rules.sources[snapshot.entity_type]
        paid = {source.id: credits for source in sources if (credits := _paid(source.id, snapshot, before))}
        session = WaterfallSession(context, sources, paid)
        earlier = snapshot.restored if before is None else before.results
        for source in session.waterfall.sources:
            reply = earlier.get(source.id)
            if reply is not None and reply.outcome.is_answer:
                session.restore_reply(source.id, reply)
        doubts = _Doubts(context, set(timeline.doubtful))
        while (question := session.next_question()) is not None:
            found = self._answers.find(snapshot, question, poorer=self.bill.poorer)
            doubts.note(question, found)
            session.record_reply(question.source.id, self._reply(stored, snapshot, question, found))
        decisions = session.decide()
        wrote_before = snapshot.attempt.wrote_before if before is None else before.wrote
        end = job_outcome(session, decisions, config, replace(snapshot.attempt, wrote_before=wrote_before))
        if doubts.unknown and end.status is JobStatus.SKIPPED:
            end.status = JobStatus.COMPLETED  # somebody would have been asked
        effects = effects_of(decisions)
        run = ReplayedJob(
            end.status,
            snapshot.status,
            results=session.results,
            paid=paid | {name: reply.credits for name, reply in session.results.items() if reply.credits},
            paid_then=snapshot.paid.keys() | {name for name, given in snapshot.replies.items() if given.reply.credits},
            wrote=wrote_before or any(decision.write for decision in decisions.values()),
            doubtful=doubts.unknown,
        )
        asked = bool(session.replies) or any(reply.outcome.is_answer for reply in session.results.values())
        return ReplayedDecision(run, effects, doubts.fields, asked=asked, short=end.short_of_credits)

    def _reply(
        self, stored: StoredSnapshot, snapshot: DecisionSnapshot, question: SessionQuestion, found: FoundAnswer | None
    ) -> Reply:
        if found is None:
            return Reply(StepOutcome.SKIPPED, skipped=SkipReason.UNKNOWN)
        credits = self.bill.charge(stored, snapshot, question.source, found)
        return found.reply if found.reply.credits == credits else replace(found.reply, credits=credits)

    def _compare(
        self, stored: StoredSnapshot, snapshot: DecisionSnapshot, timeline: RecordTimeline, replayed: ReplayedDecision
    ) -> None:
        then, now = snapshot.effects, replayed.effects
        opened_then, opened_now = timeline.open_then.apply(then), timeline.open_now.apply(now)
        for tally, effects, new in (
            (self.outcome.actual, then, opened_then),
            (self.outcome.simulated, now, opened_now),
        ):
            tally.values_written += sum(effect.reason is FieldOutcomeReason.WRITTEN for effect in effects.values())
            tally.conflicts_raised += len({question_of(name, effects[name]) for name in new})
        if then == now and opened_then == opened_now:
            return
        doubtful = replayed.doubtful | timeline.doubtful
        all_doubtful = bool(replayed.why) and replayed.run.doubtful
        for name in fields_of(snapshot.entity_type):
            kinds = kinds_of(then.get(name), now.get(name), name in opened_then, name in opened_now)
            for kind in kinds:
                self.outcome.differences.append(
                    Difference(
                        stored,
                        snapshot.entity_type,
                        name,
                        kind,
                        then.get(name),
                        now.get(name),
                        _why(now.get(name), replayed),
                        certain=not all_doubtful and name not in doubtful,
                    )
                )


def _paid(source: str, snapshot: DecisionSnapshot, before: ReplayedJob | None) -> int:
    """What a job of the replay has paid a source before this attempt is decided."""
    if before is None:
        return snapshot.paid.get(source, 0)
    if source in snapshot.paid and source not in before.paid_then:
        return snapshot.paid[source]  # in this attempt, before it was decided again
    return before.paid.get(source, 0)


def _why(effect: FieldEffect | None, replayed: ReplayedDecision) -> str:
    if effect is not None:
        return effect.reason.value
    return replayed.why or FieldOutcomeReason.NO_DATA.value


@dataclass(slots=True)
class _Doubts:
    """The fields that an answer which nobody knows could change."""

    context: JobContext
    fields: set[str]
    unknown: bool = False
    all_further: bool = False  # it could change what the others are asked, too

    def __post_init__(self) -> None:
        known = fields_of(self.context.entity_type)
        self.all_further = any(known[name].identifying for name in self.fields)

    def note(self, question: SessionQuestion, found: FoundAnswer | None) -> None:
        if found is None or self.all_further:
            self.fields |= question.wanted
        if found is not None:
            return
        self.unknown = True
        known = fields_of(self.context.entity_type)
        borrowable = any(known[name].identifying and question.fields.get(name) is None for name in question.wanted)
        limited = self.context.config.credits.per_record_max is not None and question.source.price > 0
        self.all_further = self.all_further or borrowable or limited
