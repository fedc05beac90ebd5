"""Whom enriching records would ask, and at what most, told before anyone is asked.

The waterfall of each record is walked with the answers that are kept. What a new answer would say is not known: it is
taken to settle nothing, so that whoever comes after it stays in the plan, and it may lend identifiers, by which the
next may be asked otherwise, or at all. So the plan leaves out no call that a job could make.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.enums import JobTrigger, StepOutcome, Strategy
from enrichment.learn.trust import Trust
from enrichment.waterfall.findings import read_findings
from enrichment.waterfall.planner import Source, Want
from enrichment.waterfall.session import JobContext, Reply, SessionQuestion, WaterfallSession
from models.answer.cache import unexpired
from models.answer.pending import promised_to
from models.answer.row import AnswerState, CachedAnswer
from models.db.statements import marks, query
from models.record import Record
from models.record.value import CurrentValue, current_values
from providers.api import Question, RequiresKey
from resolvers.conflict.trust import trust_of
from resolvers.context import Services
from resolvers.cost.candidate_call import CandidateCall, Part, is_firm, key_of, with_borrowed_ids

GIVEN_OF_MATCH = 0.7  # of the fields that a match could settle, those it does, as far as is known beforehand
LENT = 0.3  # how likely a provider that nothing is known to ask with can be asked in the end
LONGEST_RUN = timedelta(days=1)  # a kept answer has to last so long, for jobs may wait before they need it
_AT_ONCE = 200  # between two of which others get their turn


@dataclass(slots=True)
class CallPlan:
    """The parts of the providers that are switched on, in order of priority.

    `records` is how many of the records anybody could be asked about; `keyless` names the providers that are passed by
    for want of a key.
    """

    parts: dict[str, Part]
    keyless: list[str]
    records: int = 0


async def plan_of(
    services: Services,
    organization_id: str,
    config: Config,
    records: Sequence[Record],
    rates: Mapping[str, float],
    *,
    force: bool,
) -> CallPlan:
    """The plan for these records of an organization. `rates` are the providers' match rates, for the chances."""
    plan = CallPlan({}, [])
    for rule in config.providers:
        provider = services.registry.get(rule.id)
        if not rule.enabled or provider is None:
            continue
        if isinstance(provider, RequiresKey) and not await provider.configured(organization_id):
            plan.keyless.append(rule.id)
        else:
            plan.parts[rule.id] = Part(provider)
    trust = (await trust_of([organization_id]))[organization_id]
    planner = _Planner(plan, config, trust, rates, services.now(), force)
    for start in range(0, len(records), _AT_ONCE):
        await planner.add(organization_id, records[start : start + _AT_ONCE])
    return plan


class _Walk:
    """One record on its way through the waterfall."""

    def __init__(
        self, session: WaterfallSession, question: Question, job: "_Active | None", sources: Sequence[Source]
    ) -> None:
        self.session = session
        self.job = job
        gives = {source.id: source.gives for source in sources}
        self._gives = gives
        self.promised = {name: came for name, came in (job.promised if job else {}).items() if name in gives}
        self._question = question
        self.asked: dict[str, CandidateCall] = {}  # by provider: what it may be asked as things stand
        self.passed: list[SessionQuestion] = []  # providers that nothing is known to ask with
        self.heard: set[str] = set()  # providers that may tell something
        self._missing = {
            known.name
            for known in fields_of(question.entity_type).values()
            if known.identifying and question.fields.get(known.name) is None
        }
        self.lendable: frozenset[str] | None = None
        if job is not None:  # an earlier attempt may have been answered already
            self.heard_something_new(frozenset().union(*(source.gives for source in sources)))
        self.chances = {name: 1.0 for name, why in session.waterfall.wants.items() if why is not Want.NONE}

    def lendable_now(self, query: SessionQuestion) -> frozenset[str] | None:
        """What those before it may have lent, which the record still lacks."""
        if self.lendable is None:
            return None
        return frozenset(name for name in self.lendable if query.fields.get(name) is None)

    def question_of(self, query: SessionQuestion) -> Question:
        asked = self._question
        return Question(asked.entity_type, query.fields, query.wanted, asked.organization_id)

    def heard_something_new(self, gives: frozenset[str]) -> None:
        self.lendable = (self.lendable or frozenset()) | (gives & self._missing)

    def awaited(self, part: Part) -> CandidateCall:
        """The question whose answer the record's job waits for: asked already, with what is not known any more."""
        every = replace(self._question, wanted=part.provider.info.source(self._question.entity_type).gives)
        return CandidateCall(every, "", part.most(every), 1.0, borrowed_ids=True)

    def lendable_to(self, source_id: str, fields: Mapping[str, Any]) -> frozenset[str] | None:
        """What may be lent before the last call: one that fails is repeated after all others were heard."""
        others = [self._gives[other] for other in self.heard if other != source_id]
        if not others and self.lendable is None:
            return None
        borrowed_ids = (self.lendable or frozenset()).union(*others) & self._missing
        return frozenset(name for name in borrowed_ids if fields.get(name) is None)

    def chance_of(self, query: SessionQuestion) -> float:
        """How likely it is that what came before left something to ask for."""
        wants = self.session.waterfall.wants
        worth = [name for name in query.wanted if not query.source.price or wants[name] is Want.FILL]
        return max((self.chances[name] for name in worth), default=0.0)


@dataclass(frozen=True, slots=True)
class _Active:
    """The active job of a record, which a request becomes part of."""

    trigger: JobTrigger
    forced: bool
    promised: Mapping[str, bool]  # providers whose answers it waits for, and whether a part of those came


class _Planner:
    def __init__(
        self, plan: CallPlan, config: Config, trust: Trust, rates: Mapping[str, float], now: datetime, force: bool
    ) -> None:
        self._plan = plan
        self._config = config
        self._trust = trust
        self._rates = rates
        self._now = now
        self._force = force

    async def add(self, organization_id: str, records: Sequence[Record]) -> None:
        """Walk these records together, so that each round looks up its kept answers at once."""
        provenance = await current_values([record.id for record in records])
        jobs = await _active_jobs([record.id for record in records])
        walks = [
            self._walk(record, provenance[record.id], jobs.get(record.id)) for record in records if self._plan.parts
        ]
        going = walks
        while going:
            steps = [(walk, query) for walk in going if (query := walk.session.next_question()) is not None]
            asked = [(walk, query, self._possible(walk, query)) for walk, query in steps]
            kept = await unexpired(
                organization_id,
                [(query.source.id, one.key) for _, query, one in asked if one is not None],
                self._now,
            )
            for walk, query, one in asked:
                self._meet(walk, query, one, kept.get((query.source.id, one.key)) if one else None)
            going = [walk for walk, _ in steps]
        for walk in walks:
            self._finish(walk)

    def _walk(self, record: Record, values: Mapping[str, CurrentValue], job: _Active | None) -> _Walk:
        subject = JobContext(
            entity_type=record.entity_type,
            config=self._config,
            trigger=job.trigger if job else JobTrigger.MANUAL,
            forced=self._force or (job is not None and job.forced),
            fields=record.fields,
            current={name: value.to_current() for name, value in values.items()},
            rejected=frozenset(),
            asked_at=self._now,
        )
        sources = [part.provider.info.source(record.entity_type) for part in self._plan.parts.values()]
        question = Question(record.entity_type, record.fields, frozenset(), record.organization_id)
        return _Walk(WaterfallSession(subject, sources), question, job, sources)

    def _possible(self, walk: _Walk, query: SessionQuestion) -> CandidateCall | None:
        """The question, if the provider could be asked it now or with what may be lent."""
        part = self._plan.parts[query.source.id]
        question = walk.question_of(query)
        key = key_of(part.provider, question)
        if key is None:
            return None
        return CandidateCall(question, key, part.most(question), walk.chance_of(query), walk.lendable_now(query))

    def _finish(self, walk: _Walk) -> None:
        """Add what may be asked of one record, with those that can be asked only with what the others lend."""
        waiting = list(walk.passed)
        while added := [(query, one) for query in waiting if (one := self._lent(walk, query)) is not None]:
            for passed, one in added:
                waiting.remove(passed)
                walk.asked[passed.source.id] = one
                walk.heard.add(passed.source.id)
        for source_id, came in walk.promised.items():
            part = self._plan.parts[source_id]
            part.certain += part.provider.info.price if came else 0
            walk.asked[source_id] = walk.awaited(part)
        for source_id, one in walk.asked.items():
            lendable = walk.lendable_to(source_id, one.question.fields)
            self._plan.parts[source_id].possible.append(replace(one, lendable=lendable))
        self._plan.records += bool(walk.heard)

    def _lent(self, walk: _Walk, query: SessionQuestion) -> CandidateCall | None:
        lendable = walk.lendable_to(query.source.id, query.fields)
        if not lendable:
            return None
        part = self._plan.parts[query.source.id]
        question = with_borrowed_ids(walk.question_of(query), lendable)
        key = key_of(part.provider, question)
        chance = LENT * walk.chance_of(query)
        return None if key is None else CandidateCall(question, key, part.most(question), chance, borrowed_ids=True)

    def _meet(self, walk: _Walk, query: SessionQuestion, one: CandidateCall | None, kept: CachedAnswer | None) -> None:
        """Go on past a question: with its kept answer, or as if it were answered by nothing that is wanted."""
        source = query.source
        if one is None:
            walk.passed.append(query)
            walk.session.record_reply(source.id, Reply(StepOutcome.SKIPPED))
            return
        walk.heard.add(source.id)
        part = self._plan.parts[source.id]
        waits = source.id in walk.promised
        if kept is not None and not waits and self._holds(kept, walk) and is_firm(part.provider, one):
            part.reused += 1
            self._reuse(walk, query, kept)
            return
        walk.asked[source.id] = one
        walk.heard_something_new(source.gives)
        self._expect(walk, query, GIVEN_OF_MATCH * self._rates.get(source.id, 0.0))
        walk.session.record_reply(source.id, Reply(StepOutcome.NO_MATCH))

    def _holds(self, kept: CachedAnswer, walk: _Walk) -> bool:
        """Whether no call is made: there is an answer, or a call that may have been charged is not repeated."""
        if kept.expires_at is None or kept.expires_at <= self._now + LONGEST_RUN:
            return False
        insists = self._force or (walk.job is not None and walk.job.forced)
        return kept.state is AnswerState.ANSWERED or (kept.state is AnswerState.MAYBE_CHARGED and not insists)

    def _reuse(self, walk: _Walk, query: SessionQuestion, kept: CachedAnswer) -> None:
        source = query.source
        candidates = {
            name: candidate
            for name, candidate in read_findings(source.id, kept.findings or []).items()
            if name in source.gives
        }
        if walk.lendable is not None:
            walk.heard_something_new(frozenset(candidates))
        if walk.lendable:
            candidates = {}  # how far they are believed depends on what was lent to ask by: they may settle nothing
        outcome = StepOutcome.MATCH if kept.matched else StepOutcome.NO_MATCH
        entity_type = walk.question_of(query).entity_type
        walk.session.record_reply(source.id, Reply(outcome, candidates=self._trust.believed(entity_type, candidates)))

    def _expect(self, walk: _Walk, query: SessionQuestion, settles: float) -> None:
        if self._config.strategy is Strategy.WATERFALL:
            for name in query.wanted:
                walk.chances[name] *= 1 - settles


async def _active_jobs(record_ids: Sequence[str]) -> dict[str, _Active]:
    if not record_ids:
        return {}
    found = await query(
        "SELECT id, record_id, trigger_kind, forced FROM job"
        f" WHERE status IN ('pending', 'in_progress') AND record_id IN ({marks(record_ids)})",
        list(record_ids),
    )
    promised = await promised_to([row["id"] for row in found])
    return {
        row["record_id"]: _Active(JobTrigger(row["trigger_kind"]), bool(row["forced"]), promised.get(row["id"], {}))
        for row in found
    }
