"""Reads what belongs to many objects of an answer with one query for all of them.

Nothing is kept: an operation may be a subscription that lives for hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from strawberry.dataloader import DataLoader

from models.conflict.table import Conflict
from models.job import Job
from models.record import FieldValue
from resolvers import dataloader
from resolvers.context import Context
from resolvers.paging import Page
from resolvers.record import api as records
from resolvers.refresh.freshness import Aging, aging

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The newest `size` jobs of a record, or values of its fields (of `field` alone, if named)."""

    record_id: str
    size: int
    field: str | None = None


class Loaders:
    """The data loaders of one operation."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.jobs: DataLoader[str, Job] = DataLoader(self._jobs, cache=False)
        self.conflicts_of: DataLoader[str, Sequence[Conflict]] = DataLoader(self._conflicts_of, cache=False)
        self.aging: DataLoader[None, Aging] = DataLoader(self._aging, cache=False)
        self.provenance: DataLoader[str, list[FieldValue]] = DataLoader(self._provenance, cache=False)
        self.jobs_of: DataLoader[FirstPage, Page[Job]] = DataLoader(self._jobs_of, cache=False)
        self.history_of: DataLoader[FirstPage, Page[FieldValue]] = DataLoader(self._history_of, cache=False)

    async def _jobs(self, ids: list[str]) -> list[Job]:
        found = await dataloader.jobs_by_id(self._ctx, _distinct(ids))
        return [found[job_id] for job_id in ids]

    async def _conflicts_of(self, job_ids: list[str]) -> list[Sequence[Conflict]]:
        found = await dataloader.conflicts_by_job(self._ctx, _distinct(job_ids))
        return [found[job_id] for job_id in job_ids]

    async def _aging(self, keys: list[None]) -> list[Aging]:
        return [await aging(self._ctx)] * len(keys)

    async def _provenance(self, record_ids: list[str]) -> list[list[FieldValue]]:
        found = await records.provenance_of_many(self._ctx, _distinct(record_ids))
        return [found[record_id] for record_id in record_ids]

    async def _jobs_of(self, pages: list[FirstPage]) -> list[Page[Job]]:
        found: dict[FirstPage, Page[Job]] = {}
        for kind, record_ids in _by_kind(pages).items():
            of_records = await dataloader.jobs_by_record(self._ctx, record_ids, kind.size)
            found |= {FirstPage(record_id, kind.size): page for record_id, page in of_records.items()}
        return [found[page] for page in pages]

    async def _history_of(self, pages: list[FirstPage]) -> list[Page[FieldValue]]:
        found: dict[FirstPage, Page[FieldValue]] = {}
        for kind, record_ids in _by_kind(pages).items():
            of_records = await dataloader.history_by_record(self._ctx, record_ids, kind.field, kind.size)
            found |= {FirstPage(record_id, kind.size, kind.field): page for record_id, page in of_records.items()}
        return [found[page] for page in pages]


def _distinct(keys: list[K]) -> list[K]:
    return list(dict.fromkeys(keys))


def _by_kind(pages: list[FirstPage]) -> dict[FirstPage, list[str]]:
    """Record ids by the kind of page: a page with the same size and field, and no record."""
    kinds: dict[FirstPage, list[str]] = {}
    for page in _distinct(pages):
        kinds.setdefault(FirstPage("", page.size, page.field), []).append(page.record_id)
    return kinds
