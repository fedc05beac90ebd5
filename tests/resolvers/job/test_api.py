"""A job is retried or cancelled by the people of its organization."""

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus
from providers.api import ProviderError, Question
from resolvers.errors import JobNotCancellable, JobNotRetryable, NotFound
from resolvers.job.api import cancel_job, get_job, retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.store import RecordOutcome
from tests.support.factories import StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin", "foundedYear": 1999}


async def test_a_failed_job_can_be_retried_and_a_completed_one_not(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": ACME}, fails=[ProviderError("bad_key", "no", retryable=False)])
    shared = services(redis, standin)
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    failed = await job_of(sent)
    assert failed.status is JobStatus.FAILED

    queued = await retry_job(ctx, failed.id)
    assert (queued.status, queued.error_code, queued.finished_at) == (JobStatus.PENDING, None, None)
    await work(shared)

    assert (await job_of(sent)).status is JobStatus.COMPLETED
    with pytest.raises(JobNotRetryable) as refused:
        await retry_job(ctx, failed.id)
    assert refused.value.details == {"state": "completed"}


async def test_a_cancelled_job_writes_nothing_even_when_its_answer_is_on_the_way(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": ACME})
    shared = services(redis, standin)
    ctx = context(shared)
    sent = await send(ctx, "account", "A1", domain="acme.com")

    async def cancel(_: Question) -> None:
        assert sent.job is not None
        await cancel_job(ctx, sent.job.id)

    standin.on_ask = cancel
    await work(shared)

    job = await job_of(sent)
    assert (job.status, job.record.fields) == (JobStatus.CANCELLED, {"domain": "acme.com"})
    with pytest.raises(JobNotCancellable):
        await cancel_job(ctx, job.id)


async def test_another_organization_finds_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    await work(shared)
    assert sent.job is not None
    other = context(shared, org="other")

    with pytest.raises(NotFound):
        await get_job(other, sent.job.id)
    with pytest.raises(NotFound):
        await retry_job(other, sent.job.id)
    with pytest.raises(NotFound):
        await cancel_job(other, sent.job.id)
    outcome = await enrich_records(other, RecordSelection(EntityType.ACCOUNT, external_ids=("A1",)))
    assert outcome.skipped[0].reason == "not_found"
    mine = await send(other, "account", "A1", name="Mine")
    assert mine.outcome is RecordOutcome.CREATED
