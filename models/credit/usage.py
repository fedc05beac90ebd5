"""What an organization's credits were used for in a period: sums of the ledger's lines."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from enrichment.enums import JobTrigger
from models.db.period import DAY_MICROS, Period, within
from models.db.rows import fetch, query_row
from models.db.statements import marks
from models.db.transaction import Transaction

_CHARGED = f"FROM credit_entry WHERE {within()} AND kind = 'charge'"


@query_row
class UsageSlice:
    """Credits charged, and how often, for one provider, entity type or trigger (`key`)."""

    key: str
    credits: int
    charges: int


@query_row
class DailyUsage:
    """Credits charged on one day (UTC), and how often."""

    day: date
    credits: int
    charges: int


@query_row
class _Credits:
    credits: int


async def charged_by(column: Literal["provider", "entity_type", "trigger_kind"], period: Period) -> list[UsageSlice]:
    """The period's charges by a column, the most credits first."""
    return await fetch(
        UsageSlice,
        f"SELECT {column} AS key, SUM(-amount) AS credits, COUNT(*) AS charges {_CHARGED}"
        f" GROUP BY {column} ORDER BY 2 DESC, 1",
        period.values,
    )


async def charged_by_day(period: Period) -> list[DailyUsage]:
    """The period's charges by day (UTC), the first day first."""
    return await fetch(
        DailyUsage,
        f"SELECT created_at / {DAY_MICROS} AS day, SUM(-amount) AS credits, COUNT(*) AS charges {_CHARGED}"
        " GROUP BY 1 ORDER BY 1",
        period.values,
    )


async def granted(period: Period) -> int:
    """Credits granted in the period."""
    sql = f"SELECT COALESCE(SUM(amount), 0) AS credits FROM credit_entry WHERE {within()} AND kind = 'grant'"
    return (await fetch(_Credits, sql, period.values))[0].credits


async def charged_for_nothing(period: Period) -> int:
    """Credits charged in the period by sources that wrote no value for the job."""
    sql = (
        f"SELECT COALESCE(SUM(-amount), 0) AS credits {_CHARGED} AND NOT EXISTS (SELECT 1 FROM field_value f"
        " WHERE f.job_id = credit_entry.job_id AND f.source = credit_entry.provider)"
    )
    return (await fetch(_Credits, sql, period.values))[0].credits


async def released_with(notes: Sequence[str], period: Period) -> list[UsageSlice]:
    """Credits released in the period with one of these notes, by provider, the most credits first."""
    return await fetch(
        UsageSlice,
        "SELECT provider AS key, SUM(-reserved_change) AS credits, COUNT(*) AS charges FROM credit_entry"
        f" WHERE {within()} AND kind = 'release' AND note IN ({marks(notes)}) GROUP BY provider ORDER BY 2 DESC, 1",
        [*period.values, *notes],
    )


async def charged_for(trigger: JobTrigger, period: Period, *, using: Transaction | None = None) -> int:
    """Credits charged in the period to jobs of this trigger."""
    sql = f"SELECT COALESCE(SUM(-amount), 0) AS credits {_CHARGED} AND trigger_kind = ?"
    return (await fetch(_Credits, sql, [*period.values, trigger.value], using=using))[0].credits


async def charged_to(job_id: str, provider: str) -> int:
    """Credits that a job has paid this provider."""
    sql = (
        "SELECT COALESCE(SUM(-amount), 0) AS credits FROM credit_entry"
        " WHERE job_id = ? AND provider = ? AND kind = 'charge'"
    )
    return (await fetch(_Credits, sql, [job_id, provider]))[0].credits


async def charged_for_record(record_id: str) -> int:
    """Credits that all jobs of a record have paid."""
    sql = (
        "SELECT COALESCE(SUM(-amount), 0) AS credits FROM credit_entry WHERE kind = 'charge'"
        " AND job_id IN (SELECT id FROM job WHERE record_id = ?)"
    )
    return (await fetch(_Credits, sql, [record_id]))[0].credits
