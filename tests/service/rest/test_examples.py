"""Every example of `openapi.json` is taken by the service as it stands, but for ids: those are of what is there."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from providers.api import ProviderError
from service.http.json import dump
from service.rest.operation import RestOperation
from service.rest.routes import OPERATIONS
from tests.support.factories import StandIn, context, services, work
from tests.support.log import settled
from tests.support.rest_client import Rest
from tests.support.webhook_receiver import endpoint_at, receiver, send_all, sending, with_webhooks

pytestmark = pytest.mark.usefixtures("db")

KNOWN = {"numberOfEmployees": 500, "industry": "Software", "city": "Berlin", "postalCode": "10115"}
HELD = {"numberOfEmployees": 100, "city": "Hamburg", "postalCode": "20095"}
RECORDS = 30  # each with a conflict about a number and one about an address, for an example that decides one
EXAMPLE_ID = re.compile(r"01936f2a-[-0-9a-f]{27}")
EXAMPLE_CURSOR = "748-12-1"
ORDER = ("GET", "PUT", "PATCH", "POST", "DELETE")  # what reads comes first, what removes last
JSON = {"Content-Type": "application/json"}


class Examples:
    """Sends examples, with ids of what there is; what an example changes is taken for it alone."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.ids: dict[str, Iterator[str]] = {}
        self.candidates: dict[str, str] = {}

    async def list(self, path: str) -> list[dict[str, Any]]:
        answer = await self.rest.get(path)
        found: list[dict[str, Any]] = answer.json()
        assert answer.status_code == 200 and found, answer.text
        return found

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self.rest.post(path, json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def prepare(self) -> None:
        """Note what there is to be taken."""
        jobs = await self.list("/jobs?entityType=all&status=completed,failed&limit=200")
        conflicts = await self.list("/conflicts?limit=200")
        self.candidates = {one["id"]: one["candidates"][0]["id"] for one in conflicts}
        for field in ("numberOfEmployees", "address"):
            self.ids[field] = iter([one["id"] for one in conflicts if one["field"] == field])
        for status in ("completed", "failed"):
            self.ids[status] = iter([one["id"] for one in jobs if one["status"] == status])

    async def send(self, operation: RestOperation, example: Any) -> httpx.Response:
        path, body = operation.path, "" if example is None else dump(example).decode()
        for parameter in operation.parameters:
            if parameter.index == "path" and parameter.name != "id":
                path = path.replace(f"{{{parameter.name}}}", parameter.example)
        real = await self.id_for(operation, body) if "{id}" in path or EXAMPLE_ID.search(body) else ""
        body = EXAMPLE_ID.sub(self.candidates[real] if '"candidateId"' in body else real, body)
        if EXAMPLE_CURSOR in body:
            body = body.replace(EXAMPLE_CURSOR, (await self.list("/events"))[0]["cursor"])
        query = {p.name: p.example for p in operation.parameters if p.index == "query" and p.example is not None}
        path, content, headers = path.replace("{id}", real), body or None, JSON if body else None
        return await self.rest(operation.method, path, params=query, content=content, headers=headers)

    async def id_for(self, operation: RestOperation, body: str) -> str:
        """The id of something that is as the operation needs it."""
        match operation.path.split("/")[1]:
            case "conflicts":
                return await self.conflict_for(operation, body)
            case "resolutions":
                conflict = next(self.ids["numberOfEmployees"])
                decided = await self.made("/conflicts/resolve", {"ids": [conflict]})
                return str(decided["resolutionId"]) if '"resolutionId"' in body else conflict
            case "jobs":
                return await self.job_for(operation)
            case "undos":
                return str((await self.made(f"/jobs/{next(self.ids['completed'])}/undo", {}))["id"])
        endpoint = (await self.list("/webhook-endpoints"))[0]["id"]
        if operation.path.startswith("/webhook-endpoints"):
            return str(endpoint)
        return str((await self.list(f"/webhook-endpoints/{endpoint}/deliveries"))[0]["id"])

    async def conflict_for(self, operation: RestOperation, body: str) -> str:
        conflict = next(self.ids["address" if '"parts"' in body else "numberOfEmployees"])
        if operation.path.endswith("/reopen"):
            await self.made(f"/conflicts/{conflict}/resolve", {})
        return conflict

    async def job_for(self, operation: RestOperation) -> str:
        if operation.path.endswith("/cancel"):
            record = {"entityType": "account", "externalId": "waits", "fields": {"name": "Waits"}}
            sent = await self.made("/records", {"records": [record]})
            return str(sent["results"][0]["jobId"])
        return next(self.ids["failed" if operation.path.endswith("/retry") else "completed"])


def examples() -> list[tuple[RestOperation, str, Any]]:
    found = [
        (operation, name, example)
        for operation in OPERATIONS
        for name, example in (operation.body.examples.items() if operation.body else [("", None)])
    ]
    return sorted(found, key=lambda one: ORDER.index(one[0].method))


async def test_every_example_is_taken_as_it_stands(redis: ArqRedis) -> None:
    """One organization serves them all: what would be refused in its state has something of its own to be about."""
    standin = StandIn("directory", knows={f"c{number}.com": KNOWN for number in range(RECORDS)})
    shared = with_webhooks(services(redis, standin))
    sent = Examples(Rest(shared))
    refused: dict[str, str] = {}
    async with receiver() as receiving, sending(shared) as sender:
        await endpoint_at(context(shared), receiving.url)
        standin.fails.append(ProviderError("bad_key", "refused", retryable=False))
        for names in (["fails"], ["ACC-1042", *(f"C{number}" for number in range(1, RECORDS))]):
            fields = [{**HELD, "domain": f"c{number}.com"} for number in range(len(names))]
            records = zip(names, fields, strict=True)
            await sent.made(
                "/records",
                {"records": [{"entityType": "account", "externalId": name, "fields": one} for name, one in records]},
            )
            await work(shared)
        await settled()
        await send_all(sender)
        await sent.prepare()
        for operation, name, example in examples():
            answer = await sent.send(operation, example)  # its body is held against the description as well
            if answer.status_code != operation.answer.status:
                refused[f"{operation.method} {operation.path} {name}"] = answer.text
    assert refused == {}
