"""Cached answers: a question that was asked before is not asked again, and one that is being asked is waited for."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from enrichment.enums import JobTrigger
from enrichment.fields_before import with_forms_before
from enrichment.waterfall.reuse import oldest_reusable
from models.answer.cache import replace_findings
from models.answer.row import AnswerKey, AnswerState, CachedAnswer
from models.db.transaction import unit_of_work
from providers.api import BroaderQuery, Provider, Question, key_digest
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore, CallSettlement

POLL_SECONDS = 0.1  # between two checks for an answer that another job is asking for
PATIENCE_SECONDS = 2.0  # after which the job goes back to the queue meanwhile
LONGEST_WAIT_FOR_OTHERS = timedelta(seconds=60)  # until the next check for an answer that another job waits for


class AnswerCache:
    """The cached answers, and the leases of questions, as the jobs of one worker use them."""

    def __init__(self, store: BatchedStore) -> None:
        self._store = store

    async def find_broader(
        self, provider: Provider, question: Question, answer_key: AnswerKey
    ) -> tuple[str, CachedAnswer] | None:
        """The cached answer to a broader question that serves this one too, with the input key of that question."""
        if not isinstance(provider, BroaderQuery) or (broader := provider.broader_key(question)) is None:
            return None
        broader_key = replace(answer_key, input_key=key_digest(broader))
        cached = await self._store.cached(broader_key)
        return None if cached is None else (broader_key.input_key, cached)

    async def find_earlier(
        self, provider: Provider, question: Question, job: ClaimedJob, answer_key: AnswerKey
    ) -> tuple[str, CachedAnswer] | None:
        """The answer that was cached for the question as earlier versions asked it, with its input key."""
        forms = job.forms_before()
        if answer_key.insists or not forms:
            return None
        input_key = provider.input_key(replace(question, fields=with_forms_before(question.fields, forms)))
        if input_key is None or (digest := key_digest(input_key)) == answer_key.input_key:
            return None
        cached = await self._store.cached(replace(answer_key, input_key=digest))
        return None if cached is None else (digest, cached)

    async def find_or_acquire(self, answer_key: AnswerKey) -> CachedAnswer | None:
        """What is known of the question; None when this job has it to itself now. Waits a little for another job."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        cached = await self._store.acquire(answer_key)
        while cached is not None and cached.state is AnswerState.ASKING and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            cached = await self._store.acquire(answer_key)
        return cached

    async def forget(self, cached: CachedAnswer, fields: Collection[str]) -> None:
        """Keep the answer without what it says of these fields."""
        assert cached.answered_at is not None  # it served
        findings = [finding for finding in cached.findings or [] if finding["field"] not in fields]
        await unit_of_work(replace_findings)(cached.key, cached.answered_at, findings)

    async def release(self, answer_key: AnswerKey, reservation_id: str | None = None) -> None:
        """Let others ask the question, and give back what was reserved for it."""
        await self._store.settle(CallSettlement(answer_key.organization_id, reservation_id, answer_key))


def answer_key_of(provider: Provider, job: ClaimedJob, input_key: str, now: datetime) -> AnswerKey:
    """The key of the job's question; `input_key` is a digest."""
    asked_by_hand = job.forced and job.trigger is not JobTrigger.CREDITS_RESTORED
    days = job.config.answer_days(provider.info.id, provider.info.answer_days)
    since = oldest_reusable(now, days, created_at=job.created_at, answers_since=job.answers_since)
    return AnswerKey(job.organization_id, provider.info.id, input_key, job.id, since, insists=asked_by_hand)


def next_check(cached: CachedAnswer, now: datetime) -> datetime:
    """When to check again for an answer that another job asks or waits for."""
    soon = now + timedelta(seconds=PATIENCE_SECONDS)
    if cached.state is not AnswerState.PENDING:
        return soon
    due = (cached.due_at or now) + timedelta(seconds=PATIENCE_SECONDS)
    return min(max(due, soon), now + LONGEST_WAIT_FOR_OTHERS)
