"""What the service says while PostgreSQL's disk is full: not ready, and a write is taken or told to come back."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from faults.service import token
from tests.support.whole_service import NO_TLS

_ORGANIZATION = "org0"
_SECONDS = 10.0  # for an answer


@dataclass(slots=True)
class FullDisk:
    """What was seen. `ready`: `/readyz` said so all the while; `wrong`: writes that ended as they must not."""

    unready: int = 0
    written: int = 0
    refused: int = 0
    ready: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _sent: int = 0

    async def look(self, urls: Sequence[str], seconds: float) -> None:
        """Ask every API process that answers until this many seconds have passed."""
        headers = {"Authorization": f"Bearer {token(_ORGANIZATION)}"}
        shown: dict[str, bool] = {}
        until = time.monotonic() + seconds
        async with httpx.AsyncClient(headers=headers, timeout=_SECONDS, verify=NO_TLS) as client:
            while time.monotonic() < until:
                for url in urls:
                    try:
                        await self._look_at(client, url, shown)
                    except httpx.HTTPError:  # it is out of order itself
                        shown.pop(url, None)
        self.unready += sum(shown.values())
        self.ready += [f"{url} said for {seconds:.1f} s that it was ready" for url, seen in shown.items() if not seen]

    async def _look_at(self, client: httpx.AsyncClient, url: str, shown: dict[str, bool]) -> None:
        ready = await client.get(f"{url}/readyz")
        check: Mapping[str, Any] = ready.json()["checks"]["database"]
        shown[url] = shown.get(url, False) or (ready.status_code == 503 and check["status"] == "failed")
        self._sent += 1  # a record of its own, since what is only repeated needs no room
        record = {"entityType": "account", "externalId": f"full-disk-{self._sent}", "fields": {"city": "Bonn"}}
        answer = await client.post(f"{url}/v1/auto-enrichment/records", json={"records": [record]})
        if answer.is_success:
            self.written += 1
        elif answer.status_code == 503 and answer.headers.get("retry-after", "").isdigit():
            self.refused += 1
        else:
            self.wrong.append(f"a write was answered with {answer.status_code}: {answer.text[:200]}")
