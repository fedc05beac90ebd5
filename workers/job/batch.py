"""Jobs worked on together: question by question through the stages of lookups, then decided, then written at once.

A batch is a task. It goes on until each of its jobs has ended or waits for something outside; what comes back from
there, within a moment, is a batch of its own. Batches run beside each other, so that one is worked out while another
one's statements are under way.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from models.db.health import ping
from models.job.transitions import release_leases
from resolvers.context import Services
from resolvers.events.publisher import Changes, announce_all
from resolvers.halving import run_halving
from resolvers.out_of_reach import is_out_of_reach
from workers.job.in_flight import JobInFlight
from workers.job.measured import count
from workers.job.process import Course, JobResult, begin, failed_result, put_off_result
from workers.job.results import WriteStatus, write_results
from workers.lookup.batched_store import BatchedStore
from workers.lookup.lookup import Lookup, Stage, at
from workers.lookup.stages import LookupStages
from workers.loop_yield import LoopYield

REDECISIONS = 8  # how often a job is decided again because its record keeps changing
_GATHER_SECONDS = 0.02  # between two batches of what comes back from outside; a lone job goes on at once
_STORE_PAUSE_SECONDS = 0.5  # until a store is tried again that was out of reach
_TOGETHER = 250  # that come back make a batch at once

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Done:
    """What a batch has come to so far: how jobs end, and those that are given back."""

    results: list[tuple[JobInFlight, JobResult]] = field(default_factory=list)
    released: list[JobInFlight] = field(default_factory=list)


class JobBatches:
    """Works on the claimed jobs of one worker, in batches, until each has ended."""

    def __init__(self, services: Services, ended: Callable[[Sequence[JobInFlight]], None]) -> None:
        """`ended` is called with jobs that are no more this worker's: written, released, or left to their lease."""
        self._services = services
        self._tell_ended = ended
        self._store = BatchedStore(services)
        self._in_flight: Counter[str] = Counter()  # jobs by organization
        self._stages = LookupStages(services, self._store, self._come_back, self._in_flight.__getitem__)
        self._batches: set[asyncio.Task[None]] = set()
        self._asking: dict[Lookup, JobInFlight] = {}
        self._back: list[Lookup] = []
        self._going_on: asyncio.Task[None] | None = None  # the batch of those that came back
        self._timer: asyncio.TimerHandle | None = None

    def start(self, jobs: Sequence[JobInFlight]) -> None:
        """Work on these together."""
        self._in_flight.update(job.job.organization_id for job in jobs)
        self._run(jobs, [])

    async def close(self) -> None:
        """Wait until all that is under way has ended. The jobs have been withdrawn, or end by themselves."""
        while True:
            self._go_on()
            away = [lookup.waiting for lookup in self._asking if lookup.waiting is not None]
            if not (under_way := [*self._batches, *away]):
                break
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await self._store.close()

    def _run(self, jobs: Sequence[JobInFlight], back: Sequence[Lookup]) -> "asyncio.Task[None]":
        batch = asyncio.create_task(self._work(jobs, back))
        self._batches.add(batch)
        batch.add_done_callback(self._batches.discard)
        return batch

    def _come_back(self, lookup: Lookup) -> None:
        """A lookup that was away may go on: with others that come in this moment."""
        self._asking[lookup].batch = None
        self._back.append(lookup)
        if len(self._back) >= _TOGETHER:
            self._go_on()
        elif self._timer is None and self._going_on is None:
            self._timer = asyncio.get_running_loop().call_later(0, self._go_on)

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        back, self._back = self._back, []
        if back:
            self._going_on = self._run([], back)
            self._going_on.add_done_callback(self._went_on)

    def _went_on(self, batch: "asyncio.Task[None]") -> None:
        if self._going_on is not batch:
            return
        self._going_on = None
        if self._back and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER_SECONDS, self._go_on)

    async def _work(self, jobs: Sequence[JobInFlight], back: Sequence[Lookup]) -> None:
        """Go on with these jobs, and with the jobs of these lookups, until each has ended or is away."""
        batch = [*jobs, *(self._asking[lookup] for lookup in back)]
        task = asyncio.current_task()
        for job in batch:
            job.batch = task
        try:
            await self._go_through(jobs, back)
        except Exception:
            left = [
                job for job in batch if job.batch is task and (job.lookup is None or job.lookup.stage is not Stage.AWAY)
            ]
            _log.exception("a batch failed unexpectedly, its jobs are left to their leases", jobs=len(left))
            for lookup in (job.lookup for job in left if job.lookup is not None):
                lookup.leave_turn()
                self._asking.pop(lookup, None)
            self._end(left)

    async def _go_through(self, jobs: Sequence[JobInFlight], back: Sequence[Lookup]) -> None:
        done = _Done()
        lookups = list(back)
        while jobs or lookups:
            while jobs or lookups:
                lookups += await self._next_lookups(jobs, done)
                jobs = await self._take_up(await self._stages.run(lookups), done)
                lookups = []
            await self._release(done.released)
            jobs = await self._write(done.results)
            done = _Done()

    async def _next_lookups(self, jobs: Sequence[JobInFlight], done: "_Done") -> list[Lookup]:
        """The next question of each of these jobs; those that have none are done."""
        lookups: list[Lookup] = []
        loop_yield = LoopYield()
        for job in jobs:
            await loop_yield.if_due()
            if job.withdrawn:
                done.released.append(job)
            elif isinstance(following := self._next(job), Lookup):
                lookups.append(following)
            else:
                done.results.append((job, following))
        return lookups

    async def _take_up(self, lookups: Sequence[Lookup], done: "_Done") -> list[JobInFlight]:
        """Let jobs know what became of their questions. Returns those that go on now."""
        given_up = [*at(Stage.FAILED, lookups), *at(Stage.WITHDRAWN, lookups)]
        if given_up:
            await self._stages.abandon(given_up)
        going_on: list[JobInFlight] = []
        for lookup in lookups:
            job = self._asking.pop(lookup)
            job.lookup = None
            if lookup.stage is Stage.WITHDRAWN:
                done.released.append(job)
            elif (error := lookup.error or _record(job, lookup)) is not None:
                done.results.append((job, self._failed(job, error)))
            else:
                going_on.append(job)
        return going_on

    def _next(self, job: JobInFlight) -> Lookup | JobResult:
        """The job's next question, or its result."""
        services = self._services
        try:
            if job.course is None:
                begun = begin(job.job, services.registry, services.now())
                if not isinstance(begun, Course):
                    return begun
                job.course = begun
            asked = job.course.next_question()
            if asked is None:
                return job.course.result(services.now())
        except Exception as error:
            return self._failed(job, error)
        source_id, provider, question = asked
        abilities = services.registry.abilities(provider.info.id)
        job.lookup = lookup = Lookup(job.job, provider, abilities, question, source_id)
        self._asking[lookup] = job
        return lookup

    def _failed(self, job: JobInFlight, error: Exception) -> JobResult:
        if is_out_of_reach(error):
            _log.warning("job put off, a store is out of reach", job_id=job.job.id, error=type(error).__name__)
            return put_off_result(job.job, self._services.now())
        _log.error("job failed unexpectedly", job_id=job.job.id, organization=job.job.organization_id, exc_info=error)
        return failed_result(job.job, self._services.now())

    async def _write(self, results: Sequence[tuple[JobInFlight, JobResult]]) -> list[JobInFlight]:
        """Write how these jobs end. Returns those that are to be decided again, as their records are now."""
        again: list[JobInFlight] = []
        if not results:
            return again
        ended, unwritten = [], []
        statuses = await self._written(results)
        for (job, _), status in zip(results, statuses, strict=True):
            if isinstance(status, Exception):
                unwritten.append((job, status))
            elif status in {WriteStatus.MOVED, WriteStatus.ERASED}:
                again.append(job)
            else:
                ended.append(job)
        self._end(ended)
        if unwritten:
            await self._write_failures(unwritten)
        return await self._again(again) if again else again

    async def _written(self, results: Sequence[tuple[JobInFlight, JobResult]]) -> list[WriteStatus | Exception]:
        """What became of each result. What a store does not take that is out of reach is written once it is back."""
        statuses = await run_halving(self._write_some, [result for _, result in results], ping)
        left = [index for index, status in enumerate(statuses) if _out_of_reach(status)]
        while left and not all(results[index][0].withdrawn for index in left):
            await asyncio.sleep(_STORE_PAUSE_SECONDS)
            again = await run_halving(self._write_some, [results[index][1] for index in left], ping)
            for index, status in zip(left, again, strict=True):
                statuses[index] = status
            left = [index for index in left if _out_of_reach(statuses[index])]
        return statuses

    async def _write_failures(self, unwritten: Sequence[tuple[JobInFlight, Exception]]) -> None:
        failures = [(job, self._failed(job, error)) for job, error in unwritten]
        for (job, first), status in zip(unwritten, await self._written(failures), strict=True):
            if isinstance(status, Exception):
                # The lease runs out, and the job is requeued.
                _log.warning(
                    "job left to its lease",
                    job_id=job.job.id,
                    error=type(status).__name__,
                    first=type(first).__name__,
                )
        self._end([job for job, _ in unwritten])

    async def _write_some(self, results: Sequence[JobResult]) -> list[WriteStatus]:
        batch = await write_results(results, self._services.now(), self._services)
        written = [result for result, status in zip(results, batch.statuses, strict=True) if status is WriteStatus.DONE]
        count(self._services.measures, written, self._services.now())
        changed = {
            organization_id: Changes(batch.jobs.get(organization_id, ()), batch.conflicts.get(organization_id, ()))
            for organization_id in batch.jobs.keys() | batch.conflicts.keys()
        }
        await announce_all(self._services.redis, changed)
        return batch.statuses

    async def _again(self, jobs: Sequence[JobInFlight]) -> list[JobInFlight]:
        """Those that go on, with their records as they are now; the others have ended."""
        going_on, gone, released = [], [], []
        for job in jobs:
            job.decided += 1
        try:
            records = await self._store.reload([job.job.record_id for job in jobs])
        except Exception as error:
            await self._write_failures([(job, error) for job in jobs])
            return []
        for job, record in zip(jobs, records, strict=True):
            if record is None:
                gone.append(job)  # erased, and the job with it
            elif job.decided >= REDECISIONS:
                released.append(job)
            else:
                job.course = None
                job.job.record, job.job.found_suppressed = record, False
                going_on.append(job)
        self._end(gone)
        await self._release(released)
        return going_on

    async def _release(self, jobs: Sequence[JobInFlight]) -> None:
        if not jobs:
            return
        try:
            await release_leases([job.job.lease for job in jobs], self._services.now())
        except Exception as error:
            _log.warning("jobs left to their leases", jobs=len(jobs), error=type(error).__name__)
        self._end(jobs)

    def _end(self, jobs: Sequence[JobInFlight]) -> None:
        if jobs:
            self._in_flight.subtract(job.job.organization_id for job in jobs)
            self._in_flight += Counter()  # without those of whom there is none
            self._tell_ended(jobs)


def _out_of_reach(status: WriteStatus | Exception) -> bool:
    return isinstance(status, Exception) and is_out_of_reach(status)


def _record(job: JobInFlight, lookup: Lookup) -> Exception | None:
    """Let the job know the reply. Returns what failed."""
    assert job.course is not None  # it asked
    try:
        job.course.record_reply(lookup.source_id, lookup.reply)
    except Exception as error:
        return error
    return None
