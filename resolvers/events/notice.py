"""Notices: they name what changed; the database says what it looks like now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Notice:
    """What may have changed. `log`: something that only the log names. `gap`: anything may have, because notices
    could have been missed.
    """

    jobs: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()
    pipeline: bool = False
    credits: bool = False
    log: bool = False
    gap: bool = False
    _shared: dict[str, asyncio.Task[Any]] = field(default_factory=dict, repr=False, compare=False)

    async def once(self, key: str, load: Callable[[], Awaitable[T]]) -> T:
        """What `load` gives, loaded once for all watchers that received this notice.

        `key` must name everything that the result depends on besides the notice itself.
        """
        task = self._shared.get(key)
        if task is None:
            task = self._shared[key] = asyncio.create_task(_run(load))
            task.add_done_callback(_note_failure)
        # One watcher that leaves must not cancel the others' load.
        result: T = await asyncio.shield(task)
        return result


async def _run(load: Callable[[], Awaitable[T]]) -> T:
    return await load()


def _note_failure(task: asyncio.Task[Any]) -> None:
    """Keep a failed load quiet when everyone who waited for it has left."""
    if not task.cancelled():
        task.exception()


def gap() -> Notice:
    """A new notice of a gap each time: `once` must not give one organization, or one moment, what another loaded."""
    return Notice(gap=True)


def merge(notices: Sequence[Notice]) -> Notice:
    """All these notices as one. There must be at least one."""
    if len(notices) == 1:
        return notices[0]
    return Notice(
        jobs=frozenset[str]().union(*(notice.jobs for notice in notices)),
        conflicts=frozenset[str]().union(*(notice.conflicts for notice in notices)),
        pipeline=any(notice.pipeline for notice in notices),
        credits=any(notice.credits for notice in notices),
        log=any(notice.log for notice in notices),
        gap=any(notice.gap for notice in notices),
    )
