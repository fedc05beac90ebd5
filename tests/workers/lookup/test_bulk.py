"""Questions that go out together: gathered over the jobs in flight, one request, and each settled by itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from models.credit.entry import CreditEntry
from models.job import Job
from providers.api import NO_MATCH, Answer, CallDeferred, Pending, ProviderError, Question, Withdrawn
from providers.bulk import Batch, Outcome
from resolvers.context import Context
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.api import cancel_job
from resolvers.provider.api import list_providers
from resolvers.record.api import UpsertOutcome
from tests.support.factories import ALL_FIELDS, StandIn, configure, context, job_of, send, services, work
from workers.lookup.batched_store import QUESTION_LEASE
from workers.lookup.bulk import ALONE_WITHIN_SECONDS, COMPANY_SECONDS
from workers.lookup.call import CALL_SECONDS
from workers.lookup.concurrency import PERMIT_WAIT_SECONDS

pytestmark = pytest.mark.usefixtures("db")

TITLE = {"title": "CTO"}


@dataclass
class Together(StandIn):
    """Takes ten questions in a request; `poison` is refused by itself, and by `ends` a question ends in a batch."""

    remote: bool = True
    price: int = 2
    keeps_days: int = 30
    checks_before_sending: bool = True
    gives: Mapping[EntityType, frozenset[str]] = field(
        default_factory=lambda: {EntityType.LEAD: ALL_FIELDS[EntityType.LEAD]}
    )
    batches: list[list[str]] = field(default_factory=list)
    ends: dict[str, Outcome] = field(default_factory=dict)
    whole: Exception | None = None
    reserved: list[int] = field(default_factory=list)

    def batch_of(self, question: Question) -> Batch | None:
        return Batch("people", 10)

    async def ask(self, question: Question) -> Answer | Pending:
        if question.before_send is not None:
            await question.before_send()
        return await super().ask(question)

    async def ask_many(self, questions: Sequence[Question]) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        for number, question in enumerate(questions):
            assert question.before_send is not None
            try:
                await question.before_send()
            except Withdrawn as error:
                outcomes[number] = error
        self.batches.append([str(question.fields["email"]) for question in questions])
        self.reserved.append(await CreditEntry.filter(kind="reservation").count())
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if self.whole is not None:
            raise self.whole
        for number, question in enumerate(questions):
            if number not in outcomes:
                outcomes[number] = self.ends.get(str(question.fields["email"])) or await self._answer(question)
        return [outcomes[number] for number in range(len(questions))]

    @classmethod
    def knowing(cls, count: int, **more: object) -> "Together":
        return cls(knows={f"p{n}@acme{n}.com": TITLE for n in range(count)}, **more)  # type: ignore[arg-type] # its own


async def leads(ctx: Context, count: int) -> list[UpsertOutcome]:
    return [await send(ctx, "lead", f"L{n}", email=f"p{n}@acme{n}.com") for n in range(count)]


async def test_questions_of_jobs_in_flight_go_out_together_and_are_reserved_before(redis: ArqRedis) -> None:
    provider = Together.knowing(25)
    shared = services(redis, provider)
    ctx = context(shared)
    await leads(ctx, 25)
    await work(shared)
    assert sorted(map(len, provider.batches)) == [5, 10, 10]
    assert provider.asked == []
    assert provider.reserved[0] == 25  # what a request may cost is written down before it goes out
    jobs = await Job.all()
    assert {(job.status, job.credits_used) for job in jobs} == {(JobStatus.COMPLETED, 2)}
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (50, 0)
    assert (await check_ledger("acme")).faults == []


async def test_a_lone_question_is_asked_as_any_other(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.lookup.bulk.COMPANY_SECONDS", 3600.0)
    provider = Together.knowing(1)
    shared = services(redis, provider)
    await leads(context(shared), 1)
    await work(shared)
    assert (provider.batches, provider.asked) == ([], ["p0@acme0.com"])


async def test_those_of_another_organization_are_no_company(redis: ArqRedis) -> None:
    provider = Together.knowing(2)
    shared = services(redis, provider)
    for org, name in (("acme", "p0@acme0.com"), ("other", "p1@acme1.com")):
        await send(context(shared, org=org), "lead", "L", email=name)
    await work(shared)
    assert provider.batches == []
    assert len(provider.asked) == 2


async def test_each_question_ends_by_itself(redis: ArqRedis) -> None:
    provider = Together.knowing(4)
    provider.ends = {
        "p1@acme1.com": ProviderError("invalid_answer", "no", retryable=False, maybe_charged=True),
        "p2@acme2.com": ProviderError("rejected", "who knows", retryable=True),
        "p3@acme3.com": ProviderError("wrong_entity", "somebody else", retryable=False, stated=1),
    }
    shared = services(redis, provider)
    ctx = context(shared)
    sent = await leads(ctx, 4)
    await work(shared)
    jobs = [await job_of(one) for one in sent]
    assert [job.credits_used for job in jobs] == [2, 0, 2, 1]
    assert [job.status for job in jobs] == [
        JobStatus.COMPLETED,
        JobStatus.FAILED,
        JobStatus.COMPLETED,
        JobStatus.FAILED,
    ]
    assert provider.asked == ["p2@acme2.com"]  # of which its batch left nothing known, alone
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved, sum(part.credits for part in usage.maybe_charged)) == (5, 0, 2)
    assert [view.healthy for view in await list_providers(ctx)] == [True]
    assert (await check_ledger("acme")).faults == []


async def test_where_many_at_once_are_refused_each_is_asked_alone_and_the_provider_is_well(redis: ArqRedis) -> None:
    provider = Together.knowing(6, whole=ProviderError("rejected", "not for many", retryable=True))
    shared = services(redis, provider)
    ctx = context(shared)
    await leads(ctx, 6)
    await work(shared)
    assert sorted(provider.asked) == [f"p{n}@acme{n}.com" for n in range(6)]
    assert {(job.status, job.credits_used) for job in await Job.all()} == {(JobStatus.COMPLETED, 2)}
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (12, 0)
    [view] = await list_providers(ctx)
    assert (view.healthy, view.last_error_code) == (True, None)
    assert (await check_ledger("acme")).faults == []


async def test_a_request_that_fails_fails_for_each_of_its_questions(redis: ArqRedis) -> None:
    provider = Together.knowing(6, whole=ProviderError("unavailable", "gone", retryable=True))
    shared = services(redis, provider)
    ctx = context(shared)
    await configure(ctx, maxAttempts=1)
    await leads(ctx, 6)
    await work(shared)
    assert {job.error_code for job in await Job.all()} == {"unavailable"}
    assert (await get_credits(ctx)).reserved == 0
    [view] = await list_providers(ctx)
    assert (view.healthy, view.last_error_code) == (False, "unavailable")  # as by six calls


@pytest.mark.parametrize("raised", [RuntimeError("a bug"), CallDeferred("later", 1.0)])
async def test_a_request_that_was_not_read_or_not_sent(redis: ArqRedis, raised: Exception) -> None:
    provider = Together.knowing(3, whole=raised)
    shared = services(redis, provider)
    ctx = context(shared)
    await leads(ctx, 3)
    await work(shared)
    codes = {job.error_code for job in await Job.all()}
    assert codes == ({None} if isinstance(raised, CallDeferred) else {"maybe_charged"})
    assert (await get_credits(ctx)).reserved == 0


async def test_a_job_that_is_cancelled_meanwhile_leaves_the_others_their_answers(redis: ArqRedis) -> None:
    provider = Together.knowing(3)
    shared = services(redis, provider)
    ctx = context(shared)
    sent = await leads(ctx, 3)
    gone = (await job_of(sent[1])).id

    class Cancelling(Together):
        async def ask_many(self, questions: Sequence[Question]) -> Sequence[Outcome]:
            await cancel_job(ctx, gone)
            return await super().ask_many(questions)

    provider = Cancelling.knowing(3)
    shared.registry = services(redis, provider).registry
    await work(shared)
    assert [(await job_of(one)).status for one in sent] == [
        JobStatus.COMPLETED,
        JobStatus.CANCELLED,
        JobStatus.COMPLETED,
    ]
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (4, 0)
    assert (await check_ledger("acme")).faults == []


async def test_nobody_waits_for_company_that_does_not_come(redis: ArqRedis) -> None:
    asked = asyncio.Event()

    class Slow(StandIn):
        async def ask(self, question: Question) -> Answer | Pending:
            if question.fields["email"] == "p0@acme0.com":
                await asked.wait()  # until the other job has been asked about
            return NO_MATCH

    class Noting(Together):
        async def ask(self, question: Question) -> Answer | Pending:
            asked.set()
            return await super().ask(question)

    provider = Noting.knowing(2)
    shared = services(redis, Slow(id="slow", remote=True, gives=provider.gives), provider)
    await leads(context(shared), 2)
    await work(shared)
    assert provider.asked == ["p1@acme1.com", "p0@acme0.com"]


def test_a_call_has_less_time_than_a_question_is_leased() -> None:
    assert COMPANY_SECONDS <= 0.05
    assert QUESTION_LEASE.total_seconds() > ALONE_WITHIN_SECONDS + PERMIT_WAIT_SECONDS + CALL_SECONDS
