"""Finding records by a part of their search text with SQLite's index of three-letter parts (see migration 0025)."""

from weakref import WeakKeyDictionary

from models.db.connection import connection, dialect
from models.db.statements import query
from models.db.where import Where

SHORTEST = 3  # characters of a text that the index can look for
MOST_PARTS = 30  # of a text that are looked for; what is found is compared with the whole
MOST_FOUND = 10_000  # records; of more, those of a page are found sooner by looking through the newest

_has_index: WeakKeyDictionary[object, bool] = WeakKeyDictionary()


async def holding(text: str) -> Where:
    """A condition that finds by the index what may hold a text; none where looking through the records is better.

    It lets records through that do not hold the text: it stands beside a condition that says so exactly.
    """
    if dialect() != "sqlite" or len(text) < SHORTEST or not await _is_indexed():
        return Where()
    parts = dict.fromkeys(text[start : start + SHORTEST] for start in range(len(text) - SHORTEST + 1))
    wanted = " AND ".join(_quoted(part) for part in list(parts)[:MOST_PARTS])
    [found] = await query(
        "SELECT COUNT(*) AS number FROM (SELECT 1 FROM record_search WHERE record_search MATCH ? LIMIT ?) AS found",
        [wanted, MOST_FOUND + 1],
    )
    if found["number"] > MOST_FOUND:
        return Where()
    return Where(
        " AND id IN (SELECT record_id FROM record_number WHERE number IN"
        " (SELECT rowid FROM record_search WHERE record_search MATCH ?))",
        (wanted,),
    )


async def _is_indexed() -> bool:
    client = connection()
    if client not in _has_index:
        _has_index[client] = bool(await query("SELECT 1 AS found FROM sqlite_master WHERE name = 'record_search'"))
    return _has_index[client]


def _quoted(part: str) -> str:
    doubled = part.replace('"', '""')
    return f'"{doubled}"'
