"""A record as decisions see it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.provenance import Current

RejectedValue = tuple[str, str, str]
"""What is not accepted again: field, value key (`enrichment.catalogue.value_key`), source."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """A record as a job finds it: its fields, the provenance of those that have one, and what was rejected."""

    fields: Mapping[str, Any]
    current: Mapping[str, Current]
    rejected: Set[RejectedValue]
    last_enriched_at: datetime | None
