"""Two ways to send a batch of records: over the API, or directly into the stores."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import orjson

from resolvers.context import Context
from resolvers.errors import Erased
from resolvers.record.api import ID_ALONE, upsert_records

PATH = "/v1/auto-enrichment/records"
TRIES = 8
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 120.0  # where a limit is used up
MOST_LIMITED = 100  # refusals of one batch because of a limit
TIMEOUT_SECONDS = 60.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})


class CannotSend(Exception):
    """The service takes no records at all: the token is bad, the address wrong, or it is out of reach for long."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one record: `created`, `changed`, `unchanged` or `refused` with the fault.

    `erased`: it was refused because the record was erased, so that its content is written down nowhere. `left_out`:
    fields of a record that was taken which cannot be read, each with why.
    """

    outcome: str
    fault: str | None = None
    erased: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


class Sender(Protocol):
    """Takes up to 1,000 records; answers for each, in order. Sending the same again changes nothing."""

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]: ...


class DirectSender:
    """Into this process's own stores."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]:
        answers = []
        for outcome in await upsert_records(self._ctx, records, ID_ALONE):
            error = outcome.error
            faults = "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults) if error else ""
            fault = (faults or error.message) if error else None
            left_out = {refused.field: refused.reason for refused in outcome.refused_fields}
            answers.append(SendResult(outcome.outcome.value, fault, isinstance(error, Erased), left_out))
        return answers


class ApiSender:
    """Over the REST interface of a running service, with patience when it is busy."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]:
        body = orjson.dumps({"records": records})
        pause = FIRST_PAUSE_SECONDS
        reason = ""
        tries = limited = 0
        while tries < TRIES:
            try:
                response = await self._client.post(PATH, content=body)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if response.status_code == httpx.codes.OK:
                    return [_answer(result) for result in response.json()["results"]]
                if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE and len(records) > 1:
                    half = len(records) // 2
                    return [*await self.send(records[:half]), *await self.send(records[half:])]
                reason = _refusal(response)
                if response.status_code not in _TRY_AGAIN:
                    break
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS and limited < MOST_LIMITED:
                    limited += 1  # which is no trouble: the service has only to be waited for
                    await asyncio.sleep(min(_retry_after(response) or pause, LONGEST_WAIT_SECONDS))
                    continue
                pause = max(pause, min(_retry_after(response), LONGEST_PAUSE_SECONDS))
            tries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise CannotSend(f"{self._client.base_url}: {reason}")


def api_client(url: str, token: str) -> httpx.AsyncClient:
    """A client of a running service; `async with` it."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT_SECONDS)


def _answer(result: Mapping[str, Any]) -> SendResult:
    error = result.get("error")
    if not error:
        refused = result.get("refusedFields") or []
        return SendResult(result["outcome"], left_out={each["field"]: each["reason"] for each in refused})
    faults = "; ".join(f"{fault['path']}: {fault['message']}" for fault in error.get("errors") or [])
    return SendResult(result["outcome"], faults or error["message"], erased=error["code"] == Erased.code)


def _refusal(response: httpx.Response) -> str:
    try:
        problem = response.json()
        return f"{response.status_code} {problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code}"


def _retry_after(response: httpx.Response) -> float:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() else 0.0
