"""What follows from a record's values and is stored beside them: the text to search in, and the completeness."""

from collections.abc import Mapping
from typing import Any

from enrichment.catalogue import completeness
from enrichment.enums import EntityType
from enrichment.record_state import Unreadable, with_unreadable
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
    unreadable: Mapping[str, Unreadable],
    *,
    received: Mapping[str, Any] | None = None,
    raw: Mapping[str, Any] | None = None,
) -> RecordUpdate:
    """The change that gives a record these values, and these that cannot be read.

    `received` and `raw` are given where what the CRM last sent is another from now on.
    """
    return RecordUpdate(
        id=record_id,
        version=version,
        fields=dict(fields),
        unreadable=dict(unreadable),
        search_text=search_text(external_id, fields, unreadable),
        completeness=completeness(entity_type, with_unreadable(fields, unreadable)),
        received=None if received is None else dict(received),
        raw_values=None if raw is None else dict(raw),
    )


def search_text(external_id: str, fields: Mapping[str, Any], unreadable: Mapping[str, Unreadable]) -> str:
    """What `RecordFilter.search` looks in: the names and addresses of a record, in lower case."""
    shown = with_unreadable(fields, unreadable)
    named = [external_id, *(value for name in _SEARCHED if isinstance(value := shown.get(name), str))]
    return " ".join(named).lower()[:_LONGEST]
