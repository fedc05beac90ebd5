"""The load of a run: CRMs that send records without pause, and what was acknowledged to them."""

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from faults.caller import Caller, NotAnswered
from tests.support.paid_standin import Account

_SEND_SECONDS = 0.7  # between two requests of an organization
_MOST_AT_ONCE = 3
_UNKNOWN, _DIFFERS, _AGAIN = 0.1, 0.3, 0.15  # shares of records
CALL_SECONDS = 0.5  # a provider's answer takes


@dataclass(slots=True)
class Acknowledged:
    """What one organization was told is stored. A record's external id is the label of its domain, too."""

    job_of: dict[str, str] = field(default_factory=dict)  # the latest by external id
    jobs: dict[str, str] = field(default_factory=dict)  # external id by job id
    records: dict[str, str] = field(default_factory=dict)  # external id by record id
    cancelled: set[str] = field(default_factory=set)  # job ids of which it was asked, whatever was answered
    erased: set[str] = field(default_factory=set)  # external ids, likewise
    unanswered: int = 0  # requests of which nobody knows


class OrganizationLoad:
    """The CRM of one organization, and its account at the providers."""

    def __init__(self, caller: Caller, account: Account, seed: int) -> None:
        self._caller = caller
        self.organization = caller.organization
        self.account = account
        self.acknowledged = Acknowledged()
        self._chance = random.Random(f"{seed} {caller.organization}")  # noqa: S311 -- repeated by the seed
        self._sent = 0

    async def send_for_ever(self) -> None:
        """Send new records, and ask for some of them again, until cancelled."""
        while True:
            with suppress(NotAnswered):
                if self._chance.random() < _AGAIN and self.acknowledged.job_of:
                    await self._again()
                else:
                    await self._send()
            await asyncio.sleep(_SEND_SECONDS * self._chance.uniform(0.5, 1.5))

    async def _send(self) -> None:
        records = [self._record() for _ in range(self._chance.randint(1, _MOST_AT_ONCE))]
        try:
            accepted = await self._caller.upsert(records)
        except NotAnswered:
            self.acknowledged.unanswered += 1
            raise
        for external_id, record_id, job_id in accepted:
            self.acknowledged.job_of[external_id] = job_id
            self.acknowledged.jobs[job_id] = external_id
            self.acknowledged.records[record_id] = external_id

    def _record(self) -> Mapping[str, Any]:
        self._sent += 1
        known = "unknown" if self._chance.random() < _UNKNOWN else "company"
        label = f"{known}-{self.organization}-{self._sent}"
        fields: dict[str, Any] = {"domain": f"{label}.example"}
        if self._chance.random() < _DIFFERS:
            fields["numberOfEmployees"] = 7  # the providers say otherwise, which a person is asked about
        return {"entityType": "ACCOUNT", "externalId": label, "fields": fields}

    async def _again(self) -> None:
        known = [label for label in self.acknowledged.job_of if label not in self.acknowledged.erased]
        if known:
            await self._caller.enrich([self._chance.choice(known)])

    async def cancel_in_mid_call(self) -> str:
        """Cancel the job whose call began last. Returns its record's external id, or why there was none."""
        label = await self._under_way()
        job_id = self.acknowledged.job_of.get(label, "")
        if not job_id:
            return "no call was under way"
        self.acknowledged.cancelled.add(job_id)
        with suppress(NotAnswered):
            await self._caller.cancel(job_id)
        return label

    async def erase_in_mid_call(self) -> str:
        """Erase the record whose call began last. Returns its external id, or why there was none."""
        label = await self._under_way()
        if not label:
            return "no call was under way"
        self.acknowledged.erased.add(label)
        with suppress(NotAnswered):
            await self._caller.erase(label)
        return label

    async def _under_way(self) -> str:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            if self.account.asked and time.monotonic() - self.account.asked[-1].at < CALL_SECONDS / 2:
                return label_of(self.account.asked[-1].about)
            await asyncio.sleep(0.01)
        return ""


def label_of(about: str) -> str:
    """The external id of the record that a call is about."""
    return about.rpartition("@")[2].removesuffix(".example")
