"""All measurements beside their peers, in one table: `make bench`, `make bench-quick`, `make bench-10m`.

    python -m benchmarks.bench [--size=tiny|quick|full|long] [--only=served,queries] [--results=FILE]

Starts a PostgreSQL of its own, and each part in a process of its own with a database of its own. A part that fails or
hangs is in the table with its reason, and the others go on. Needs PostgreSQL's programs and a redis-server; Node for
the peers in Node, and `wrk` if it is to be the loader.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import orjson

from benchmarks.measurement import Measurement, Plan, Size, Turns, progress
from benchmarks.postgres import Postgres, own_postgres
from benchmarks.report import as_markdown, as_text

_FILLED = "filled"


@dataclass(frozen=True, slots=True)
class Part:
    """A module of this folder that measures. It begins no round after this many seconds, by size; 0: it is left out."""

    module: str
    quick: int
    full: int
    long: int = 0
    filled: bool = False  # measures on the database of many ended jobs, which the parts share
    sqlite: bool = False  # measures SQLite too, where all is measured

    def seconds(self, size: Size) -> int:
        return {Size.TINY: self.quick, Size.QUICK: self.quick, Size.FULL: self.full, Size.LONG: self.long}[size]


# What is quick makes five minutes in all, what is full twenty.
PARTS = (
    Part("filled", quick=25, full=200, long=36_000, filled=True),
    Part("served", quick=50, full=220, filled=True),
    Part("queries", quick=10, full=40, long=3_600, filled=True),
    Part("beside_arq", quick=20, full=60, sqlite=True),
    Part("at_scale", quick=12, full=50, filled=True),
    Part("workers", quick=40, full=180),
    Part("ingest", quick=12, full=50, sqlite=True),
    Part("start", quick=8, full=25, sqlite=True),
    Part("stored", quick=8, full=30, sqlite=True),
    Part("roles", quick=15, full=60),
    Part("listeners", quick=20, full=60),
    Part("heard", quick=15, full=60, sqlite=True),
    Part("idle", quick=15, full=65, sqlite=True),
)
_GRACE_SECONDS = 120  # beyond twice its time, after which a part is asked to end; as long again, and it is ended


async def run(
    size: Size, parts: Sequence[Part], keep: Callable[[list[Measurement]], None] = lambda _: None
) -> list[Measurement]:
    """What all parts measured, those too that failed. `keep` has what there is after each part."""
    found: list[Measurement] = []
    me = asyncio.current_task()
    assert me is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)  # PostgreSQL ends too
    async with own_postgres() as postgres:
        for part in parts:
            if not part.seconds(size):
                continue
            for database in (True, False) if part.sqlite and size is Size.FULL else (True,):
                started = time.monotonic()
                progress(f"== {part.module}{'' if database else ' on SQLite'}")
                found += await run_part(part, size, postgres if database else None)
                keep(found)
                progress(f"== {part.module}: {time.monotonic() - started:.0f} s")
    return found


async def run_part(part: Part, size: Size, postgres: Postgres | None) -> list[Measurement]:
    """What a part measured on a database of this server, or on SQLite; a failure of it too."""
    name = _FILLED if part.filled else part.module
    with tempfile.TemporaryDirectory(prefix="auto-enrichment-bench-") as folder:
        url = pid = None
        if postgres is not None:
            pid, url = postgres.pid, await postgres.database(name)
        plan = Plan(size, Path(folder), url, pid)
        try:
            return await _measured(part.module, plan, part.seconds(size))
        except Exception as error:
            progress(f"{part.module} failed: {error}")
            return [Measurement(part.module, "ours", "", (), ours=True, failure=f"{type(error).__name__}: {error}")]
        finally:
            if postgres is not None and not part.filled:
                await postgres.drop_database(name)


class PartFailed(RuntimeError):
    """A part ended without a result."""


async def _measured(module: str, plan: Plan, seconds: int) -> list[Measurement]:
    """What a part measured in a process of its own, which is asked to end when it takes too long. Raises PartFailed."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bench", "--part", module, "--seconds", str(seconds)),
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,  # so that it can be ended with all that it started
    )
    talking = asyncio.create_task(process.communicate(plan.to_json()))
    try:
        for _ in range(2):
            await asyncio.wait({talking}, timeout=2 * seconds + _GRACE_SECONDS)
            if talking.done():
                break
            progress(f"{module} is asked to end")
            process.terminate()
    finally:
        await _end(process)
    output, _ = await talking
    if not output:
        raise PartFailed(f"its process ended with {process.returncode}")
    return [Measurement.from_json(each) for each in orjson.loads(output.splitlines()[-1])]


async def _end(process: Process) -> None:
    """End what is left of a part and of its children."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        await asyncio.sleep(1)
    await process.wait()


async def _be_part(module: str, seconds: float) -> None:
    """Measure the plan that stands on the input. Prints what came of it as one line, before a fault too."""
    plan = Plan.from_json(sys.stdin.buffer.read())
    Turns.ends_at = time.monotonic() + seconds
    measuring = asyncio.create_task(import_module(f"benchmarks.{module}").measure(plan))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, measuring.cancel)
    try:
        found: list[Measurement] = await measuring
    except (Exception, asyncio.CancelledError) as error:
        reason = "it took too long" if isinstance(error, asyncio.CancelledError) else f"{type(error).__name__}: {error}"
        progress(f"{module} failed: {reason}")
        found = [*Turns.so_far(), Measurement(module, "ours", "", (), ours=True, failure=reason)]
    print(orjson.dumps([each.as_json() for each in found]).decode())


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser(prog="python -m benchmarks.bench", description="Measure everything beside its peers.")
    parser.add_argument("--size", type=Size, default=Size.QUICK, choices=list(Size))
    parser.add_argument("--only", default="", help="the parts to run, with commas between them")
    parser.add_argument("--results", type=Path, help="the file that the table is written to")
    parser.add_argument("--part", help="measure this part here; its plan stands on the input")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long it may begin rounds")
    given = parser.parse_args(arguments)
    if given.part:
        asyncio.run(_be_part(given.part, given.seconds))
        return
    chosen = [part for part in PARTS if not given.only or part.module in given.only.split(",")]
    started = time.monotonic()

    def keep(found: list[Measurement]) -> None:
        if given.results:
            given.results.write_text(as_markdown(found, given.size, time.monotonic() - started))

    found = asyncio.run(run(given.size, chosen, keep))
    print(as_text(found))
    if any(each.ours and each.failure for each in found):
        sys.exit("some of ours failed")


if __name__ == "__main__":
    main(sys.argv[1:])
