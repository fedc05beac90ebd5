"""A PostgreSQL and a Redis of the harness's own, which can be stopped, killed and started again at their addresses."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from contextlib import suppress
from pathlib import Path

import asyncpg

from benchmarks.postgres import as_server_user, give_to_server_user, postgres_programs
from benchmarks.servers import free_port

_STARTED_WITHIN = 60.0
OUT_OF_ORDER = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises for a server that is out of order, or becomes so."""


class StoreFailed(RuntimeError):
    """A store did not start."""


class PostgresServer:
    """PostgreSQL in a folder. It writes through to the system, so that what it acknowledged outlives its crash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = postgres_programs()
        self._process: Process | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def create(self) -> None:
        """Make the database. Raises StoreFailed."""
        self._folder.mkdir()
        give_to_server_user(self._folder)
        made = await create_subprocess_exec(
            *as_server_user(self._programs / "initdb", "-D", self._folder / "data", "-U", "postgres"),
            *("-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
            stdout=DEVNULL,
        )
        if await made.wait():
            raise StoreFailed("initdb failed")

    async def start(self) -> None:
        """Start it and wait until it answers. Raises StoreFailed."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "fsync": "off",  # the machine does not fail, only the server does
            "max_connections": 200,
        }
        with (self._folder / "log").open("ab") as log:
            self._process = await create_subprocess_exec(
                *as_server_user(self._programs / "postgres", "-D", self._folder / "data"),
                *(text for name, value in settings.items() for text in ("-c", f"{name}={value}")),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with asyncio.timeout(_STARTED_WITHIN):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise StoreFailed("PostgreSQL did not start")
                await asyncio.sleep(0.05)

    async def stop(self, *, crash: bool = False) -> None:
        """End it, its clients' connections with it: in order, or as after a crash, from which it recovers."""
        self.answer_again()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            try:
                await asyncio.wait_for(self._process.wait(), 20)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def stop_answering(self) -> None:
        """Keep its connections, and answer nobody."""
        self._signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Send each of its processes a signal; each is a session of its own."""
        if self._process is None or self._process.returncode is not None:
            return
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        for each in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(each, number)

    async def end_backends(self) -> None:
        """End every other connection to it."""
        connection = await asyncpg.connect(self.url, timeout=5)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        finally:
            await connection.close()

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=2)
        except OUT_OF_ORDER:
            return False
        await connection.close()
        return True


class RedisServer:
    """A Redis that keeps nothing on disk: killed, it comes back empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and wait until it listens. Raises StoreFailed."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise StoreFailed("Redis is not installed (on Debian: apt install redis-server)")
        self._process = await create_subprocess_exec(
            *(program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)),
            stdout=DEVNULL,
            start_new_session=True,
        )
        async with asyncio.timeout(_STARTED_WITHIN):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def stop_answering(self) -> None:
        """Keep its connections, and answer nobody."""
        self._signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
