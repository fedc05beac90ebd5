"""Servers that are measured, each a process of its own that is stopped by its id."""

import asyncio
import os
import socket
import time
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import token_hex

import jwt

from benchmarks.filled import ORGANIZATION
from benchmarks.measurement import Plan, cpu_of_tree
from resolvers.context import Role

PEERS = Path(__file__).parent / "peers"
_STARTED_WITHIN = 60.0


class ServerFailed(RuntimeError):
    """A server did not start; says what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens."""

    pid: int
    url: str

    def cpu(self) -> float:
        """CPU seconds (user + system) of the process and its children."""
        return cpu_of_tree(self.pid)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@asynccontextmanager
async def server(
    *command: str, environment: Mapping[str, str], port: int, folder: Path | None = None
) -> AsyncIterator[Server]:
    """A server that runs until the end of the block. Raises ServerFailed."""
    process = await create_subprocess_exec(
        *command, env={**os.environ, **environment, "PORT": str(port)}, cwd=folder, stdout=DEVNULL, stderr=PIPE
    )
    try:
        await _listening(process, port)
        yield Server(process.pid, f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    until = time.monotonic() + _STARTED_WITHIN
    while time.monotonic() < until:
        if process.returncode is not None:
            assert process.stderr is not None
            raise ServerFailed((await process.stderr.read()).decode(errors="replace").strip()[-300:])
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise ServerFailed("it did not listen in time")


async def install_node_packages(folder: Path) -> None:
    """Install the pinned packages of a peer, unless they are there. Raises ServerFailed."""
    lock, stamp = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if await asyncio.to_thread(lambda: stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime):
        return
    try:
        process = await create_subprocess_exec(
            "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder, stdout=DEVNULL, stderr=PIPE
        )
    except FileNotFoundError as error:
        raise ServerFailed("npm is not installed") from error
    _, errors = await process.communicate()
    if process.returncode:
        raise ServerFailed(f"npm ci: {errors.decode(errors='replace').strip()[-300:]}")


_SIGNING_KEY = token_hex(32)


def own_environment(plan: Plan, redis_url: str) -> dict[str, str]:
    """The settings of our own service on the plan's database."""
    return {
        "AUTO_ENRICHMENT_DATA_DIR": str(plan.folder),
        "AUTO_ENRICHMENT_DATABASE_URL": plan.database_url or f"sqlite://{plan.folder}/benchmark.db",
        "AUTO_ENRICHMENT_REDIS_URL": redis_url,
        "AUTO_ENRICHMENT_JWT_SECRET": _SIGNING_KEY,
        "AUTO_ENRICHMENT_LOG_LEVEL": "error",
    }


@cache
def own_headers() -> dict[str, str]:
    """What shows our own service who calls: an admin of the organization whose jobs are there."""
    return headers_of("ann")


def headers_of(user: str) -> dict[str, str]:
    """The same of another user of it, of whom each may have so many connections."""
    claims = {"sub": user, "organizationId": ORGANIZATION, "role": str(Role.ADMIN), "exp": int(time.time()) + 36_000}
    return {"Authorization": f"Bearer {jwt.encode(claims, _SIGNING_KEY, 'HS256')}"}
