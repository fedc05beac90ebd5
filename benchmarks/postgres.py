"""A PostgreSQL of the bench's own: made in a temporary folder and stopped by its id.

It does not wait for the disk (`fsync=off`, as in `.ci/run`): what is compared is the work, not the machine's disk."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import socket
import tempfile
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

_STARTED_WITHIN = 600  # tries of 0.1 s
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "max_connections": 200,
}


class NoPostgres(RuntimeError):
    """The programs of a PostgreSQL server are not installed, or it does not start."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that runs."""

    port: int
    pid: int
    programs: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    async def database(self, name: str) -> str:
        """The URL of a database of this name, made where there is none."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()


@asynccontextmanager
async def own_postgres(**settings: str | int) -> AsyncIterator[Postgres]:
    """A new server with these settings besides; it and its data are gone afterwards. Raises NoPostgres."""
    programs = postgres_programs()
    folder = Path(tempfile.mkdtemp(prefix="auto-enrichment-bench-"))
    try:
        give_to_server_user(folder)
        data = folder / "data"
        made = await create_subprocess_exec(
            *as_server_user(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust"),
            *("--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
            stdout=DEVNULL,
        )
        if await made.wait():
            raise NoPostgres("initdb failed")
        port = _free_port()
        given = {**_SETTINGS, "port": port, "unix_socket_directories": folder, **settings}
        log = (folder / "log").open("w")
        process = await create_subprocess_exec(
            *as_server_user(programs / "postgres", "-D", data),
            *(text for name, value in given.items() for text in ("-c", f"{name}={value}")),
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt at the keyboard ends the bench first
        )
        try:
            await _ready(process, programs, port, folder / "log")
            yield Postgres(port, process.pid, programs)
        finally:
            log.close()
            await _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _stop(process: Process) -> None:
    """Stop the server at once, and its clients with it."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _ready(process: Process, programs: Path, port: int, log: Path) -> None:
    for _ in range(_STARTED_WITHIN):
        if process.returncode is not None:
            break
        asked = await create_subprocess_exec(programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port))
        if await asked.wait() == 0:
            return
        await asyncio.sleep(0.1)
    said = await asyncio.to_thread(log.read_text)
    raise NoPostgres(f"PostgreSQL did not start: {said[-1000:]}")


def as_server_user(*command: str | Path) -> list[str]:
    """The command as the server's user: it needs one of its own where root runs us, and has to stay our child."""
    prefix = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()
    return [*prefix, *map(str, command)]


def give_to_server_user(folder: Path) -> None:
    """Make the folder the server's own, where root runs us."""
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)


def postgres_programs() -> Path:
    """Where the newest installed PostgreSQL has its programs, which Debian keeps out of the path."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise NoPostgres("PostgreSQL's server is not installed (on Debian: apt install postgresql)")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
