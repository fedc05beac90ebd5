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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.measurement import Measurement, Plan, Size, progress
from benchmarks.postgres import Postgres, own_postgres
from benchmarks.report import as_markdown, as_text

_FILLED = "filled"


@dataclass(frozen=True, slots=True)
class Part:
    """A module of this folder that measures. It has this many seconds, by size; none: it is left out."""

    module: str
    quick: int
    full: int
    long: int = 0
    filled: bool = False  # measures on the database of many ended jobs, which the parts share
    sqlite: bool = False  # measures SQLite too

    def seconds(self, size: Size) -> int:
        return {Size.TINY: self.quick, Size.QUICK: self.quick, Size.FULL: self.full, Size.LONG: self.long}[size]


PARTS = (
    Part("served", quick=120, full=600, filled=True),
    Part("stored", quick=90, full=600, sqlite=True),
    Part("ingest", quick=90, full=600, sqlite=True),
    Part("queries", quick=60, full=600, long=36_000, filled=True),
    Part("workers", quick=240, full=600),
)


async def run(size: Size, parts: Sequence[Part]) -> list[Measurement]:
    """What all parts measured, those too that failed."""
    found: list[Measurement] = []
    async with own_postgres() as postgres:
        for part in parts:
            if not part.seconds(size):
                continue
            for database in (True, False) if part.sqlite else (True,):
                started = time.monotonic()
                progress(f"== {part.module}{'' if database else ' on SQLite'}")
                found += await _run_part(part, size, postgres if database else None)
                progress(f"== {part.module}: {time.monotonic() - started:.0f} s")
    return found


async def _run_part(part: Part, size: Size, postgres: Postgres | None) -> list[Measurement]:
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
    """A part ended without a result, or did not end in time."""


async def _measured(module: str, plan: Plan, seconds: int) -> list[Measurement]:
    """What a part measured in a process of its own. Raises PartFailed."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bench", "--part", module),
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,  # so that it can be ended with all that it started
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(plan.to_json()), seconds)
    except TimeoutError as error:
        raise PartFailed(f"not done after {seconds} s") from error
    finally:
        await _end(process)
    if process.returncode:
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


def _be_part(module: str) -> None:
    """Measure the plan that stands on the input, and print what came of it as one line."""
    plan = Plan.from_json(sys.stdin.buffer.read())
    found: Iterable[Measurement] = asyncio.run(__import__(f"benchmarks.{module}", fromlist=["measure"]).measure(plan))
    print(orjson.dumps([each.as_json() for each in found]).decode())


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser(prog="python -m benchmarks.bench", description="Measure everything beside its peers.")
    parser.add_argument("--size", type=Size, default=Size.QUICK, choices=list(Size))
    parser.add_argument("--only", default="", help="the parts to run, with commas between them")
    parser.add_argument("--results", type=Path, help="the file that the table is written to")
    parser.add_argument("--part", help="measure this part here; its plan stands on the input")
    given = parser.parse_args(arguments)
    if given.part:
        _be_part(given.part)
        return
    chosen = [part for part in PARTS if not given.only or part.module in given.only.split(",")]
    started = time.monotonic()
    found = asyncio.run(run(given.size, chosen))
    print(as_text(found))
    if given.results:
        given.results.write_text(as_markdown(found, given.size, time.monotonic() - started))
    if any(each.ours and each.failure for each in found):
        sys.exit("some of ours failed")


if __name__ == "__main__":
    main(sys.argv[1:])
