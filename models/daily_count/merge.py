"""Merges the rows that PostgreSQL's writers have added to the daily counts. SQLite's writer merges by itself."""

from models.db.rows import fetch, query_row
from models.db.transaction import Transaction, unit_of_work

MERGED_AT_ONCE = 10_000
_KEY = "organization_id, measure, day, entity_type, trigger_kind, provider, name"
_MERGE = f"""
WITH unmerged AS (SELECT tableoid AS part, ctid AS place FROM daily_count
  WHERE NOT is_merged LIMIT ? FOR UPDATE SKIP LOCKED),
taken AS (DELETE FROM daily_count WHERE ctid = ANY (ARRAY (SELECT place FROM unmerged))
    AND (tableoid, ctid) IN (SELECT part, place FROM unmerged)
  RETURNING {_KEY}, events, credits),
added AS (INSERT INTO daily_count AS held ({_KEY}, events, credits, is_merged)
  SELECT {_KEY}, SUM(events), SUM(credits), TRUE FROM taken GROUP BY {_KEY} ORDER BY {_KEY}
  ON CONFLICT ({_KEY}) WHERE is_merged
    DO UPDATE SET events = held.events + excluded.events, credits = held.credits + excluded.credits RETURNING 1)
SELECT COUNT(*) AS rows FROM taken
"""


@query_row
class _Taken:
    rows: int


@unit_of_work
async def merge_counts(tx: Transaction, most: int) -> int:
    """Add up to `most` rows to the counts that they are of. Returns how many there were."""
    [taken] = await fetch(_Taken, _MERGE, [most], using=tx)
    return taken.rows
