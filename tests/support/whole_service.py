"""The whole service as an operator runs it: one `serve`, some `worker`s, real stores; and callers over HTTP."""

import asyncio
import os
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import jwt

from tests.support.processes import run_command
from tests.support.waiting import PATIENCE_SECONDS

SECRET = "a-secret-of-more-than-thirty-two-bytes"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the usual one is slow to make, and nothing here needs it
ENDED = {"COMPLETED", "PARTIAL", "FAILED", "SKIPPED", "CANCELLED"}


class Process:
    """One process of the command. `output` is everything it has said so far."""

    def __init__(self, *arguments: str, data_dir: Path, settings: Mapping[str, str]) -> None:
        started = run_command(*arguments, data_dir=data_dir, **settings)
        self._process = subprocess.Popen(
            **started, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        self.output = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None  # asked for above
        for line in self._process.stdout:
            self.output += line  # in place: a process whose lines nobody takes stands still

    def wait_for(self, text: bytes, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it has said this."""
        until = time.monotonic() + seconds
        while text not in self.output:
            assert self._process.poll() is None and time.monotonic() < until, self.output.decode()
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash does."""
        os.kill(self.pid, signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        if self._process.poll() is None:
            self._process.terminate()
        self._end()

    def _end(self) -> None:
        try:
            self._process.wait(PATIENCE_SECONDS)
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._reader.join(5)
            assert self._process.stdout is not None  # asked for above
            self._process.stdout.close()


class WholeService:
    """The processes and what they have answered. `settings` are the environment, with the prefix left out."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self._settings = {f"AUTO_ENRICHMENT_{name}": value for name, value in settings.items()}
        self._settings |= {
            "AUTO_ENRICHMENT_JWT_SECRET": SECRET,
            "AUTO_ENRICHMENT_LOG_LEVEL": "debug",
            "AUTO_ENRICHMENT_SHUTDOWN_SECONDS": "3",
        }
        self.processes: list[Process] = []
        self.workers: list[Process] = []
        self.answers: list[bytes] = []
        self.url = ""

    def start(self, workers: int) -> None:
        server = Process("serve", "--port", "0", data_dir=self.data_dir, settings=self._settings)
        self.processes.append(server)
        server.wait_for(b"Serving.")
        self.url = next(word for word in server.output.decode().split() if word.startswith("http")).removesuffix(
            "/graphql"
        )
        self.add_workers(workers)

    def add_workers(self, count: int) -> None:
        """Start so many more workers, and wait until they run."""
        for _ in range(count):
            self.workers.append(Process("worker", data_dir=self.data_dir, settings=self._settings))
        self.processes += self.workers[-count:]
        for worker in self.workers[-count:]:
            worker.wait_for(b"worker runs")

    def stop(self) -> None:
        """End everything, the server last, because the embedded Redis is its child."""
        failures: list[Exception] = []
        for process in reversed(self.processes):
            try:
                process.stop()
            except Exception as error:
                failures.append(error)
        assert not failures, failures

    @property
    def said(self) -> bytes:
        """What all processes have written."""
        return b"".join(bytes(process.output) for process in self.processes)

    def caller(self, organization: str, role: str = "ADMIN") -> "Caller":
        claims = {"sub": "ann", "organizationId": organization, "role": role, "exp": int(time.time()) + 3600}
        return Caller(self, jwt.encode(claims, SECRET, "HS256"))


class Caller:
    """A user of one organization, over HTTP. Every answer is kept by the service's `answers`."""

    def __init__(self, service: WholeService, token: str) -> None:
        self._service = service
        self._headers = {"Authorization": f"Bearer {token}"}

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        client = httpx.AsyncClient(
            base_url=self._service.url, headers=self._headers, timeout=PATIENCE_SECONDS, verify=NO_TLS
        )
        async with client:
            answer = await client.request(method, path, **more)
        self._service.answers.append(repr(answer.headers).encode() + b"\n" + answer.content)
        return answer

    async def result(self, query: str, **variables: Any) -> dict[str, Any]:
        """Data and errors of an operation."""
        answer = await self.request("POST", "/graphql", json={"query": query, "variables": variables})
        result: dict[str, Any] = answer.json()
        return result

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation that must succeed."""
        result = await self.result(query, **variables)
        assert not result.get("errors"), result
        data: dict[str, Any] = result["data"]
        return data

    async def use(self, *providers: str, key: str | None = None, **config: Any) -> None:
        """Ask these providers alone, with this key."""
        for provider in providers if key is not None else ():
            await self(SET_KEY, provider=provider, key=key)
        rules = [{"id": provider} for provider in providers]
        await self(CONFIGURE, input={"providers": rules, **config})

    async def send(self, entity_type: str, *records: Mapping[str, Any]) -> list[str]:
        """Send records, whose id is that of the mapping; returns the ids of the jobs they started."""
        inputs = [
            {
                "entityType": entity_type,
                "externalId": record["id"],
                "fields": {name: value for name, value in record.items() if name != "id"},
            }
            for record in records
        ]
        sent = await self(UPSERT, records=inputs)
        return [result["job"]["id"] for result in sent["upsertRecords"]["results"] if result["job"]]

    async def jobs(self) -> list[dict[str, Any]]:
        """Every job of the organization."""
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await self(JOBS, after=after))["jobs"]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def until_ended(self, seconds: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        """Every job of the organization, once all have ended."""
        until = time.monotonic() + seconds
        while True:
            jobs = await self.jobs()
            if all(job["status"] in ENDED for job in jobs):
                return jobs
            assert time.monotonic() < until, [job for job in jobs if job["status"] not in ENDED][:3]
            await asyncio.sleep(0.1)

    async def provider(self, provider_id: str) -> dict[str, Any]:
        """One provider as it is shown."""
        shown: Sequence[dict[str, Any]] = (await self(PROVIDERS))["providers"]
        return next(one for one in shown if one["id"] == provider_id)

    async def paid(self) -> dict[str, int]:
        """Charges by provider, after the proof that the ledger adds up and nothing is held any more."""
        data = await self(LEDGER)
        assert (data["verifyLedger"]["faults"], data["credits"]["reserved"]) == ([], 0)
        slices = data["credits"]["byProvider"]
        assert sum(part["credits"] for part in slices) == data["credits"]["used"]
        return {part["key"]: part["charges"] for part in slices}


SET_KEY = "mutation($provider: ID!, $key: String!) { setProviderKey(provider: $provider, key: $key) { keyLastFour } }"
CONFIGURE = "mutation($input: ConfigInput!) { updateConfig(input: $input) { version } }"
UPSERT = """mutation($records: [RecordInput!]!) { upsertRecords(records: $records) {
  results { outcome job { id } error { code message } } } }"""
JOBS = """query($after: String) { jobs(first: 200, after: $after) { pageInfo { hasNextPage endCursor } nodes {
  id status attempts creditsUsed fieldsUpdated createdAt finishedAt error { code message retryable }
  record { externalId fields }
  steps { provider outcome skippedReason detail creditsCharged error { code message } } } } }"""
PROVIDERS = """{ providers { id enabled configured keyLastFour healthy state stateReason stateUntil asked matched
  creditsLeft lastError { code message } } }"""
LEDGER = """{ verifyLedger { addsUp entries faults } credits { balance reserved used wasted
  byProvider { key credits charges } entries(first: 50) { nodes { kind amount provider note } } } }"""
