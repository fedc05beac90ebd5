"""A CRM of one organization over GraphQL: it tries the API processes in turn, and knows what was acknowledged to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from faults.service import token
from tests.support.whole_service import ENDED, NO_TLS, SET_KEY

_SECONDS = 30.0


class NotAnswered(Exception):
    """Nobody answered, or somebody answered with an error: whether it was done is not known."""


def key_of(organization: str) -> str:
    """What the providers know the organization by."""
    return f"the-key-of-{organization}"


class Caller:
    """Calls as an organization's admin. `refusals` counts the codes of errors."""

    def __init__(self, organization: str, urls: Sequence[str]) -> None:
        self.organization = organization
        self._urls = list(urls)
        self._turn = 0
        headers = {"Authorization": f"Bearer {token(organization)}"}
        self._client = httpx.AsyncClient(headers=headers, timeout=_SECONDS, verify=NO_TLS)

    async def close(self) -> None:
        await self._client.aclose()

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation. Raises NotAnswered."""
        self._turn += 1
        url = self._urls[self._turn % len(self._urls)]
        try:
            answer = await self._client.post(f"{url}/graphql", json={"query": query, "variables": variables})
            result = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotAnswered(type(error).__name__) from error
        if answer.status_code != httpx.codes.OK or result.get("errors"):
            raise NotAnswered(str(result.get("errors", answer.status_code))[:200])
        data: dict[str, Any] = result["data"]
        return data

    async def set_up(self, *providers: str, key: str | None = None, **config: Any) -> None:
        """Ask these providers alone, each with this key, or else the organization's own."""
        for provider in providers:
            await self(SET_KEY, provider=provider, key=key or key_of(self.organization))
        rules = [{"id": provider} for provider in providers]
        await self(_CONFIGURE, input={"providers": rules, **config})

    async def upsert(self, records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
        """Send records. Returns external id, record id and job id of each whose job was acknowledged."""
        sent = await self(_UPSERT, records=list(records))
        return [
            (result["record"]["externalId"], result["record"]["id"], result["job"]["id"])
            for result in sent["upsertRecords"]["results"]
            if result["record"] and result["job"]
        ]

    async def cancel(self, job_id: str) -> None:
        await self(_CANCEL, id=job_id)

    async def erase(self, external_id: str) -> None:
        await self(_ERASE, id=external_id)

    async def enrich(self, external_ids: Sequence[str]) -> None:
        await self(_ENRICH, selection={"entityType": "ACCOUNT", "externalIds": list(external_ids)})

    async def has_ended(self, job_id: str) -> bool:
        """Whether the job has ended."""
        status: str = (await self(_STATUS, id=job_id))["job"]["status"]
        return status in ENDED

    async def proofs(self) -> dict[str, Any]:
        """What the ledger's and the audit log's own checks say, and how the credits stand."""
        return await self(_PROOFS)


_CONFIGURE = "mutation($input: ConfigInput!) { updateConfig(input: $input) { version } }"
_UPSERT = """mutation($records: [RecordInput!]!) { upsertRecords(records: $records) {
  results { record { id externalId } job { id } error { code } } } }"""
_STATUS = "query($id: ID!) { job(id: $id) { status } }"
_CANCEL = "mutation($id: ID!) { cancelJob(id: $id) { status } }"
_ERASE = "mutation($id: ID!) { eraseRecord(entityType: ACCOUNT, externalId: $id) { id } }"
_ENRICH = """mutation($selection: RecordSelection!) { enrichRecords(selection: $selection, force: true) {
  queuedCount foldedCount } }"""
_PROOFS = """{ verifyLedger(whole: true) { addsUp faults } verifyAudit(whole: true) { intact fault }
  credits { reserved maybeCharged { key credits charges } } }"""
