"""A record as decisions see it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.provenance import Current

RejectedValue = tuple[str, str, str]
"""What is not accepted again: field, value key (`enrichment.catalogue.value_key`), source."""

Unreadable = dict[str, Any]
"""What the CRM sent for a field and cannot be read: `raw` as it was sent, and the `reason` in plain words."""


def with_unreadable(fields: Mapping[str, Any], unreadable: Mapping[str, Unreadable]) -> dict[str, Any]:
    """The values of a record's fields, and of those that have none what cannot be read, as it was sent."""
    return {name: text["raw"] for name, text in unreadable.items()} | dict(fields)


@dataclass(frozen=True, slots=True)
class RecordState:
    """A record as a job finds it: its fields, the provenance of those that have one, and what was rejected."""

    fields: Mapping[str, Any]
    current: Mapping[str, Current]
    rejected: Set[RejectedValue]
    last_enriched_at: datetime | None
