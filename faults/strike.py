"""Does to the service what the plan says, each fault at its moment."""

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from faults.load import OrganizationLoad
from faults.plan import Fault, Kind
from faults.service import Service
from faults.stores import PostgresServer, RedisServer

_KILLS = {
    Kind.WORKER_KILL: ("worker", signal.SIGKILL),
    Kind.WORKER_TERM: ("worker", signal.SIGTERM),
    Kind.SERVER_KILL: ("server", signal.SIGKILL),
    Kind.SERVER_TERM: ("server", signal.SIGTERM),
}


class Striker:
    """Strikes one service and its stores. `struck` says what was done, and when."""

    def __init__(
        self, service: Service, postgres: PostgresServer, redis: RedisServer, loads: Sequence[OrganizationLoad]
    ) -> None:
        self._service = service
        self._postgres = postgres
        self._redis = redis
        self._loads = loads
        self.struck: list[str] = []

    async def run(self, plan: Sequence[Fault], started: float) -> None:
        """Do all of it; returns once the last fault is over. `started` is monotonic."""
        async with asyncio.TaskGroup() as faults:
            for fault in plan:
                await asyncio.sleep(max(started + fault.at - time.monotonic(), 0))
                faults.create_task(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        what = await self._do(fault)
        lasted = f" for {fault.seconds:.1f} s" if fault.seconds else ""
        self.struck.append(f"{fault.at:7.1f} s  {fault.kind}{lasted}: {what or fault.target}")

    async def _do(self, fault: Fault) -> str:
        if fault.kind in _KILLS:
            resource, number = _KILLS[fault.kind]
            await self._service.take_down(resource, fault.target, number)
            await asyncio.sleep(fault.seconds)
            await self._service.restart(resource, fault.target)
            return ""
        match fault.kind:
            case Kind.CANCEL:
                return await self._loads[fault.target].cancel_in_mid_call()
            case Kind.ERASE:
                return await self._loads[fault.target].erase_in_mid_call()
            case Kind.WORKER_STOP:
                self._service.signal("worker", fault.target, signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                self._service.signal("worker", fault.target, signal.SIGCONT)
            case Kind.HANG:
                await self._hang(self._loads[fault.target], fault.seconds)
            case Kind.BACKENDS_END:
                await self._end_backends()
            case Kind.POSTGRES_STOP | Kind.POSTGRES_CRASH:
                await self._postgres.stop(crash=fault.kind is Kind.POSTGRES_CRASH)
                await asyncio.sleep(fault.seconds)
                await self._postgres.start()
            case Kind.POSTGRES_SILENT | Kind.REDIS_SILENT:
                silent = self._postgres if fault.kind is Kind.POSTGRES_SILENT else self._redis
                silent.stop_answering()
                await asyncio.sleep(fault.seconds)
                silent.answer_again()
            case Kind.REDIS_KILL:
                await self._redis.kill()
                await asyncio.sleep(fault.seconds)
                await self._redis.start()
            case _:
                assert fault.kind in _KILLS  # and was handled above
        return ""

    async def _end_backends(self) -> None:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError):  # it may be out of order as a whole
            await self._postgres.end_backends()

    async def _hang(self, load: OrganizationLoad, seconds: float) -> None:
        load.account.mode = "hang"
        await asyncio.sleep(seconds)
        load.account.mode = "usual"
