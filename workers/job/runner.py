"""The jobs of one worker: claimed in fair shares, run at the same time, their results written in batches."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from enrichment.enums import JobStatus
from models.db.health import ping
from models.db.transaction import unit_of_work
from models.job.leases import LEASE, Lease, LeaseProgress, organizations_with_due_jobs, renew, still_held
from models.job.transitions import JobClaim, claim, release_leases
from resolvers.batcher import Batcher
from resolvers.context import Services
from resolvers.credit.settle import release_open
from resolvers.events.publisher import announce
from workers.job.load import ClaimedJob, load_claimed
from workers.job.process import JobResult, process_job
from workers.job.results import WriteStatus, write_results
from workers.lookup.batched_store import BatchedStore
from workers.lookup.pipeline import ProviderLookup
from workers.upkeep.release_holds import release_holds

CAPACITY = 2000  # jobs in flight in one worker
SHARE = 0.6  # of the capacity, the most that one organization's jobs may take
AT_ONCE = 250  # jobs claimed, and results written, at a time
WINDOW = 500  # jobs in flight for one wake-up; a further one brings others in while these wait
TOP_UP = 50  # jobs that have ended, after which others are claimed in their place
ORGANIZATIONS_AT_ONCE = 25
REDECISIONS = 8  # how often a job is decided again because its record keeps changing
_WRITE_WAIT_SECONDS = 0.05  # between two batches of results; a lone job's is written at once
_SHOWN_AFTER_SECONDS = 1.0  # a job that ends sooner shows no progress

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _JobInFlight:
    job: ClaimedJob
    task: asyncio.Task[None]
    renewed_at: float = field(default_factory=time.monotonic)
    shown: tuple[int, str | None] = (0, None)  # progress and running step, as the row has them

    def is_due(self, now: float, renew_after: float) -> bool:
        """Whether the lease has to be prolonged, or how far the job is has to be shown."""
        waited = now - self.renewed_at
        changed = self.shown != (self.job.progress, self.job.running_step)
        return waited >= renew_after or (changed and waited >= _SHOWN_AFTER_SECONDS)


class JobRunner:
    """Claims due jobs and runs them to their end. One for each worker process."""

    def __init__(self, services: Services, *, capacity: int = CAPACITY, lease: timedelta = LEASE) -> None:
        self._services = services
        self._capacity = capacity
        self._lease = lease
        self._store = BatchedStore(services)
        self._lookup = ProviderLookup(services, self._store)
        self._write: Batcher[JobResult, WriteStatus] = Batcher(
            self._write_some, most=AT_ONCE, wait=_WRITE_WAIT_SECONDS, ping=ping
        )
        self._in_flight: dict[str, _JobInFlight] = {}
        self._claiming = asyncio.Lock()
        self._renewer: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to renew the leases of the jobs in flight."""
        self._renewer = asyncio.create_task(self._renew_forever(), name="leases")

    async def work(self, may_claim: Callable[[], bool] = lambda: True) -> int:
        """Claim and run due jobs until none is left, or no more may be claimed. Returns how many ended.

        Others are claimed as soon as some have ended: a job whose answer takes long keeps nobody waiting.
        """
        mine = _Started()
        try:
            while not self._stopping and may_claim():
                # One claim at a time: the next must count the jobs of the one before towards capacity and shares.
                async with self._claiming:
                    new = [self._start_job(job) for job in await self._claim(WINDOW - len(mine))]
                mine.add(new)
                if not mine:
                    break
                await mine.some_ended(TOP_UP if new else len(mine))
            await mine.all_ended()
        except asyncio.CancelledError:
            await mine.cancelled()
            raise
        return mine.count

    async def stop(self, seconds: float) -> None:
        """Start nothing new, let the jobs in flight end within `seconds`, and release the rest."""
        self._stopping = True
        tasks = [running.task for running in self._in_flight.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        left = [running.task for running in self._in_flight.values()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        if self._renewer is not None:
            self._renewer.cancel()
            await asyncio.wait({self._renewer})
        await self._store.close()
        await self._write.close()

    async def _claim(self, most: int) -> list[ClaimedJob]:
        room = min(self._capacity - len(self._in_flight), AT_ONCE, most)
        if room <= 0:
            return []
        now = self._services.now()
        organizations = await organizations_with_due_jobs(now, ORGANIZATIONS_AT_ONCE)
        taken = Counter(running.job.organization_id for running in self._in_flight.values())
        most_of_one = max(int(self._capacity * SHARE), 1)
        claims: list[JobClaim] = []
        for index, organization_id in enumerate(organizations):
            # An equal share of what is left for each that is still to come.
            share = math.ceil((room - len(claims)) / (len(organizations) - index))
            limit = min(share, most_of_one - taken[organization_id])
            if limit > 0:
                claims += await claim(organization_id, now, limit, self._lease)
        if not claims:
            return []
        try:
            claimed = await load_claimed(self._services, claims, now)
            await release_holds(self._services, [job.id for job in claimed if job.suppressed])
        except BaseException:
            await self._release([claim.lease for claim in claims])
            raise
        await self._announce_jobs(claimed)
        return claimed

    def _start_job(self, job: ClaimedJob) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(job), name=f"job {job.id}")
        self._in_flight[job.id] = _JobInFlight(job, task)
        return task

    async def _run(self, job: ClaimedJob) -> None:
        """Run one job to its end. One that cannot be ended is released, or left to its lease."""
        try:
            await self._decide_and_write(job)
        except asyncio.CancelledError:
            await self._release([job.lease])
            raise
        except Exception as error:
            _log.exception("job failed unexpectedly", job_id=job.id, organization=job.organization_id)
            await self._fail(job, error)
        finally:
            self._in_flight.pop(job.id, None)

    async def _decide_and_write(self, job: ClaimedJob) -> None:
        for _ in range(REDECISIONS):
            result = await process_job(job, self._services.registry, self._lookup, self._services.now)
            if await self._write(result) not in {WriteStatus.MOVED, WriteStatus.ERASED}:
                return
            record = await self._store.reload(job.record_id)
            if record is None:
                return  # erased, and the job with it
            job.record, job.found_suppressed = record, False
        await self._release([job.lease])

    async def _fail(self, job: ClaimedJob, error: Exception) -> None:
        """After a fault of our own the job tries again later, as long as it has attempts, and says so."""
        again = job.attempts < job.max_attempts
        result = JobResult(
            job,
            JobStatus.PENDING if again else JobStatus.FAILED,
            error_code="internal",
            error_message="an internal error; the service's log has it under this job's id",
            error_retryable=True,
            next_attempt_at=self._services.now() + timedelta(seconds=10 * job.attempts) if again else None,
        )
        try:
            await self._write(result)
        except Exception as second:
            # The lease runs out, and the job is requeued.
            _log.warning(
                "job left to its lease", job_id=job.id, error=type(second).__name__, first=type(error).__name__
            )

    async def _write_some(self, results: Sequence[JobResult]) -> list[WriteStatus]:
        batch = await write_results(results, self._services.now(), self._services)
        for organization_id in batch.jobs.keys() | batch.conflicts.keys():
            await announce(
                self._services.redis,
                organization_id,
                jobs=batch.jobs.get(organization_id, []),
                conflicts=batch.conflicts.get(organization_id, []),
            )
        return batch.statuses

    async def _announce_jobs(self, jobs: Sequence[ClaimedJob]) -> None:
        by_organization: dict[str, list[str]] = {}
        for job in jobs:
            by_organization.setdefault(job.organization_id, []).append(job.id)
        for organization_id, ids in by_organization.items():
            await announce(self._services.redis, organization_id, jobs=ids)

    async def _release(self, leases: Sequence[Lease]) -> None:
        """Return jobs that were claimed to the queue, with the credits that are reserved for them."""
        now = self._services.now()
        await release_leases(leases, now)
        ids = [lease.id for lease in leases]
        await unit_of_work(release_open)(ids, now=now, monthly_grant=self._services.monthly_credit_grant)

    async def _renew_forever(self) -> None:
        """Renew leases in good time, and show how far the slower jobs are."""
        while True:
            await asyncio.sleep(min(self._lease.total_seconds() / 4, 1.0))
            in_flight = dict(self._in_flight)
            if not in_flight:
                continue
            try:
                await self._renew(in_flight)
            except Exception as error:
                _log.warning("leases not renewed", jobs=len(in_flight), error=type(error).__name__)

    async def _renew(self, in_flight: dict[str, _JobInFlight]) -> None:
        now, renew_after = time.monotonic(), self._lease.total_seconds() / 4
        due = [running for running in in_flight.values() if running.is_due(now, renew_after)]
        rest = [running.job.lease for job_id, running in in_flight.items() if not running.is_due(now, renew_after)]
        leases = [
            LeaseProgress(running.job.id, running.job.lease.fence, running.job.progress, running.job.running_step)
            for running in due
        ]
        held = await renew(leases, self._services.now() + self._lease) | await still_held(rest)
        for job_id, running in in_flight.items():
            if job_id not in held and job_id in self._in_flight:
                running.task.cancel()  # cancelled by a user, or claimed by another: nothing it writes would count
        moved: list[ClaimedJob] = []
        for running, lease in zip(due, leases, strict=True):
            if lease.id in held:
                if running.shown != (lease.progress, lease.running_step):
                    moved.append(running.job)
                running.renewed_at, running.shown = now, (lease.progress, lease.running_step)
        await self._announce_jobs(moved)


class _Started:
    """The jobs that one wake-up has started: those that still run, and how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self._running: set[asyncio.Task[None]] = set()
        self._missing = 0  # how many must end until `_enough` is set
        self._enough = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running)

    def add(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self.count += len(tasks)
        self._running.update(tasks)
        for task in tasks:
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._missing -= 1
        if self._missing <= 0:
            self._enough.set()

    async def some_ended(self, most: int) -> None:
        """Wait until `most` of those that run have ended, or half of them."""
        self._missing = max(min(most, len(self._running) // 2), 1)
        await self._next_end()

    async def all_ended(self) -> None:
        self._missing = len(self._running)
        await self._next_end()

    async def cancelled(self) -> None:
        """Cancel those that run, and wait until they have released their jobs."""
        for task in self._running:
            task.cancel()
        await self.all_ended()

    async def _next_end(self) -> None:
        self._enough.clear()
        if self._running:
            await self._enough.wait()
