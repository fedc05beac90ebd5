"""A record comes in, is enriched by the waterfall, and ends in exactly one way."""

from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from models.job import Job
from models.job.shown import ShownJob
from models.record import FieldValue, Record
from providers.api import ProviderError, Question
from resolvers.credit.api import get_credits
from resolvers.job.api import get_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.store import RecordOutcome
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work
from workers.upkeep.refresh import refresh

pytestmark = pytest.mark.usefixtures("db")

ACME = {"industry": "Software", "city": "Berlin", "foundedYear": 1999}


def outcomes(job: Job | ShownJob) -> dict[str, str]:
    return {outcome["field"]: outcome["reason"] for outcome in job.outcomes}


def transient(code: str = "unavailable") -> ProviderError:
    return ProviderError(code, "try later", retryable=True)


async def test_a_new_record_is_enriched_and_every_value_names_its_source(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    sent = await send(context(shared), "account", "A1", name="Acme Inc.", domain="acme.com")
    assert (sent.outcome, sent.folded) == (RecordOutcome.CREATED, False)

    await work(shared)

    job = await job_of(sent)
    assert (job.status, job.trigger, job.progress) == (JobStatus.COMPLETED, JobTrigger.RECORD_CREATED, 100)
    assert sorted(job.fields_updated) == ["city", "foundedYear", "industry"]
    assert job.record.fields == {"name": "Acme Inc.", "domain": "acme.com", **ACME}
    current = {value.field: value.source for value in await FieldValue.filter(replaced_at__isnull=True)}
    assert current == {
        "name": "crm",
        "domain": "crm",
        "industry": "standin",
        "city": "standin",
        "foundedYear": "standin",
    }


async def test_what_jobs_come_to_is_counted(redis: ArqRedis) -> None:
    provider = StandIn(knows={"acme.com": ACME}, price=2)
    clock = Clock()
    shared = services(redis, provider, now=clock)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    provider.fails = [transient()]
    await send(ctx, "account", "A2", domain="globex.com")
    await work(shared)

    def counted(name: str, **labels: str) -> float | None:
        return shared.measures.registry.get_sample_value(f"auto_enrichment_{name}", labels)

    assert counted("jobs_ended_total", outcome="completed", trigger="record_created") == 1
    assert counted("job_seconds_count") == 1
    assert counted("job_retries_total") == 1
    assert counted("provider_answers_total", provider="standin", outcome="match") == 1
    assert counted("provider_answers_total", provider="standin", outcome="error") == 1
    assert counted("provider_call_seconds_count", provider="standin") == 2
    assert counted("credits_charged_total", provider="standin") == 2
    assert counted("fields_written_total") == 3


async def test_the_outcomes_of_a_job_partition_the_fields(redis: ArqRedis) -> None:
    knows = {"acme.com": {"industry": ("Software", 0.9), "city": ("Berlin", 0.2), "name": "Acme", "country": "France"}}
    shared = services(redis, StandIn(knows=knows, observed_at=datetime(2020, 1, 1, tzinfo=UTC)))
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"fields": {"foundedYear": "never"}}})
    sent = await send(ctx, "account", "A1", name="Acme Inc.", domain="acme.com", country="Germany")

    await work(shared)

    job = await job_of(sent)
    found = outcomes(job)
    assert len(found) == len(job.outcomes)
    assert found["industry"] == FieldOutcomeReason.WRITTEN
    assert found["city"] == FieldOutcomeReason.BELOW_THRESHOLD
    assert found["name"] == FieldOutcomeReason.SAME
    assert found["country"] == FieldOutcomeReason.CONFLICT
    assert found["foundedYear"] == FieldOutcomeReason.PROTECTED
    assert found["phone"] == FieldOutcomeReason.NO_DATA


async def test_a_provider_is_not_asked_once_all_its_fields_are_settled(redis: ArqRedis) -> None:
    first = StandIn(id="first", knows={"acme.com": ACME}, gives={EntityType.ACCOUNT: frozenset(ACME)})
    second = StandIn(id="second", knows={"acme.com": ACME}, gives={EntityType.ACCOUNT: frozenset(ACME)})
    shared = services(redis, first, second)
    sent = await send(context(shared), "account", "A1", domain="acme.com")

    await work(shared)

    job = await job_of(sent)
    assert second.asked == []
    assert [(step.provider, step.outcome, step.skipped_reason) for step in job.steps] == [
        ("first", StepOutcome.MATCH, None),
        ("second", StepOutcome.SKIPPED, "settled"),
    ]


async def test_what_one_provider_finds_helps_to_ask_the_next(redis: ArqRedis) -> None:
    by_name = StandIn(id="by_name", knows={"acme": {"domain": "acme.com"}})
    by_domain = StandIn(id="by_domain", knows={"acme.com": ACME})
    shared = services(redis, by_name, by_domain)
    sent = await send(context(shared), "account", "A1", name="Acme")

    await work(shared)

    assert (await job_of(sent)).record.fields["industry"] == "Software"
    assert by_domain.asked == ["acme.com"]


async def test_a_source_that_echoes_anothers_find_is_no_second_opinion(redis: ArqRedis) -> None:
    guess = StandIn(id="guess", knows={"acme": {"domain": ("acme.com", 0.7)}})
    echo = StandIn(id="echo", knows={"acme.com": {"domain": "acme.com", "website": "acme.com", "city": "Berlin"}})
    shared = services(redis, guess, echo)
    sent = await send(context(shared), "account", "A1", name="Acme")
    await work(shared)
    assert (await job_of(sent)).record.fields["domain"] == "acme.com"
    current = {value.field: value for value in await FieldValue.filter(replaced_at__isnull=True)}
    assert (current["domain"].source, current["domain"].confidence) == ("guess", 0.7)
    assert current["city"].confidence == pytest.approx(0.63)
    assert "website" not in current


async def test_a_transient_failure_waits_and_then_asks_only_the_one_that_failed(redis: ArqRedis) -> None:
    clock = Clock()
    steady = StandIn(id="steady", knows={"acme.com": {"city": "Berlin"}})
    flaky = StandIn(id="flaky", knows={"acme.com": {"industry": "Software"}}, fails=[transient()])
    shared = services(redis, steady, flaky, now=clock)
    sent = await send(context(shared), "account", "A1", domain="acme.com")

    await work(shared)
    waiting = await job_of(sent)
    assert (waiting.status, waiting.error_code, waiting.attempts) == (JobStatus.PENDING, "unavailable", 1)
    assert waiting.next_attempt_at is not None and waiting.next_attempt_at > clock()
    assert waiting.record.fields["city"] == "Berlin"

    clock.ahead_seconds += 60
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.attempts, job.error_code) == (JobStatus.COMPLETED, 2, None)
    assert (steady.asked, flaky.asked) == (["acme.com"], ["acme.com", "acme.com"])
    assert {name: outcomes(job)[name] for name in ("city", "industry")} == {"city": "written", "industry": "written"}


async def test_when_attempts_run_out_a_job_is_partial_or_failed(redis: ArqRedis) -> None:
    down = StandIn(id="down", fails=[transient() for _ in range(9)])
    shared = services(redis, StandIn(id="up", knows={"acme.com": {"city": "Berlin"}}), down)
    ctx = context(shared)
    await configure(ctx, maxAttempts=1)
    partial = await send(ctx, "account", "A1", domain="acme.com")
    failed = await send(ctx, "account", "A2", domain="other.com")

    await work(shared)

    assert (await job_of(partial)).status is JobStatus.PARTIAL
    job = await job_of(failed)
    assert (job.status, job.error_code, job.error_retryable) == (JobStatus.FAILED, "unavailable", True)
    assert outcomes(job)["industry"] == FieldOutcomeReason.ERROR


async def test_a_record_without_anything_to_ask_with_is_skipped_and_not_failed(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    sent = await send(context(shared), "lead", "L1", title="CEO")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.error_code, job.matched) == (JobStatus.SKIPPED, "not_enough_input", None)


async def test_an_edit_made_while_the_answer_is_on_its_way_wins(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": {"city": "Berlin", "industry": "Software"}})
    shared = services(redis, standin)
    ctx = context(shared)
    await configure(ctx, fieldPolicies={"account": {"default": "overwrite"}})
    sent = await send(ctx, "account", "A1", domain="acme.com")

    async def edit(_: Question) -> None:
        standin.on_ask = None
        await send(ctx, "account", "A1", city="Hamburg")

    standin.on_ask = edit
    await work(shared)

    job = await job_of(sent)
    assert job.record.fields["city"] == "Hamburg"
    assert job.record.fields["industry"] == "Software"
    assert await FieldValue.filter(field="city", replaced_at__isnull=True).count() == 1


async def test_what_the_crm_repeats_during_a_job_is_still_a_repetition_after_it(redis: ArqRedis) -> None:
    source = StandIn(knows={"acme.com": {"city": "Oakland"}})
    shared = services(redis, source)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)

    async def echo(question: Question) -> None:
        await send(ctx, "account", "A1", domain="acme.com", city="Oakland")

    source.knows, source.on_ask = {"acme.com": {"city": "Fremont"}}, echo
    await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)
    source.on_ask = None
    repeated = await send(ctx, "account", "A1", domain="acme.com", city="Oakland")

    assert repeated.outcome is RecordOutcome.UNCHANGED
    assert (await Record.get()).fields["city"] == "Fremont"


async def test_the_same_answer_seen_later_verifies_the_value(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": {"city": "Berlin"}}, observed_at=datetime(2020, 1, 1, tzinfo=UTC))
    shared = services(redis, standin)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    standin.observed_at = datetime(2024, 1, 1, tzinfo=UTC)

    forced = await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT), force=True)
    await work(shared)

    job = await get_job(ctx, forced.queued[0].id)
    assert outcomes(job)["city"] == FieldOutcomeReason.VERIFIED
    value = await FieldValue.get(field="city", replaced_at__isnull=True)
    assert value.observed_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert job.fields_updated == []


async def test_a_provider_that_breaks_spoils_only_its_own_step(redis: ArqRedis) -> None:
    async def explode(_: Question) -> None:
        raise ZeroDivisionError

    broken = StandIn(id="broken", on_ask=explode)
    shared = services(redis, broken, StandIn(id="good", knows={"acme.com": ACME}))
    sent = await send(context(shared), "account", "A1", domain="acme.com")
    await work(shared)
    job = await job_of(sent)
    assert (job.status, job.steps[0].error_code) == (JobStatus.PARTIAL, "invalid_answer")
    assert job.record.fields["industry"] == "Software"


async def test_a_refresh_takes_stale_records_once_a_period(redis: ArqRedis) -> None:
    clock = Clock()
    standin = StandIn(knows={"acme.com": ACME})
    shared = services(redis, standin, now=clock)
    ctx = context(shared)
    await configure(ctx, triggers={"refreshAfterDays": 30})
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    assert await refresh({"services": shared}) == 0

    clock.ahead_seconds += timedelta(days=31).total_seconds()
    assert await refresh({"services": shared}) == 1
    assert await refresh({"services": shared}) == 0
    await work(shared)

    assert standin.asked == ["acme.com", "acme.com"]
    assert (await Job.filter(trigger=JobTrigger.SCHEDULED_REFRESH).get()).status is JobStatus.COMPLETED


async def test_free_providers_cost_nothing(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": ACME}))
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(shared)
    usage = await get_credits(ctx)
    assert (usage.balance, usage.used, usage.reserved, usage.remaining) == (1000, 0, 0, 1000)
