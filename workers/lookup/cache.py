"""Cached answers: a question that was asked before is not asked again, and one that is being asked is waited for."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from enrichment.enums import JobTrigger
from enrichment.fields_before import with_forms_before
from enrichment.waterfall.reuse import oldest_reusable
from models.answer.cache import replace_findings
from models.answer.row import AnswerKey, AnswerState, CachedAnswer
from models.db.transaction import unit_of_work
from providers.api import Provider, key_digest
from resolvers.context import Services
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import BatchedStore
from workers.lookup.concurrency import CallConcurrency
from workers.lookup.lookup import Lookup, Stage, at
from workers.lookup.reply import failed, maybe_charged, reused, waiting
from workers.loop_yield import LoopYield

POLL_SECONDS = 0.1  # between two checks for an answer that another job is asking for
PATIENCE_SECONDS = 2.0  # after which the job goes back to the queue
RECHECK_OF_LOST_CALL = timedelta(seconds=5)  # until the next check for the answer to a call of the job's lost worker
LONGEST_WAIT_FOR_OTHERS = timedelta(seconds=60)  # until the next check for an answer that another job waits for


class AnswerCache:
    """The stages `REUSE` and `ACQUIRE`: kept answers, and the leases of questions, for the jobs of one worker."""

    def __init__(self, services: Services, store: BatchedStore, concurrency: CallConcurrency) -> None:
        self._store = store
        self._concurrency = concurrency
        self._now = services.now

    async def reuse(self, lookups: Sequence[Lookup]) -> None:
        """Find the answers that were kept for a broader question, or for the question as earlier versions asked it."""
        now = self._now()
        loop_yield = LoopYield()
        others: list[tuple[Lookup, AnswerKey, bool]] = []  # with whether a miss serves too
        for lookup in lookups:
            assert lookup.key is not None  # it has passed the stage of keys
            lookup.answer_key = answer_key_of(lookup.provider, lookup.job, lookup.key, now)
            others += [(lookup, key, True) for key in _other_keys(lookup)]
            others += [(lookup, key, False) for key in _narrower_keys(lookup)]
            await loop_yield.if_due()
        found = await self._store.cached([key for _, key, _ in others]) if others else []
        for (lookup, key, misses_serve), cached in zip(others, found, strict=True):
            if cached is not None and lookup.cached is None and (cached.matched or cached.opted_out or misses_serve):
                lookup.key = key.input_key
                _reuse(lookup, cached)
        for lookup in at(Stage.REUSE, lookups):
            lookup.stage = Stage.ACQUIRE

    async def find_or_acquire(self, lookups: Sequence[Lookup]) -> None:
        """Reuse what is known of the questions, or lease them to their jobs.

        A job whose turn it is not yet holds nothing meanwhile, neither the question nor credits; it only looks for
        an answer. One whose question another job is asking leaves its turn too, and looks again soon.
        """
        for lookup in lookups:
            info = lookup.provider.info
            if info.remote and lookup.turn is None:
                lookup.turn = self._concurrency.turn_now(
                    info.id, lookup.job.organization_id, together=lookup.batch is not None
                )
        waiting = [lookup for lookup in lookups if lookup.turn is None and lookup.provider.info.remote]
        ready = [lookup for lookup in lookups if lookup.turn is not None or not lookup.provider.info.remote]
        if waiting:
            cached = await self._store.cached([_key_of(lookup) for lookup in waiting])
            for lookup, answer in zip(waiting, cached, strict=True):
                if answer is not None:
                    _reuse(lookup, answer)
                else:
                    lookup.stage = Stage.TURN
        if ready:
            known = await self._store.acquire([_key_of(lookup) for lookup in ready])
            for lookup, answer in zip(ready, known, strict=True):
                if answer is None:
                    lookup.holds, lookup.stage = True, Stage.RESERVE
                else:
                    lookup.leave_turn()
                    self._go_by(lookup, answer)

    def _go_by(self, lookup: Lookup, cached: CachedAnswer) -> None:
        """Do without asking, for now or at all: the job need not, or may not, ask the question itself."""
        if cached.state is AnswerState.ANSWERED:
            _reuse(lookup, cached)
        elif cached.state is AnswerState.MAYBE_CHARGED:
            lookup.ended(failed(maybe_charged(cached.detail)))
        elif cached.state is AnswerState.PENDING and cached.asked_by == lookup.job.id:
            lookup.cached, lookup.stage = cached, Stage.RESUME
        elif cached.state is AnswerState.ASKING and cached.asked_by == lookup.job.id:
            # Asked by the worker that was lost: its answer may still come, or nobody will see the end of its call.
            lookup.ended(waiting(self._now() + RECHECK_OF_LOST_CALL))
        elif cached.state is AnswerState.ASKING and lookup.is_patient(PATIENCE_SECONDS):
            lookup.stage = Stage.ASKED_BY_ANOTHER
        else:
            lookup.ended(waiting(next_check(cached, self._now())))

    async def forget(self, cached: CachedAnswer, fields: Collection[str]) -> None:
        """Keep the answer without what it says of these fields."""
        assert cached.answered_at is not None  # it served
        findings = [finding for finding in cached.findings or [] if finding["field"] not in fields]
        await unit_of_work(replace_findings)(cached.key, cached.answered_at, findings)


def _key_of(lookup: Lookup) -> AnswerKey:
    assert lookup.answer_key is not None  # it has passed the stage before
    return lookup.answer_key


def _reuse(lookup: Lookup, cached: CachedAnswer) -> None:
    lookup.cached = cached
    lookup.answered(reused(lookup.provider, lookup.question, cached))


def _other_keys(lookup: Lookup) -> Iterator[AnswerKey]:
    """The keys under which other forms of the question would be kept, the broader one first."""
    key, job, question = _key_of(lookup), lookup.job, lookup.question
    broad = lookup.abilities.broader
    if broad is not None and (broader := broad.broader_key(question)) is not None:
        yield replace(key, input_key=key_digest(broader))
    forms = job.forms_before()
    if key.insists or not forms:
        return
    earlier = lookup.provider.input_key(replace(question, fields=with_forms_before(question.fields, forms)))
    if earlier is not None and (digest := key_digest(earlier)) != key.input_key:
        yield replace(key, input_key=digest)


def _narrower_keys(lookup: Lookup) -> Iterator[AnswerKey]:
    """The keys of narrower questions, whose matches serve this one."""
    if (narrower := lookup.abilities.narrower) is not None:
        key = _key_of(lookup)
        for input_key in narrower.narrower_keys(lookup.question):
            yield replace(key, input_key=key_digest(input_key))


def answer_key_of(provider: Provider, job: ClaimedJob, input_key: str, now: datetime) -> AnswerKey:
    """The key of the job's question; `input_key` is a digest."""
    asked_by_hand = job.forced and job.trigger is not JobTrigger.CREDITS_RESTORED
    days = job.config.answer_days(provider.info.id, provider.info.answer_days)
    since = oldest_reusable(now, days, created_at=job.created_at, answers_since=job.answers_since)
    return AnswerKey(
        job.organization_id, provider.info.id, input_key, job.id, since, insists=asked_by_hand, fence=job.lease.fence
    )


def next_check(cached: CachedAnswer, now: datetime) -> datetime:
    """When to check again for an answer that another job asks or waits for."""
    soon = now + timedelta(seconds=PATIENCE_SECONDS)
    if cached.state is not AnswerState.PENDING:
        return soon
    due = (cached.due_at or now) + timedelta(seconds=PATIENCE_SECONDS)
    return min(max(due, soon), now + LONGEST_WAIT_FOR_OTHERS)
