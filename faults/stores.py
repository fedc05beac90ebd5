"""A PostgreSQL and a Redis of the harness's own, which can be stopped, killed and started again at their addresses."""

import asyncio
import os
import shutil
import signal
import time
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from contextlib import suppress
from pathlib import Path

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from benchmarks.postgres import as_server_user, give_to_server_user, postgres_programs
from benchmarks.servers import free_port

_STARTED_WITHIN = 60.0
_DISK_BYTES = 768 * 1024**2  # for the data of a long run
_FILLS_AGAIN_SECONDS = 0.1
_RECOVERS_WITHIN = 1.0  # seconds, in which it ends or goes on
OUT_OF_ORDER = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises for a server that is out of order, or becomes so."""


class StoreFailed(RuntimeError):
    """A store did not start."""


class PostgresServer:
    """PostgreSQL in a folder. It writes through to the system, so that what it acknowledged outlives its crash."""

    def __init__(self, folder: Path, *, own_disk: bool = False) -> None:
        """`own_disk`: on a small disk of its own, where this user may mount one; then `remove` has to end it."""
        self._folder = folder
        self._wants_own_disk = own_disk
        self._programs = postgres_programs()
        self._has_own_disk = False
        self._process: Process | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def create(self) -> None:
        """Make the database. Raises StoreFailed."""
        self._folder.mkdir()
        if self._wants_own_disk:
            size = f"size={_DISK_BYTES}"
            self._has_own_disk = await _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", self._folder)
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
            "max_wal_size": "128MB",  # so that its disk may be small
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

    async def remove(self) -> None:
        """End it, and give its disk back."""
        await self.stop(crash=True)
        if self._has_own_disk:
            await _run("umount", self._folder)

    @property
    def has_own_disk(self) -> bool:
        return self._has_own_disk

    async def keep_disk_full(self, seconds: float) -> None:
        """Leave no room on its own disk for so long: what it gives back meanwhile is taken too."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.to_thread(self._fill)
            await asyncio.sleep(_FILLS_AGAIN_SECONDS)

    def _fill(self) -> None:
        with self._filler.open("ab") as filler, suppress(OSError):  # it writes meanwhile itself
            while (left := shutil.disk_usage(self._folder).free) > 0:
                os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, left)

    async def free_disk(self) -> None:
        """Give the room back, and start it where it has ended for want of it. Raises StoreFailed."""
        self._filler.unlink(missing_ok=True)
        await asyncio.sleep(_RECOVERS_WITHIN)
        if self._process is not None and self._process.returncode is not None:
            await self.start()

    @property
    def _filler(self) -> Path:
        return self._folder / "filler"

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


async def _run(*arguments: str | Path) -> bool:
    """Whether a program ended well."""
    try:
        ran = await create_subprocess_exec(*map(str, arguments), stdout=DEVNULL, stderr=DEVNULL)
    except OSError:
        return False
    return await ran.wait() == 0


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

    async def empty(self) -> None:
        """Forget all that it holds, and go on."""
        await self._command("FLUSHALL")

    async def set_full(self, *, full: bool) -> None:
        """Refuse every write for want of memory, or take them again."""
        await self._command("CONFIG", "SET", "maxmemory", "1" if full else "0")

    async def _command(self, *words: str) -> None:
        async with Redis.from_url(self.url, socket_timeout=5) as redis:
            with suppress(RedisError, OSError):  # it may be out of order as a whole, and is then empty
                await redis.execute_command(*words)

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
