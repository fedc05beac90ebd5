"""The one clock of all processes: the database's.

Leases, waiting times and the order of what happens are compared between machines whose own clocks may differ. Each
process therefore asks the database for its time now and then, and goes on from there by a clock of its own that nobody
sets. With SQLite all processes are on one machine, whose clock serves.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from models.db.connection import dialect
from models.db.statements import query

EVERY_SECONDS = 30.0
_LOOKS = 3  # of which the quickest counts
_STEP = timedelta(seconds=1)  # worth a line in the log
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = structlog.get_logger(__name__)


def machine_clock() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


class DatabaseClock:
    """The database's time, in UTC, as of the last `read`; before the first one this machine's."""

    def __init__(
        self,
        machine: Callable[[], datetime] = machine_clock,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`machine` is this machine's time, `steady` counts seconds and is never set."""
        self._machine = machine
        self._steady = steady
        self._began: datetime | None = None  # the database's time when `steady` was 0

    def __call__(self) -> datetime:
        return self._machine() if self._began is None else self._began + timedelta(seconds=self._steady())

    async def read(self) -> None:
        """Take over the database's time. Raises what the driver raises where it does not answer."""
        if dialect() == "sqlite":
            return
        looks = [await self._look() for _ in range(_LOOKS)]
        _, began = min(looks)
        before, self._began = self(), began
        if abs(step := self() - before) > _STEP:
            _log.warning("clock set to the database's", seconds=round(step.total_seconds(), 1))

    async def _look(self) -> tuple[float, datetime]:
        """How long the database took to say its time, and by that time when `steady` was 0."""
        sent = self._steady()
        [said] = await query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS micros")
        came = self._steady()
        at = _EPOCH + timedelta(microseconds=said["micros"])
        return came - sent, at - timedelta(seconds=(sent + came) / 2)

    async def read_for_ever(self) -> None:
        """Read it again every half minute, over outages of the database, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.read()
            except Exception as error:
                _log.debug("clock not read", error=type(error).__name__)
