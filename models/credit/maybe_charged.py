"""The calls that a provider may have charged, one by one: lines of the ledger that were released with a note."""

from collections.abc import Sequence
from datetime import datetime

from enrichment.enums import EntityType
from models.credit.entry import CreditEntry
from models.db.period import Period, within
from models.db.rows import fetch, projection, select
from models.db.statements import marks


@projection(CreditEntry)
class ReleasedLine:
    """A release, with the note that says why."""

    id: str
    provider: str | None
    entity_type: EntityType | None
    job_id: str | None
    record_id: str | None
    reserved_change: int
    note: str | None
    created_at: datetime


async def released_lines(notes: Sequence[str], period: Period, most: int) -> list[ReleasedLine]:
    """The period's releases with one of these notes, the newest first, `most` at most."""
    sql = (
        f"SELECT {select(ReleasedLine)} FROM credit_entry WHERE {within()} AND kind = 'release'"
        f" AND note IS NOT NULL AND note IN ({marks(notes)}) ORDER BY created_at DESC, id DESC LIMIT ?"
    )
    return await fetch(ReleasedLine, sql, [*period.values, *notes, most])
