"""The jobs that one worker has claimed and not ended."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.job.leases import LeaseProgress
from workers.job.attempt_end import steps_so_far
from workers.job.load import ClaimedJob
from workers.job.process import Course
from workers.lookup.lookup import Lookup

SHOWN_AFTER_SECONDS = 0.25  # a job that ends sooner shows no progress


@dataclass(slots=True, eq=False)
class JobInFlight:
    """A claimed job on its way to its result. `lookup` is the question that it is about to ask, or asks."""

    job: ClaimedJob
    started: "StartedJobs"
    course: Course | None = None
    lookup: Lookup | None = None
    decided: int = 0  # how often
    withdrawn: bool = False  # it is another's, or was cancelled, or the worker stops
    batch: asyncio.Task[None] | None = None  # which works on it, or did last
    renewed_at: float = field(default_factory=time.monotonic)
    shown: tuple[int, str | None] = (0, None)  # progress and running step, as the row has them

    def is_due(self, now: float, renew_after: float) -> bool:
        """Whether the lease has to be prolonged, or how far the job is has to be shown."""
        waited = now - self.renewed_at
        changed = self.shown != (self.job.progress, self.job.running_step)
        return waited >= renew_after or (changed and waited >= SHOWN_AFTER_SECONDS)

    def lease_progress(self) -> LeaseProgress:
        """The lease with how far the job is, and the steps that have ended, where no earlier attempt has left any."""
        job, course = self.job, self.course
        steps = None if course is None or job.earlier_steps else steps_so_far(course)
        return LeaseProgress(job.id, job.lease.fence, job.progress, job.running_step, steps)

    def withdraw(self, *, at_once: bool = False) -> None:
        """Work on it no more: nothing that it writes would count, or it is to be claimed again.

        An answer that it is waiting for is still settled, unless the worker must stop `at_once`.
        """
        self.withdrawn = True
        if self.lookup is not None:
            self.lookup.withdraw(at_once=at_once)


class StartedJobs:
    """The jobs that one wake-up has started: those that are in flight, and how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self._running: set[JobInFlight] = set()
        self._missing = 0  # how many must end until `_enough` is set
        self._enough = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running)

    def add(self, jobs: Sequence[JobInFlight]) -> None:
        self.count += len(jobs)
        self._running.update(jobs)

    def end(self, job: JobInFlight) -> None:
        """This one has ended."""
        self._running.discard(job)
        self._missing -= 1
        if self._missing <= 0:
            self.wake()

    def wake(self) -> None:
        """Wait no longer for others to end."""
        self._enough.set()

    async def some_ended(self, most: int) -> None:
        """Wait until `most` of those in flight have ended, or half of them."""
        self._missing = max(min(most, len(self._running) // 2), 1)
        await self._next_end()

    async def all_ended(self) -> None:
        """Wait until none is in flight."""
        self._missing = len(self._running)
        await self._next_end()

    async def withdraw(self) -> None:
        """Work on none of them any more, and wait until they are released."""
        for job in self._running:
            job.withdraw(at_once=True)
        await self.all_ended()

    async def _next_end(self) -> None:
        self._enough.clear()
        if self._running:
            await self._enough.wait()
