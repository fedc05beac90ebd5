"""What is looked at from outside during a run: at every moment one active job a record, and no reservation left over.

It reads the tables as they are, past the service's own code, because that is what is under test.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from faults.stores import OUT_OF_ORDER

EVERY_SECONDS = 0.5
LONGEST_LEFT_OVER_SECONDS = 60.0

_TWICE_ACTIVE = """SELECT record_id, count(*) AS jobs FROM job WHERE status IN ('pending', 'in_progress')
  GROUP BY record_id HAVING count(*) > 1"""
_LEFT_OVER = """SELECT r.id, r.organization_id, r.provider, r.record_id, COALESCE(j.status, 'gone') AS status
  FROM credit_entry r LEFT JOIN job j ON j.id = r.job_id WHERE r.kind = 'reservation'
  AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.settles = r.id)
  AND (j.id IS NULL OR j.status <> 'in_progress' OR j.lease_until < $1)"""


@dataclass(slots=True)
class Observed:
    """What was seen. `left_over`: since when each reservation without a call under way has been open."""

    looks: int = 0
    twice_active: dict[str, int] = field(default_factory=dict)  # jobs by record id, at the worst moment
    left_over: dict[str, float] = field(default_factory=dict)
    too_long: dict[str, str] = field(default_factory=dict)  # what is known of each that was open for too long


class Observer:
    """Looks at the database again and again, over its outages."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self.observed = Observed()

    async def look_for_ever(self) -> None:
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=5, command_timeout=30)
                try:
                    while True:
                        await self._look(connection)
                        await asyncio.sleep(EVERY_SECONDS)
                finally:
                    connection.terminate()
            except OUT_OF_ORDER:
                await asyncio.sleep(EVERY_SECONDS)  # it is out of order, or this connection was ended

    async def _look(self, connection: "asyncpg.Connection[Any]") -> None:
        now, observed = time.monotonic(), self.observed
        for row in await connection.fetch(_TWICE_ACTIVE):
            worst = observed.twice_active.get(row["record_id"], 0)
            observed.twice_active[row["record_id"]] = max(worst, row["jobs"])
        found: Mapping[str, Any] = {
            row["id"]: row for row in await connection.fetch(_LEFT_OVER, int(time.time() * 1e6))
        }
        observed.left_over = {known: observed.left_over.get(known, now) for known in found}
        for known, since in observed.left_over.items():
            if now - since > LONGEST_LEFT_OVER_SECONDS:
                row = found[known]
                observed.too_long[known] = (
                    f"{row['organization_id']} {row['provider']} record {row['record_id']}, job {row['status']}"
                )
        observed.looks += 1
