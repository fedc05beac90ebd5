"""Which calls enriching records may make, at most, before any is made.

The waterfall of each record is walked with the answers that are stored. What a new answer would hold is not known: it
is taken to settle nothing, so that whoever comes after it stays in the plan, and it may add identifiers, by which the
next provider may be asked otherwise, or at all. So the plan leaves out no call that a job could make.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from enrichment.config import Config
from enrichment.enums import EntityType, JobTrigger, StepOutcome, Strategy
from enrichment.fields_before import with_forms_before
from enrichment.learn.trust import Trust
from enrichment.waterfall.company_question import as_persons
from enrichment.waterfall.findings import read_findings
from enrichment.waterfall.planner import provider_of
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.reuse import oldest_reusable
from enrichment.waterfall.session import JobContext, SessionQuestion, WaterfallSession
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import NO_YIELDS, Yields
from models.answer.cache import known
from models.answer.pending import promised_to
from models.answer.row import AnswerState, CachedAnswer
from models.job.queries import find_active_jobs
from models.record import Record
from models.record.value import CurrentValue, current_values
from providers.api import Question, RequiresKey
from providers.sources import sources_of
from resolvers.conflict.trust import trust_of
from resolvers.context import Services
from resolvers.cost.candidate_call import CandidateCall, ProviderPlan, key_of, with_example_ids
from resolvers.cost.record_walk import ActiveJob, RecordWalk
from resolvers.record.state import held_values
from resolvers.refresh.freshness import LearnedHalfLives, learned_by
from resolvers.yields import yields_of

ASKABLE_BY_BORROWED = 0.3  # how likely a provider that nothing is known to ask with can be asked in the end
LONGEST_RUN = timedelta(days=1)  # a stored answer has to last so long, for jobs may wait before they need it
_AT_ONCE = 200  # records, whose stored answers are read together
_ASKED_AT_ONCE = 10  # calls, between which other tasks run


@dataclass(slots=True)
class CallPlan:
    """The plans of the providers that are switched on, in order of priority.

    `records` is how many of the records any provider could be asked about; `keyless` names the providers that are
    skipped because they have no key.
    """

    providers: dict[str, ProviderPlan]
    keyless: list[str]
    records: int = 0


async def plan_calls(
    services: Services,
    organization_id: str,
    config: Config,
    records: Sequence[Record],
    *,
    force: bool,
) -> CallPlan:
    """The plan for these records of an organization. How likely its calls are follows from its last decisions."""
    plan = CallPlan({}, [])
    for rule in config.providers:
        provider = services.registry.get(rule.id)
        if not rule.enabled or provider is None:
            continue
        if isinstance(provider, RequiresKey) and not await provider.configured(organization_id):
            plan.keyless.append(rule.id)
        else:
            plan.providers[rule.id] = ProviderPlan(provider)
    trust = (await trust_of([organization_id]))[organization_id]
    learned = (await learned_by([organization_id]))[organization_id]
    planner = _Planner(plan, config, trust, learned, await yields_of(organization_id), services.now(), force)
    for start in range(0, len(records), _AT_ONCE):
        await planner.add(organization_id, records[start : start + _AT_ONCE])
    return plan


@dataclass(frozen=True, slots=True)
class _Planner:
    """Adds records to a plan. `force`: a person asks, also where a call may have been charged before."""

    plan: CallPlan
    config: Config
    trust: Trust
    half_lives: LearnedHalfLives
    yields: Mapping[EntityType, Yields]
    now: datetime
    force: bool

    async def add(self, organization_id: str, records: Sequence[Record]) -> None:
        """Walk these records together, so that each round reads its stored answers at once."""
        if not self.plan.providers:
            return
        ids = [record.id for record in records]
        values, jobs = await current_values(ids), await _active_jobs(organization_id, ids)
        walks = [self._walk(record, values[record.id], jobs.get(record.id)) for record in records]
        going = walks
        while going:
            steps = [(walk, query) for walk in going if (query := walk.session.next_question()) is not None]
            calls = [self._call(walk, query) for walk, query in steps]
            keys = [(query.source.provider, call.key) for (_, query), call in zip(steps, calls, strict=True) if call]
            stored = await known(organization_id, keys)
            if not self.force:
                stored |= await self._known_before(organization_id, steps, calls, stored)
            for number, ((walk, query), call) in enumerate(zip(steps, calls, strict=True)):
                if number % _ASKED_AT_ONCE == 0:
                    await asyncio.sleep(0)
                self._advance(walk, query, call, stored.get((query.source.provider, call.key)) if call else None)
            going = [walk for walk, _ in steps]
        for walk in walks:
            self._finish(walk)

    async def _known_before(
        self,
        organization_id: str,
        steps: Sequence[tuple[RecordWalk, SessionQuestion]],
        calls: Sequence[CandidateCall | None],
        stored: Mapping[tuple[str, str], CachedAnswer],
    ) -> dict[tuple[str, str], CachedAnswer]:
        """What is known of the other questions as earlier versions asked them, by provider and today's key."""
        asked_as: dict[tuple[str, str], str] = {}
        for (walk, query), call in zip(steps, calls, strict=True):
            provider = query.source.provider
            if call is None or (provider, call.key) in stored or not walk.forms_before:
                continue
            fields = with_forms_before(call.question.fields, walk.forms_before)
            before = key_of(
                self.plan.providers[provider].provider,
                replace(call.question, fields=fields),
                about_company=call.about_company,
            )
            if before is not None and before != call.key:
                asked_as[provider, call.key] = before
        found = await known(organization_id, [(provider, key) for (provider, _), key in asked_as.items()])
        return {
            (provider, today): found[provider, before]
            for (provider, today), before in asked_as.items()
            if (provider, before) in found
        }

    def _walk(self, record: Record, values: Mapping[str, CurrentValue], job: ActiveJob | None) -> RecordWalk:
        context = JobContext(
            entity_type=record.entity_type,
            # What is learned meanwhile may bring a source above a floor: the plan leaves out no call for its sake.
            config=self.config.model_copy(update={"value_floor": None, "min_chance": None}),
            trigger=job.trigger if job else JobTrigger.MANUAL,
            forced=self.force or (job is not None and job.forced),
            fields=record.fields,
            current=held_values(record, values),
            rejected=frozenset(),
            asked_at=self.now,
            half_lives=self.half_lives[record.entity_type],
            yields=self.yields.get(record.entity_type, NO_YIELDS),
        )
        infos = [plan.provider.info for plan in self.plan.providers.values()]
        found = sources_of(infos, record.entity_type, company_questions=self.config.company_questions)
        sources = {source.id: source for source in found}
        question = Question(record.entity_type, record.fields, frozenset(), record.organization_id)
        session = WaterfallSession(context, list(sources.values()))
        return RecordWalk(session, question, job, sources, self.config, record.raw_values or {})

    def _call(self, walk: RecordWalk, query: SessionQuestion) -> CandidateCall | None:
        """The call, if the provider could be asked now; identifiers that may still be borrowed are noted in it."""
        plan, company = self.plan.providers[query.source.provider], query.source.is_about_company
        question = walk.question_of(query)
        key = key_of(plan.provider, question, about_company=company)
        if key is None:
            return None
        return CandidateCall(
            question,
            key,
            plan.max_credits(question, about_company=company),
            walk.chance_of(query),
            walk.borrowable_before(query),
            about_company=company,
            match_rate=walk.yields.match_rate(query.source.id),
        )

    def _advance(
        self, walk: RecordWalk, query: SessionQuestion, call: CandidateCall | None, stored: CachedAnswer | None
    ) -> None:
        """Go on past a question: with its stored answer, or as if the answer held nothing that is wanted."""
        source = query.source
        if call is None:
            walk.unaskable.append(query)
            walk.session.record_reply(source.id, Reply(StepOutcome.SKIPPED))
            return
        walk.consulted.add(source.id)
        plan = self.plan.providers[source.provider]
        is_pending = source.provider in walk.pending
        serves = stored is not None and not is_pending and self._serves(plan, stored, walk)
        if stored is not None and serves and call.is_settled(plan.provider):
            plan.reused += 1
            self._reuse(walk, query, stored)
            return
        walk.calls[source.id] = call
        walk.add_borrowable(source.gives)
        if self.config.strategy is Strategy.WATERFALL:
            walk.expect(query)
        else:
            walk.expect_asked(query.wanted)
        # Not as if it had been asked: where it cannot be in the end, another is asked in its place.
        walk.session.record_reply(source.id, Reply(StepOutcome.SKIPPED))

    def _serves(self, plan: ProviderPlan, stored: CachedAnswer, walk: RecordWalk) -> bool:
        """Whether no call is made: there is an answer, or a call that may have been charged is not repeated."""
        until = self.now + LONGEST_RUN
        if stored.state is AnswerState.MAYBE_CHARGED:
            insists = self.force or (walk.job is not None and walk.job.forced)
            return not insists and stored.expires_at is not None and stored.expires_at > until
        info, job = plan.provider.info, walk.job
        since = self.now if self.force else job.answers_since if job is not None else None
        days = self.config.answer_days(info.id, info.answer_days)
        return stored.serves(oldest_reusable(until, days, created_at=until, answers_since=since), until)

    def _reuse(self, walk: RecordWalk, query: SessionQuestion, stored: CachedAnswer) -> None:
        source = query.source
        if stored.opted_out:
            walk.session.record_reply(source.id, Reply(StepOutcome.SKIPPED, skipped=SkipReason.OPTED_OUT))
            return
        told = read_findings(source.provider, stored.findings or [])
        if source.is_about_company:
            told = as_persons(walk.question.entity_type, told)
        candidates = {name: candidate for name, candidate in told.items() if name in source.gives}
        walk.add_stored(frozenset(candidates))
        kind = walk.question.entity_type
        believed = self.trust.believed(kind, candidates)
        walk.expect_stored(
            {name for name, found in believed.items() if found.confidence >= self.config.minimum(kind, name)}
        )
        if walk.may_borrow:
            believed = {}  # how far they are believed depends on what was borrowed to ask by: they may settle nothing
        outcome = StepOutcome.MATCH if stored.matched else StepOutcome.NO_MATCH
        walk.session.record_reply(source.id, Reply(outcome, candidates=believed))

    def _finish(self, walk: RecordWalk) -> None:
        """Add the calls of one record, with those that can be made only with what other answers may add."""
        waiting = [*walk.unaskable, *walk.unknown_company()]
        while added := [(query, call) for query in waiting if (call := self._borrowing(walk, query)) is not None]:
            for query, call in added:
                waiting.remove(query)
                walk.calls[query.source.id] = call
                walk.consulted.add(query.source.id)
        for provider, came in walk.pending.items():
            plan = self.plan.providers[provider]
            plan.certain_credits += plan.provider.info.price if came else 0
            walk.calls[provider] = walk.pending_call(plan)
        for source, call in walk.calls.items():
            borrowable = walk.borrowable_in_the_end(source, call.question.fields)
            self.plan.providers[provider_of(source)].calls.append(replace(call, borrowable=borrowable))
        self.plan.records += bool(walk.consulted)

    def _borrowing(self, walk: RecordWalk, query: SessionQuestion) -> CandidateCall | None:
        """The call, if the provider could be asked with what other answers may add."""
        borrowable = walk.borrowable_in_the_end(query.source.id, query.fields)
        if not borrowable:
            return None
        plan, company = self.plan.providers[query.source.provider], query.source.is_about_company
        question = with_example_ids(walk.question_of(query), borrowable)
        key = key_of(plan.provider, question, about_company=company)
        if key is None:
            return None
        return CandidateCall(
            question,
            key,
            plan.max_credits(question, about_company=company),
            ASKABLE_BY_BORROWED * walk.chance_of(query),
            needs_borrowed=True,
            about_company=company,
            match_rate=walk.yields.match_rate(query.source.id),
        )


async def _active_jobs(organization_id: str, record_ids: Sequence[str]) -> dict[str, ActiveJob]:
    """The active jobs of these records, by record."""
    found = await find_active_jobs(organization_id, record_ids)
    pending = await promised_to([job.id for job in found])
    return {
        job.record_id: ActiveJob(job.trigger, job.forced, job.answers_since, pending.get(job.id, {})) for job in found
    }
