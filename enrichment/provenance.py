"""A value that a field holds, and who gave it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import HUMAN_SOURCES


@dataclass(frozen=True, slots=True)
class Current:
    """A field's value as it stands. `source` is `crm`, `reviewer` or a provider's id.

    The value None is a field that was cleared.
    """

    value: Any
    source: str
    confidence: float
    observed_at: datetime
    written_at: datetime

    @property
    def is_a_persons(self) -> bool:
        """Whether the CRM or a person holds the value, rather than enrichment itself."""
        return self.source in HUMAN_SOURCES
