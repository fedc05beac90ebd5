"""Merges the daily counts: on PostgreSQL each writer adds rows of its own to them."""

from typing import Any

from models.daily_count.merge import MERGED_AT_ONCE, merge_counts
from models.db.connection import dialect

_BATCHES = 20


async def merge_daily_counts(ctx: dict[str, Any]) -> int:
    """Merge what was added since the last time. Returns how many rows that were. Safe to run any number at once."""
    if dialect() == "sqlite":
        return 0  # its one writer adds to what is there
    merged = 0
    for _ in range(_BATCHES):
        rows = await merge_counts(MERGED_AT_ONCE)
        merged += rows
        if rows < MERGED_AT_ONCE:
            break
    return merged
