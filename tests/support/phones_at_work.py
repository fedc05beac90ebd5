"""An installation that asks Apollo for phone numbers: its API and Apollo's stand-in, both over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from arq.connections import ArqRedis

from models.job import Job
from providers.registry import Registry
from resolvers.context import Context, Services
from resolvers.credit.api import get_credits
from resolvers.credit.verify import check_ledger
from resolvers.record.api import UpsertOutcome
from service.http.server import address_of, build_server, listen
from service.installation_settings import load_settings
from service.sources import open_sources
from tests.support.factories import Clock, context, job_of, send, services, work
from tests.support.fake_http import body_of
from tests.support.rest_client import rest_app
from tests.support.standin_server import StandInServer, sampled
from workers.upkeep.rescue import rescue

EMAIL = "mara.lindqvist@example.com"
PHONE = "+12025550164"
MATCH, RESULT = "/people/match", "/webhook_result/700000000000000001"
ENCRYPTION_KEY = "k" * 32


def delivery(**changes: Any) -> dict[str, Any]:
    """What Apollo sends to the webhook, with changes of the person."""
    body: dict[str, Any] = body_of("apollo", "phone_result_ready")["webhook_result"]
    body["people"][0].update(changes)
    return body


@dataclass
class Installation:
    """`shared` are the services of API and workers; `client` calls the API over HTTP."""

    shared: Services
    apollo: StandInServer
    client: httpx.AsyncClient
    clock: Clock
    settings: dict[str, str]

    def of(self, organization: str = "acme") -> Context:
        return context(self.shared, org=organization)

    async def ask(self, organization: str = "acme", external_id: str = "L1", email: str = EMAIL) -> UpsertOutcome:
        """A lead whose phone is asked for; its job waits for the answer then."""
        sent = await send(self.of(organization), "lead", external_id, email=email)
        await work(self.shared)
        return sent

    def address(self, index: int = -1) -> str:
        """The webhook of a call to Apollo."""
        return self.apollo.calls_to(MATCH)[index].query["webhook_url"]

    async def deliver(self, payload: Any = None, *, address: str | None = None, **sent: Any) -> httpx.Response:
        """Call the webhook as Apollo does."""
        if not sent:
            sent = {"json": delivery() if payload is None else payload}
        return await self.client.post(address or self.address(), **sent)

    async def go_on(self, seconds: float = 0.0) -> None:
        """Some time later: the sweep and the workers."""
        self.clock.ahead_seconds += seconds
        await rescue({"services": self.shared})
        await work(self.shared)

    async def proven(self, sent: UpsertOutcome, *, organization: str = "acme") -> tuple[Job, int, int]:
        """The job, the credits used and those still reserved; the ledger adds up."""
        assert (await check_ledger(organization)).faults == []
        usage = await get_credits(self.of(organization))
        return await job_of(sent), usage.used, usage.reserved


@asynccontextmanager
async def installed(redis: ArqRedis, apollo: StandInServer, tmp_path: Path, **more: Any) -> AsyncIterator[Installation]:
    """The installation while the block runs; Apollo knows one person, and has no phone number yet."""
    apollo.calls.clear()
    apollo.held = None
    apollo.script(MATCH, sampled("apollo", "person_found"))
    apollo.script(RESULT, sampled("apollo", "pending"))
    listening = listen(load_settings(port=0))
    settings: dict[str, str] = {
        "public_url": address_of(listening),
        "apollo_phones": "yes",
        "apollo_api_key": "s3cret-key-of-apollo",
        "apollo_base_url": apollo.url,
        "encryption_key": ENCRYPTION_KEY,
    }
    opened = open_sources(load_settings(data_dir=tmp_path / "data", **{**settings, **more}), redis)
    provider = opened.registry.get("apollo")
    assert provider is not None
    clock = Clock()
    shared = services(redis, provider, now=clock)
    shared.registry, shared.callback_urls = Registry([provider]), opened.callback_urls
    server = build_server(rest_app(shared), load_settings())
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(timeout=20) as client:
            yield Installation(shared, apollo, client, clock, settings)
    finally:
        server.should_exit = True
        await serving
        listening.close()
        await opened.http_client.close()


def forged(address: str, index: int) -> str:
    """The address with one character of its token changed."""
    parts = urlsplit(address)
    start, _, token = parts.path.rpartition("/")
    other = "A" if token[index] != "A" else "B"
    token = token[:index] + other + (token[index + 1 :] if index != -1 else "")
    return parts._replace(path=f"{start}/{token}").geturl()
