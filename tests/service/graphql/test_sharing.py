"""Equal subscriptions are executed and encoded once, and never across roles or organizations; the slow are bounded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from schema.root import ApiSchema
from service.graphql.listener import MOST_WAITING, Listener, SocketListener
from service.graphql.operation import Operation
from service.graphql.sharing import SharedSubscription, SharedSubscriptions
from service.http.socket_connection import CONNECTION
from tests.support.factories import StandIn, context, send, services, work
from tests.support.socket_client import served
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("db")

EVENTS = Operation("subscription { events { kind cursor } }", None, None)
CONFLICTS = "subscription ($after: String) { conflictChanged(after: $after) { kind } }"


class Collecting(Listener):
    """Takes what it is given at once, unless it sleeps."""

    def __init__(self, *, latest_only: bool = False, sleeps: bool = False) -> None:
        super().__init__(latest_only=latest_only)
        self.taken: list[bytes] = []
        self.sleeps = sleeps

    def hand_over(self) -> None:
        while self.waiting and not self.sleeps:
            self.taken.append(self.waiting.popleft()[0])


@pytest.fixture
async def shared(redis: ArqRedis) -> AsyncIterator[Services]:
    opened = services(redis, StandIn(knows={"acme.com": {"industry": "Software"}}))
    await opened.events.start()
    yield opened
    await opened.events.stop()


def asking(shared: Services, organization: str = "acme", role: Role = Role.VIEWER, user: str = "ann") -> GraphQLContext:
    return GraphQLContext(services=shared, caller=Caller(organization, user, role), origin="test")


def joined(
    sharing: SharedSubscriptions, ctx: GraphQLContext, listener: Listener, operation: Operation = EVENTS
) -> SharedSubscription:
    key = sharing.key_of(operation, ctx)
    assert key is not None
    found = sharing.of(key, operation, ctx)
    found.join(listener)
    return found


async def test_a_hundred_equal_listeners_are_one_execution_and_one_encoding_of_each_event(shared: Services) -> None:
    sharing = SharedSubscriptions(ApiSchema())
    listeners = [Collecting() for _ in range(100)]
    subscriptions = {
        joined(sharing, asking(shared, user=f"user-{number}"), listener) for number, listener in enumerate(listeners)
    }
    (subscription,) = subscriptions
    await until(lambda: shared.events.watching == 1)
    for number in range(3):
        await send(context(shared), "account", f"A{number}", name="Acme")
    await until(lambda: len(listeners[-1].taken) >= 6)
    assert subscription.executed == len(listeners[0].taken)
    for listener in listeners:
        assert [id(payload) for payload in listener.taken] == [id(payload) for payload in listeners[0].taken]
    (key,) = sharing.running
    for listener in listeners:
        sharing.leave(key, subscription, listener)
    assert not sharing.running
    await until(lambda: shared.events.watching == 0)


async def test_nothing_is_shared_across_roles_and_organizations_or_with_the_past(shared: Services) -> None:
    sharing = SharedSubscriptions(ApiSchema())
    viewer = sharing.key_of(EVENTS, asking(shared))
    assert viewer == sharing.key_of(EVENTS, asking(shared, user="bob"))
    assert viewer != sharing.key_of(EVENTS, asking(shared, role=Role.ADMIN))
    assert viewer != sharing.key_of(EVENTS, asking(shared, organization="other"))
    assert viewer != sharing.key_of(Operation("subscription { events { kind } }", None, None), asking(shared))
    for alone in (
        Operation(CONFLICTS, {"after": "0"}, None),
        Operation('subscription { events(after: "0") { kind } }', None, None),
        Operation("{ __typename }", None, None),
        Operation("subscription { events { nothing } }", None, None),
        Operation("subscription {", None, None),
        Operation("subscription ($id: ID!) { jobProgress(jobId: $id) { id } }", None, None),
    ):
        assert sharing.key_of(alone, asking(shared)) is None, alone
    assert sharing.key_of(Operation(CONFLICTS, {"after": None}, None), asking(shared)) is not None


async def test_a_subscription_that_breaks_says_so_to_all(shared: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = ApiSchema()

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(schema, "stream", broken)
    sharing, listeners = SharedSubscriptions(schema), [Collecting(), Collecting()]
    for listener in listeners:
        joined(sharing, asking(shared), listener)
    for listener in listeners:
        [error] = (await listener.ending).errors
        assert (error["message"], error["extensions"]["code"]) == ("Internal error.", "INTERNAL")


async def test_another_organization_gets_nothing_of_what_is_shared(shared: Services) -> None:
    sharing = SharedSubscriptions(ApiSchema())
    mine, others = Collecting(), Collecting()
    subscriptions = [joined(sharing, asking(shared), mine), joined(sharing, asking(shared, "other"), others)]
    await until(lambda: shared.events.watching == 2)
    await send(context(shared), "account", "A1", name="Acme")
    await until(lambda: len(mine.taken) >= 2)
    assert others.taken == []
    for key, subscription in zip(list(sharing.running), subscriptions, strict=True):
        for listener in (mine, others):
            sharing.leave(key, subscription, listener)


async def test_who_joins_later_begins_with_the_state_as_it_is(shared: Services) -> None:
    sharing = SharedSubscriptions(ApiSchema())
    sent = await send(context(shared), "account", "A1", name="Acme", domain="acme.com")
    assert sent.job is not None
    progress = Operation("subscription ($id: ID!) { jobProgress(jobId: $id) { status } }", {"id": sent.job.id}, None)
    first, second = Collecting(latest_only=True), Collecting(latest_only=True)
    subscription = joined(sharing, asking(shared), first, progress)
    await until(lambda: first.taken)
    assert joined(sharing, asking(shared), second, progress) is subscription
    assert second.taken == first.taken == [b'{"data":{"jobProgress":{"status":"PENDING"}}}']
    await work(shared)
    async with asyncio.timeout(10):
        endings = await asyncio.gather(first.ending, second.ending)
    assert first.taken[-1] == second.taken[-1] == b'{"data":{"jobProgress":{"status":"COMPLETED"}}}'
    assert [ending.message("1") for ending in endings] == [{"type": "complete", "id": "1"}] * 2
    assert not sharing.running


async def test_a_refusal_reaches_all_who_listen(shared: Services) -> None:
    sharing = SharedSubscriptions(ApiSchema())
    unknown = Operation(
        'subscription { jobProgress(jobId: "01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10") { id } }', None, None
    )
    listeners = [Collecting(latest_only=True) for _ in range(2)]
    for listener in listeners:
        joined(sharing, asking(shared), listener, unknown)
    for listener in listeners:
        async with asyncio.timeout(10):
            await listener.ending
        assert listener.taken == listeners[0].taken


async def test_a_slow_listener_of_states_is_kept_the_latest_alone() -> None:
    slow = Collecting(latest_only=True, sleeps=True)
    for number in range(1_000):
        slow.give(b"%d" % number, None)
    assert list(slow.waiting) == [(b"999", None)]


async def test_a_slow_listener_of_events_is_sent_away_with_a_cursor() -> None:
    slow = Collecting(sleeps=True)
    for number in range(MOST_WAITING + 10):
        slow.give(b"%d" % number, f"{number}-0-1")
    assert len(slow.waiting) == MOST_WAITING
    message: Any = slow.ending.result().message("1")
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"] == {"code": "TOO_SLOW", "cursor": f"{MOST_WAITING - 1}-0-1"}


async def test_a_socket_that_was_slow_gets_what_waited_in_order() -> None:
    """Messages of a megabyte, which no buffer of the network holds."""
    messages = 30
    waited: list[int] = []

    async def serve(websocket: WebSocket) -> None:
        await websocket.accept()
        listener = SocketListener(websocket.scope["extensions"][CONNECTION], "1", latest_only=False)
        for number in range(messages):
            listener.give(b'"%d %b"' % (number, b"x" * 1_000_000), None)
        waited.append(len(listener.waiting))
        await listener.all_taken()
        await websocket.close()

    async with (
        served(Starlette(routes=[WebSocketRoute("/", serve)])) as port,
        connect(f"ws://127.0.0.1:{port}/", max_queue=1, max_size=None) as slow,
    ):
        await until(lambda: waited)
        assert waited[0] > 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen = [orjson.loads(text) async for text in slow]
    assert [message["payload"].partition(" ")[0] for message in seen] == [str(number) for number in range(messages)]
    assert {(message["id"], message["type"]) for message in seen} == {("1", "next")}
