"""Answers that come later: a job comes back for one that its earlier call left pending, or reads what was sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import structlog

from enrichment.decide.merge import Candidate
from enrichment.enums import StepOutcome
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.deliveries import discard_delivery
from models.answer.pending import pending_of
from models.answer.row import AnswerKey, CachedAnswer
from providers.api import CallDeferred, Provider, ProviderError, Question, ReceivesCallback
from resolvers.context import Services
from resolvers.provider.inbound_webhooks import REFUSED
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, CallSettlement
from workers.lookup.call import ProviderCaller
from workers.lookup.concurrency import next_recheck
from workers.lookup.lookup import Lookup
from workers.lookup.opted_out import Answered, keep_with_others
from workers.lookup.reply import LookupReply, candidates_of, failed, reply_of, waiting, with_partial
from workers.lookup.settlement import LONGEST_PENDING, settlement_of
from workers.lookup.suppression_guard import Found, SuppressionGuard, is_blocked

CALLBACK_GRACE = timedelta(minutes=5)  # for an answer that is sent when the wait is all but over
RETRY_SECONDS = 30.0  # until the next question for an answer that could not be asked for

_log = structlog.get_logger(__name__)


class PendingAnswers:
    """The answers that the jobs of one worker wait for."""

    def __init__(
        self,
        services: Services,
        store: BatchedStore,
        guard: SuppressionGuard,
        caller: ProviderCaller,
    ) -> None:
        self._store = store
        self._guard = guard
        self._caller = caller
        self._callback_urls = services.callback_urls
        self._registry = services.registry
        self._now = services.now

    async def find(self, lookups: Sequence[Lookup]) -> dict[tuple[str, str], CachedAnswer]:
        """The pending answers that jobs went back to the queue to wait for, by job and provider."""
        waiting = {
            (lookup.job.id, lookup.provider.info.id) for lookup in lookups if _waited_for(lookup.provider, lookup.job)
        }
        found = await pending_of(sorted({job_id for job_id, _ in waiting})) if waiting else {}
        return {key: answer for key, answer in found.items() if key in waiting}

    def with_callback(self, provider: Provider, question: Question, answer_key: AnswerKey) -> Question:
        """The question with the address to which its answer may be sent, where the provider sends answers."""
        if self._callback_urls is None or not isinstance(provider, ReceivesCallback):
            return question
        until = self._now() + LONGEST_PENDING + CALLBACK_GRACE
        return replace(question, callback=self._callback_urls.url(answer_key, until))

    async def resume(self, lookup: Lookup, pending: CachedAnswer) -> LookupReply:
        """Ask for the answer to an earlier call of this job, or read what was sent meanwhile."""
        provider, question, job = lookup.provider, lookup.question, lookup.job
        now = self._now()
        answer_key = AnswerKey(job.organization_id, provider.info.id, pending.input_key, job.id, fence=job.lease.fence)
        note = pending.detail
        reply = await self._delivered(provider, question, job, answer_key, pending)
        was_sent = reply is not None
        if reply is None:
            note = REFUSED if pending.delivered is not None else note
            if pending.due_at is not None and pending.due_at > now:
                return await self._still_waiting(provider, question, job, pending, pending.due_at, note)
            try:
                reply = await self._withheld(lookup, await self._caller.call(lookup, token=pending.token))
            except CallDeferred:
                return await self._still_waiting(provider, question, job, pending, next_recheck(now, now), note)
        if is_blocked(reply):
            await self._store.settle(CallSettlement(job.organization_id, pending.reservation_id, answer_key))
            return reply
        partial = await self._partial(provider, question, job, pending)
        end = pending.expires_at or now
        # A refusal that was sent is the end of this call: to read it again would tell no more.
        if not was_sent and reply.error is not None and reply.error.retryable and end > now:
            pause = max(reply.error.retry_after_seconds or 0.0, RETRY_SECONDS)
            return waiting(now + timedelta(seconds=pause), partial, note)
        reply = with_partial(reply, partial, over=end <= now)
        reply.detail = "; ".join(filter(None, (reply.detail, note)))
        if reply.pending is not None and reply.pending.expires_at is None:
            reply.pending = replace(reply.pending, expires_at=end)
        settlement = settlement_of(provider, reply, answer_key, pending.reservation_id, job, self._now(), queued=True)
        reply.credits = await self._store.settle(settlement)
        if not lookup.is_about_company:
            await keep_with_others([Answered(provider, question, job, reply)], self._registry, self._now())
        return reply

    async def _delivered(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey, pending: CachedAnswer
    ) -> LookupReply | None:
        """What the provider has sent by itself; None when that is nothing, or no answer to this question."""
        if pending.delivered is None or pending.token is None or not isinstance(provider, ReceivesCallback):
            return None
        if (blocked := await self._guard.blocked(question, job)) is not None:
            return blocked
        try:
            answer = provider.receive_callback(question, pending.token, orjson.loads(pending.delivered))
            reply = reply_of(provider, question, answer, self._now())
        except ProviderError as error:
            _log.warning("answer refused", provider=provider.info.id, job_id=job.id, code=error.code)
            if error.stated is not None:  # the provider has billed it: nothing more is to come
                return failed(error)
        except Exception:
            _log.exception("provider cannot read what was sent", provider=provider.info.id, job_id=job.id)
        else:
            await self._guard.withhold([Found(question, job, reply)])
            return reply
        await discard_delivery(answer_key, REFUSED)
        return None

    async def _withheld(self, lookup: Lookup, reply: LookupReply) -> LookupReply:
        await self._guard.withhold([Found(lookup.question, lookup.job, reply)])
        return reply

    async def _still_waiting(
        self,
        provider: Provider,
        question: Question,
        job: ClaimedJob,
        pending: CachedAnswer,
        until: datetime,
        note: str,
    ) -> LookupReply:
        return waiting(until, await self._partial(provider, question, job, pending), note)

    async def _partial(
        self, provider: Provider, question: Question, job: ClaimedJob, pending: CachedAnswer
    ) -> dict[str, Candidate]:
        """What came at once, without what is suppressed."""
        partial = LookupReply(StepOutcome.MATCH, candidates=candidates_of(provider, question, pending))
        await self._guard.withhold([Found(question, job, partial)])
        return partial.candidates


def _waited_for(provider: Provider, job: ClaimedJob) -> bool:
    return bool(job.earlier_steps) and any(
        step.provider == provider.info.id and step.skipped_reason == SkipReason.WAITING for step in job.earlier_steps
    )
