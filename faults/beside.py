"""An innocent organization's job beside each hostile provider of another: how much longer it takes than in quiet.

One worker and one API process serve all of them, so that nobody else could do the innocent's work meanwhile.
"""

import asyncio
import statistics
import sys
import time
from asyncio.subprocess import create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.servers import free_port
from faults.caller import Caller, key_of
from faults.checks import Check
from faults.hostile_server import MODES, mode_key
from faults.service import Service
from faults.stores import PostgresServer, RedisServer
from tests.support.paid_standin import paid_standin

MOST_TIMES = 2.0  # as long as in quiet
_SHORTEST_SECONDS = 0.2  # what is shorter is compared as this
_JOBS = 5  # of the innocent organization, each way
_ACCOUNTS = 3  # of a hostile mode, each with calls of its own at once
_CALLS = 10
_TURNS = 3  # of which the best counts: what else runs on the machine has nothing to do with it
_INNOCENT, _HOSTILE = "peopledatalabs", "apollo"


async def measure_beside(folder: Path, modes: Sequence[str] = tuple(MODES)) -> list[Check]:
    """One check for each mode, with the times in quiet and beside it, in seconds."""
    async with AsyncExitStack() as stack:
        postgres, redis = PostgresServer(folder / "postgres"), RedisServer(folder)
        standin = stack.enter_context(paid_standin())
        stack.push_async_callback(postgres.remove)
        stack.push_async_callback(redis.kill)
        await postgres.create()
        await asyncio.gather(postgres.start(), redis.start())
        hostile = await stack.enter_async_context(_hostile_server())
        settings = {
            f"{_INNOCENT.upper()}_BASE_URL": f"{standin.url}/{_INNOCENT}",
            f"{_HOSTILE.upper()}_BASE_URL": hostile,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
        }
        service = Service(folder, settings, servers=1, workers=1)
        stack.callback(service.write_output, folder)
        stack.callback(service.stop)
        await service.start()
        innocent = Caller("innocent", service.urls)
        stack.push_async_callback(innocent.close)
        standin.account(key_of(innocent.organization))
        await innocent.set_up(_INNOCENT)
        await _seconds(innocent, "first")  # what is only done once is done
        return [await _check(innocent, service.urls, mode) for mode in modes]


@asynccontextmanager
async def _hostile_server() -> AsyncIterator[str]:
    """The address of the hostile providers, while the block runs."""
    port = free_port()
    process = await create_subprocess_exec(sys.executable, "-m", "faults.hostile_server", str(port))
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def _check(innocent: Caller, urls: Sequence[str], mode: str) -> Check:
    found: list[tuple[float, str]] = []
    for turn in range(_TURNS):
        quiet = await _seconds(innocent, f"quiet-{turn}-{mode}")
        async with _asking(mode, turn, urls):
            beside = await _seconds(innocent, f"beside-{turn}-{mode}")
        ratio = max(beside, _SHORTEST_SECONDS) / max(quiet, _SHORTEST_SECONDS)
        found.append((ratio, f"quiet {quiet:.2f} s, beside {beside:.2f} s, ratio {ratio:.2f}"))
        if ratio <= MOST_TIMES:
            break
    ratio, seen = min(found)
    return Check(f"beside {mode}", seen, [text for _, text in found] if ratio > MOST_TIMES else [])


@asynccontextmanager
async def _asking(mode: str, turn: int, urls: Sequence[str]) -> AsyncIterator[None]:
    """New organizations have just asked their hostile accounts."""
    callers = [Caller(f"{mode}-{turn}-{number}", urls) for number in range(_ACCOUNTS)]
    try:
        for number, caller in enumerate(callers):
            await caller.set_up(_HOSTILE, key=mode_key(mode, turn * _ACCOUNTS + number), maxAttempts=1)
        await asyncio.gather(*(caller.upsert(_records(caller.organization, _CALLS)) for caller in callers))
        yield
    finally:
        for caller in callers:
            await caller.close()


async def _seconds(caller: Caller, name: str) -> float:
    """The median time from sending a record to the end of its job."""
    times = []
    for number in range(_JOBS):
        started = time.monotonic()
        [(_, _, job_id)] = await caller.upsert(_records(f"{name}-{number}", 1))
        while not await caller.has_ended(job_id):  # noqa: ASYNC110 -- another process ends it
            await asyncio.sleep(0.02)
        times.append(time.monotonic() - started)
    return statistics.median(times)


def _records(name: str, count: int) -> list[dict[str, object]]:
    labels = [f"{name.replace('_', '-')}-{number}" for number in range(count)]
    return [
        {"entityType": "ACCOUNT", "externalId": label, "fields": {"domain": f"{label}.example"}} for label in labels
    ]
