"""The newest conflicts of some statuses, entity types, reasons and fields, by indexes of these (see migration 0026)."""

from itertools import product

from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit
from models.conflict.queries import ConflictFilter
from models.db import kinds
from models.db.paging import Keyset
from models.db.where import Where


def names_kinds(filter: ConflictFilter) -> bool:
    """Whether conflicts of some kinds alone are meant, and not those of one record or job, which are few."""
    of_few = (filter.record_id, filter.external_id, filter.job_id)
    named = (filter.entity_types, filter.reason, filter.field, len(filter.status) > 1)
    return all(value is None for value in of_few) and any(named)


def newest_of_kinds(organization_id: str, filter: ConflictFilter, within: Where, keyset: Keyset) -> Where:
    """The condition that a conflict is on the page of the conflicts of the filter's kinds for which `within` holds."""
    columns = ["status", "entity_type", "reason"]
    values: list[list[str]] = [
        [status.value for status in filter.status or (ConflictStatus.OPEN,)],
        [entity_type.value for entity_type in filter.entity_types or tuple(EntityType)],
        [reason.value for reason in filter.reason or tuple(ConflictReason)],
    ]
    if filter.field is not None:
        columns.append("field")
        # About a field are its own conflicts, and those of a unit that show it as a part, as `within` says.
        values.append(list(dict.fromkeys((filter.field, *(unit.value for unit in FieldUnit)))))
    return kinds.newest_of_kinds("conflict", columns, list(product(*values)), organization_id, within, keyset)
