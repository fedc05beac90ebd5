"""Ask one provider for one job: from kept answers if there is one, else by a call that is paid for once."""

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from enrichment.config import ProviderRule
from enrichment.credits import Limits
from enrichment.enums import JobTrigger, StepOutcome
from enrichment.identity import impersonal
from enrichment.waterfall.planner import SkipReason
from models.answer_cache import AnswerKey, AnswerState, CachedAnswer, pending_of
from models.answer_deliveries import forget_delivery
from models.db.columns import from_micros
from models.db.statements import load
from providers.api import (
    Answer,
    BroaderQuery,
    OutOfTurn,
    Pending,
    Polls,
    Provider,
    ProviderError,
    Question,
    ReceivesCallback,
    RequiresKey,
    key_digest,
    most_of,
)
from resolvers.context import Services
from resolvers.credit.ledger import Reservation, charged_to
from resolvers.provider.inbound_webhooks import REFUSED
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, CallSettlement, ReservationRequest
from workers.lookup.circuit_breaker import CircuitBreakers
from workers.lookup.concurrency import CallConcurrency, next_look
from workers.lookup.reply import (
    LookupReply,
    candidates_of,
    canonical,
    failed,
    maybe_charged,
    reused,
    waiting,
    with_so_far,
)
from workers.lookup.settlement import LONGEST_WAIT, settlement_of
from workers.lookup.suppression_guard import BARRED, SuppressionGuard

CALL_SECONDS = 40.0  # with the wait for the provider's own turn
LOOK_SECONDS = 0.1  # between two looks for an answer that another job is asking for
PATIENCE_SECONDS = 2.0  # after which the job gives its place back meanwhile
SIDE_SECONDS = 60.0  # until the next look, at most, for an answer that another job waits for
CALLBACK_GRACE = timedelta(minutes=5)  # for an answer that is sent when the wait is all but over
AGAIN_SECONDS = 30.0  # until the next question for an answer that could not be asked for

_log = structlog.get_logger(__name__)


class ProviderLookup:
    """Asks providers for the jobs of one worker. A failing provider is an outcome here, never an exception."""

    def __init__(self, services: Services, store: BatchedStore) -> None:
        self._store = store
        self._barrier = SuppressionGuard(store)
        self._callbacks = services.callbacks
        self._guard = CircuitBreakers(services)
        self._turns = CallConcurrency()
        self._now = services.now

    async def ask(self, provider: Provider, question: Question, job: ClaimedJob) -> LookupReply:
        """Look the record up. Answers are kept as they were given; what they are worth is what is known today."""
        asked = await self._look_up(provider, question, job)
        asked.candidates = job.trust.believed(question.entity_type, asked.candidates)
        return asked

    async def _look_up(self, provider: Provider, question: Question, job: ClaimedJob) -> LookupReply:
        if _waited(job, provider):
            promised = await pending_of(job.organization_id, provider.info.id, job.id)
            if promised is not None:
                asked = await self._go_on(provider, question, job, promised)
                asked.key = promised.input_key
                return asked
        try:
            input_key = provider.input_key(question)
        except Exception:
            _log.exception("provider cannot read the question", provider=provider.info.id, job_id=job.id)
            return failed(ProviderError("invalid_answer", "the provider failed on this record", retryable=False))
        if input_key is None:
            detail = f"needs {provider.info.needs}"
            return LookupReply(StepOutcome.SKIPPED, skipped=SkipReason.NOT_ENOUGH_INPUT, detail=detail)
        barred = await self._barred(question, job)
        if barred is not None:
            return barred
        key = key_digest(input_key)
        try:
            asked = await self._ask(provider, question, job, key)
        except OutOfTurn as error:
            asked = waiting(next_look(job.created_at, self._now()), None, error.message, reason=SkipReason.OUT_OF_TURN)
        asked.key = asked.key or key
        return asked

    async def _barred(self, question: Question, job: ClaimedJob) -> LookupReply | None:
        reason = await self._barrier.reason(question, job)
        return None if reason is None else LookupReply(StepOutcome.SKIPPED, skipped=reason)

    async def _without_suppressed(self, question: Question, job: ClaimedJob, asked: LookupReply) -> LookupReply:
        await self._barrier.withhold(question, job, asked.candidates)
        return asked

    async def _ask(self, provider: Provider, question: Question, job: ClaimedJob, key: str) -> LookupReply:
        if isinstance(provider, RequiresKey) and not await provider.configured(job.organization_id):
            return LookupReply(
                StepOutcome.SKIPPED, skipped=SkipReason.NO_KEY, detail=f"no key for {provider.info.name}"
            )
        if not provider.info.keeps_answers:
            async with self._turns.one(provider, job.organization_id):
                return await self._call_if_well(provider, question, job)
        answer_key = AnswerKey(job.organization_id, provider.info.id, key, job.id, _insists(job))
        if isinstance(provider, BroaderQuery) and (wider := provider.wider_key(question)) is not None:
            broader_key = replace(answer_key, input_key=key_digest(wider))
            more = await self._store.known(broader_key)
            if more is not None:
                asked = await self._without_suppressed(question, job, reused(provider, question, more))
                asked.key = broader_key.input_key
                return asked
        known = await self._look(answer_key)
        if known is None and not self._turns.is_now(provider, job.organization_id):
            # Nothing is held while the job waits, neither the question nor credits.
            await self._store.close_call(CallSettlement(job.organization_id, None, answer_key))
            async with self._turns.one(provider, job.organization_id):
                known = await self._look(answer_key)
                if known is None:
                    return await self._pay_and_call(provider, question, job, answer_key)
        if known is None:
            async with self._turns.one(provider, job.organization_id):
                return await self._pay_and_call(provider, question, job, answer_key)
        return await self._known(provider, question, job, answer_key, known)

    async def _known(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey, known: CachedAnswer
    ) -> LookupReply:
        """What is made of a question that is not this job's to ask."""
        if known.state is AnswerState.ANSWERED:
            asked = await self._without_suppressed(question, job, reused(provider, question, known))
            if known.asked_by == job.id:
                # The job paid for it and its worker died before that was written down.
                asked.credits = await charged_to(job.id, provider.info.id)
            return asked
        if known.state is AnswerState.MAYBE_CHARGED:
            return failed(maybe_charged(known.detail))
        if known.state is AnswerState.PENDING and known.asked_by == job.id:
            return await self._go_on(provider, question, job, known)
        return waiting(_until_others_know(known, self._now()))

    async def _look(self, answer_key: AnswerKey) -> CachedAnswer | None:
        """What is known of the question, after some patience with another job that is asking it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        known = await self._store.take(answer_key)
        while known is not None and known.state is AnswerState.ASKING and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            known = await self._store.take(answer_key)
        return known

    async def _pay_and_call(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey
    ) -> LookupReply:
        reservation: str | None = None
        closed = False
        try:
            refusal = await self._refusal(provider, job)
            if refusal is not None:
                return failed(refusal)
            if most := most_of(provider, question):
                held = await self._store.hold(_hold(provider, job, most))
                if held is SkipReason.CREDITS_HELD:
                    return waiting(next_look(job.created_at, self._now()), reason=held)
                if isinstance(held, SkipReason):
                    return LookupReply(StepOutcome.SKIPPED, skipped=held)
                reservation = held
            asked = await self._call(provider, self._with_callback(provider, question, answer_key), job)
            if asked.skipped in BARRED:
                return asked
            asked.credits = await self._store.close_call(
                settlement_of(provider, asked, answer_key, reservation, job, self._now())
            )
            closed = True
            return asked
        finally:
            if not closed:
                # Also when this job is being stopped: the question and the price are free for others again.
                await asyncio.shield(
                    self._store.close_call(CallSettlement(job.organization_id, reservation, answer_key))
                )

    def _with_callback(self, provider: Provider, question: Question, answer_key: AnswerKey) -> Question:
        if self._callbacks is None or not isinstance(provider, ReceivesCallback):
            return question
        until = self._now() + LONGEST_WAIT + CALLBACK_GRACE
        return replace(question, callback=self._callbacks.address(answer_key, until))

    async def _go_on(self, provider: Provider, question: Question, job: ClaimedJob, known: CachedAnswer) -> LookupReply:
        """Ask for the answer to an earlier call of this job that was pending, or read what was sent meanwhile."""
        now = self._now()
        answer_key = AnswerKey(job.organization_id, provider.info.id, known.input_key, job.id)
        note = known.detail
        asked = await self._heard(provider, question, job, answer_key, known)
        if asked is None:
            note = REFUSED if known.delivered is not None else note
            if (due := from_micros(known.due_at or 0)) > now:
                asked = waiting(due, candidates_of(provider, question, known.findings), note)
                return await self._without_suppressed(question, job, asked)
            try:
                async with self._turns.one(provider, job.organization_id):
                    asked = await self._call(provider, question, job, token=known.token)
            except OutOfTurn:
                asked = waiting(next_look(now, now), candidates_of(provider, question, known.findings), note)
                return await self._without_suppressed(question, job, asked)
        if asked.skipped in BARRED:
            await self._store.close_call(CallSettlement(job.organization_id, known.reservation_id, answer_key))
            return asked
        earlier = LookupReply(StepOutcome.MATCH, candidates=candidates_of(provider, question, known.findings))
        so_far = (await self._without_suppressed(question, job, earlier)).candidates
        end = from_micros(known.expires_at or 0)
        if asked.error is not None and asked.error.retryable and end > now:
            pause = max(asked.error.retry_after_seconds or 0.0, AGAIN_SECONDS)
            return waiting(now + timedelta(seconds=pause), so_far, note)
        asked = with_so_far(asked, so_far, over=end <= now)
        asked.detail = "; ".join(filter(None, (asked.detail, note)))
        if asked.pending is not None and asked.pending.expires_at is None:
            asked.pending = replace(asked.pending, expires_at=end)
        closing = settlement_of(provider, asked, answer_key, known.reservation_id, job, self._now(), queued=True)
        asked.credits = await self._store.close_call(closing)
        return asked

    async def _heard(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey, known: CachedAnswer
    ) -> LookupReply | None:
        """What the provider has sent by itself; None when that is nothing, or no answer to this question."""
        if known.delivered is None or known.token is None or not isinstance(provider, ReceivesCallback):
            return None
        if (barred := await self._barred(question, job)) is not None:
            return barred
        try:
            asked = self._read(provider, question, provider.hear(question, known.token, load(known.delivered)))
        except ProviderError as error:
            _log.warning("answer refused", provider=provider.info.id, job_id=job.id, code=error.code)
        except Exception:
            _log.exception("provider cannot read what was sent", provider=provider.info.id, job_id=job.id)
        else:
            return await self._without_suppressed(question, job, asked)
        await forget_delivery(answer_key, REFUSED)
        return None

    async def _refusal(self, provider: Provider, job: ClaimedJob) -> ProviderError | None:
        if not provider.info.remote:
            return None
        return await self._guard.refusal(job.organization_id, provider.info.id)

    async def _call_if_well(self, provider: Provider, question: Question, job: ClaimedJob) -> LookupReply:
        refusal = await self._refusal(provider, job)
        return failed(refusal) if refusal else await self._call(provider, question, job)

    async def _call(
        self, provider: Provider, question: Question, job: ClaimedJob, *, token: str | None = None
    ) -> LookupReply:
        if provider.info.remote and (barred := await self._barred(question, job)) is not None:
            return barred  # while the call was being prepared
        started, asked_at = time.perf_counter(), self._now()
        with self._barrier.watching(question, job) as watch:
            asked = await self._answer(provider, question, token)
        if watch.barred is not None:
            return LookupReply(StepOutcome.SKIPPED, skipped=watch.barred)  # while it waited for its turn
        await self._without_suppressed(question, job, asked)
        asked.latency_ms = round((time.perf_counter() - started) * 1000)
        if provider.info.remote:
            await self._note(provider, job, asked, asked_at)
        return asked

    async def _answer(self, provider: Provider, question: Question, token: str | None) -> LookupReply:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                if token is None:
                    answer = await provider.ask(question)
                elif isinstance(provider, Polls):
                    answer = await provider.poll(question, token)
                else:
                    raise ProviderError("invalid_answer", "the provider cannot be asked again", retryable=False)
            return self._read(provider, question, answer)
        except OutOfTurn:
            raise
        except ProviderError as error:
            return failed(error)
        except TimeoutError:
            message = f"no answer within {CALL_SECONDS:.0f} s"
            return failed(ProviderError("timeout", message, retryable=True, maybe_charged=provider.info.remote))
        except Exception:
            # A bug in an adapter, or an answer that it did not foresee, harms this step alone.
            _log.exception("provider failed", provider=provider.info.id)
            message = "the answer could not be read"
            maybe = provider.info.remote
            return failed(ProviderError("invalid_answer", message, retryable=False, maybe_charged=maybe))

    def _read(self, provider: Provider, question: Question, answer: Answer | Pending) -> LookupReply:
        now = self._now()
        if isinstance(answer, Pending):
            so_far = canonical(provider, question, answer.so_far, now) if answer.so_far else {}
            asked = waiting(now + timedelta(seconds=max(answer.retry_after_seconds, 0.1)), so_far)
            asked.pending = answer
            return asked
        candidates = canonical(provider, question, answer, now) if answer.matched else {}
        outcome = StepOutcome.MATCH if answer.matched else StepOutcome.NO_MATCH
        return LookupReply(
            outcome,
            candidates=candidates,
            detail=answer.detail,
            extra=answer.extra,
            uncounted=answer.uncounted,
        )

    async def _note(self, provider: Provider, job: ClaimedJob, asked: LookupReply, asked_at: datetime) -> None:
        organization_id, provider_id = job.organization_id, provider.info.id
        if asked.error is not None:
            message = impersonal(asked.error.message, {"id": job.snapshot.external_id, **job.snapshot.fields})
            await self._guard.note_failure(organization_id, provider_id, asked.error, message, asked_at=asked_at)
        else:
            matched = asked.outcome is not StepOutcome.NO_MATCH
            await self._guard.note_success(organization_id, provider_id, _rule(provider, job), matched)


def _insists(job: ClaimedJob) -> bool:
    """Whether a person asked for this job by hand, knowing how the last one ended."""
    return job.forced and job.trigger is not JobTrigger.CREDITS_RESTORED


def _rule(provider: Provider, job: ClaimedJob) -> ProviderRule | None:
    return next((rule for rule in job.config.providers if rule.id == provider.info.id), None)


def _hold(provider: Provider, job: ClaimedJob, price: int) -> ReservationRequest:
    rule = _rule(provider, job)
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
        Limits(job.config.credits.monthly_limit, job.config.credits.daily_limit),
    )


def _until_others_know(known: CachedAnswer, now: datetime) -> datetime:
    """When to look again for an answer that another job asks or waits for."""
    soon = now + timedelta(seconds=PATIENCE_SECONDS)
    if known.state is not AnswerState.PENDING:
        return soon
    due = from_micros(known.due_at or 0) + timedelta(seconds=PATIENCE_SECONDS)
    return min(max(due, soon), now + timedelta(seconds=SIDE_SECONDS))


def _waited(job: ClaimedJob, provider: Provider) -> bool:
    """Whether the job gave its place back to wait for this provider."""
    return any(
        step["provider"] == provider.info.id and step["skipped_reason"] == SkipReason.WAITING
        for step in job.earlier_steps
    )
