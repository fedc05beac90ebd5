"""What a service costs that has nothing to do: CPU, commands of Redis and statements of SQL.

One process is API and worker, as `serve --embedded` runs them: with the embedded stores, or on PostgreSQL and Redis
where the plan has a database. It is left alone for a while after its start. Statements are counted on the wire,
commands by Redis itself. There is no peer: a service that did nothing at all would cost nothing.
"""

import asyncio
import os
import signal
import sys
import time
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis

from benchmarks.measurement import Measurement, Plan, Round, cpu_of, progress
from service.embedded.redis import EmbeddedRedis, recorded_socket, socket_url

_STARTED_SECONDS = 10.0  # in which the start's own work ends
_STATEMENTS = frozenset(b"QE")  # of PostgreSQL's messages: a simple query, and the execution of a prepared statement


async def measure(plan: Plan) -> list[Measurement]:
    """What an idle service takes each second."""
    seconds = plan.of(tiny=1, quick=10, full=60)
    rounds = [await _idle(plan, seconds)]
    work = f"idle service, {'embedded stores' if plan.database_url is None else 'PostgreSQL and Redis'}"
    counted = {
        "CPU in a minute": ("s a minute", "cpu_a_minute"),
        "commands of Redis": ("commands a second", "commands"),
        "statements of SQL": ("statements a second", "statements"),
    }
    return [
        Measurement(work, name, unit, tuple(Round(getattr(each, of)) for each in rounds), ours=True)
        for name, (unit, of) in counted.items()
        if getattr(rounds[0], of) is not None
    ]


@dataclass(frozen=True, slots=True)
class Idle:
    """What was spent: seconds of CPU in a minute; commands and statements in a second, None where they are not seen."""

    cpu_a_minute: float
    commands: float
    statements: float | None


async def _idle(plan: Plan, seconds: int) -> Idle:
    redis = EmbeddedRedis(plan.folder / "redis")
    counter = _Statements(plan.database_url)
    environment = {**os.environ, "AUTO_ENRICHMENT_DATA_DIR": str(plan.folder / "data")}
    async with counter.listen() as url:
        if url is not None:
            await redis.start()
            environment |= {"AUTO_ENRICHMENT_DATABASE_URL": url, "AUTO_ENRICHMENT_REDIS_URL": redis.url}
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "auto_enrichment_command", "serve", "--embedded", "--port", "0"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=DEVNULL,
        )
        try:
            assert process.stdout is not None  # asked for above
            async for line in process.stdout:
                if line.startswith(b"Serving"):
                    break
            await asyncio.sleep(min(_STARTED_SECONDS, seconds))
            socket = recorded_socket(plan.folder / "data")
            client = Redis.from_url(redis.url if url is not None or socket is None else socket_url(socket))
            commands, statements = await _commands(client), counter.count
            started, cpu = time.perf_counter(), cpu_of(process.pid)
            await asyncio.sleep(seconds)
            spent, elapsed = cpu_of(process.pid) - cpu, time.perf_counter() - started
            counted = {name: count - commands.get(name, 0) for name, count in (await _commands(client)).items()}
            await client.aclose(close_connection_pool=True)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()
            await redis.stop()
    most = sorted(counted.items(), key=lambda each: -each[1])[:8]
    progress(f"commands in {seconds} s: {', '.join(f'{name} {count}' for name, count in most)}")
    return Idle(
        60 * spent / elapsed,
        sum(counted.values()) / elapsed,
        None if url is None else (counter.count - statements) / elapsed,
    )


async def _commands(client: Redis) -> dict[str, int]:
    """How often each command has run so far, without this one."""
    stats: dict[str, Any] = await client.info("commandstats")
    return {name.removeprefix("cmdstat_"): int(of["calls"]) for name, of in stats.items() if name != "cmdstat_info"}


class _Statements:
    """Stands between the service and PostgreSQL, and counts the statements that go through."""

    def __init__(self, database_url: str | None) -> None:
        self.count = 0
        self._url = database_url

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[str | None]:
        """The URL that leads through here; None without a database."""
        if self._url is None:
            yield None
            return
        parts = urlsplit(self._url)
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}").geturl()
        finally:
            server.close()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        assert self._url is not None
        parts = urlsplit(self._url)
        there, here = await asyncio.open_connection(parts.hostname, parts.port)
        with closing(writer), closing(here):
            back = asyncio.create_task(self._answers(there, writer))
            try:
                await self._requests(reader, here)
            except (OSError, asyncio.IncompleteReadError):
                pass  # the client has gone
            finally:
                back.cancel()

    async def _requests(self, reader: StreamReader, here: StreamWriter) -> None:
        kind = b""  # the first messages of a connection have none
        while True:
            size = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(size) - 4)
            here.write(kind + size + body)
            await here.drain()
            is_tls_request = not kind and body[:4] == (80877103).to_bytes(4)
            self.count += bool(kind) and kind[0] in _STATEMENTS
            kind = b"" if is_tls_request else await reader.readexactly(1)

    async def _answers(self, there: StreamReader, writer: StreamWriter) -> None:
        while data := await there.read(65536):
            writer.write(data)
            await writer.drain()
