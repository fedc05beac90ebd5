"""Many WebSockets that watch one job of which a new state comes every 20 ms, beside graphql-ws in Node.

Ours reads each state back from the database after a notice of Redis; graphql-ws is handed it. The CPU is that of the
process that serves, for each message that arrived, and the time is from the state's beginning to its message. Where one
state comes right after another, ours may send the later one alone.
"""

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from secrets import token_bytes
from statistics import quantiles

import orjson
from arq.connections import ArqRedis

from benchmarks.filled import ORGANIZATION
from benchmarks.load import Request, once
from benchmarks.measurement import Contender, Measurement, Plan, Round, progress, take_turns
from benchmarks.servers import (
    PEERS,
    Server,
    ServerFailed,
    free_port,
    headers_of,
    install_node_packages,
    own_environment,
    server,
)
from models.db import connection
from models.db.clock import machine_clock
from models.db.migrate import migrate
from models.db.statements import execute
from models.job.transitions import claim
from providers.registry import ProviderSettings, default_registry
from resolvers.context import Caller, Context, Role, Services
from resolvers.events.publisher import announce
from resolvers.events.subscriber import EventSubscriber
from resolvers.record.api import upsert_records
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at

PAUSE_SECONDS = 0.02  # between two states
_STATES = 101  # of which a job has no more: percent
_QUIET_SECONDS = 1.0  # without a message, after which none is expected any more
_DOCUMENT = "subscription ($id: ID!) { jobProgress(jobId: $id) { id status progress } }"
_PROGRESS = re.compile(rb'"progress":(\d+)')
_Publish = Callable[[int], Awaitable[None]]


async def _job_at_work(redis: ArqRedis) -> str:
    """The id of a job that a worker has, which is nobody."""
    services = Services(redis, default_registry(ProviderSettings()), EventSubscriber(redis), machine_clock, 1000)
    ctx = Context(services, Caller(ORGANIZATION, "benchmark", Role.ADMIN))
    await upsert_records(ctx, [{"entityType": "account", "externalId": "listened", "fields": {"domain": "acme.com"}}])
    [job] = await claim(ORGANIZATION, machine_clock(), 1, timedelta(days=1))
    return job.id


async def measure(plan: Plan) -> list[Measurement]:
    """Messages a second that arrive, with their CPU and age, in turns with graphql-ws."""
    assert plan.database_url is not None
    sockets, states = plan.of(tiny=3, quick=1_000, full=1_000), plan.of(tiny=3, quick=100, full=150)
    redis = EmbeddedRedis(plan.folder)
    await redis.start()
    await connection.connect(plan.database_url)
    try:
        await migrate()
        announcing = redis_at(redis.url, tries=3)
        job_id = await _job_at_work(announcing)

        async def publish(number: int) -> None:
            await execute("UPDATE job SET progress = ? WHERE id = ?", [number % _STATES, job_id])
            await announce(announcing, ORGANIZATION, jobs=[job_id])

        async with AsyncExitStack() as stack:
            ours = await _ours(plan, redis.url, stack)
            peer = await _peer(stack)

            sending = set[asyncio.Task[bytes]]()

            async def publish_to_peer(number: int) -> None:
                if isinstance(peer, Server):  # whose answer comes once all have been sent to
                    task = asyncio.create_task(once(Request(f"{peer.url}/{number % _STATES}", {}, b"")))
                    sending.add(task)
                    task.add_done_callback(sending.discard)

            work = f"{sockets:,} sockets on one job, a state each 20 ms, PostgreSQL"
            contenders = [
                Contender(work, "ours", "messages/s", _turn(ours, job_id, sockets, states, publish), ours=True),
                Contender(
                    work, "graphql-ws in Node", "messages/s", _turn(peer, "the-job", sockets, states, publish_to_peer)
                ),
            ]
            found = await take_turns(contenders, plan.rounds)
        await announcing.aclose()
        return found
    finally:
        await connection.close()
        await redis.stop()


async def _ours(plan: Plan, redis_url: str, stack: AsyncExitStack) -> Server:
    port = free_port()
    environment = {**own_environment(plan, redis_url), "AUTO_ENRICHMENT_PORT": str(port)}
    command = (sys.executable, "-m", "auto_enrichment_command", "serve")
    return await stack.enter_async_context(server(*command, environment=environment, port=port))


async def _peer(stack: AsyncExitStack) -> Server | str:
    """The peer, or why it did not start."""
    folder = PEERS / "listeners"
    try:
        await install_node_packages(folder)
        environment = {"NODE_ENV": "production"}
        return await stack.enter_async_context(
            server("node", "server.js", environment=environment, port=free_port(), folder=folder)
        )
    except (ServerFailed, OSError) as error:
        return f"it did not start: {error}"


@dataclass(slots=True)
class _Arrived:
    """What all sockets got: when each state began, and how old it was when it came."""

    began: dict[int, float] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)
    ready: int = 0  # sockets that have begun to watch
    last: float = 0.0


class _Socket(asyncio.Protocol):
    """A WebSocket that reads as little of its frames as there is to count."""

    def __init__(self, arrived: _Arrived, job_id: str, user: str) -> None:
        self._arrived = arrived
        self._rest = b""
        self._upgraded = False
        self._subscribe = {"id": "1", "type": "subscribe", "payload": {"query": _DOCUMENT, "variables": {"id": job_id}}}
        self._user = user

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        lines = (
            "GET /graphql HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: graphql-transport-ws",
        )
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._upgraded = True
            self._send({"type": "connection_init", "payload": headers_of(self._user)})
        start = 0
        while (ends := _frame(data, start)) is not None:
            self._take(data[ends[0] : ends[1]])
            start = ends[1]
        self._rest = data[start:]

    def _take(self, content: bytes) -> None:
        if (found := _PROGRESS.search(content)) is not None:
            now = time.perf_counter()
            began = self._arrived.began.get(int(found[1]))
            if began is not None:
                self._arrived.ages.append(now - began)
                self._arrived.last = now
        elif b"connection_ack" in content:
            self._send(self._subscribe)
            self._arrived.ready += 1

    def _send(self, message: object) -> None:
        content, mask = orjson.dumps(message), token_bytes(4)
        masked = bytes(byte ^ mask[number % 4] for number, byte in enumerate(content))
        self._transport.write(bytes((0x81, 0x80 | 126)) + len(content).to_bytes(2) + mask + masked)

    def close(self) -> None:
        self._transport.abort()


def _frame(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the content of the frame that begins here starts and ends; None where not all of it is there."""
    if len(data) < start + 4:
        return None
    length, begins = data[start + 1] & 0x7F, start + 2
    if length == 126:
        length, begins = int.from_bytes(data[start + 2 : start + 4]), start + 4
    return (begins, begins + length) if begins + length <= len(data) else None


def _turn(
    running: Server | str, job_id: str, sockets: int, states: int, publish: _Publish
) -> Callable[[], Awaitable[Round]]:
    first = [1]

    async def turn() -> Round:
        if isinstance(running, str):
            raise ServerFailed(running)
        arrived = _Arrived()
        watching = await _connected(running, job_id, sockets, arrived)
        try:
            used, started = running.cpu(), time.perf_counter()
            for number in range(first[0], first[0] + states):
                due = started + (number - first[0]) * PAUSE_SECONDS
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                arrived.began[number % _STATES] = time.perf_counter()
                await publish(number)
            await _until(lambda: time.perf_counter() > max(arrived.last, started) + _QUIET_SECONDS)
            cpu = running.cpu() - used
        finally:
            first[0] += states
            for socket in watching:
                socket.close()
        messages = len(arrived.ages)
        percentiles = [1000 * age for age in quantiles(arrived.ages, n=100, method="inclusive")]
        took = max(arrived.began.values()) - started
        progress(f"published in {took:.2f} s, p50 {percentiles[49]:.0f} ms, p99 {percentiles[98]:.0f} ms")
        progress(f"{messages / sockets:.0f} of {states} states seen, {1e6 * cpu / messages:.1f} us of CPU a message")
        return Round(
            messages / (arrived.last - started),
            cpu_ms=1000 * cpu / messages,
            p50_ms=percentiles[49],
            p99_ms=percentiles[98],
        )

    return turn


async def _until(happened: Callable[[], bool], seconds: float = 60) -> None:
    end = time.perf_counter() + seconds
    while not happened():
        if time.perf_counter() > end:
            raise TimeoutError("the sockets do not get what they wait for")
        await asyncio.sleep(0.05)


async def _connected(running: Server, job_id: str, sockets: int, arrived: _Arrived) -> list[_Socket]:
    """So many sockets that watch."""
    loop, port, found = asyncio.get_running_loop(), int(running.url.rpartition(":")[2]), list[_Socket]()
    for _ in range(sockets):
        _, socket = await loop.create_connection(partial(_Socket, arrived, job_id, "user"), "127.0.0.1", port)
        found.append(socket)
    await _until(lambda: arrived.ready == sockets)
    await asyncio.sleep(0.5)  # nothing says that a subscription has begun
    return found
