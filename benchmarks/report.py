"""The table of what was measured, on the screen and as `benchmarks/RESULTS.md`."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from benchmarks.load import loader
from benchmarks.measurement import Measurement, Size
from enrichment.compiled import Form, form

_HEADS = (
    "work and contender",
    "median",
    "unit",
    "ours to it",
    "CPU ms",
    "database's CPU ms",
    "p50 ms",
    "p99 ms",
    "range",
)


def as_text(found: Iterable[Measurement]) -> str:
    """Columns for a screen."""
    table = [_HEADS, *(row for work in _by_work(found) for row in _rows(work, title="{}"))]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(
            f"{text:<{width}}" if n == 0 else f"{text:>{width}}"
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def as_markdown(found: Iterable[Measurement], size: Size, seconds: float) -> str:
    """The page that is kept."""
    lines = ["|".join(["", *_HEADS, ""]), "|".join(["", "---", *["---:"] * (len(_HEADS) - 1), ""])]
    lines += ["|".join(["", *row, ""]) for work in _by_work(found) for row in _rows(work, title="**{}**")]
    return f"{_introduction(size, seconds)}\n" + "\n".join(lines) + "\n"


def _by_work(found: Iterable[Measurement]) -> list[list[Measurement]]:
    """The contenders of each work side by side, works in the order in which they were first measured."""
    known = list(found)
    order = list(dict.fromkeys(each.work for each in known))
    ranked = sorted(known, key=lambda each: order.index(each.work))
    return [list(some) for _, some in groupby(ranked, key=lambda each: each.work)]


def _rows(work: Sequence[Measurement], *, title: str) -> list[tuple[str, ...]]:
    ours = next((each for each in work if each.ours and each.rounds), None)
    rows = [(title.format(work[0].work), *[""] * (len(_HEADS) - 1))]
    for each in work:
        name = f"{each.contender}{f' ({each.remark})' if each.remark else ''}"
        if each.failure:
            name += f": FAILED {' '.join(each.failure.split())}".replace("|", "/")
        values = [taken.value for taken in each.rounds]
        rows.append(
            (
                f"  {name}",
                _number(each.median()),
                each.unit,
                _ratio(ours, each),
                *(_number(each.median(of)) for of in ("cpu_ms", "database_cpu_ms", "p50_ms", "p99_ms")),
                f"{_number(min(values))} to {_number(max(values))}" if len(values) > 1 else "",
            )
        )
    return rows


def _ratio(ours: Measurement | None, other: Measurement) -> str:
    """How many times as good ours is: 2 is twice the rate, or half the time."""
    mine, its = (ours.median() if ours else None), other.median()
    if ours is None or ours is other or not mine or not its or ours.unit != other.unit:
        return ""
    return f"{mine / its if ours.is_rate else its / mine:.2f}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _introduction(size: Size, seconds: float) -> str:
    made = "make bench" if size is Size.FULL else "make bench-10m" if size is Size.LONG else "make bench-quick"
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_output('git', 'rev-parse', '--short', 'HEAD')}",
        f"{os.cpu_count()} cores ({_processor()}), shared by servers, database and loader",
        f"Python {platform.python_version()} with the decisions {_form()}",
        f"Node {_output('node', '--version').removeprefix('v')}",
        f"requests sent by {loader()}",
        f"{seconds / 60:.0f} minutes in all",
    )
    return f"""# Results

Written by `{made}`: {"; ".join(facts)}.

Contenders of a work take turns in one run, on the same machine and the same PostgreSQL, which does not wait for the
disk (`fsync=off`); shown are medians over the turns, after a turn that does not count. Ratios count, absolute figures
are this machine's. "Ours to it" says how many times as good ours is: a rate twice as high, or half the time, is 2. CPU
is user and system of the process that serves or works, for each request, record or job; the database's own stands
apart and is that of all its processes. What each work is stands in the docstring of its module.
"""


def _form() -> str:
    return "compiled" if form() is Form.COMPILED else "in plain Python"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 -- no file, but a view of the kernel's
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
