"""Reading conflicts: by a filter, by id, by job, and as they were at a moment."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from enrichment.enums import ConflictReason, ConflictStatus
from models.conflict.table import Conflict
from models.db.columns import to_micros
from models.db.rows import fetch, projection, select
from models.db.statements import marks
from models.record.related import RelatedFilter, narrow

_READ_AT_ONCE = 500
WITH_RECORDS_AT_ONCE = 100  # conflicts with their records and jobs: more would hold up everyone else meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictFilter(RelatedFilter):
    """Which conflicts. An empty `status` means the open ones; `field` also finds a unit by a part that it shows."""

    job_id: str | None = None
    field: str | None = None
    status: tuple[ConflictStatus, ...] = ()
    reason: tuple[ConflictReason, ...] = ()
    provider: str | None = None
    search: str | None = None  # a part of a name, an e-mail, a domain or the external id of the record

    @property
    def searched(self) -> str | None:
        """What is searched for, as records hold it; None for nothing."""
        return (self.search or "").strip().lower() or None

    def conditions(self) -> dict[str, Any]:
        return RelatedFilter.conditions(self) | {
            "job_id": self.job_id,
            "status__in": self.status or (ConflictStatus.OPEN,),
            "reason__in": self.reason,
            "providers__contains": None if self.provider is None else f" {self.provider} ",
        }


def select_conflicts(organization_id: str, wanted: ConflictFilter) -> QuerySet[Conflict]:
    """The conflicts that the filter lets through, with their records and jobs."""
    of_record = {"record__search_text__contains": wanted.searched}
    found = narrow(_conflicts(organization_id), wanted.conditions() | wanted.times() | of_record)
    return found if wanted.field is None else found.filter(_is_about(wanted.field))


def _is_about(field: str) -> Q:
    """Whether a conflict is about a field, by itself or as a part of a unit, or about a unit of this name."""
    return Q(field=field) | Q(part_names__contains=f" {field} ")


async def conflicts_by_id(organization_id: str, ids: Sequence[str]) -> dict[str, Conflict]:
    """These conflicts by id, with their records and jobs. One that is not there is left out."""
    found: dict[str, Conflict] = {}
    for start in range(0, len(ids), WITH_RECORDS_AT_ONCE):
        piece = list(ids[start : start + WITH_RECORDS_AT_ONCE])
        found |= {conflict.id: conflict for conflict in await _conflicts(organization_id).filter(id__in=piece)}
    return found


async def conflicts_of_record(organization_id: str, record_id: str, field: str | None = None) -> list[Conflict]:
    """All conflicts about a record, newest first, with the record and their jobs; about one field, or its unit."""
    found = _conflicts(organization_id).filter(record_id=record_id)
    return await (found if field is None else found.filter(_is_about(field))).order_by("-id")


async def oldest_conflicts(
    organization_id: str, wanted: ConflictFilter, most: int, *, at_once: int = WITH_RECORDS_AT_ONCE
) -> AsyncIterator[list[Conflict]]:
    """The oldest `most` conflicts that the filter lets through, oldest first, with their records and jobs.

    They come in pieces of `at_once`, between which everyone else has a turn.
    """
    selected, after = select_conflicts(organization_id, wanted).order_by("id"), ""
    while most > 0:
        found = await (selected.filter(id__gt=after) if after else selected).limit(min(at_once, most))
        if found:
            yield found
        if len(found) < at_once:
            break
        most, after = most - len(found), found[-1].id


async def oldest_conflict_ids(organization_id: str, wanted: ConflictFilter, most: int) -> list[str]:
    """The ids of the oldest `most` conflicts that the filter lets through, oldest first, all of one moment."""
    if most < 1:
        return []  # values_list would take a limit of 0 for no limit
    found = select_conflicts(organization_id, wanted).order_by("id").limit(most)
    return [str(conflict_id) for conflict_id in await found.values_list("id", flat=True)]


async def latest_resolved(organization_id: str, wanted: ConflictFilter, most: int) -> list[Conflict]:
    """The `most` conflicts of those that the filter lets through that were resolved last, the latest first."""
    return await select_conflicts(organization_id, wanted).order_by("-resolved_at", "-id").limit(most)


async def count_conflicts(organization_id: str, wanted: ConflictFilter) -> int:
    """How many conflicts the filter lets through."""
    return await select_conflicts(organization_id, wanted).count()


def _conflicts(organization_id: str) -> QuerySet[Conflict]:
    return Conflict.filter(organization_id=organization_id).prefetch_related("record", "job")


@projection(Conflict)
class _Lifetime:
    record_id: str
    field: str
    part_names: str | None
    created_at: datetime
    updated_at: datetime
    taken_back: list[dict[str, Any]] | None

    def was_open(self, moment: datetime) -> bool:
        """Whether it was open just before; that it is open, or ended later, the caller has looked at."""
        closed = (
            (datetime.fromisoformat(former["resolvedAt"]), datetime.fromisoformat(former["takenBackAt"]))
            for former in self.taken_back or ()
        )
        return self.created_at < moment and not any(since < moment <= until for since, until in closed)


async def open_at(organization_id: str, moments: Mapping[str, datetime]) -> list[tuple[str, str]]:
    """The (record id, field) of the conflicts that were open just before each record's moment.

    A conflict about a unit is there by its name and by each part that it shows.
    """
    if not moments:
        return []
    sql = f"SELECT {select(_Lifetime)} FROM conflict WHERE organization_id = ?"
    settled = await fetch(
        _Lifetime,
        f"{sql} AND status <> 'open' AND updated_at >= ?",
        [organization_id, to_micros(min(moments.values()))],
    )
    found = [row for row in settled if row.record_id in moments and row.updated_at >= moments[row.record_id]]
    ids = list(moments)
    for start in range(0, len(ids), _READ_AT_ONCE):
        some = ids[start : start + _READ_AT_ONCE]
        found += await fetch(
            _Lifetime, f"{sql} AND status = 'open' AND record_id IN ({marks(some)})", [organization_id, *some]
        )
    return [
        (row.record_id, name)
        for row in found
        if row.was_open(moments[row.record_id])
        for name in (row.field, *(row.part_names or "").split())
    ]
