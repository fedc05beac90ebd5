"""Shows how far a long command is: a live bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

PLAIN_LINE_SECONDS = 2.0


class Report(Protocol):
    """Shows how much is done, and of how much in all (None: not known), in the unit of the bar, and a remark."""

    def __call__(self, done: int, total: int | None, remark: str = "") -> None: ...


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


@contextmanager
def progress(title: str, *, total: int | None = None, share: bool = False) -> Iterator[Report]:
    """A bar on standard error while the block runs. `share`: show percent in place of the count."""
    if sys.stderr.isatty():
        with _live(share) as bar:
            task = bar.add_task(title, total=total)

            def show(done: int, total: int | None, remark: str = "") -> None:
                bar.update(task, completed=done, total=total, description=f"{title}  {remark}".rstrip())

            yield show
    else:
        yield _PlainLines(title, share=share)


def _live(share: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn() if share else MofNCompleteColumn(),
        _Rate() if not share else TimeRemainingColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


class _PlainLines:
    """A line every few seconds and one at the end, for logs and pipes. `share`: percent, and the time that is left."""

    def __init__(self, title: str, *, share: bool) -> None:
        self._title, self._share = title, share
        self._began = self._shown_at = time.monotonic()

    def __call__(self, done: int, total: int | None, remark: str = "") -> None:
        now = time.monotonic()
        if done == total or now - self._shown_at >= PLAIN_LINE_SECONDS:
            self._shown_at = now
            said = self._percent(done, total, now) if self._share and total else self._count(done, total)
            typer.echo(f"{self._title}: {', '.join(filter(None, [said, remark]))}", err=True)

    def _count(self, done: int, total: int | None) -> str:
        return f"{done:,}" if total is None else f"{done:,} of {total:,}"

    def _percent(self, done: int, total: int, now: float) -> str:
        left = (now - self._began) / done * (total - done) if done else 0.0
        return f"{done / total:.0%}" if not left else f"{done / total:.0%}, {timedelta(seconds=round(left))} left"
