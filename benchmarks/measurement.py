"""What every measurement of this folder takes and gives, so that one command runs them all beside their peers.

A module that measures has `async def measure(plan: Plan) -> list[Measurement]`, with the module named in
`benchmarks/bench.py`. Its contenders take turns (`take_turns`), because two figures are comparable only when they were
taken side by side; one that fails is reported with its reason and loses nobody else's figures.
"""

import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import orjson


class Size(StrEnum):
    """How much is measured."""

    TINY = "tiny"  # runs everything once and measures nothing: the suite's
    QUICK = "quick"  # all of it in under five minutes
    FULL = "full"  # what RESULTS.md shows: a million jobs
    LONG = "long"  # ten million jobs, the queries alone


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a module measures, and how much. Each module is called in a process of its own."""

    size: Size
    folder: Path  # empty, the module's own, and deleted afterwards
    database_url: str | None  # a PostgreSQL database of the module's own, empty or filled; None: SQLite in `folder`
    database_pid: int | None = None  # PostgreSQL's postmaster, whose CPU is counted apart

    def to_json(self) -> bytes:
        return orjson.dumps({**asdict(self), "folder": str(self.folder)})

    @staticmethod
    def from_json(text: bytes) -> "Plan":
        content = orjson.loads(text)
        return Plan(**{**content, "size": Size(content["size"]), "folder": Path(content["folder"])})

    @property
    def rounds(self) -> int:
        """How often each contender has its turn."""
        return {Size.TINY: 1, Size.QUICK: 3}.get(self.size, 5)

    def of(self, *, tiny: int, quick: int, full: int, long: int | None = None) -> int:
        """The number for this plan's size. A long run without one of its own takes the full one."""
        return {Size.TINY: tiny, Size.QUICK: quick, Size.FULL: full, Size.LONG: full if long is None else long}[
            self.size
        ]

    @property
    def filled_jobs(self) -> int:
        """How many ended jobs `benchmarks.filled` puts in the database that reads are measured on."""
        return self.of(tiny=200, quick=20_000, full=1_000_000, long=10_000_000)

    def database_cpu(self) -> float:
        """CPU seconds (user + system) that PostgreSQL has used so far, all its processes together; 0 without one."""
        return 0.0 if self.database_pid is None else cpu_of_tree(self.database_pid)


@dataclass(frozen=True, slots=True)
class Round:
    """What one turn of one contender gave."""

    value: float  # in the contender's unit
    cpu_ms: float | None = None  # user + system of the process that serves, in milliseconds for each unit of work
    database_cpu_ms: float | None = None  # PostgreSQL's own, likewise
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of doing a work, and how it has its turn."""

    work: str  # "GraphQL: page of 50 jobs": contenders of the same work are compared
    name: str  # "ours", "Mercurius jit"
    unit: str  # a rate ends in "/s" and is better when higher; anything else is better when lower
    turn: Callable[[], Awaitable[Round]]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a contender needed for a work, round by round. `failure` says why there is nothing (more)."""

    work: str
    contender: str
    unit: str
    rounds: tuple[Round, ...]
    ours: bool = False
    remark: str = ""
    failure: str = ""

    @property
    def is_rate(self) -> bool:
        return self.unit.endswith("/s")

    def median(self, of: str = "value") -> float | None:
        """The median over the rounds of a `Round`'s attribute; None where no round has it."""
        known = [value for each in self.rounds if (value := getattr(each, of)) is not None]
        return statistics.median(known) if known else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Measurement":
        return Measurement(**{**content, "rounds": tuple(Round(**each) for each in content["rounds"])})


@dataclass(slots=True)
class _Taken:
    contender: Contender
    rounds: list[Round] = field(default_factory=list)
    failure: str = ""

    def measurement(self) -> Measurement:
        of = self.contender
        return Measurement(of.work, of.name, of.unit, tuple(self.rounds), ours=of.ours, failure=self.failure)


class Turns:
    """What this process has measured so far, and until when it may begin another round."""

    ends_at = float("inf")  # of the monotonic clock
    _taken: ClassVar[list[_Taken]] = []

    @classmethod
    def so_far(cls) -> list[Measurement]:
        """What all contenders of this process have given by now."""
        return [taken.measurement() for taken in cls._taken if taken.rounds or taken.failure]

    @classmethod
    def begin(cls, contenders: Iterable[Contender]) -> list[_Taken]:
        begun = [_Taken(contender) for contender in contenders]
        cls._taken += begun
        return begun


async def take_turns(contenders: Iterable[Contender], rounds: int, *, warm: bool = True) -> list[Measurement]:
    """Let all contenders have this many turns, one after the other, after a turn each that does not count (`warm`).

    A contender whose turn raises has no further one: its reason is in its measurement. No round begins that would not
    end by `Turns.ends_at`, but for the first that counts."""
    taken, longest = Turns.begin(contenders), 0.0
    for number in range(-1 if warm else 0, rounds):
        started = time.monotonic()
        if number > 0 and started + longest > Turns.ends_at:
            progress(f"no time for more than {number} of {rounds} rounds")
            break
        for so_far in taken:
            if not so_far.failure:
                await _turn(so_far, counts=number >= 0)
        longest = max(longest, time.monotonic() - started)
    return [so_far.measurement() for so_far in taken]


async def _turn(so_far: _Taken, *, counts: bool) -> None:
    contender = so_far.contender
    try:
        found = await contender.turn()
    except Exception as error:
        so_far.failure = f"{type(error).__name__}: {error}"[:300]
        progress(f"{contender.work}: {contender.name} failed: {so_far.failure}")
        return
    if counts:
        so_far.rounds.append(found)
        progress(f"{contender.work}: {contender.name} {found.value:,.1f} {contender.unit}")


def progress(line: str) -> None:
    """Say what happens, where the results do not go."""
    print(f"  {line}", file=sys.stderr, flush=True)


def cpu_of(pid: int) -> float:
    """CPU seconds (user + system) that a process has used, with its ended children. Linux alone."""
    return _times(pid)[1] / _TICKS


def cpu_of_tree(pid: int) -> float:
    """The same of a process and all its children, those that run too."""
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent, used_by = _times(int(path.name))
        except (OSError, IndexError):  # it ended meanwhile
            continue
        children.setdefault(parent, []).append(int(path.name))
        used[int(path.name)] = used_by
    family, total = [pid], 0
    while family:
        member = family.pop()
        total += used.get(member, 0)
        family += children.get(member, [])
    return total / _TICKS


_TICKS = 100  # Linux's USER_HZ, whatever the kernel's own


def _times(pid: int) -> tuple[int, int]:
    """The parent of a process, and the ticks that it and its ended children used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[1]), sum(map(int, fields[11:15]))
