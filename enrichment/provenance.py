"""A value that a field holds, and who gave it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.enums import HUMAN_SOURCES


@dataclass(slots=True, unsafe_hash=True)  # not frozen, see FieldCase; nobody changes one
class Current:
    """A field's value as it stands. `source` is `crm`, `reviewer` or a provider's id.

    The value None is a field that was cleared. `observed_at` says nothing where `observed_at_known` is False: it holds
    the arrival of a value that the CRM did not date, and no rule reads it. `edited_at`: when the CRM sent it for a
    record that it had sent before, so that it was set by then, and not long before; None where nothing is known.
    `unreadable` is the reason why the value cannot be read, None for one that can: it is then what the CRM sent, as it
    was sent, and means the same as no other.
    """

    value: Any
    source: str
    confidence: float
    observed_at: datetime
    written_at: datetime
    observed_at_known: bool = True
    edited_at: datetime | None = None
    unreadable: str | None = None

    @property
    def is_a_persons(self) -> bool:
        """Whether the CRM or a person holds the value, rather than enrichment itself."""
        return self.source in HUMAN_SOURCES

    @property
    def seen_at(self) -> datetime | None:
        """When the value was observed last, or set; None where nobody knows."""
        return self.observed_at if self.observed_at_known else self.edited_at
