"""Conflicts as they are shown: rows of what is asked for, with the record as of the same moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit, Recommendation
from models.conflict.kinds import names_kinds, newest_of_kinds, sources_with
from models.conflict.queries import ConflictFilter
from models.conflict.searched import about_records_with
from models.conflict.table import Conflict, advice_of, age_of
from models.db.paging import Keyset, Page
from models.db.parts import One
from models.db.rows import projection
from models.db.selected import Selectable
from models.db.statements import one_of, texts
from models.db.wanted import EVERYTHING, Wanted, also
from models.db.where import NOTHING, Where, where
from models.record.related import created_between
from models.record.shown import RECORDS, ShownRecord


@projection(Conflict)
class _ConflictColumns:
    id: str
    record_id: str
    job_id: str
    entity_type: EntityType
    field: str
    unit: FieldUnit | None
    reason: ConflictReason
    status: ConflictStatus
    current: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    recommended_id: str | None
    recommendation: Recommendation | None
    recommended_because: str
    resolution: dict[str, Any] | None
    resolution_id: str | None
    taken_back: list[dict[str, Any]] | None
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


class ShownConflict(_ConflictColumns):
    """What is shown of a conflict: see Conflict."""

    __slots__ = ("record",)

    record: ShownRecord

    @property
    def advice(self) -> Recommendation:
        """What is recommended: see Conflict."""
        return advice_of(self.recommended_id, self.recommendation)

    def age_seconds(self, now: datetime) -> int:
        """How long it has been open, or was until it was settled."""
        return age_of(self, now)


AnyConflict: TypeAlias = Conflict | ShownConflict
"""A conflict with its record: the row that decisions change, or what is shown of it."""

CONFLICTS = Selectable(
    ShownConflict,
    "conflict",
    record=One(RECORDS, "record.id = conflict.record_id AND record.organization_id = conflict.organization_id"),
)


async def conflict_page(
    organization_id: str, filter: ConflictFilter, keyset: Keyset, wanted: Wanted = EVERYTHING
) -> Page[ShownConflict]:
    """A page of the conflicts that the filter lets through, in the order of the keyset."""
    about, of_few = _about(filter.field) + created_between(filter), False
    if filter.searched is not None:
        searched, of_few = await about_records_with(organization_id, filter.searched)
        about += searched
    every = where(Conflict, filter.conditions()) + about
    if of_few or not names_kinds(filter):
        return await CONFLICTS.page(organization_id, every, keyset, wanted)
    sources = None
    if filter.provider is not None and (sources := await sources_with(organization_id, filter)) is not None:
        every += where(Conflict, {"providers__in": sources}) if sources else NOTHING
        if not sources:
            return await CONFLICTS.page(organization_id, every, keyset, wanted)
    named_by_kind = ("status__in", "entity_type__in", "reason__in")
    others = {name: value for name, value in filter.conditions().items() if name not in named_by_kind}
    within = where(Conflict, others) + about
    found_by = newest_of_kinds(organization_id, filter, within, keyset, sources=sources)
    return await CONFLICTS.page(organization_id, every, keyset, wanted, found_by=found_by)


def _about(field: str | None) -> Where:
    """The condition that a conflict is about a field, by itself or as a part of a unit."""
    if field is None:
        return Where()
    part = where(Conflict, {"part_names__contains": f" {field} "})
    return Where(f" AND (field = ? OR{part.sql.removeprefix(' AND')})", (field, *part.values))


async def find_conflict(organization_id: str, conflict_id: str, wanted: Wanted = EVERYTHING) -> ShownConflict | None:
    """One conflict."""
    found = await CONFLICTS.fetch(organization_id, Where(" AND id = ?", (conflict_id,)), wanted)
    return found[0] if found else None


async def shown_conflicts(
    organization_id: str, conflict_ids: Sequence[str], wanted: Wanted = EVERYTHING
) -> list[ShownConflict]:
    """Those of the conflicts that are the organization's."""
    return await CONFLICTS.fetch(organization_id, Where(f" AND {one_of('id')}", (texts(conflict_ids),)), wanted)


async def conflicts_of_jobs(
    organization_id: str, job_ids: Sequence[str], wanted: Wanted = EVERYTHING
) -> list[ShownConflict]:
    """The conflicts that these jobs raised, whatever became of them, oldest first."""
    if not job_ids:
        return []
    return await CONFLICTS.fetch(
        organization_id, where(Conflict, {"job_id__in": tuple(job_ids)}), also(wanted, "job_id")
    )
