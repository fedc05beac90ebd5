"""What an organization's credits were used for in a period, from the daily counts of the ledger's lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from enrichment.enums import EntityType, JobTrigger
from models.daily_count.raw import Counted
from models.daily_count.read import counted
from models.daily_count.table import Measure
from models.db.period import Period, within
from models.db.rows import fetch, query_row
from models.db.transaction import Transaction

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class UsageSlice:
    """Credits charged, and how often, for one provider, entity type or trigger (`key`)."""

    key: str
    credits: int
    charges: int


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Credits charged on one day (UTC), and how often."""

    day: date
    credits: int
    charges: int


@dataclass(frozen=True, slots=True)
class StatedUsage:
    """What a provider says that calls consumed (credits, maybe a fraction), beside what was charged for the same calls.

    `calls` is how many said so; `drift` how much more the provider counts than was charged, less where it is negative.
    """

    provider: str
    calls: int
    stated: float
    charged: int

    @property
    def drift(self) -> float:
        return round(self.stated - self.charged, 3)


@query_row
class _Credits:
    credits: int


async def charged_by(column: Literal["provider", "entity_type", "trigger_kind"], period: Period) -> list[UsageSlice]:
    """The period's charges by a column, the most credits first."""
    rows = await counted(period, [Measure.CHARGE], [column])
    return _slices((getattr(row, column), row) for row in rows)


def _slices(rows: Iterable[tuple[str, Counted]]) -> list[UsageSlice]:
    found = [UsageSlice(key, row.credits, row.events) for key, row in rows]
    return sorted(found, key=lambda usage: (-usage.credits, usage.key))


async def charged_by_day(period: Period) -> list[DailyUsage]:
    """The period's charges by day (UTC), the first day first."""
    rows = await counted(period, [Measure.CHARGE], ["day"])
    found = [DailyUsage(_EPOCH + timedelta(days=row.day), row.credits, row.events) for row in rows]
    return sorted(found, key=lambda usage: usage.day)


async def granted(period: Period) -> int:
    """Credits granted in the period."""
    return sum(row.credits for row in await counted(period, [Measure.GRANT], []))


async def charged_for_nothing(period: Period) -> int:
    """Credits charged in the period by sources that wrote no value for the job."""
    return sum(row.credits for row in await counted(period, [Measure.WASTED], []))


async def stated_by_provider(period: Period) -> list[StatedUsage]:
    """What providers say that the period's calls consumed, by provider."""
    found: dict[str, StatedUsage] = {}
    for row in await counted(period, [Measure.STATED, Measure.STATED_CHARGED], ["provider"]):
        before = found.get(row.provider, StatedUsage(row.provider, row.events, 0.0, 0))
        is_stated = row.measure is Measure.STATED
        found[row.provider] = (
            replace(before, stated=row.credits / 1000) if is_stated else replace(before, charged=row.credits)
        )
    return [found[provider] for provider in sorted(found)]


async def released_with(notes: Sequence[str], period: Period) -> list[UsageSlice]:
    """Credits released in the period with one of these notes, by provider, the most credits first."""
    found: dict[str, UsageSlice] = {}
    for row in await counted(period, [Measure.RELEASE], ["provider", "name"]):
        if row.name in notes:
            before = found.get(row.provider, UsageSlice(row.provider, 0, 0))
            found[row.provider] = UsageSlice(row.provider, before.credits + row.credits, before.charges + row.events)
    return sorted(found.values(), key=lambda usage: (-usage.credits, usage.key))


async def charged_for(trigger: JobTrigger, period: Period, *, using: Transaction | None = None) -> int:
    """Credits charged in the period to jobs of this trigger."""
    sql = (
        f"SELECT COALESCE(SUM(-amount), 0) AS credits FROM credit_entry WHERE {within()} AND kind = 'charge'"
        " AND trigger_kind = ?"
    )
    return (await fetch(_Credits, sql, [*period.values, trigger.value], using=using))[0].credits


async def charged_to(job_id: str, provider: str, entity_type: EntityType | None = None) -> int:
    """Credits that a job has paid this provider; `entity_type`: for answers about such."""
    sql = (
        "SELECT COALESCE(SUM(-amount), 0) AS credits FROM credit_entry"
        " WHERE job_id = ? AND provider = ? AND kind = 'charge'"
    )
    values = [job_id, provider]
    if entity_type is not None:
        sql, values = f"{sql} AND entity_type = ?", [*values, entity_type.value]
    return (await fetch(_Credits, sql, values))[0].credits


async def charged_for_record(record_id: str) -> int:
    """Credits that all jobs of a record have paid."""
    sql = (
        "SELECT COALESCE(SUM(-amount), 0) AS credits FROM credit_entry WHERE kind = 'charge'"
        " AND job_id IN (SELECT id FROM job WHERE record_id = ?)"
    )
    return (await fetch(_Credits, sql, [record_id]))[0].credits
