"""The newest jobs of some statuses, entity types and triggers, by the index of all three (`job_of_kind`)."""

from dataclasses import replace
from itertools import product

from enrichment.enums import EntityType, JobStatus, JobTrigger
from models.db import kinds
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
    """The condition that a job is on the page of the jobs of the filter's kinds for which `within` holds."""
    named = every_kind(filter)
    wanted = [(s.value, e.value, t.value) for s, e, t in product(named.status, named.entity_types, named.trigger)]
    columns = ("status", "entity_type", "trigger_kind")
    return kinds.newest_of_kinds("job", columns, wanted, organization_id, within, keyset)
