"""Lookups of records at providers, many at once: from kept answers where there are some, else by calls, each paid once.

The stages, in order (`Stage`), each with one statement for all that pass it: an answer of the job's own that comes
later, the input key, the suppression guard, kept answers, the reservation of credits, the call, what of the answer is
withheld, the settlement. Providers that answer at once are asked in a plain loop. What has to wait, for a remote
provider, its turn or another job, leaves the batch (`AWAY`) and comes back for the stage that follows; it keeps nobody
waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import structlog

from enrichment.enums import EntityType
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.row import CachedAnswer
from models.credit.usage import charged_to
from models.db.health import ping
from providers.api import CallDeferred, ProviderError, key_digest
from providers.sources import company_question
from resolvers.context import Services
from resolvers.halving import run_halving
from workers.lookup.batched_store import BatchedStore
from workers.lookup.bulk import BulkCalls
from workers.lookup.cache import POLL_SECONDS, AnswerCache
from workers.lookup.call import ProviderCaller
from workers.lookup.concurrency import CallConcurrency, next_recheck
from workers.lookup.credits import CreditStage
from workers.lookup.ending import end_of, failed_here, wait_for_database
from workers.lookup.lookup import Lookup, Stage, at
from workers.lookup.opted_out import answered_now, keep_with_others
from workers.lookup.pending import PendingAnswers
from workers.lookup.reply import failed, skipped, waiting
from workers.lookup.suppression_guard import Found, SuppressionGuard, is_blocked
from workers.loop_yield import LoopYield

_log = structlog.get_logger(__name__)


class LookupStages:
    """Takes the lookups of one worker through the stages. A failing provider is a reply here, never an exception."""

    def __init__(
        self,
        services: Services,
        store: BatchedStore,
        come_back: Callable[[Lookup], None],
        in_flight: Callable[[str], int],
    ) -> None:
        """`come_back` is called with each lookup that was away, once it may go on; `in_flight`: see BulkCalls."""
        self._store = store
        self._come_back = come_back
        self._concurrency = CallConcurrency()
        self._guard = SuppressionGuard(store)
        self._caller = ProviderCaller(services, self._guard, self._concurrency)
        self._bulk = BulkCalls(self._caller, in_flight)
        self._cache = AnswerCache(services, store, self._concurrency)
        self._credits = CreditStage(services, store, self._caller)
        self._pending = PendingAnswers(services, store, self._guard, self._caller)
        self._registry = services.registry
        self._now = services.now

    async def run(self, lookups: Sequence[Lookup]) -> list[Lookup]:
        """Take these as far as they get now. Returns those that are not away: they have replies, failed, or withdrew.

        Answers are stored as they were given; how much they are believed follows from the trust of today.
        """
        here = list(lookups)
        await self._pass(Stage.START, self._start, here)
        loop_yield = LoopYield()
        for lookup in at(Stage.KEY, here):
            _find_key(lookup)
            await loop_yield.if_due()
        await self._pass(Stage.CLEAR, self._clear, here)
        await self._pass(Stage.REUSE, self._cache.reuse, here)
        await self._pass(Stage.ACQUIRE, self._cache.find_or_acquire, here)
        await self._pass(Stage.RESERVE, self._credits.reserve, here)
        for lookup in at(Stage.CALL, here):
            if (at_once := lookup.abilities.at_once) is not None and not lookup.provider.info.remote:
                lookup.called = True
                lookup.answered(self._caller.answer(lookup.provider, at_once, lookup.question))
                await loop_yield.if_due()
        here = self._let_wait(here)
        await self._pass(Stage.WITHHOLD, self._withhold, here)
        await self._pass(Stage.SETTLE, self._settle, here)
        return self._let_wait(here)

    def _let_wait(self, lookups: Sequence[Lookup]) -> list[Lookup]:
        """Let those leave that have to wait. Returns the others: what has left may come back at any moment."""
        waits = {
            Stage.RESUME: self._resumed,
            Stage.TURN: self._wait_for_turn,
            Stage.ASKED_BY_ANOTHER: _wait_for_another,
            Stage.CALL: self._call,
            Stage.UNSETTLED: wait_for_database,
        }
        for lookup in lookups:
            if (wait := waits.get(lookup.stage)) is not None:
                self._leave(lookup, wait(lookup))
        return [lookup for lookup in lookups if lookup.stage is not Stage.AWAY]

    async def abandon(self, lookups: Sequence[Lookup]) -> None:
        """Settle what these hold: let others ask it, or say that it may have been charged."""
        for lookup in lookups:
            lookup.leave_turn()
        now = self._now()
        holding = [end_of(lookup, now) for lookup in lookups if lookup.holds and lookup.answer_key is not None]
        for result in await run_halving(self._store.settle_all, holding, ping):
            if isinstance(result, Exception):  # the sweep ends the call, and the lease of the question runs out
                _log.warning("a question is left to its lease", error=type(result).__name__)

    async def _pass(
        self, stage: Stage, work: Callable[[Sequence[Lookup]], Awaitable[None]], lookups: Sequence[Lookup]
    ) -> None:
        """Let those at this stage pass it; where that fails, those that it fails for fail."""

        async def of_some(some: Sequence[Lookup]) -> Sequence[None]:
            await work(at(stage, some))
            return [None] * len(some)

        waiting = at(stage, lookups)
        if not waiting:
            return
        for lookup, result in zip(waiting, await run_halving(of_some, waiting, ping), strict=True):
            if isinstance(result, Exception) and lookup.stage is stage:
                failed_here(lookup, result)

    def _leave(self, lookup: Lookup, wait: Coroutine[None, None, None]) -> None:
        if lookup.stopped or (lookup.withdrawn and not lookup.called):
            wait.close()
            lookup.stage = Stage.WITHDRAWN
            return
        lookup.stage = Stage.AWAY
        lookup.waiting = asyncio.create_task(wait)
        lookup.waiting.add_done_callback(lambda task: self._back(lookup, task))

    def _back(self, lookup: Lookup, task: "asyncio.Task[None]") -> None:
        lookup.waiting = None
        if task.cancelled():
            lookup.stage = Stage.WITHDRAWN
        elif isinstance(error := task.exception(), Exception):
            lookup.fail(error)
        self._come_back(lookup)

    async def _start(self, lookups: Sequence[Lookup]) -> None:
        """Those whose job went back to the queue to wait for this provider's answer go their own way."""
        found = await self._pending.find(lookups)
        for lookup in lookups:
            lookup.cached = found.get((lookup.job.id, lookup.provider.info.id))
            if lookup.cached is None or not _is_of(lookup.cached, lookup):
                lookup.cached, lookup.stage = None, Stage.KEY
            else:
                lookup.key, lookup.stage = lookup.cached.input_key, Stage.RESUME

    async def _resumed(self, lookup: Lookup) -> None:
        assert lookup.cached is not None  # the pending answer
        reply = await self._pending.resume(lookup, lookup.cached)
        lookup.replied(reply)

    async def _clear(self, lookups: Sequence[Lookup]) -> None:
        blocked = await self._guard.blocked_of([(lookup.question, lookup.job) for lookup in lookups])
        for lookup, reply in zip(lookups, blocked, strict=True):
            if reply is not None:
                lookup.key = None  # it does not become known what it would have been asked
                lookup.ended(reply)
                continue
            keyed = lookup.abilities.keyed
            if keyed is not None and not await keyed.configured(lookup.job.organization_id):
                lookup.ended(skipped(SkipReason.NO_KEY, f"no key for {lookup.provider.info.name}"))
            else:
                lookup.stage = Stage.REUSE if lookup.provider.info.keeps_answers else Stage.RESERVE

    async def _wait_for_turn(self, lookup: Lookup) -> None:
        try:
            lookup.turn = await self._concurrency.turn(
                lookup.provider.info, lookup.job.organization_id, together=lookup.batch is not None
            )
        except CallDeferred as error:
            self._defer(lookup, error)
        else:
            lookup.stage = Stage.ACQUIRE

    def _defer(self, lookup: Lookup, error: CallDeferred) -> None:
        until = next_recheck(lookup.job.created_at, self._now())
        lookup.ended(waiting(until, None, error.message, reason=SkipReason.OUT_OF_TURN))

    async def _call(self, lookup: Lookup) -> None:
        batch = lookup.batch
        if lookup.answer_key is not None and batch is None:
            lookup.question = self._pending.with_callback(lookup.provider, lookup.question, lookup.answer_key)
        try:
            reply = await (self._caller.call(lookup) if batch is None else self._bulk.call(lookup, batch))
        except CallDeferred as error:
            self._defer(lookup, error)
            return
        finally:
            lookup.leave_turn()
        if is_blocked(reply):
            lookup.ended(reply)
        else:
            lookup.called = True
            lookup.answered(reply)

    async def _withhold(self, lookups: Sequence[Lookup]) -> None:
        await self._guard.withhold([Found(lookup.question, lookup.job, lookup.reply) for lookup in lookups])
        for lookup in lookups:
            cached, reply = lookup.cached, lookup.reply
            if cached is not None and reply.withheld:
                # What of it would bring an erased person back is not kept any longer.
                await self._cache.forget(cached, reply.withheld)
            if cached is not None and cached.asked_by == lookup.job.id and lookup.is_about(cached):
                # The job paid for it and its worker died before that was written down.
                reply.credits = await charged_to(lookup.job.id, lookup.provider.info.id, lookup.question.entity_type)
            lookup.stage, lookup.judged = Stage.SETTLE, True

    async def _settle(self, lookups: Sequence[Lookup]) -> None:
        """Charge and store what was called, and release what was not."""
        now = self._now()
        holding = [lookup for lookup in lookups if lookup.holds]
        settlements = [end_of(lookup, now) for lookup in holding]
        results = await run_halving(self._store.settle_all, settlements, ping) if holding else []
        for lookup, charged in zip(holding, results, strict=True):
            if isinstance(charged, Exception):
                failed_here(lookup, charged)
                continue
            lookup.holds = False
            lookup.reply.credits = charged if lookup.called else 0
            if lookup.tries and lookup.called and not charged:  # an earlier try may have done it before it failed
                lookup.reply.credits = await charged_to(
                    lookup.job.id, lookup.provider.info.id, lookup.question.entity_type
                )
        await keep_with_others(answered_now(at(Stage.SETTLE, lookups)), self._registry, now)
        for lookup in at(Stage.SETTLE, lookups):
            lookup.replied(lookup.reply)


def _is_of(pending: CachedAnswer, lookup: Lookup) -> bool:
    """Whether an answer that the job waits for is one to this question.

    What came of it at once may have changed what the job's question would be today: it is its own, unless it is the one
    about the person's company.
    """
    provider, question = lookup.provider, lookup.question
    if not lookup.is_about_company:
        if not lookup.job.config.company_questions or question.entity_type is EntityType.ACCOUNT:
            return True
        question = company_question(provider.info, question.fields, question.organization_id)
    try:
        key = provider.input_key(question)
    except Exception:  # the stage that follows tells of it
        key = None
    is_companys = key is not None and key_digest(key) == pending.input_key
    return is_companys if lookup.is_about_company else not is_companys


def _find_key(lookup: Lookup) -> None:
    provider = lookup.provider
    try:
        input_key = provider.input_key(lookup.question)
        if (bulk := lookup.abilities.bulk) is not None and provider.info.remote:
            lookup.batch = bulk.batch_of(lookup.question)
    except Exception:
        _log.exception("provider cannot read the question", provider=provider.info.id, job_id=lookup.job.id)
        error = ProviderError("invalid_answer", "the provider failed on this record", retryable=False)
        lookup.ended(failed(error))
        return
    if input_key is None:
        lookup.ended(skipped(SkipReason.NOT_ENOUGH_INPUT, f"needs {provider.info.needs}"))
    else:
        lookup.key, lookup.stage = key_digest(input_key), Stage.CLEAR


async def _wait_for_another(lookup: Lookup) -> None:
    await asyncio.sleep(POLL_SECONDS)
    lookup.stage = Stage.ACQUIRE
