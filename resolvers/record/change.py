"""What follows from a record's values and is stored beside them: the text to search in, and the completeness."""

from collections.abc import Mapping
from typing import Any

from enrichment.catalogue import completeness
from enrichment.enums import EntityType
from models.record.row import RecordUpdate

_SEARCHED = (
    "name",
    "company",
    "firstName",
    "lastName",
    "fullName",
    "email",
    "domain",
    "companyDomain",
    "website",
)
_LONGEST = 1000


def record_update(
    record_id: str,
    version: int,
    entity_type: EntityType,
    external_id: str,
    fields: Mapping[str, Any],
    *,
    received: Mapping[str, Any] | None = None,
) -> RecordUpdate:
    """The change that gives a record these values. `received` is given where they come from the CRM."""
    return RecordUpdate(
        id=record_id,
        version=version,
        fields=dict(fields),
        search_text=search_text(external_id, fields),
        completeness=completeness(entity_type, fields),
        received=None if received is None else dict(received),
    )


def search_text(external_id: str, fields: Mapping[str, Any]) -> str:
    """What `RecordFilter.search` looks in: the names and addresses of a record, in lower case."""
    named = [external_id, *(value for name in _SEARCHED if isinstance(value := fields.get(name), str))]
    return " ".join(named).lower()[:_LONGEST]
