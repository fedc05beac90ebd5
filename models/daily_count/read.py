"""Reads the daily counts: whole days from them, what is left at the ends of a period from its rows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple

from models.daily_count.raw import Counted, counted_from_rows
from models.daily_count.table import ALL_DAYS, Measure
from models.db.columns import to_micros
from models.db.period import DAY_MICROS, Period
from models.db.rows import fetch
from models.db.statements import driver_rows, marks

Column = Literal["day", "entity_type", "trigger_kind", "provider", "name"]
_COLUMNS: tuple[Column, ...] = ("day", "entity_type", "trigger_kind", "provider", "name")
_LAST_DAY = 2**31 - 1
_DAY = timedelta(days=1)
_END = datetime.max.replace(tzinfo=UTC)
_LAST_MIDNIGHT = datetime.combine(_END, time(), UTC)


async def counted(period: Period, measures: Sequence[Measure], by: Sequence[Column]) -> list[Counted]:
    """The counts of the period, apart by measure and these columns."""
    found: dict[tuple[object, ...], Counted] = {}
    for row in [*await _whole_days(period, measures, by), *await _parts_of_days(period, measures, by)]:
        key = (row.measure, *(getattr(row, column) for column in by))
        before = found.get(key)
        if before is not None:
            row = replace(row, events=row.events + before.events, credits=row.credits + before.credits)
        found[key] = row
    return [row for row in found.values() if row.events or row.credits]


class Tally(NamedTuple):
    """A figure of a day: the events or credits of a measure, of those of one name where it is given."""

    measure: Measure
    name: str | None = None
    column: Literal["events", "credits"] = "events"

    def of(self, row: Counted) -> int:
        """What a row adds to it."""
        is_meant = row.measure is self.measure and self.name in (None, row.name)
        return getattr(row, self.column) if is_meant else 0


async def tallied_by_day(period: Period, tallies: Sequence[Tally]) -> dict[int, list[int]]:
    """These figures of each day of the period of which anything is counted, by the day since 1970."""
    measures = list(dict.fromkeys(tally.measure for tally in tallies))
    found = await _tallied(period, tallies, measures)
    for row in await _parts_of_days(period, measures, ["day", "name"]):
        before = found.get(row.day, [0] * len(tallies))
        found[row.day] = [sum_ + tally.of(row) for sum_, tally in zip(before, tallies, strict=True)]
    return found


async def _tallied(period: Period, tallies: Sequence[Tally], measures: Sequence[Measure]) -> dict[int, list[int]]:
    """The figures of the whole days, added up by the database: a row for each day, however many counts it has."""
    first, last = _first_and_last(period)
    if first > last:
        return {}
    conditions: list[str] = []
    named: list[str] = []
    for tally in tallies:
        conditions.append("measure = ?" if tally.name is None else "measure = ? AND name = ?")
        named += [tally.measure.value] if tally.name is None else [tally.measure.value, tally.name]
    sums = ", ".join(
        f"SUM(CASE WHEN {condition} THEN {tally.column} ELSE 0 END)"
        for condition, tally in zip(conditions, tallies, strict=True)
    )
    sql = (
        f"SELECT day, {sums} FROM daily_count WHERE organization_id = ? AND measure IN ({marks(measures)})"
        f" AND day >= ? AND day <= ? AND ({' OR '.join(f'({condition})' for condition in conditions)}) GROUP BY day"
    )
    values = [*named, period.organization_id, *(measure.value for measure in measures), first, last, *named]
    return {day: [int(sum_) for sum_ in sums] for day, *sums in await driver_rows(sql, values)}


async def counted_now(organization_id: str, measure: Measure) -> int:
    """How many there are of what is counted over all days only, such as open conflicts."""
    return sum(row.events for row in await _between(organization_id, ALL_DAYS, ALL_DAYS, [measure], []))


async def _whole_days(period: Period, measures: Sequence[Measure], by: Sequence[Column]) -> list[Counted]:
    if period.start is None and period.end is None and "day" not in by:
        return await _between(period.organization_id, ALL_DAYS, ALL_DAYS, measures, by)
    first, last = _first_and_last(period)
    return await _between(period.organization_id, first, last, measures, by) if first <= last else []


def _first_and_last(period: Period) -> tuple[int, int]:
    """The days since 1970 that the period has the whole of."""
    first = 0 if period.start is None else max(0, -(-to_micros(period.start) // DAY_MICROS))
    return first, _LAST_DAY if period.end is None else to_micros(period.end) // DAY_MICROS - 1


async def _between(
    organization_id: str, first: int, last: int, measures: Sequence[Measure], by: Sequence[Column]
) -> list[Counted]:
    shown = ", ".join(
        column if column in by else f"{0 if column == 'day' else repr('')} AS {column}" for column in _COLUMNS
    )
    return await fetch(
        Counted,
        f"SELECT measure, {shown}, SUM(events) AS events, SUM(credits) AS credits"
        f" FROM daily_count WHERE organization_id = ? AND measure IN ({marks(measures)}) AND day >= ? AND day <= ?"
        f" GROUP BY {', '.join(['measure', *by])}",
        [organization_id, *(measure.value for measure in measures), first, last],
    )


async def _parts_of_days(period: Period, measures: Sequence[Measure], by: Sequence[Column]) -> list[Counted]:
    found: list[Counted] = []
    for part in parts_of_days(period):
        for row in await counted_from_rows(part, measures):
            found.append(
                replace(
                    row,
                    day=row.day if "day" in by else 0,
                    entity_type=row.entity_type if "entity_type" in by else "",
                    trigger_kind=row.trigger_kind if "trigger_kind" in by else "",
                    provider=row.provider if "provider" in by else "",
                    name=row.name if "name" in by else "",
                )
            )
    return found


def parts_of_days(period: Period) -> list[Period]:
    """What the period has of days that it has not the whole of: at its start, and at its end."""
    start, end = period.start, period.end
    after = None if start is None else _midnight_from(start)
    before = None if end is None else _midnight_until(end)
    if start is not None and end is not None and after is not None and before is not None and after > before:
        return [period]  # within one day
    found: list[Period] = []
    if start is not None and after != start:
        found.append(replace(period, end=after))
    if end is not None and before != end:
        found.append(replace(period, start=before))
    return found


def _midnight_until(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def _midnight_from(moment: datetime) -> datetime:
    midnight = _midnight_until(moment)
    if midnight == moment:
        return midnight
    return midnight + _DAY if midnight < _LAST_MIDNIGHT else _END
