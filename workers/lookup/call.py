"""One call to a provider: whether it may be made now, its permit and time limit, and what it tells of its health."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime

import structlog

from enrichment.enums import StepOutcome
from enrichment.identity import without_record_values
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
from resolvers.context import Services
from workers.job.load import ClaimedJob
from workers.lookup.circuit_breaker import CircuitBreakers
from workers.lookup.concurrency import CallConcurrency
from workers.lookup.lookup import Lookup
from workers.lookup.reply import LookupReply, failed, reply_of
from workers.lookup.suppression_guard import SendCheck, SuppressionGuard

CALL_SECONDS = 40.0  # with the wait for the provider's rate limit

_log = structlog.get_logger(__name__)


class ProviderCaller:
    """Calls providers. A failing one is a reply here, never an exception, except CallDeferred and NotSent."""

    def __init__(self, services: Services, guard: SuppressionGuard, concurrency: CallConcurrency) -> None:
        self._guard = guard
        self._concurrency = concurrency
        self._breakers = CircuitBreakers(services)
        self._now = services.now

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
            reply = await self._call(provider, replace(question, before_send=check), token)
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
        self, provider: Provider, job: ClaimedJob, error: ProviderError, asked_at: datetime
    ) -> None:
        message = without_record_values(error.message, {"id": job.record.external_id, **job.record.state.fields})
        await self._breakers.note_failure(job.organization_id, provider.info.id, error, message, asked_at=asked_at)


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
