"""Many records at providers that take many questions in a request, over real HTTP: what goes over the network."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import JobStatus
from models.job import Job
from resolvers.context import Context
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.record.api import upsert_records
from service.installation_settings import load_settings
from service.sources import open_sources
from tests.support.factories import configure, context, services, work
from tests.support.paid_standin import Account, PaidStandIn, paid_standin

pytestmark = pytest.mark.usefixtures("db")

RECORDS = 150
SIX = ("apollo", "peopledatalabs", "zoominfo", "clearbit", "hunter", "crunchbase")


@pytest.fixture(scope="module")
def paid() -> Iterator[PaidStandIn]:
    with paid_standin() as standin:
        yield standin


async def enriched(
    redis: ArqRedis, paid: PaidStandIn, tmp_path: Path, records: list[dict[str, Any]], **accounts: Account
) -> Context:
    """These records enriched by the providers of these accounts, in this order."""
    settings: dict[str, str] = {}
    for provider, account in accounts.items():
        key = f"client-{provider}:secret"
        paid.accounts[key] = account
        settings |= {f"{provider}_base_url": f"{paid.url}/{provider}", f"{provider}_api_key": key}
    sources = open_sources(load_settings(data_dir=tmp_path, **settings), redis)
    try:
        shared = services(redis, *(provider for provider in sources.registry if provider.info.id in accounts))
        ctx = context(shared)
        await configure(ctx, providers=[{"id": provider} for provider in accounts])
        await upsert_records(ctx, records)
        await work(shared)
        return ctx
    finally:
        await sources.http_client.close()


def leads() -> list[dict[str, Any]]:
    return [
        {"entityType": "lead", "externalId": f"L{n}", "fields": {"email": f"p{n}.q{n}@acme{n}.example"}}
        for n in range(RECORDS)
    ]


async def test_many_records_are_few_requests_and_each_is_charged_by_itself(
    redis: ArqRedis, paid: PaidStandIn, tmp_path: Path
) -> None:
    apollo = Account(knows=lambda about: about.startswith("p1"))
    pdl = Account(knows=lambda about: about.startswith("p2"))
    zoominfo = Account(knows=lambda about: not about.startswith("p3"))
    ctx = await enriched(redis, paid, tmp_path, leads(), apollo=apollo, peopledatalabs=pdl, zoominfo=zoominfo)
    jobs = await Job.all()
    assert {job.status for job in jobs} == {JobStatus.COMPLETED}
    for account in (apollo, pdl, zoominfo):
        asked = Counter(call.about for call in account.asked)
        assert set(asked.values()) == {1}
    requests = [account.requests for account in (apollo, pdl, zoominfo)]
    assert sum(requests) < 100, requests
    usage = await get_credits(ctx)
    served = {
        provider: account.matches()[provider]
        for provider, account in (("apollo", apollo), ("peopledatalabs", pdl), ("zoominfo", zoominfo))
    }
    assert {part.key: part.charges for part in usage.by_provider} == served
    assert usage.reserved == 0
    assert (await check_ledger("acme")).faults == []


async def test_companies_go_out_together_too(redis: ArqRedis, paid: PaidStandIn, tmp_path: Path) -> None:
    account = Account()
    accounts = [
        {"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{n}.example"}}
        for n in range(RECORDS)
    ]
    ctx = await enriched(redis, paid, tmp_path, accounts, peopledatalabs=account)
    assert (account.requests, account.matches()) == (2, {"peopledatalabs": RECORDS})
    assert {job.status for job in await Job.all()} == {JobStatus.COMPLETED}
    assert [part.charges for part in (await get_credits(ctx)).by_provider] == [RECORDS]


async def test_leads_contacts_and_accounts_at_all_six_are_few_requests(
    redis: ArqRedis, paid: PaidStandIn, tmp_path: Path
) -> None:
    """Where the providers know them; whom nobody knows, Clearbit and Hunter are asked about one by one."""
    accounts = {provider: Account() for provider in SIX}
    records = [
        {
            "entityType": ("lead", "contact", "account")[n % 3],
            "externalId": f"R{n}",
            "fields": {"domain": f"acme{n}.example"} if n % 3 == 2 else {"email": f"p{n}.q{n}@acme{n}.example"},
        }
        for n in range(RECORDS)
    ]
    ctx = await enriched(redis, paid, tmp_path, records, **accounts)
    requests = {provider: account.requests for provider, account in accounts.items()}
    assert sum(requests.values()) < 50, requests
    assert {job.status for job in await Job.all()} == {JobStatus.COMPLETED}
    assert len(accounts["crunchbase"].asked) == RECORDS / 3
    assert (await get_credits(ctx)).reserved == 0
    assert (await check_ledger("acme")).faults == []
