"""A person who told a provider not to be processed: nobody else is asked, for as long as the provider says."""

from dataclasses import dataclass

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, JobStatus, StepOutcome
from providers.api import Answer, Pending, Question
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.credit.api import get_credits
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.stats import get_stats
from tests.support.factories import Clock, StandIn, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

LEADS = RecordSelection(EntityType.LEAD)
DAY = 24 * 3600.0


@dataclass
class Careful(StandIn):
    """Says of everyone that they opted out, free, for so many days."""

    price: int = 3
    days: int | None = None

    async def _answer(self, question: Question) -> Answer | Pending:
        return Answer(
            matched=False, detail="asked not to be processed", uncounted=True, opted_out=True, lifetime_days=self.days
        )


async def test_nobody_else_is_asked_and_it_counts_as_no_miss(redis: ArqRedis) -> None:
    first, second = Careful(id="first"), StandIn(id="second", knows={"ann@acme.com": {"title": "CTO"}}, price=1)
    shared = services(redis, first, second)
    ctx = context(shared)
    sent = await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (first.asked, second.asked) == (["ann@acme.com"], [])
    assert (job.status, job.error_code, job.matched) == (JobStatus.SKIPPED, "opted_out", None)
    steps = sorted(job.steps, key=lambda step: step.position)
    assert [(step.outcome, step.skipped_reason) for step in steps] == [(StepOutcome.SKIPPED, "opted_out")] * 2
    assert steps[0].detail == "asked not to be processed"
    stats = await get_stats(ctx)
    assert stats.match_rate is None
    assert [(one.asked, one.no_match) for one in stats.providers if one.provider == "first"] == [(0, 0)]
    usage = await get_credits(ctx)
    assert (usage.used, usage.reserved) == (0, 0)


async def test_it_is_remembered_as_long_as_the_provider_says(redis: ArqRedis) -> None:
    clock = Clock()
    first, second = Careful(id="first", days=30), StandIn(id="second", price=1)
    ctx = context(services(redis, first, second, now=clock))
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(ctx.services)
    clock.ahead_seconds = 19 * DAY
    # Another process, other jobs: the same person as a contact, and whoever insists.
    ctx = context(services(redis, first, second, now=clock))
    await send(ctx, "contact", "C1", email="ann@acme.com")
    assert (await estimate_enrichment(ctx, LEADS, force=True)).maximum == 0
    assert not sum((await preview_enrichment(ctx, LEADS, force=True)).calls.values())
    await enrich_records(ctx, LEADS, force=True)
    await work(ctx.services)
    assert (first.asked, second.asked) == (["ann@acme.com"], [])
    clock.ahead_seconds = 31 * DAY
    await enrich_records(ctx, LEADS, force=False)
    await work(ctx.services)
    assert first.asked == ["ann@acme.com"] * 2


async def test_whoever_is_asked_first_the_next_time_is_not_asked_about_the_person(redis: ArqRedis) -> None:
    knows = {"ann@acme.com": {"firstName": "Ann"}, "bob@acme.com": {"firstName": "Bob"}}
    first = StandIn(id="first", knows=knows, price=1, keeps_days=30, remote=True)
    careful = Careful(id="careful", remote=True)
    last = StandIn(id="last", knows=knows, price=1, keeps_days=30, remote=True)
    ctx = context(services(redis, first, careful, last))
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(ctx.services)
    assert (first.asked, careful.asked, last.asked) == (["ann@acme.com"], ["ann@acme.com"], [])
    ctx = context(services(redis, first, careful, last))
    await enrich_records(ctx, LEADS, force=True)
    await send(ctx, "contact", "C1", email="ann@acme.com")
    await work(ctx.services)
    assert (first.asked, careful.asked, last.asked) == (["ann@acme.com"], ["ann@acme.com"], [])
    await send(ctx, "lead", "L2", email="bob@acme.com")
    await work(ctx.services)
    assert first.asked == ["ann@acme.com", "bob@acme.com"]
