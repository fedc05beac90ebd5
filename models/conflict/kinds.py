"""The newest conflicts of some statuses, entity types, reasons and fields, by indexes of these (see migrations 0026
and 0046).

Those with a candidate of one provider are found by the groups of providers that occur (see migration 0032): of these
there are few, however many conflicts there are.
"""

from enum import StrEnum
from itertools import product

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit
from models.conflict.queries import ConflictFilter
from models.db import kinds
from models.db.paging import Keyset
from models.db.statements import query
from models.db.where import Where

_MOST_GROUPS = 500  # of providers, of conflicts of one status
_MOST_KINDS = 480  # SQLite puts no more than 500 selections together


def names_kinds(filter: ConflictFilter) -> bool:
    """Whether conflicts of some kinds alone are meant, and not those of one record or job, which are few."""
    of_few = (filter.record_id, filter.external_id, filter.job_id)
    named = (filter.entity_types, filter.reason, filter.field, filter.provider, len(filter.status) > 1)
    return all(value is None for value in of_few) and any(named)


async def sources_with(organization_id: str, filter: ConflictFilter) -> tuple[str, ...] | None:
    """The groups of providers with the filter's one, as `Conflict.providers` has them, of conflicts of its statuses.

    None where they are too many to look for the conflicts of each.
    """
    found: set[str] = set()
    for status in filter.status or (ConflictStatus.OPEN,):
        # One look into the index for each group.
        rows = await query(
            "SELECT providers FROM (WITH RECURSIVE occurring AS ("
            "SELECT MIN(providers) AS providers FROM conflict WHERE organization_id = ? AND status = ? UNION ALL"
            " SELECT (SELECT MIN(providers) FROM conflict WHERE organization_id = ? AND status = ?"
            " AND providers > occurring.providers) FROM occurring WHERE providers IS NOT NULL)"
            " SELECT providers FROM occurring LIMIT ?) AS found",
            [organization_id, status.value, organization_id, status.value, _MOST_GROUPS],
        )
        if len(rows) == _MOST_GROUPS:
            return None
        found |= {row["providers"] for row in rows if f" {filter.provider} " in (row["providers"] or "")}
    kinds_of_each = len(_kinds(filter)) * len(_fields(filter) or ("any",))
    return tuple(sorted(found)) if len(found) * kinds_of_each <= _MOST_KINDS else None


def newest_of_kinds(
    organization_id: str,
    filter: ConflictFilter,
    within: Where,
    keyset: Keyset,
    *,
    sources: tuple[str, ...] | None = None,
) -> Where:
    """The condition that a conflict is on the page of the conflicts of the filter's kinds for which `within` holds.

    `sources` are the groups of providers that it may have, where these are known.
    """
    columns = ["status", "entity_type", "reason"]
    wanted = _kinds(filter)
    if sources is not None:
        columns.insert(1, "providers")
        wanted = [(status, providers, *kind) for status, *kind in wanted for providers in sources]
    if fields := _fields(filter):
        columns.append("field")
        wanted = [(*kind, field) for kind in wanted for field in fields]
    return kinds.newest_of_kinds("conflict", columns, wanted, organization_id, within, keyset)


def _fields(filter: ConflictFilter) -> tuple[str, ...]:
    """What the conflicts about the filter's field are about: it, or a unit that shows it as a part.

    Empty: they may be about anything. `within` of `newest_of_kinds` says of which units the field is a part.
    """
    return () if filter.field is None else (*dict.fromkeys((filter.field, *(unit.value for unit in FieldUnit))),)


def _kinds(filter: ConflictFilter) -> list[tuple[str, ...]]:
    """The statuses, entity types and reasons that the filter lets through, each with each."""
    values: tuple[tuple[StrEnum, ...], ...] = (
        filter.status or (ConflictStatus.OPEN,),
        filter.entity_types or tuple(EntityType),
        filter.reason or tuple(ConflictReason),
    )
    return [tuple(value.value for value in kind) for kind in product(*values)]
