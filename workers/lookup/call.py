"""One call to a provider: whether it may be made now, its permit and time limit, and what it tells of its health."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from enrichment.enums import StepOutcome
from enrichment.record_values import without_record_values
from providers.api import (
    Answer,
    AnswersAtOnce,
    CallDeferred,
    NotSent,
    Pending,
    Polls,
    Provider,
    ProviderError,
    ProviderInfo,
    Question,
)
from providers.bulk import Outcome
from resolvers.context import Services
from resolvers.tracing import Attributes, span_of
from workers.job.load import ClaimedJob
from workers.lookup.circuit_breaker import CircuitBreakers
from workers.lookup.concurrency import CallConcurrency
from workers.lookup.lookup import Lookup
from workers.lookup.reply import LookupReply, failed, reply_of
from workers.lookup.suppression_guard import SendCheck, SuppressionGuard

CALL_SECONDS = 40.0  # with the wait for the provider's rate limit
_OF_ACCOUNT = frozenset({"out_of_credits", "bad_key"})  # errors that hold for every question of the organization

_log = structlog.get_logger(__name__)


class ProviderCaller:
    """Calls providers. A failing one is a reply here, never an exception, except CallDeferred and NotSent."""

    def __init__(self, services: Services, guard: SuppressionGuard, concurrency: CallConcurrency) -> None:
        self._guard = guard
        self._concurrency = concurrency
        self._breakers = CircuitBreakers(services)
        self._now = services.now
        self._tracer = services.tracer

    async def refusal(self, info: ProviderInfo, organization_id: str) -> ProviderError | None:
        """Why the provider's circuit breaker lets no call through now; None where it does."""
        return await self._breakers.refusal(organization_id, info) if info.remote else None

    def answer(self, provider: Provider, at_once: AnswersAtOnce, question: Question) -> LookupReply:
        """The reply of a provider that answers at once."""
        started = time.perf_counter()
        try:
            reply = reply_of(provider, question, at_once.answer(question), self._now())
        except ProviderError as error:
            reply = failed(error)
        except Exception:
            reply = _unread(provider)
        reply.latency_ms = round((time.perf_counter() - started) * 1000)
        return reply

    async def call(self, lookup: Lookup, *, token: str | None = None) -> LookupReply:
        """Ask the question, or with a `token` for its pending answer, once a permit is free.

        Raises CallDeferred, and NotSent where a fault of ours stood in the way.
        """
        provider, question, job = lookup.provider, lookup.question, lookup.job
        info = provider.info
        if not info.remote:
            return await self._call(provider, question, token)
        check = SendCheck(self._guard, question, job, lookup.note_sent)
        async with self._concurrency.permit(info, job.organization_id):
            if (refusal := self._breakers.opened(job.organization_id, info)) is not None:
                return failed(refusal)  # while the call waited
            if not lookup.abilities.checks_before_sending:
                if blocked := await self._guard.blocked(question, job):
                    return blocked  # since the call was prepared
                lookup.note_sent()
            asked_at = self._now()
            about: Attributes = {"provider": info.id, "organization": job.organization_id}
            parent = job.span.traceparent if job.span is not None else None
            with span_of(self._tracer, "provider call", "client", about, parent=parent) as span:
                reply = await self._call(provider, replace(question, before_send=check), token)
                if span is not None:
                    span.note({"outcome": reply.outcome.value})
            if reply.error is not None and check.blocked is None:
                # Before the next call is let through.
                await _noted(self._note_failure(provider, job, reply.error, asked_at), info)
        if check.blocked is not None:
            return check.blocked  # since then, or while the call waited for the provider's rate limit
        if reply.error is None:
            rule = job.config.provider_rule(info.id)
            matched = reply.outcome is not StepOutcome.NO_MATCH
            await _noted(self._breakers.note_success(job.organization_id, info.id, rule, matched), info)
        return reply

    async def call_many(self, lookups: Sequence[Lookup]) -> list[LookupReply]:
        """Ask questions of one batch by one request, once a permit is free; each has its own end.

        Raises CallDeferred, and NotSent where a fault of ours stood in the way; nothing was sent then.
        For the provider's health it failed where none of them was answered, as often as there were questions.
        """
        provider, job = lookups[0].provider, lookups[0].job
        info = provider.info
        checks = [SendCheck(self._guard, one.question, one.job, one.note_sent) for one in lookups]
        async with self._concurrency.permit(info, job.organization_id):
            if (refusal := self._breakers.opened(job.organization_id, info)) is not None:
                return [failed(refusal) for _ in lookups]  # while the call waited
            asked_at, started = self._now(), time.perf_counter()
            about: Attributes = {"provider": info.id, "organization": job.organization_id, "questions": len(lookups)}
            spans = [one.job.span.traceparent for one in lookups if one.job.span is not None]
            try:
                with span_of(
                    self._tracer, "provider call", "client", about, parent=next(iter(spans), None), links=spans[1:]
                ):
                    outcomes = await _outcomes(lookups, checks)
            except (CallDeferred, NotSent):
                for one in lookups:
                    one.sent = False  # though it passed its check
                raise
            replies = [self._reply_of(one, outcome) for one, outcome in zip(lookups, outcomes, strict=True)]
            sent = [
                (one, reply)
                for one, reply, check in zip(lookups, replies, checks, strict=True)
                if check.blocked is None
            ]
            sent = [(one, reply) for one, reply in sent if not reply.is_to_be_asked_alone]
            if (failure := _failure_of_all(sent)) is not None:
                one, error = failure
                await _noted(self._note_failure(provider, one.job, error, asked_at, times=len(sent)), info)
        latency_ms = round((time.perf_counter() - started) * 1000)
        for _, reply in sent:
            reply.latency_ms = latency_ms
        if sent and failure is None:
            matched = all(reply.outcome is not StepOutcome.NO_MATCH for _, reply in sent)
            rule = job.config.provider_rule(info.id)
            await _noted(self._breakers.note_success(job.organization_id, info.id, rule, matched), info)
        return [check.blocked or reply for check, reply in zip(checks, replies, strict=True)]

    def _reply_of(self, lookup: Lookup, outcome: Outcome) -> LookupReply:
        if isinstance(outcome, ProviderError):
            return failed(outcome)
        try:
            return reply_of(lookup.provider, lookup.question, outcome, self._now())
        except Exception:
            return _unread(lookup.provider)

    async def _call(self, provider: Provider, question: Question, token: str | None) -> LookupReply:
        started = time.perf_counter()
        reply = await self._answer(provider, question, token)
        reply.latency_ms = round((time.perf_counter() - started) * 1000)
        return reply

    async def _answer(self, provider: Provider, question: Question, token: str | None) -> LookupReply:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await _ask(provider, question, token)
            return reply_of(provider, question, answer, self._now())
        except (CallDeferred, NotSent):
            raise
        except ProviderError as error:
            return failed(error)
        except TimeoutError:
            message = f"no answer within {CALL_SECONDS:.0f} s"
            return failed(ProviderError("timeout", message, retryable=True, maybe_charged=provider.info.remote))
        except Exception:
            return _unread(provider)

    async def _note_failure(
        self, provider: Provider, job: ClaimedJob, error: ProviderError, asked_at: datetime, *, times: int = 1
    ) -> None:
        message = without_record_values(error.message, {"id": job.record.external_id, **job.record.state.fields})
        organization_id, provider_id = job.organization_id, provider.info.id
        await self._breakers.note_failure(organization_id, provider_id, error, message, asked_at=asked_at, times=times)


async def _outcomes(lookups: Sequence[Lookup], checks: Sequence[SendCheck]) -> Sequence[Outcome]:
    """How each question of a request ended. Raises CallDeferred and NotSent where nothing was sent."""
    provider, bulk = lookups[0].provider, lookups[0].abilities.bulk
    assert bulk is not None  # it has named the batch
    questions = [replace(one.question, before_send=check) for one, check in zip(lookups, checks, strict=True)]
    try:
        async with asyncio.timeout(CALL_SECONDS):
            outcomes = await bulk.ask_many(questions)
        if len(outcomes) == len(lookups):
            return outcomes
        message = "not as many answers as questions"
        error = ProviderError("invalid_answer", message, retryable=False, maybe_charged=True)
    except (CallDeferred, NotSent):
        raise
    except ProviderError as raised:
        error = raised
    except TimeoutError:
        message = f"no answer within {CALL_SECONDS:.0f} s"
        error = ProviderError("timeout", message, retryable=True, maybe_charged=True)
    except Exception:
        _log.exception("provider failed", provider=provider.info.id)
        message = "the answer could not be read"
        error = ProviderError("invalid_answer", message, retryable=False, maybe_charged=True)
    return [error] * len(lookups)


def _failure_of_all(sent: Sequence[tuple[Lookup, LookupReply]]) -> tuple[Lookup, ProviderError] | None:
    """The error that tells of the provider's health: of a request that failed, or that there are no credits left."""
    errors = [(lookup, reply.error) for lookup, reply in sent if reply.error is not None]
    of_account = [(lookup, error) for lookup, error in errors if error.code in _OF_ACCOUNT]
    if of_account:
        return of_account[0]
    return errors[0] if errors and len(errors) == len(sent) else None


async def _noted(note: Awaitable[None], info: ProviderInfo) -> None:
    """Wait for the note. Where it fails, the reply is not lost over it: it may have been paid for."""
    try:
        await note
    except Exception as error:
        _log.warning("a provider's health was not noted", provider=info.id, error=type(error).__name__)


def _unread(provider: Provider) -> LookupReply:
    """A bug in an adapter, or an answer that it did not foresee, harms this step alone. Called where it is caught."""
    _log.exception("provider failed", provider=provider.info.id)
    message = "the answer could not be read"
    maybe = provider.info.remote
    return failed(ProviderError("invalid_answer", message, retryable=False, maybe_charged=maybe))


async def _ask(provider: Provider, question: Question, token: str | None) -> Answer | Pending:
    if token is None:
        return await provider.ask(question)
    if isinstance(provider, Polls):
        return await provider.poll(question, token)
    raise ProviderError("invalid_answer", "the provider cannot be asked again", retryable=False)
