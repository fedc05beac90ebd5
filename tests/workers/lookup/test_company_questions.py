"""The company of a person is asked about as its account is: shared by all who work there, for one price."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import AnsweredQuestion, EntityType, JobStatus, StepOutcome
from models.credit.entry import CreditEntry
from providers.api import ProviderError, Question
from resolvers.context import Context
from resolvers.cost.estimate import estimate_enrichment
from resolvers.cost.preview import preview_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.api import retry_job
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.job.restart_refused import GRACE, restart_refused
from resolvers.provider.api import reset_provider
from resolvers.record.api import get_record
from resolvers.simulation.api import simulate_config
from tests.support.factories import Clock, StandIn, configure, context, job_of, send, services, work

pytestmark = pytest.mark.usefixtures("db")

PERSON = {"title": "Engineer", "city": "Oakland"}
COMPANY = {"name": "Acme", "industry": "Software", "numberOfEmployees": 120}
OF_PERSON = frozenset({"title", "city", "company", "industry", "numberOfEmployees"})
OF_COMPANY = frozenset({"name", "domain", "industry", "numberOfEmployees", "foundedYear"})


@dataclass
class PeopleAndCompanies(StandIn):
    """Knows people by their e-mail address and companies by their domain, in calls of their own."""

    def input_key(self, question: Question) -> str | None:
        if question.entity_type is EntityType.ACCOUNT:
            return question.fields.get("domain")
        return question.fields.get("email") if question.wanted & {"title", "city"} else None


def provider(**changes: Any) -> PeopleAndCompanies:
    gives = {EntityType.LEAD: OF_PERSON, EntityType.CONTACT: OF_PERSON, EntityType.ACCOUNT: OF_COMPANY}
    knows = {"jo@acme.com": PERSON, "acme.com": COMPANY}
    return PeopleAndCompanies(**{"id": "paid", "price": 1, "keeps_days": 30, "gives": gives, "knows": knows, **changes})


async def fields_of(ctx: Context, kind: EntityType, external_id: str) -> dict[str, Any]:
    record = await get_record(ctx, kind, external_id)
    assert record is not None
    return record.fields


async def test_a_company_is_asked_about_once_for_all_who_work_there_and_for_the_account(redis: ArqRedis) -> None:
    paid = provider()
    ctx = context(services(redis, paid))
    for name in ("ann", "bob"):  # whom it does not know
        await send(ctx, "lead", name, email=f"{name}@acme.com")
        await work(ctx.services)
        fields = await fields_of(ctx, EntityType.LEAD, name)
        assert (fields["company"], fields["industry"], fields["numberOfEmployees"]) == ("Acme", "Software", 120)
    await send(ctx, "account", "A1", domain="acme.com")
    await work(ctx.services)
    assert (await fields_of(ctx, EntityType.ACCOUNT, "A1"))["industry"] == "Software"
    assert paid.asked == ["ann@acme.com", "acme.com", "bob@acme.com"]
    assert (await get_credits(ctx)).used == 1
    assert (await check_ledger("acme")).faults == []


async def test_a_match_that_says_nothing_of_the_company_leads_to_the_question_about_it(redis: ArqRedis) -> None:
    paid = provider()
    ctx = context(services(redis, paid))
    sent = await send(ctx, "lead", "L1", email="jo@acme.com")
    await work(ctx.services)
    job = await job_of(sent)
    [step] = job.steps
    assert paid.asked == ["jo@acme.com", "acme.com"]
    assert (job.credits_used, step.credits_charged, step.outcome) == (2, 2, StepOutcome.MATCH)
    assert set(step.fields_found) == {"title", "city", "company", "industry", "numberOfEmployees"}
    charges = await CreditEntry.filter(kind="charge").order_by("id")
    assert [(charge.entity_type, charge.amount) for charge in charges] == [("lead", -1), ("account", -1)]
    assert (await check_ledger("acme")).faults == []


async def test_a_match_that_knows_the_employer_leads_to_no_second_question(redis: ArqRedis) -> None:
    told = PERSON | {"company": "Acme", "industry": "Software", "numberOfEmployees": 90}
    paid = provider(knows={"jo@acme.com": told, "acme.com": COMPANY})
    ctx = context(services(redis, paid))
    await configure(ctx, payFor={"lead": ["title", "company", "industry", "numberOfEmployees"]})
    await send(ctx, "lead", "L1", email="jo@acme.com")
    await work(ctx.services)
    assert paid.asked == ["jo@acme.com"]


@pytest.mark.parametrize(
    "rules",
    [
        {"companyQuestions": False},
        {"payFor": {"lead": ["title"]}},
        {"credits": {"perRecordMax": 1}},
        {"fieldPolicies": {"lead": {"fields": dict.fromkeys(("company", "industry", "numberOfEmployees"), "never")}}},
    ],
)
async def test_it_is_asked_only_where_it_may_cost_that(redis: ArqRedis, rules: dict[str, Any]) -> None:
    gives = {EntityType.LEAD: OF_PERSON, EntityType.ACCOUNT: OF_COMPANY - {"domain"}}
    paid = provider(gives=gives)
    ctx = context(services(redis, paid))
    await configure(ctx, **rules)
    await send(ctx, "lead", "L1", email="jo@acme.com", companyDomain="acme.com", website="https://acme.com")
    await work(ctx.services)
    assert paid.asked == ["jo@acme.com"]


async def test_whom_a_provider_cannot_be_asked_about_still_has_a_company(redis: ArqRedis) -> None:
    paid = provider()
    ctx = context(services(redis, paid))
    sent = await send(ctx, "lead", "L1", companyDomain="acme.com")
    await work(ctx.services)
    job = await job_of(sent)
    assert paid.asked == ["acme.com"]
    assert (job.status, job.steps[0].outcome, job.credits_used) == (JobStatus.COMPLETED, StepOutcome.MATCH, 1)


async def test_a_failed_question_about_the_company_is_repeated_alone_and_nothing_is_paid_twice(redis: ArqRedis) -> None:
    paid = provider()

    async def fail_once(question: Question) -> None:
        if question.entity_type is EntityType.ACCOUNT and len(paid.asked) == 2:
            raise ProviderError("unavailable", "no", retryable=True)

    paid.on_ask = fail_once
    clock = Clock()
    ctx = context(services(redis, paid, now=clock))
    sent = await send(ctx, "lead", "L1", email="jo@acme.com")
    await work(ctx.services)
    clock.ahead_seconds += 3600
    await work(ctx.services)
    job = await job_of(sent)
    assert job.status is JobStatus.COMPLETED
    assert paid.asked == ["jo@acme.com", "acme.com", "acme.com"]
    assert (job.credits_used, job.steps[0].credits_charged) == (2, 2)
    assert (await check_ledger("acme")).faults == []


async def test_a_failed_question_about_the_person_is_repeated_before_the_company_is_asked_about(
    redis: ArqRedis,
) -> None:
    paid = provider()

    async def fail_once(question: Question) -> None:
        if question.entity_type is EntityType.LEAD and len(paid.asked) == 1:
            raise ProviderError("unavailable", "no", retryable=True)

    paid.on_ask = fail_once
    clock = Clock()
    ctx = context(services(redis, paid, now=clock))
    sent = await send(ctx, "lead", "L1", email="jo@acme.com")
    await work(ctx.services)
    assert paid.asked == ["jo@acme.com"]
    [step] = (await job_of(sent)).steps
    assert (step.outcome, step.error_code) == (StepOutcome.ERROR, "unavailable")
    clock.ahead_seconds += 3600
    await work(ctx.services)
    job = await job_of(sent)
    assert (job.status, paid.asked) == (JobStatus.COMPLETED, ["jo@acme.com", "jo@acme.com", "acme.com"])
    assert (job.credits_used, job.steps[0].credits_charged, job.steps[0].error_code) == (2, 2, None)
    fields = await fields_of(ctx, EntityType.LEAD, "L1")
    assert (fields["title"], fields["company"]) == ("Engineer", "Acme")
    assert (await check_ledger("acme")).faults == []


@pytest.mark.parametrize(
    ("refused", "kept", "first", "then"),
    [
        (EntityType.LEAD, AnsweredQuestion.COMPANY, ["jo@acme.com", "acme.com"], ["jo@acme.com"]),
        (EntityType.ACCOUNT, AnsweredQuestion.RECORD, ["jo@acme.com", "acme.com"], ["acme.com"]),
    ],
)
@pytest.mark.parametrize("person", [{"company": "Acme"}, PERSON])
async def test_a_refusal_beside_an_answer_is_shown_and_that_question_alone_is_put_again_once_it_may(
    redis: ArqRedis,
    refused: EntityType,
    kept: AnsweredQuestion,
    first: list[str],
    then: list[str],
    person: dict[str, Any],
) -> None:
    paid = provider(knows={"jo@acme.com": person, "acme.com": COMPANY}, keeps_days=1)

    async def refuse(question: Question) -> None:
        if question.entity_type is refused and len(paid.asked) <= 2:
            raise ProviderError("no_access", "this key may not", retryable=False)

    paid.on_ask = refuse
    clock = Clock()
    ctx = context(services(redis, paid, now=clock))
    sent = await send(ctx, "lead", "L1", email="jo@acme.com")
    await work(ctx.services)
    job = await job_of(sent)
    [step] = job.steps
    assert (step.outcome, step.error_code, step.answered_question) == (StepOutcome.MATCH, "no_access", kept)
    assert (job.status, paid.asked, step.credits_charged) == (JobStatus.PARTIAL, first, 1)
    reasons = {outcome["field"]: outcome["reason"] for outcome in job.outcomes}
    assert (reasons["city"] == "error") is (refused is EntityType.LEAD or person is not PERSON)
    clock.ahead_seconds += timedelta(days=2).total_seconds()  # no kept answer serves
    await reset_provider(ctx, "paid")
    clock.ahead_seconds += GRACE.total_seconds() + 1
    assert await restart_refused(ctx.services) == 1
    await work(ctx.services)
    job = await job_of(sent)
    [now_whole] = job.steps
    assert (job.status, paid.asked) == (JobStatus.COMPLETED, first + then)
    assert (now_whole.outcome, now_whole.error_code, now_whole.answered_question) == (StepOutcome.MATCH, None, None)
    assert (now_whole.detail, job.credits_used, now_whole.credits_charged) == ("", 2, 2)
    assert set(now_whole.fields_found) == {*person, "company", "industry", "numberOfEmployees"}
    assert (await check_ledger("acme")).faults == []


async def test_a_miss_beside_a_refusal_is_not_asked_about_again(redis: ArqRedis) -> None:
    paid = provider(knows={"acme.com": COMPANY}, keeps_days=1)

    async def refuse(question: Question) -> None:
        if question.entity_type is EntityType.ACCOUNT and len(paid.asked) == 2:
            raise ProviderError("no_access", "this key may not", retryable=False)

    paid.on_ask = refuse
    clock = Clock()
    ctx = context(services(redis, paid, now=clock))
    sent = await send(ctx, "lead", "L1", email="jo@acme.com")
    await work(ctx.services)
    [step] = (await job_of(sent)).steps
    assert (step.outcome, step.answered_question) == (StepOutcome.ERROR, AnsweredQuestion.RECORD)
    clock.ahead_seconds += timedelta(days=2).total_seconds()
    await retry_job(ctx, str((await job_of(sent)).id))
    await work(ctx.services)
    assert paid.asked == ["jo@acme.com", "acme.com", "acme.com"]


async def test_estimate_and_preview_count_the_company_once(redis: ArqRedis) -> None:
    paid = provider(knows={"acme.com": COMPANY})
    ctx = context(services(redis, paid))
    await configure(ctx, triggers={"onCreate": False}, companyQuestions=True)
    for number in range(20):
        await send(ctx, "lead", f"L{number}", companyDomain="acme.com")
    leads = RecordSelection(EntityType.LEAD)
    estimate = await estimate_enrichment(ctx, leads)
    assert (estimate.expected, estimate.maximum, estimate.by_provider[0].questions) == (1, 1, 1)
    preview = await preview_enrichment(ctx, leads)
    assert (preview.calls, preview.credits_most) == ({"paid": 1}, {"paid": 1})
    await enrich_records(ctx, leads)
    await work(ctx.services)
    assert paid.asked == ["acme.com"]
    assert (await get_credits(ctx)).used == 1
    assert (await estimate_enrichment(ctx, leads, force=False)).maximum == 0


async def test_the_rules_in_force_decide_the_same_again(redis: ArqRedis) -> None:
    ctx = context(services(redis, provider()))
    for name in ("ann", "jo"):
        await send(ctx, "lead", name, email=f"{name}@acme.com")
        await work(ctx.services)
    again = await simulate_config(ctx, {})
    assert again.differences == []
    assert [(part.provider, part.actual, part.simulated, part.unknown) for part in again.credits] == [("paid", 2, 2, 0)]
    without = await simulate_config(ctx, {"companyQuestions": False})
    assert {difference.field for difference in without.differences} == {"company", "industry", "numberOfEmployees"}
