"""The whole service as an operator runs it: one `serve`, some `worker`s, real stores; and callers over HTTP."""

import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import jwt

from tests.support.processes import Process
from tests.support.waiting import PATIENCE_SECONDS, until

SECRET = "a-secret-of-more-than-thirty-two-bytes"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the usual one is slow to make, and nothing here needs it
ENDED = {"COMPLETED", "PARTIAL", "FAILED", "SKIPPED", "CANCELLED"}


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
        self.url = server.address()
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
    def output(self) -> bytes:
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

    async def until_ended(self) -> list[dict[str, Any]]:
        """Every job of the organization, once all have ended."""
        active: list[dict[str, Any]] = []

        async def ended() -> list[dict[str, Any]]:
            jobs = await self.jobs()
            active[:] = [job for job in jobs if job["status"] not in ENDED]
            return [] if active else jobs

        jobs: list[dict[str, Any]] = await until(ended, lambda: active[:3], pause=0.1)
        return jobs

    async def provider(self, provider_id: str) -> dict[str, Any]:
        """One provider as it is shown."""
        shown: Sequence[dict[str, Any]] = (await self(PROVIDERS))["providers"]
        return next(provider for provider in shown if provider["id"] == provider_id)

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
