"""A span of time of one organization, as a condition of a statement."""

from dataclasses import dataclass
from datetime import datetime

from models.db.columns import to_micros

_END_OF_TIME = 2**62
DAY_MICROS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (inclusive) to `end` (exclusive); None: without bound."""

    organization_id: str
    start: datetime | None = None
    end: datetime | None = None

    @property
    def values(self) -> list[str | int]:
        """The parameters of `condition`."""
        start = 0 if self.start is None else to_micros(self.start)
        return [self.organization_id, start, _END_OF_TIME if self.end is None else to_micros(self.end)]


def within(moment: str = "created_at", table: str = "") -> str:
    """The condition that a row of the table (name or alias) is the organization's, and its moment in the period."""
    before = f"{table}." if table else ""
    return f"{before}organization_id = ? AND {before}{moment} >= ? AND {before}{moment} < ?"
