"""A receiver of webhooks on this machine: a real server that answers as a test says and keeps what it got."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web

from resolvers.context import Context, Services
from resolvers.secret_box import SecretBox
from resolvers.webhook.addresses import AllowedNetworks
from resolvers.webhook.api import EndpointChange, EndpointWithSecret, create_endpoint
from resolvers.webhook.rules import WebhookRules
from workers.webhook.sender import WebhookSender

HERE = AllowedNetworks.read(["127.0.0.0/8", "::1"])
BOX = SecretBox(b"a secret of the tests for webhooks")


@dataclass(frozen=True)
class Received:
    """One request, as it arrived. Header names are lower-case."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        loaded: dict[str, Any] = orjson.loads(self.body)
        return loaded


@dataclass
class Receiver:
    """What came, and how the next is answered: `answer` gives a status, headers or a response, or waits."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Any] = lambda _: 200

    @property
    def kinds(self) -> list[str]:
        return [one.event["kind"] for one in self.received]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        got = Received({name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.received.append(got)
        answer = self.answer(got)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return answer if isinstance(answer, web.StreamResponse) else web.Response(status=answer)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver at an address of its own."""
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield made
    finally:
        await runner.cleanup()


def with_webhooks(shared: Services, **rules: Any) -> Services:
    """Services that keep secrets and may reach this machine."""
    shared.secret_box = BOX
    shared.webhooks = WebhookRules(**{"allowed": HERE, **rules})
    return shared


async def endpoint_at(ctx: Context, url: str, **wanted: Any) -> EndpointWithSecret:
    """An endpoint of the caller's organization."""
    return await create_endpoint(ctx, EndpointChange(url, **wanted))


@asynccontextmanager
async def sending(shared: Services, *, lease: timedelta = timedelta(seconds=30)) -> AsyncIterator[WebhookSender]:
    """What sends in a worker, which looks when the test says so."""
    sender = WebhookSender(shared, lease=lease)
    try:
        yield sender
    finally:
        await sender.close()


async def send_all(sender: WebhookSender) -> None:
    """Serve what waits until nothing does."""
    while await sender.look():
        await sender.settle()
