"""`make rolling`: API processes and workers restarted one after the other behind nginx, under load. Exits 1 on a loss.

Clients that keep their connections send records and read jobs without pause, through deploy/nginx. Every request has to
be answered, and every record that was acknowledged has to be there in the end, enriched or on its way.
"""

import argparse
import asyncio
import re
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from benchmarks.servers import free_port
from faults.service import Service, token
from faults.stores import PostgresServer, RedisServer, StoreFailed
from tests.support.waiting import until

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx" / "auto-enrichment.conf"
ORGANIZATION = "acme"
SERVERS, WORKERS, CLIENTS = 2, 2, 12
_PATH = "/v1/auto-enrichment"
_PAUSE_SECONDS = 0.02  # of a client between two requests


@dataclass(slots=True)
class Load:
    """What the clients did and were told."""

    url: str
    answered: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)  # external ids
    over: bool = False

    async def client(self, number: int) -> None:
        """One client, until the load is over."""
        headers = {"Authorization": f"Bearer {token(ORGANIZATION)}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as http:
            sent = 0
            while not self.over:
                sent += 1
                await (self._send(http, f"{number}-{sent}") if sent % 2 else self._read(http))
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _send(self, http: httpx.AsyncClient, external_id: str) -> None:
        record = {"entityType": "account", "externalId": external_id, "fields": {"city": "Köln"}}
        if await self._asked(http, "POST", f"{_PATH}/records", {"records": [record]}):
            self.acknowledged.add(external_id)

    async def _read(self, http: httpx.AsyncClient) -> None:
        await self._asked(http, "GET", f"{_PATH}/jobs?limit=5&entityType=all&status=all")

    async def _asked(self, http: httpx.AsyncClient, method: str, path: str, body: object = None) -> bool:
        try:
            response = await http.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.lost.append(f"{method}: {type(error).__name__}")
            return False
        if response.is_success:
            self.answered[method] += 1
        else:
            self.lost.append(f"{method}: {response.status_code} {response.text[:100]}")
        return response.is_success


@asynccontextmanager
async def nginx(folder: Path, ports: list[int]) -> AsyncIterator[str]:
    """The address of an nginx before these ports, with the configuration of deploy/. Raises StoreFailed."""
    program = shutil.which("nginx")
    if program is None:
        raise StoreFailed("nginx is not installed (on Debian: apt install nginx-light)")
    port = free_port()
    ours = CONFIGURATION.read_text("utf-8").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    named = iter(ports)
    ours = re.sub(r"127\.0\.0\.1:800[12]", lambda _: f"127.0.0.1:{next(named)}", ours)
    temporary = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    written = folder / "nginx.conf"
    written.write_text(
        f"daemon off;\nuser root;\npid {folder / 'nginx.pid'};\nerror_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{ours}}}\n"
    )
    process = await create_subprocess_exec(
        program, "-c", str(written), "-p", str(folder), stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: is_healthy(url))
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def is_healthy(url: str) -> bool:
    """Whether a process answers at this address."""
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"{url}/healthz")).is_success
    except httpx.HTTPError:
        return False


async def roll(service: Service) -> None:
    """Restart every process in its turn, the next one once this one answers."""
    for index in range(WORKERS):
        await service.take_down("worker", index, signal.SIGTERM)
        await service.restart("worker", index)
    for index, url in enumerate(service.urls):
        await service.take_down("server", index, signal.SIGTERM)
        await service.restart("server", index)
        await until(partial(is_healthy, url))


async def run(rounds: int, folder: Path) -> tuple[Load, set[str]]:
    """The load over so many rolling restarts, and the acknowledged records that are not there."""
    postgres, redis = PostgresServer(folder / "postgres"), RedisServer(folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(postgres.remove)
        stack.push_async_callback(redis.kill)
        await postgres.create()
        await asyncio.gather(postgres.start(), redis.start())
        settings = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "DRAIN_SECONDS": "6",
            "LIMIT_REQUESTS": "none",
            "LIMIT_COST": "none",
        }
        service = Service(folder, settings, servers=SERVERS, workers=WORKERS)
        stack.callback(service.write_output, folder)
        stack.callback(service.stop)
        await service.start()
        (folder / "nginx").mkdir()
        ports = [int(each.rpartition(":")[2]) for each in service.urls]
        url = await stack.enter_async_context(nginx(folder / "nginx", ports))
        load = Load(url)
        clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
        for number in range(rounds):
            await roll(service)
            print(f"round {number + 1}: {sum(load.answered.values())} answered, {len(load.lost)} lost", flush=True)
        load.over = True
        await asyncio.gather(*clients)
        return load, load.acknowledged - await stored(url)


async def stored(url: str) -> set[str]:
    """The external ids of all records."""
    found, after = set[str](), None
    document = "query($after: String) { records(first: 100, after: $after) { nodes { externalId }"
    document += " pageInfo { hasNextPage endCursor } } }"
    headers = {"Authorization": f"Bearer {token(ORGANIZATION)}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
        while True:
            answer = await http.post("/graphql", json={"query": document, "variables": {"after": after}})
            page = answer.json()["data"]["records"]
            found |= {node["externalId"] for node in page["nodes"]}
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found


def main() -> None:
    """Run it, and say what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    with tempfile.TemporaryDirectory(prefix="auto-enrichment-rolling-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # PostgreSQL's user passes through
        load, missing = asyncio.run(run(parser.parse_args().rounds, folder))
    print(f"answered: {dict(load.answered)}; acknowledged records: {len(load.acknowledged)}, missing: {len(missing)}")
    for each, times in Counter(load.lost).most_common(20):
        print(f"lost {times} x {each}")
    sys.exit(1 if load.lost or missing else 0)


if __name__ == "__main__":
    main()
