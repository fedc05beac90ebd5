"""What a provider sends by itself later: an opt-out, and the figure of a refusal, count as if they came at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from models.answer.row import AnswerKey
from models.credit.intent import CallIntent
from models.db.columns import new_id
from models.db.statements import query
from providers.api import Answer, Pending, ProviderError, ProviderInfo, Question, key_digest
from resolvers.context import Services
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.erasure.api import erase_record
from resolvers.provider.callback_urls import CallbackUrls
from resolvers.provider.inbound_webhooks import Delivery, deliver, open_callback
from tests.support.factories import StandIn, context, job_of, send, services, work
from tests.support.waiting import until
from workers.job.runner import JobRunner

pytestmark = pytest.mark.usefixtures("db")

EMAIL = "ann@acme.com"
OPTED_OUT = Answer(matched=False, opted_out=True)
REFUSED = ProviderError("wrong_entity", "about somebody else", retryable=False, stated=2)


@dataclass
class Posts(StandIn):
    """Sends its answers by itself: `sends`."""

    id: str = "posts"
    price: int = 5
    keeps_days: int = 30
    remote: bool = True
    counts_misses: bool = False
    sends: Answer | ProviderError = field(default_factory=lambda: OPTED_OUT)

    @property
    def info(self) -> ProviderInfo:
        return replace(super().info, counts_misses=self.counts_misses)

    def is_about(self, payload: Mapping[str, Any], token: str | None) -> bool:
        return bool(payload)

    def receive_callback(self, question: Question, token: str | None, payload: Mapping[str, Any]) -> Answer:
        if isinstance(self.sends, ProviderError):
            raise self.sends
        return self.sends


def with_callbacks(redis: ArqRedis, *providers: StandIn) -> Services:
    shared = services(redis, *providers)
    shared.callback_urls = CallbackUrls("https://crm.test", b"k" * 32)
    return shared


async def sent_by_itself(shared: Services, job_id: str) -> Delivery:
    """What becomes of an answer that the provider sends to the address of its call."""
    assert shared.callback_urls is not None
    now = shared.now()
    key = AnswerKey("acme", "posts", key_digest(EMAIL), job_id)
    token = shared.callback_urls.url(key, now + timedelta(hours=1)).rpartition("/")[2]
    return await deliver(shared, open_callback(shared, "posts", token), {"sent": True})


async def paid(shared: Services) -> tuple[int, int]:
    """Credits used and reserved; the ledger adds up."""
    assert (await check_ledger("acme")).faults == []
    usage = await get_credits(context(shared))
    return usage.used, usage.reserved


async def wait_for_it(shared: Services) -> None:
    """A job that waits for the answer, and goes on once it was sent."""
    sent = await send(context(shared), "lead", "L1", email=EMAIL)
    await work(shared)
    job = await job_of(sent)
    assert await sent_by_itself(shared, job.id) is Delivery.ACCEPTED
    await work(shared)


async def test_an_opt_out_that_is_sent_later_is_kept_with_other_providers_too(redis: ArqRedis) -> None:
    other = StandIn("other", price=1, remote=True, keeps_days=30, knows={EMAIL: {"title": "CTO"}})
    shared = with_callbacks(redis, Posts(later=[Pending("t", 3600)]), other)
    await wait_for_it(shared)
    kept = await query("SELECT provider FROM answer WHERE opted_out ORDER BY provider")
    assert [row["provider"] for row in kept] == ["other", "posts"]


async def test_the_figure_of_a_refusal_that_is_sent_later_is_what_it_costs(redis: ArqRedis) -> None:
    shared = with_callbacks(redis, Posts(later=[Pending("t", 3600)], sends=REFUSED))
    await wait_for_it(shared)
    assert await paid(shared) == (2, 0)


async def test_a_refusal_that_is_sent_later_ends_the_call_also_where_another_may_succeed(redis: ArqRedis) -> None:
    again_later = ProviderError("unavailable", "come back later", retryable=True, stated=2)
    shared = with_callbacks(redis, Posts(later=[Pending("t", 3600)], sends=again_later))
    await wait_for_it(shared)
    assert await paid(shared) == (2, 0)
    assert await query("SELECT id FROM answer WHERE state = 'pending'") == []


@asynccontextmanager
async def erased_in_mid_call(
    shared: Services, provider: Posts, about: EntityType = EntityType.LEAD
) -> AsyncIterator[str]:
    """The id of a job whose record is erased while its call about the person, or the person's company, is under way."""
    answer, under_way = asyncio.Event(), asyncio.Event()

    async def wait(question: Question) -> None:
        if question.entity_type is about:
            under_way.set()
            await answer.wait()

    provider.on_ask = wait
    sent = await send(context(shared), "lead", "L1", email=EMAIL)
    assert sent.job is not None
    working = asyncio.create_task(JobRunner(shared).work())
    await until(under_way.is_set)
    await erase_record(context(shared), EntityType.LEAD, "L1", reason=None)
    yield sent.job.id
    answer.set()
    await working


@pytest.mark.parametrize(
    ("sends", "used"),
    [
        (Answer(matched=False), 5),
        (Answer(matched=False, uncounted=True), 0),
        (Answer(matched=True, stated=3), 3),
        (REFUSED, 2),
    ],
    ids=["a miss that counts", "a miss that does not", "a match", "a refusal with a figure"],
)
async def test_of_an_erased_record_the_cost_is_what_was_sent_says(
    redis: ArqRedis, sends: Answer | ProviderError, used: int
) -> None:
    provider = Posts(sends=sends, counts_misses=True)
    shared = with_callbacks(redis, provider)
    async with erased_in_mid_call(shared, provider) as job_id:
        assert await sent_by_itself(shared, job_id) is Delivery.LATE
        assert await paid(shared) == (used, 0)
    assert await paid(shared) == (used, 0)


@dataclass
class PostsOfCompaniesToo(Posts):
    """Is asked about a person by the e-mail address, and about the company by its domain, in calls of their own."""

    def input_key(self, question: Question) -> str | None:
        return question.fields.get("domain" if question.entity_type is EntityType.ACCOUNT else "email")


async def test_what_is_sent_of_an_erased_person_is_not_charged_to_the_call_about_the_company(redis: ArqRedis) -> None:
    provider = PostsOfCompaniesToo(sends=Answer(matched=True, stated=3))
    shared = with_callbacks(redis, provider)
    async with erased_in_mid_call(shared, provider, EntityType.ACCOUNT) as job_id:
        assert provider.asked == [EMAIL, "acme.com"]
        assert await sent_by_itself(shared, job_id) is Delivery.LATE
        assert await paid(shared) == (0, 5)
    assert await paid(shared) == (0, 0)


async def test_of_two_calls_about_an_erased_person_none_is_guessed(redis: ArqRedis) -> None:
    provider = Posts(sends=Answer(matched=True, stated=3))
    shared = with_callbacks(redis, provider)
    async with erased_in_mid_call(shared, provider) as job_id:
        [intent] = await CallIntent.all().values()
        await CallIntent.create(**intent | {"id": new_id()})
        assert await sent_by_itself(shared, job_id) is Delivery.LATE
        usage = await get_credits(context(shared))
        assert (usage.used, usage.reserved) == (0, 5)
