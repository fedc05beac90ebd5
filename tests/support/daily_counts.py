"""The daily counts beside the same counts from the rows."""

from collections import Counter

from models.daily_count.raw import Counted, counted_from_rows
from models.daily_count.read import Column, counted
from models.daily_count.table import Measure
from models.db.period import Period

EVERY_COLUMN: tuple[Column, ...] = ("day", "entity_type", "trigger_kind", "provider", "name")
OF_DAYS = [measure for measure in Measure if measure not in {Measure.RECORD, Measure.CONFLICT_OPEN}]


def tally(rows: list[Counted], *, days: bool = True) -> dict[tuple[object, ...], tuple[int, int]]:
    """What was counted, by all that tells counts apart."""
    events: Counter[tuple[object, ...]] = Counter()
    credits: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        key = (row.measure, row.day if days else 0, row.entity_type, row.trigger_kind, row.provider, row.name)
        events[key] += row.events
        credits[key] += row.credits
    return {key: (events[key], credits[key]) for key in events if events[key] or credits[key]}


async def assert_counted_as_rows(organization_id: str = "acme") -> None:
    """Every daily count, and every sum over all days, is what the rows that there are add up to."""
    period = Period(organization_id)
    rows = await counted_from_rows(period, OF_DAYS)
    assert tally(await counted(period, OF_DAYS, EVERY_COLUMN)) == tally(rows)
    assert tally(await counted(period, OF_DAYS, EVERY_COLUMN[1:])) == tally(rows, days=False)
