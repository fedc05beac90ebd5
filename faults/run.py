"""`make faults SEED=… MINUTES=…`: the whole service under load and faults, counted from outside. Exits 1 on a fault.

The seed gives the same plan of faults and the same records again; what meets what is up to the machine.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import asyncpg

from faults.beside import measure_beside
from faults.caller import Caller, NotAnswered, key_of
from faults.checks import Check, active_jobs, check_all, of_full_disk
from faults.heavy import measure_heavy
from faults.load import CALL_SECONDS, OrganizationLoad
from faults.observer import LONGEST_LEFT_OVER_SECONDS, Observer
from faults.plan import ORGANIZATIONS, draw_plan
from faults.report import as_text
from faults.service import PAID, Service
from faults.stores import PostgresServer, RedisServer
from faults.strike import Striker
from tests.support.paid_standin import paid_standin

_SETTLES_WITHIN = 240.0  # seconds after the last fault until every job has ended


async def run(seed: int, minutes: float, folder: Path, every_seconds: float = 1.0) -> tuple[list[Check], list[str]]:
    """One run. Returns its checks, and what was done to the service. `folder` keeps the output of its processes."""
    postgres, redis = PostgresServer(folder / "postgres", own_disk=True), RedisServer(folder)
    async with AsyncExitStack() as stack:
        standin = stack.enter_context(paid_standin())
        stack.push_async_callback(postgres.remove)
        stack.push_async_callback(redis.kill)
        await postgres.create()
        await asyncio.gather(postgres.start(), redis.start())
        settings = {f"{provider.upper()}_BASE_URL": f"{standin.url}/{provider}" for provider in PAID}
        service = Service(folder, {**settings, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url})
        stack.callback(service.write_output, folder)
        stack.callback(service.stop)
        await service.start()
        callers = [Caller(f"org{number}", service.urls) for number in range(ORGANIZATIONS)]
        loads = {
            caller.organization: OrganizationLoad(
                caller, standin.account(key_of(caller.organization), delay_seconds=CALL_SECONDS), seed
            )
            for caller in callers
        }
        for caller in callers:
            stack.push_async_callback(caller.close)
            await caller.set_up(*PAID, cooldownHours=0, backoff={"initialSeconds": 1, "maxSeconds": 5})
        observer = Observer(postgres.url)
        watching = [asyncio.create_task(observer.look_for_ever()), asyncio.create_task(service.keep_running())]
        striker = Striker(service, postgres, redis, list(loads.values()))
        started = time.monotonic()
        sending = [asyncio.create_task(load.send_for_ever()) for load in loads.values()]
        await striker.run(draw_plan(seed, minutes, every_seconds), started)
        await _cancel(sending)
        await _settle(postgres.url, observer)
        await _cancel(watching)
        connection = await asyncpg.connect(postgres.url)
        stack.push_async_callback(connection.close)
        proofs = {caller.organization: await _proofs(caller) for caller in callers}
        checks = await check_all(connection, loads, observer.observed, proofs, started)
        return [*checks, *of_full_disk(striker.full_disk)], striker.struck


async def _settle(database_url: str, observer: Observer) -> None:
    """Wait until every job has ended and no reservation is left over, as long as that may take."""
    connection = await asyncpg.connect(database_url)
    try:
        until = time.monotonic() + _SETTLES_WITHIN
        while await active_jobs(connection) and time.monotonic() < until:  # noqa: ASYNC110 -- others change it
            await asyncio.sleep(0.5)
        until = time.monotonic() + LONGEST_LEFT_OVER_SECONDS + 5
        looked = observer.observed.looks
        while _may_change(observer, looked) and time.monotonic() < until:  # noqa: ASYNC110 -- likewise
            await asyncio.sleep(0.5)
    finally:
        await connection.close()


def _may_change(observer: Observer, looked: int) -> bool:
    return bool(observer.observed.left_over) or observer.observed.looks <= looked + 1


async def _proofs(caller: Caller) -> dict[str, Any]:
    for _ in range(10):
        with suppress(NotAnswered):
            return await caller.proofs()
        await asyncio.sleep(1)
    return await caller.proofs()


async def _cancel(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """End tasks that go on for ever. Raises what one of them ended by before."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def _folder(parent: str | Path, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir(parents=True)
    return folder


def main() -> int:
    """The command. Returns its exit status."""
    options = argparse.ArgumentParser(description="Hurt the whole service at random and count from outside.")
    options.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 -- it is printed
    options.add_argument("--minutes", type=float, default=2.0)
    options.add_argument("--every", type=float, default=1.0, help="seconds between two faults, on average")
    options.add_argument("--only", choices=("faults", "beside", "heavy"), help="a part; beside: hostile providers")
    options.add_argument("--keep", type=Path, help="folder for the output of the processes")
    given = options.parse_args()
    checks: list[Check] = []
    struck: list[str] = []
    with tempfile.TemporaryDirectory(prefix="auto-enrichment-faults-") as made:
        Path(made).chmod(0o711)  # the user of PostgreSQL passes through
        if given.only in {None, "faults"}:
            print(f"seed {given.seed}, {given.minutes:g} minutes", flush=True)
            checks, struck = asyncio.run(
                run(given.seed, given.minutes, _folder(given.keep or made, "faults"), given.every)
            )
        if given.only in {None, "beside"}:
            checks += asyncio.run(measure_beside(_folder(given.keep or made, "beside")))
        if given.only in {None, "heavy"}:
            checks += asyncio.run(measure_heavy(_folder(given.keep or made, "heavy")))
    print(as_text(checks, struck))
    return 1 if any(check.faults for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
