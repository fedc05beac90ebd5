"""The jobs of one worker: claimed in fair shares, worked on in batches, their leases renewed meanwhile."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from models.job.due import organizations_with_due_jobs
from models.job.leases import LEASE, LeaseProgress, renew, still_held
from models.job.transitions import JobClaim, claim, release_leases
from resolvers.context import Services
from resolvers.events.publisher import Changes, announce_all
from resolvers.out_of_reach import is_out_of_reach
from workers.job.batch import JobBatches
from workers.job.in_flight import SHOWN_AFTER_SECONDS, JobInFlight, StartedJobs
from workers.job.load import ClaimedJob, load_claimed
from workers.job.tracing import begin_spans
from workers.upkeep.release_holds import release_holds

CAPACITY = 2000  # jobs in flight in one worker
SHARE = 0.6  # of the capacity, the most that one organization's jobs may take
AT_ONCE = 250  # jobs claimed at a time, which are worked on together
WINDOW = 500  # jobs in flight for one wake-up; a further one brings others in while these wait
TOP_UP = 50  # jobs that have ended, after which others are claimed in their place
ORGANIZATIONS_AT_ONCE = 25
FEW = 25  # jobs of one organization that do not wait for the many of another

_CHANCE = random.Random()  # noqa: S311 -- spreads load, guards nothing
_log = structlog.get_logger(__name__)


class JobRunner:
    """Claims due jobs and runs them to their end. One for each worker process."""

    def __init__(self, services: Services, *, capacity: int = CAPACITY, lease: timedelta = LEASE) -> None:
        self._services = services
        self._capacity = capacity
        self._lease = lease
        self._batches = JobBatches(services, self._end)
        self._in_flight: dict[str, JobInFlight] = {}
        self._lost: JobInFlight | None = None  # whose worker was lost before: it may be what that one was lost by
        self._idle = asyncio.Event()
        self._idle.set()
        self._claiming = asyncio.Lock()
        self._had_turns = ""  # the id of the organization until which those with due jobs have had their turns
        self._renewer: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to renew the leases of the jobs in flight."""
        self._renewer = asyncio.create_task(self._renew_forever(), name="leases")

    async def work(self, may_claim: Callable[[], bool] = lambda: True) -> int:
        """Claim and run due jobs until none is left, or no more may be claimed. Returns how many ended.

        Others are claimed as soon as some have ended: a job whose answer takes long keeps nobody waiting.
        """
        mine = StartedJobs()
        try:
            while not self._stopping and may_claim():
                # One claim at a time: the next must count the jobs of the one before towards capacity and shares.
                async with self._claiming:
                    new = await self._start(mine)
                if not mine:
                    break
                await mine.some_ended(TOP_UP if new else len(mine))
            await mine.all_ended()
        except asyncio.CancelledError:
            await mine.withdraw()
            raise
        return mine.count

    async def _start(self, mine: StartedJobs) -> bool:
        """Claim jobs and begin with them. Returns whether there were any."""
        claimed = await self._claim(WINDOW - len(mine))
        if not claimed:
            return False
        jobs = [JobInFlight(job, mine) for job in claimed]
        self._idle.clear()
        self._in_flight.update((job.job.id, job) for job in jobs)
        mine.add(jobs)
        self._lost = next((job for job in jobs if job.job.was_lost), self._lost)
        for together in _batches_of(jobs):
            self._batches.start(together)
        return True

    async def stop(self, seconds: float) -> None:
        """Start nothing new, let the jobs in flight end within `seconds`, and release the rest."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        for running in list(self._in_flight.values()):
            running.withdraw(at_once=True)
        await self._batches.close()
        if self._renewer is not None:
            self._renewer.cancel()
            await asyncio.wait({self._renewer})

    async def _claim(self, most: int) -> list[ClaimedJob]:
        room = min(self._capacity - len(self._in_flight), AT_ONCE, most)
        if room <= 0:
            return []
        now = self._services.now()
        claims = await self._claim_in_turn(now, room)
        if not claims:
            return []
        try:
            claimed = await load_claimed(self._services, claims, now)
            await release_holds(self._services, [job.id for job in claimed if job.suppressed])
        except BaseException:
            await release_leases([claim.lease for claim in claims], self._services.now())
            raise
        await self._announce_jobs(claimed)
        await begin_spans(self._services, claimed)
        return claimed

    async def _claim_in_turn(self, now: datetime, room: int) -> list[JobClaim]:
        """Claim from the next organizations of which there is something to claim. None, where no organization has any.

        Those next may have jobs that are due and not to be had: at their share, or locked by another worker.
        """
        looked_at: set[str] = set()
        while True:
            in_turn = await self._organizations_in_turn(now)
            organizations = [id_ for id_ in in_turn if id_ not in looked_at]
            claims = await self._claim_shares(organizations, now, room)
            if claims or len(organizations) < ORGANIZATIONS_AT_ONCE:  # fewer: all of them have been looked at
                return claims
            looked_at.update(organizations)

    async def _claim_shares(self, organizations: Sequence[str], now: datetime, room: int) -> list[JobClaim]:
        taken = Counter(running.job.organization_id for running in self._in_flight.values())
        most_of_one = max(int(self._capacity * SHARE), 1)
        claims: list[JobClaim] = []
        with_lost = self._lost is None
        for index, organization_id in enumerate(organizations):
            # An equal share of what is left for each that is still to come.
            share = math.ceil((room - len(claims)) / (len(organizations) - index))
            limit = min(share, most_of_one - taken[organization_id])
            if limit > 0:
                claims += await claim(organization_id, now, limit, self._lease, with_lost=with_lost)
                with_lost = with_lost and not any(claim.was_lost for claim in claims)
        return claims

    async def _organizations_in_turn(self, now: datetime) -> list[str]:
        """Some with due jobs, in random order: the next ones, where there are more than have their turns at once.

        After the last come the first again, so that there are fewer than `ORGANIZATIONS_AT_ONCE` only where no more
        have due jobs, and a few at the end do not share among them what as many as that share elsewhere.
        """
        organizations = await organizations_with_due_jobs(now, ORGANIZATIONS_AT_ONCE, after=self._had_turns)
        if self._had_turns and (missing := ORGANIZATIONS_AT_ONCE - len(organizations)) > 0:
            first = await organizations_with_due_jobs(now, missing)
            organizations = list(dict.fromkeys([*organizations, *first]))
        self._had_turns = organizations[-1] if len(organizations) == ORGANIZATIONS_AT_ONCE else ""
        _CHANCE.shuffle(organizations)
        return organizations

    def _end(self, jobs: Sequence[JobInFlight]) -> None:
        for job in jobs:
            if self._in_flight.get(job.job.id) is job:
                del self._in_flight[job.job.id]
            job.started.end(job)
            if job.job.span is not None:
                job.job.span.end()
            if job is self._lost:
                self._lost = None
                job.started.wake()  # the next may be claimed
        if not self._in_flight:
            self._idle.set()

    async def _announce_jobs(self, jobs: Sequence[ClaimedJob]) -> None:
        by_organization: dict[str, list[str]] = {}
        for job in jobs:
            by_organization.setdefault(job.organization_id, []).append(job.id)
        changed = {organization_id: Changes(ids) for organization_id, ids in by_organization.items()}
        await announce_all(self._services.redis, changed)

    async def _renew_forever(self) -> None:
        """Renew leases in good time, and show how far the slower jobs are."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(SHOWN_AFTER_SECONDS)
            in_flight = dict(self._in_flight)
            # Whether all are still held is looked at less often than how far the slower ones are is shown.
            look = time.monotonic() - looked_at >= min(self._lease.total_seconds() / 4, 1.0)
            if not in_flight:
                continue
            if look:
                looked_at = time.monotonic()
            try:
                await self._renew(in_flight, look=look)
            except Exception as error:
                _log.warning("leases not renewed", jobs=len(in_flight), error=type(error).__name__)

    async def _renew(self, in_flight: dict[str, JobInFlight], *, look: bool) -> None:
        """Renew what is due, and with `look` see whether the others are still held."""
        now, renew_after = time.monotonic(), self._lease.total_seconds() / 4
        due = [running for running in in_flight.values() if running.is_due(now, renew_after)]
        rest = [running.job.lease for job_id, running in in_flight.items() if not running.is_due(now, renew_after)]
        leases = [running.lease_progress() for running in due]
        at = self._services.now()
        held = await self._prolong(leases, at) | (await still_held(rest) if look else set())
        looked_at = in_flight if look else {running.job.id: running for running in due}
        for job_id, running in looked_at.items():
            if job_id not in held and job_id in self._in_flight:
                running.withdraw()  # cancelled by a user, or claimed by another: nothing it writes would count
        moved: list[ClaimedJob] = []
        for running, lease in zip(due, leases, strict=True):
            if lease.id in held:
                if running.shown != (lease.progress, lease.running_step):
                    moved.append(running.job)
                running.renewed_at, running.shown = now, (lease.progress, lease.running_step)
        await self._announce_jobs(moved)

    async def _prolong(self, leases: Sequence[LeaseProgress], at: datetime) -> set[str]:
        """Renew these leases. What cannot be stored of one job's steps costs no job its lease."""
        try:
            return await renew(leases, at, at + self._lease)
        except Exception as error:
            if is_out_of_reach(error):
                raise
            _log.warning("steps not shown", jobs=len(leases), error=type(error).__name__)
            return await renew([replace(lease, steps_so_far=None) for lease in leases], at, at + self._lease)


def _batches_of(jobs: Sequence[JobInFlight]) -> list[list[JobInFlight]]:
    """Those that are worked on together, who ends soonest first.

    Organizations of which there are few jobs have a batch of their own, which is written while the many of another are
    still decided. So have jobs whose worker was lost.
    """
    many = Counter(job.job.organization_id for job in jobs)
    kinds: dict[int, list[JobInFlight]] = {0: [], 1: [], 2: []}
    for job in jobs:
        kinds[2 if job.job.was_lost else int(many[job.job.organization_id] > FEW)].append(job)
    return [together for together in kinds.values() if together]
