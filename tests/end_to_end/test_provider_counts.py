"""Our ledger beside the provider's own count of what it served, over real HTTP."""

import json
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import CreditKind, EntityType
from models.credit.entry import CreditEntry
from providers.clearbit.adapter import Clearbit
from providers.http.client import ClientLimits, HttpClient
from providers.http.provider import HttpProvider
from providers.peopledatalabs.adapter import PeopleDataLabs
from resolvers.cost.estimate import estimate_enrichment
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.job.enrich import RecordSelection
from resolvers.provider.api import list_providers
from tests.support.factories import Clock, configure, context, send, services, work
from tests.support.provider_server import SHORT, OneKey
from tests.support.standin_server import Call, ScriptedReply, StandInServer, json_reply, sampled
from workers.upkeep.expire_pending import expire_pending

pytestmark = pytest.mark.usefixtures("db")

COMPANY, PERSON = "/v2/companies/find", "/v2/combined/find"
MISS = sampled("clearbit", "not_found")
QUEUED = ScriptedReply(202, b"")


@pytest.fixture
def http_limits() -> ClientLimits:
    return SHORT


def company(domain: str) -> ScriptedReply:
    found = sampled("clearbit", "company_found")
    return ScriptedReply(
        200, json.dumps(json.loads(found.body) | {"domain": domain, "name": None}).encode(), found.headers
    )


def counted(calls: list[Call], answered: dict[str, int]) -> int:
    """What Clearbit counts: one for each domain that it answered 200, 202 or 404, however often it was asked."""
    return len({domain for call in calls if answered[domain := call.query["domain"]] in {200, 202, 404}})


async def clearbit(server: StandInServer, transport: HttpClient, redis: ArqRedis, clock: Clock | None = None) -> Any:
    source = HttpProvider(Clearbit(), transport, OneKey("a-key"), dict.fromkeys(Clearbit.bases, server.url))
    return services(redis, source, now=clock)


async def test_the_ledger_agrees_with_what_clearbit_counts(
    server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    clock = Clock()
    shared = await clearbit(server, transport, redis, clock)
    ctx = context(shared)
    replies = {
        "found.com": (company("found.com"),),
        "missed.com": (MISS,),
        "later.com": (QUEUED, QUEUED, company("later.com")),
        "never.com": (QUEUED,),
        "opted.com": (ScriptedReply(451),),
        "broken.com": (ScriptedReply(500),),
        "bad.com": (ScriptedReply(422),),
    }
    for domain, answers in replies.items():
        server.script_for(COMPANY, "domain", domain, *answers)
    for record in ("A", "B"):  # each question comes up twice and is paid for once
        for domain in replies:
            await send(ctx, "account", f"{record}-{domain}", domain=domain)
    for _ in range(40):
        await work(shared)
        await expire_pending({"services": shared})
        clock.ahead_seconds += 240
    usage = await get_credits(ctx)
    answered = {domain: answers[0].status for domain, answers in replies.items()}
    assert usage.used == counted(server.calls, answered) == 4
    assert (usage.reserved, usage.maybe_charged) == (0, [])
    assert (await check_ledger("acme")).faults == []
    notes = sorted(str(entry.note) for entry in await CreditEntry.filter(kind=CreditKind.CHARGE))
    assert notes == ["None", "None", "no match, which Clearbit counts", "queued, which Clearbit counts"]
    assert usage.wasted >= 2


async def test_a_miss_that_is_counted_shows_beforehand(
    server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    shared = await clearbit(server, transport, redis)
    ctx = context(shared)
    await configure(ctx, triggers={"onCreate": False})
    for number in range(5):
        await send(ctx, "account", f"A{number}", domain=f"acme{number}.com")
    estimate = await estimate_enrichment(ctx, RecordSelection(EntityType.ACCOUNT))
    assert (estimate.expected, estimate.maximum) == (5, 5)
    assert [view.counts_misses for view in await list_providers(ctx)] == [True]


async def test_what_a_provider_may_have_counted_is_told_beside_the_ledger(
    server: StandInServer, transport: HttpClient, redis: ArqRedis
) -> None:
    source = HttpProvider(PeopleDataLabs(), transport, OneKey("a-key"), {"": server.url})
    shared = services(redis, source)
    ctx = context(shared)
    path = "/v5/company/enrich"
    found = json.loads(sampled("peopledatalabs", "company_found").body)
    served = {
        "right.com": json_reply(found | {"website": "right.com"}),
        "other.com": json_reply(found | {"website": "somebody.com"}),
        "html.com": ScriptedReply(200, b"<html>"),
        "silent.com": ScriptedReply(200, hangs=True),
        "missed.com": sampled("peopledatalabs", "not_found"),
        "refused.com": ScriptedReply(400),
    }
    for domain, reply in served.items():
        server.script_for(path, "website", domain, reply)
        await send(ctx, "account", domain, domain=domain)
        await work(shared)  # each by itself: questions that wait together are asked in one request
    usage = await get_credits(ctx)
    spent = sum(reply.status == 200 for reply in served.values())  # what People Data Labs counts
    [part] = usage.maybe_charged
    assert (part.key, part.credits, part.charges) == ("peopledatalabs", 3, 3)
    assert usage.used == 1
    assert usage.used + part.credits == spent
    assert (await check_ledger("acme")).faults == []
