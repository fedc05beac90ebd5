"""One lookup of a record at a provider: from a cached answer if there is one, else by a call that is paid for once.

The stages, in order: a pending answer of the job's own, the suppression guard, the cache, a turn, the circuit breaker,
the reservation of credits, a permit, the call, its settlement. The permit is held for the call alone, the turn until
the call has ended.
"""

import asyncio
from contextlib import AsyncExitStack

import structlog

from enrichment.credits import CreditLimits
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.row import AnswerKey, AnswerState, CachedAnswer
from models.credit.usage import charged_to
from providers.api import CallDeferred, Provider, ProviderError, Question, RequiresKey, key_digest, max_price
from resolvers.context import Services
from resolvers.credit.reserve import Reservation
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, ReservationRequest
from workers.lookup.cache import AnswerCache, answer_key_of, next_check
from workers.lookup.call import ProviderCaller
from workers.lookup.concurrency import CallConcurrency, next_recheck
from workers.lookup.pending import PendingAnswers
from workers.lookup.reply import LookupReply, failed, maybe_charged, reused, skipped, waiting
from workers.lookup.settlement import settlement_of
from workers.lookup.suppression_guard import SuppressionGuard, is_blocked

_log = structlog.get_logger(__name__)


class ProviderLookup:
    """Looks records up for the jobs of one worker. A failing provider is a reply here, never an exception."""

    def __init__(self, services: Services, store: BatchedStore) -> None:
        self._store = store
        self._cache = AnswerCache(store)
        self._guard = SuppressionGuard(store)
        self._concurrency = CallConcurrency()
        self._caller = ProviderCaller(services, self._guard, self._concurrency)
        self._pending = PendingAnswers(services, store, self._guard, self._caller)
        self._now = services.now

    async def look_up(self, provider: Provider, question: Question, job: ClaimedJob) -> LookupReply:
        """The provider's reply to the question.

        Answers are stored as they were given; how much they are believed follows from the trust of today.
        """
        reply = await self._look_up(provider, question, job)
        reply.candidates = job.trust.believed(question.entity_type, reply.candidates)
        return reply

    async def _look_up(self, provider: Provider, question: Question, job: ClaimedJob) -> LookupReply:
        pending = await self._pending.find(provider, job)
        if pending is not None:
            reply = await self._pending.resume(provider, question, job, pending)
            reply.key = pending.input_key
            return reply
        try:
            input_key = provider.input_key(question)
        except Exception:
            _log.exception("provider cannot read the question", provider=provider.info.id, job_id=job.id)
            return failed(ProviderError("invalid_answer", "the provider failed on this record", retryable=False))
        if input_key is None:
            return skipped(SkipReason.NOT_ENOUGH_INPUT, f"needs {provider.info.needs}")
        if (blocked := await self._guard.blocked(question, job)) is not None:
            return blocked
        key = key_digest(input_key)
        try:
            reply = await self._ask(provider, question, job, key)
        except CallDeferred as error:
            until = next_recheck(job.created_at, self._now())
            reply = waiting(until, None, error.message, reason=SkipReason.OUT_OF_TURN)
        reply.key = reply.key or key
        return reply

    async def _ask(self, provider: Provider, question: Question, job: ClaimedJob, key: str) -> LookupReply:
        if isinstance(provider, RequiresKey) and not await provider.configured(job.organization_id):
            return skipped(SkipReason.NO_KEY, f"no key for {provider.info.name}")
        if not provider.info.keeps_answers:
            if (refusal := await self._caller.refusal(provider, job)) is not None:
                return failed(refusal)
            return await self._caller.call(provider, question, job)
        answer_key = answer_key_of(provider, job, key, self._now())
        other = await self._cache.find_broader(provider, question, answer_key)
        other = other or await self._cache.find_earlier(provider, question, job, answer_key)
        if other is not None:
            other_key, cached = other
            reply = await self._reuse(provider, question, job, cached)
            reply.key = other_key
            return reply
        return await self._ask_once(provider, question, job, answer_key)

    async def _ask_once(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey
    ) -> LookupReply:
        """Ask, unless the answer is cached or another job is asking."""
        cached: CachedAnswer | None
        if self._concurrency.is_free(provider, job.organization_id):
            cached = await self._cache.find_or_acquire(answer_key)
            if cached is not None:
                return await self._from_cache(provider, question, job, cached)
            if self._concurrency.is_free(provider, job.organization_id):
                async with self._concurrency.turn(provider, job.organization_id) as turn:
                    return await self._reserve_and_call(provider, question, job, answer_key, turn)
            # While a job waits for its turn it holds nothing, neither the question nor credits.
            await self._cache.release(answer_key)
        elif (cached := await self._store.cached(answer_key)) is not None:
            return await self._from_cache(provider, question, job, cached)
        async with self._concurrency.turn(provider, job.organization_id) as turn:
            cached = await self._cache.find_or_acquire(answer_key)
            if cached is None:
                return await self._reserve_and_call(provider, question, job, answer_key, turn)
        return await self._from_cache(provider, question, job, cached)

    async def _from_cache(
        self, provider: Provider, question: Question, job: ClaimedJob, cached: CachedAnswer
    ) -> LookupReply:
        """The reply to a question that this job need not, or may not, ask itself."""
        if cached.state is AnswerState.ANSWERED:
            reply = await self._reuse(provider, question, job, cached)
            if cached.asked_by == job.id:
                # The job paid for it and its worker died before that was written down.
                reply.credits = await charged_to(job.id, provider.info.id)
            return reply
        if cached.state is AnswerState.MAYBE_CHARGED:
            return failed(maybe_charged(cached.detail))
        if cached.state is AnswerState.PENDING and cached.asked_by == job.id:
            return await self._pending.resume(provider, question, job, cached)
        return waiting(next_check(cached, self._now()))

    async def _reuse(
        self, provider: Provider, question: Question, job: ClaimedJob, cached: CachedAnswer
    ) -> LookupReply:
        """A cached answer as a reply. What of it would bring an erased person back is not kept any longer."""
        reply = await self._guard.withhold(question, job, reused(provider, question, cached))
        if reply.withheld:
            await self._cache.forget(cached, reply.withheld)
        return reply

    async def _reserve_and_call(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey, turn: AsyncExitStack
    ) -> LookupReply:
        """Ask a question that the job holds. Its `turn` ends with the call."""
        reservation_id: str | None = None
        settled = False
        try:
            refusal = await self._caller.refusal(provider, job)
            if refusal is not None:
                return failed(refusal)
            if price := max_price(provider, question):
                reserved = await self._store.reserve(_reservation(provider, job, price))
                if reserved is SkipReason.CREDITS_HELD:
                    return waiting(next_recheck(job.created_at, self._now()), reason=reserved)
                if isinstance(reserved, SkipReason):
                    return skipped(reserved)
                reservation_id = reserved
            question = self._pending.with_callback(provider, question, answer_key)
            reply = await self._caller.call(provider, question, job)
            await turn.aclose()
            if is_blocked(reply):
                return reply
            reply.credits = await self._store.settle(
                settlement_of(provider, reply, answer_key, reservation_id, job, self._now())
            )
            settled = True
            return reply
        finally:
            if not settled:
                # Also when this job is being stopped: the question and the price are free for others again.
                await asyncio.shield(self._cache.release(answer_key, reservation_id))


def _reservation(provider: Provider, job: ClaimedJob, price: int) -> ReservationRequest:
    rule = job.config.provider_rule(provider.info.id)
    return ReservationRequest(
        job.organization_id,
        Reservation(
            job_id=job.id,
            record_id=job.record_id,
            provider=provider.info.id,
            price=price,
            entity_type=job.entity_type,
            trigger=job.trigger,
            provider_daily_limit=rule.daily_limit if rule else None,
            budget_id=job.budget_id,
        ),
        CreditLimits(job.config.credits.monthly_limit, job.config.credits.daily_limit),
    )
