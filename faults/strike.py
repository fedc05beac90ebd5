"""Does to the service what the plan says, each fault at its moment."""

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from faults.clock import wrong_clock
from faults.full_disk import FullDisk
from faults.load import OrganizationLoad
from faults.plan import CLOCK_SECONDS, Fault, Kind
from faults.service import Service
from faults.stores import OUT_OF_ORDER, PostgresServer, RedisServer

_KILLS = {
    Kind.WORKER_KILL: ("worker", signal.SIGKILL),
    Kind.WORKER_TERM: ("worker", signal.SIGTERM),
    Kind.SERVER_KILL: ("server", signal.SIGKILL),
    Kind.SERVER_TERM: ("server", signal.SIGTERM),
}


class Striker:
    """Strikes one service and its stores. `struck` says what was done, and when; `full_disk`, what was seen then."""

    def __init__(
        self, service: Service, postgres: PostgresServer, redis: RedisServer, loads: Sequence[OrganizationLoad]
    ) -> None:
        self._service = service
        self._postgres = postgres
        self._redis = redis
        self._loads = loads
        self.struck: list[str] = []
        self.full_disk = FullDisk()

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
        """What more there is to say of the fault, once it is over."""
        match fault.kind:
            case Kind.CANCEL:
                return await self._loads[fault.target].cancel_in_mid_call()
            case Kind.ERASE:
                return await self._loads[fault.target].erase_in_mid_call()
            case Kind.HANG:
                await self._hang(self._loads[fault.target], fault.seconds)
            case Kind.POSTGRES_FULL:
                return await self._fill_disk(fault)
            case Kind.CLOCK_AHEAD | Kind.CLOCK_BEHIND:
                return await self._set_clock(fault)
            case Kind.WORKER_STOP:
                return await self._hurt_process(fault, "worker", signal.SIGSTOP)
            case _ if fault.kind in _KILLS:
                return await self._hurt_process(fault, *_KILLS[fault.kind])
            case _:
                await self._hurt_store(fault)
        return ""

    async def _hurt_process(self, fault: Fault, resource: str, number: signal.Signals) -> str:
        if not self._service.can_spare(resource, fault.target):
            return "not made: it, or all others, had not started yet"
        if number is signal.SIGSTOP:
            self._service.signal(resource, fault.target, signal.SIGSTOP)
            await asyncio.sleep(fault.seconds)
            self._service.signal(resource, fault.target, signal.SIGCONT)
        else:
            await self._service.take_down(resource, fault.target, number)
            await asyncio.sleep(fault.seconds)
            await self._service.restart(resource, fault.target)
        return ""

    async def _set_clock(self, fault: Fault) -> str:
        """Have a worker run with a wrong clock for a while."""
        seconds = CLOCK_SECONDS if fault.kind is Kind.CLOCK_AHEAD else -CLOCK_SECONDS
        environment = wrong_clock(seconds)
        if environment is None:
            return "not made: libfaketime is not installed"
        if not self._service.can_spare("worker", fault.target):
            return "not made: it, or all others, had not started yet"
        await self._service.take_down("worker", fault.target, signal.SIGKILL)
        await self._service.restart("worker", fault.target, environment)
        await asyncio.sleep(fault.seconds)
        await self._service.take_down("worker", fault.target, signal.SIGKILL)
        await self._service.restart("worker", fault.target)
        return f"{fault.target}, by {seconds:+.0f} s"

    async def _fill_disk(self, fault: Fault) -> str:
        if not self._postgres.has_own_disk:
            return "not made: this user may not mount a disk"
        looking = self.full_disk.look(self._service.urls, fault.seconds)
        await asyncio.gather(self._postgres.keep_disk_full(fault.seconds), looking)
        await self._postgres.free_disk()
        return ""

    async def _hurt_store(self, fault: Fault) -> None:
        match fault.kind:
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
            case Kind.REDIS_EMPTIED:
                await self._redis.empty()
            case Kind.REDIS_FULL:
                await self._redis.set_full(full=True)
                await asyncio.sleep(fault.seconds)
                await self._redis.set_full(full=False)
            case _:
                await self._redis.kill()
                await asyncio.sleep(fault.seconds)
                await self._redis.start()

    async def _end_backends(self) -> None:
        with suppress(*OUT_OF_ORDER):  # it may be out of order as a whole
            await self._postgres.end_backends()

    async def _hang(self, load: OrganizationLoad, seconds: float) -> None:
        load.account.mode = "hang"
        await asyncio.sleep(seconds)
        load.account.mode = "usual"
