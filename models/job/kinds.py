"""The newest jobs of some statuses, entity types and triggers, without reading the jobs of others.

Jobs of one status, entity type and trigger lie together in an index (`job_of_kind`), in order of their ids. Each kind
that a filter lets through gives its newest, and the newest of these are the page: what is read does not depend on how
many jobs of other kinds there are, even where none is found.
"""

from dataclasses import replace
from itertools import product

from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db.connection import dialect
from models.db.paging import Keyset
from models.db.where import Where
from models.job.queries import JobFilter


def every_kind(filter: JobFilter) -> JobFilter:
    """The same filter, with all kinds named that it lets through."""
    return replace(
        filter,
        status=filter.status or tuple(JobStatus),
        entity_types=filter.entity_types or tuple(EntityType),
        trigger=filter.trigger or tuple(JobTrigger),
    )


def newest_of_kinds(organization_id: str, filter: JobFilter, within: Where, keyset: Keyset) -> Where:
    """The condition that a job is on the page of the jobs of the filter's kinds for which `within` holds.

    Of the page are all jobs that `keyset` asks for, and one more where there is one.
    """
    named = every_kind(filter)
    kinds = [(s.value, e.value, t.value) for s, e, t in product(named.status, named.entity_types, named.trigger)]
    bounds, order, size = within + keyset.bounds, "id" if keyset.backwards else "id DESC", keyset.size + 1
    if dialect() == "sqlite":
        of_kind = (
            "SELECT id FROM (SELECT id FROM job WHERE organization_id = ? AND status = ? AND entity_type = ?"
            f" AND trigger_kind = ?{bounds.sql} ORDER BY {order} LIMIT {size})"
        )
        newest = (
            f"SELECT id FROM ({' UNION ALL '.join([of_kind] * len(kinds))}) AS newest ORDER BY {order} LIMIT {size}"
        )
        values = [value for kind in kinds for value in (organization_id, *kind, *bounds.values)]
    else:
        newest = (
            "SELECT newest.id FROM unnest(?::text[], ?::text[], ?::text[]) AS kind(status, entity_type, trigger_kind)"
            " CROSS JOIN LATERAL (SELECT id FROM job WHERE organization_id = ? AND status = kind.status"
            f" AND entity_type = kind.entity_type AND trigger_kind = kind.trigger_kind{bounds.sql}"
            f" ORDER BY {order} LIMIT {size}) AS newest ORDER BY newest.{order} LIMIT {size}"
        )
        values = [*(list(column) for column in zip(*kinds, strict=True)), organization_id, *bounds.values]
    return Where(f" AND id IN ({newest})", tuple(values))
