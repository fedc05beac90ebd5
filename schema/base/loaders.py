"""Reads what belongs to many objects of an answer with one query for all of them.

Nothing is kept: an operation may be a subscription that lives for hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

from strawberry.dataloader import DataLoader

from models.conflict.shown import ShownConflict
from models.conflict.table import Conflict
from models.db.wanted import EVERYTHING, Wanted, merged
from models.job.shown import ShownJob
from models.record import Record
from models.record.shown import ShownValue
from resolvers import dataloader
from resolvers.context import Context
from resolvers.paging import Page
from resolvers.record import api as records
from resolvers.refresh.freshness import Aging, aging


@dataclass(frozen=True, slots=True)
class Asked:
    """What belongs to the row of this id, and what is to be shown of it."""

    id: str
    wanted: Wanted = dataclass_field(default=EVERYTHING, compare=False)


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The newest `size` jobs of a record, or values of its fields (of `field` alone, if named).

    `backwards`: the oldest.
    """

    record_id: str
    size: int
    field: str | None = None
    backwards: bool = False
    wanted: Wanted = dataclass_field(default=EVERYTHING, compare=False)


class Loaders:
    """The data loaders of one operation. What is asked for together is read with all that any of it is to show."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.jobs: DataLoader[Asked, ShownJob] = DataLoader(self._jobs, cache=False)
        self.jobs_there: DataLoader[Asked, ShownJob | None] = DataLoader(self._jobs_there, cache=False)
        self.records: DataLoader[str, Record | None] = DataLoader(self._records, cache=False)
        self.conflicts: DataLoader[str, Conflict | None] = DataLoader(self._conflicts, cache=False)
        self.conflicts_of: DataLoader[Asked, Sequence[ShownConflict]] = DataLoader(self._conflicts_of, cache=False)
        self.aging: DataLoader[None, Aging] = DataLoader(self._aging, cache=False)
        self.provenance: DataLoader[Asked, list[ShownValue]] = DataLoader(self._provenance, cache=False)
        self.jobs_of: DataLoader[FirstPage, Page[ShownJob]] = DataLoader(self._jobs_of, cache=False)
        self.history_of: DataLoader[FirstPage, Page[ShownValue]] = DataLoader(self._history_of, cache=False)

    async def _jobs(self, asked: list[Asked]) -> list[ShownJob]:
        found = await dataloader.jobs_by_id(self._ctx, _ids(asked), _wanted(asked))
        return [found[item.id] for item in asked]

    async def _jobs_there(self, asked: list[Asked]) -> list[ShownJob | None]:
        """As `jobs`; None for those that are gone."""
        found = await dataloader.jobs_by_id(self._ctx, _ids(asked), _wanted(asked))
        return [found.get(item.id) for item in asked]

    async def _records(self, ids: list[str]) -> list[Record | None]:
        found = await dataloader.records_by_id(self._ctx, list(dict.fromkeys(ids)))
        return [found.get(record_id) for record_id in ids]

    async def _conflicts(self, ids: list[str]) -> list[Conflict | None]:
        found = await dataloader.conflicts_by_id(self._ctx, list(dict.fromkeys(ids)))
        return [found.get(conflict_id) for conflict_id in ids]

    async def _conflicts_of(self, asked: list[Asked]) -> list[Sequence[ShownConflict]]:
        found = await dataloader.conflicts_by_job(self._ctx, _ids(asked), _wanted(asked))
        return [found[item.id] for item in asked]

    async def _aging(self, keys: list[None]) -> list[Aging]:
        return [await aging(self._ctx)] * len(keys)

    async def _provenance(self, asked: list[Asked]) -> list[list[ShownValue]]:
        found = await records.provenance_of_many(self._ctx, _ids(asked), _wanted(asked))
        return [found[item.id] for item in asked]

    async def _jobs_of(self, pages: list[FirstPage]) -> list[Page[ShownJob]]:
        found: dict[FirstPage, Page[ShownJob]] = {}
        wanted = _wanted(pages)
        for kind, record_ids in _by_kind(pages).items():
            of_records = await dataloader.jobs_by_record(
                self._ctx, record_ids, kind.size, wanted, backwards=kind.backwards
            )
            found |= {replace(kind, record_id=record_id): page for record_id, page in of_records.items()}
        return [found[page] for page in pages]

    async def _history_of(self, pages: list[FirstPage]) -> list[Page[ShownValue]]:
        found: dict[FirstPage, Page[ShownValue]] = {}
        wanted = _wanted(pages)
        for kind, record_ids in _by_kind(pages).items():
            of_records = await dataloader.history_by_record(
                self._ctx, record_ids, kind.field, kind.size, wanted, backwards=kind.backwards
            )
            found |= {replace(kind, record_id=record_id): page for record_id, page in of_records.items()}
        return [found[page] for page in pages]


def _ids(asked: list[Asked]) -> list[str]:
    return list(dict.fromkeys(item.id for item in asked))


def _wanted(asked: Sequence[Asked] | Sequence[FirstPage]) -> Wanted:
    """What any of them is to show; an operation asks for many with the same object, and seldom with a second."""
    return merged({id(item.wanted): item.wanted for item in asked}.values())


def _by_kind(pages: list[FirstPage]) -> dict[FirstPage, list[str]]:
    """Record ids by the kind of page: a page with the same size and field, and no record."""
    kinds: dict[FirstPage, list[str]] = {}
    for page in dict.fromkeys(pages):
        kinds.setdefault(FirstPage("", page.size, page.field, page.backwards), []).append(page.record_id)
    return kinds
