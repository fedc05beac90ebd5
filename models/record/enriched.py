"""Records by when they were enriched last: the few that a time holds are found by their index, and not along a page.

A page goes along the ids. Where a time holds few records, which mostly lie together, a page would pass by all others.
"""

from datetime import datetime

from enrichment.enums import EntityType
from models.db import kinds
from models.db.columns import to_micros
from models.db.paging import Keyset
from models.db.statements import one_of, query, texts
from models.db.where import NOTHING, Where

_NEVER = Where(" AND last_enriched_at IS NULL")
MOST_FOUND = 1_000  # more than these are met soon enough along the ids


async def enriched_in(
    organization_id: str, entity_type: EntityType | None, after: datetime | None, before: datetime | None
) -> Where:
    """A condition that names the records of this time by their ids; none where there are many, or no time is named."""
    bounds = {"last_enriched_at > ?": after, "last_enriched_at < ?": before}
    given = {condition: to_micros(moment) for condition, moment in bounds.items() if moment is not None}
    if not given:
        return Where()
    types = [each.value for each in (EntityType if entity_type is None else (entity_type,))]
    # In the order of the index, type by type: a range without an order may be read from the table.
    of_type = (
        "SELECT id FROM (SELECT id FROM record WHERE organization_id = ? AND entity_type = ?"
        f" AND {' AND '.join(given)} ORDER BY last_enriched_at LIMIT ?) AS of_type"
    )
    found = await query(
        " UNION ALL ".join([of_type] * len(types)),
        [value for each in types for value in (organization_id, each, *given.values(), MOST_FOUND + 1)],
    )
    if len(found) > MOST_FOUND:
        return Where()
    return Where(f" AND {one_of('id')}", (texts(row["id"] for row in found),))


def by_enrichment(organization_id: str, entity_type: EntityType | None, within: Where, keyset: Keyset) -> Where:
    """The condition that a record is on the page of those that were enriched, in the order of when they last were."""
    types = [(each.value,) for each in (EntityType if entity_type is None else (entity_type,))]
    return kinds.newest_of_kinds("record", ("entity_type",), types, organization_id, within, keyset)


async def never_enriched(organization_id: str, entity_type: EntityType | None) -> Where:
    """The condition that a record was never enriched: by the ids of those that are, where they are few."""
    types = [each.value for each in (EntityType if entity_type is None else (entity_type,))]
    of_type = (
        "SELECT id FROM (SELECT id FROM record WHERE organization_id = ? AND entity_type = ?"
        " AND last_enriched_at IS NULL ORDER BY last_enriched_at LIMIT ?) AS of_type"
    )
    found = await query(
        " UNION ALL ".join([of_type] * len(types)),
        [value for each in types for value in (organization_id, each, MOST_FOUND + 1)],
    )
    if not found:
        return NOTHING
    if len(found) > MOST_FOUND:
        return _NEVER
    return _NEVER + Where(f" AND {one_of('id')}", (texts(row["id"] for row in found),))
