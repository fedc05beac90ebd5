"""Looks up what belongs to many objects of one answer with one question for all of them.

Nothing is kept: an operation may be a subscription that lives for hours.
"""

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from models.record import FieldValue
from resolvers import jobs, records, related
from resolvers.context import Context
from resolvers.paging import PageArgs
from schema.conflict import Conflict
from schema.job import Job
from schema.paging import Connection, Each


class Loaders:
    """The look-ups of one operation."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.jobs: DataLoader[str, Job] = DataLoader(self._jobs, cache=False)
        self.conflicts: DataLoader[str, Sequence[Conflict]] = DataLoader(self._conflicts, cache=False)
        self.provenance: DataLoader[str, list[FieldValue]] = DataLoader(self._provenance, cache=False)

    async def jobs_of(self, record_id: str, page: PageArgs) -> Connection[Job]:
        """One page of a record's jobs."""
        wanted = jobs.JobFilter(record_id=record_id)
        return Connection[Job].of(await jobs.list_jobs(self._ctx, wanted, page), Job.of)

    async def _jobs(self, ids: list[str]) -> list[Job]:
        found = await related.jobs_by_id(self._ctx, ids)
        return [Job.of(found[job_id]) for job_id in ids]

    async def _conflicts(self, job_ids: list[str]) -> list[Sequence[Conflict]]:
        found = await related.conflicts_by_job(self._ctx, job_ids)
        return [Each(Conflict.of, found[job_id]) for job_id in job_ids]

    async def _provenance(self, record_ids: list[str]) -> list[list[FieldValue]]:
        found = await records.provenance_of_many(self._ctx, record_ids)
        return [found[record_id] for record_id in record_ids]
