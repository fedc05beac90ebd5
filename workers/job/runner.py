"""The jobs of one worker: claimed in fair shares, run at the same time, their results written in batches."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from enrichment.enums import JobStatus
from models.db.transaction import unit_of_work
from models.job.leases import LEASE, Lease, LeaseProgress, organizations_with_due_jobs, renew
from models.job.transitions import JobClaim, claim, release_leases
from resolvers.context import Services
from resolvers.credit.settle import release_open
from resolvers.events.publisher import announce
from workers.job.load import ClaimedJob, load_claimed
from workers.job.process import JobResult, process_job
from workers.job.results import WriteStatus, write_results
from workers.lookup.batched_store import BatchedStore
from workers.lookup.batcher import Batcher
from workers.lookup.pipeline import ProviderLookup
from workers.upkeep.release_holds import release_holds

CAPACITY = 2000  # jobs in flight in one worker
SHARE = 0.6  # of the capacity, the most that one organization's jobs may take
AT_ONCE = 250  # jobs claimed, and results written, at a time
ORGANIZATIONS_AT_ONCE = 25
REDECISIONS = 8  # how often a job is decided again because its record keeps changing
_WRITE_WAIT_SECONDS = 0.01

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _JobInFlight:
    job: ClaimedJob
    task: asyncio.Task[None]


class JobRunner:
    """Claims due jobs and runs them to their end. One for each worker process."""

    def __init__(self, services: Services, *, capacity: int = CAPACITY, lease: timedelta = LEASE) -> None:
        self._services = services
        self._capacity = capacity
        self._lease = lease
        self._store = BatchedStore(services)
        self._lookup = ProviderLookup(services, self._store)
        self._write: Batcher[JobResult, WriteStatus] = Batcher(self._write_some, most=AT_ONCE, wait=_WRITE_WAIT_SECONDS)
        self._in_flight: dict[str, _JobInFlight] = {}
        self._claiming = asyncio.Lock()
        self._renewer: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to renew the leases of the jobs in flight."""
        self._renewer = asyncio.create_task(self._renew_forever(), name="leases")

    async def work(self, may_claim: Callable[[], bool] = lambda: True) -> int:
        """Claim and run due jobs until none is left, or no more may be claimed. Returns how many ended."""
        ended = 0
        while not self._stopping and may_claim():
            # One claim at a time: the next must count the jobs of the one before towards capacity and shares.
            async with self._claiming:
                tasks = [self._start_job(job) for job in await self._claim()]
            if not tasks:
                break
            ended += len(tasks)
            await _all_ended(tasks)
        return ended

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

    async def _claim(self) -> list[ClaimedJob]:
        room = min(self._capacity - len(self._in_flight), AT_ONCE)
        if room <= 0:
            return []
        now = self._services.now()
        organizations = await organizations_with_due_jobs(now, ORGANIZATIONS_AT_ONCE)
        taken = Counter(running.job.organization_id for running in self._in_flight.values())
        most = max(int(self._capacity * SHARE), 1)
        claims: list[JobClaim] = []
        for index, organization_id in enumerate(organizations):
            # An equal share of what is left for each that is still to come.
            share = math.ceil((room - len(claims)) / (len(organizations) - index))
            limit = min(share, most - taken[organization_id])
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
            running = dict(self._in_flight)
            if not running:
                continue
            try:
                await self._renew(running)
            except Exception as error:
                _log.warning("leases not renewed", jobs=len(running), error=type(error).__name__)

    async def _renew(self, in_flight: dict[str, _JobInFlight]) -> None:
        jobs = [running.job for running in in_flight.values()]
        leases = [LeaseProgress(job.id, job.lease.fence, job.progress, job.running_step) for job in jobs]
        held = await renew(leases, self._services.now() + self._lease)
        for job_id, running in in_flight.items():
            if job_id not in held and job_id in self._in_flight:
                running.task.cancel()  # cancelled by a user, or claimed by another: nothing it writes would count
        await self._announce_jobs([job for job in jobs if job.id in held])


async def _all_ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for these tasks; when the wait is cancelled, cancel them and wait until they have released their jobs."""
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
