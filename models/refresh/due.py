"""Which records are due for a refresh, and which of them are the stalest."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enrichment.enums import EntityType, JobTrigger
from models.db.columns import to_micros
from models.db.connection import dialect
from models.db.period import DAY_MICROS
from models.db.rows import fetch, query_row
from models.db.statements import marks
from models.value_source import from_provider


@dataclass(frozen=True, slots=True)
class Due:
    """Which records are due: enriched before `enriched_before`, of these types, and at rest.

    One try a period: a record that had a job since `enriched_before` is not due, however that ended; unless it
    was a refresh for which the credits did not reach, before `today`.
    """

    organization_id: str
    enriched_before: datetime
    today: datetime
    entity_types: Collection[EntityType]
    ranked_until: datetime | None = None  # leaves out those enriched after this moment

    @property
    def until(self) -> datetime:
        """The latest moment of the last enrichment of a record that is due."""
        return self.enriched_before - timedelta(microseconds=1) if self.ranked_until is None else self.ranked_until

    @property
    def condition(self) -> str:
        """The condition on a `record`; it takes `values`."""
        return (
            f"record.last_enriched_at <= ? AND record.entity_type IN ({marks(list(self.entity_types))})"
            " AND NOT EXISTS (SELECT 1 FROM job WHERE job.record_id = record.id"
            " AND (job.status IN ('pending', 'in_progress') OR (job.created_at >= ? AND NOT (job.created_at < ?"
            f" AND job.trigger_kind = '{JobTrigger.SCHEDULED_REFRESH}'"
            " AND COALESCE(job.error_code, '') IN ('budget', 'insufficient_credits')))))"
        )

    @property
    def values(self) -> list[Any]:
        kinds = [entity_type.value for entity_type in self.entity_types]
        return [to_micros(self.until), *kinds, to_micros(self.enriched_before), to_micros(self.today)]


@query_row
class StaleRecord:
    """A record with how stale it is: see `stalest`."""

    id: str
    last_enriched_at: datetime
    staleness: float


@query_row
class _Moment:
    last_enriched_at: datetime


def halved(times: str) -> str:
    """SQL for 0.5 to the power of `times`, a column from 0 to 60. SQLite may have been built without `power`."""
    if dialect() == "postgresql":
        return f"power(0.5::float8, {times})"
    whole = f"CAST({times} AS INTEGER)"
    # 2^-x around 0.5, where its series needs few terms: eight give seven digits.
    part = f"({times} - {whole} - 0.5)"
    series = "1.0"
    for n in range(8, 0, -1):
        series = f"(1.0 - {part} * {0.6931471805599453 / n!r} * {series})"
    return f"(0.7071067811865476 * {series} / (1 << {whole}))"


# Of every value of enrichment's own: how many half-lives have passed since a source saw it, or since a later lookup
# of it found nothing.
_AGED = f"""
    SELECT record.id, record.entity_type, record.last_enriched_at, COALESCE(own.confidence, 0.0) AS confidence,
        COALESCE((? - CASE WHEN record.refreshed_at > own.written_at AND record.refreshed_at > own.observed_at
            THEN record.refreshed_at ELSE own.observed_at END) / (half_life.days * {float(DAY_MICROS)!r}), 0.0) AS times
    FROM record LEFT JOIN field_value own ON own.record_id = record.id AND own.replaced_at IS NULL
        AND own.value <> 'null' AND {from_provider("own.source")}
    LEFT JOIN half_life ON half_life.organization_id = record.organization_id
        AND half_life.entity_type = record.entity_type AND half_life.field = own.field
    WHERE record.organization_id = ? AND record.id > ? AND record.id <= ? AND """


async def stalest(
    due: Due,
    after: str,
    last: str,
    *,
    now: datetime,
    limit: int,
    prices: Mapping[EntityType, int],
    min_freshness: float | None,
) -> list[StaleRecord]:
    """The stalest of the due records after one id up to another.

    The staleness is how many of enrichment's values are expected to hold no longer, each counted by its
    confidence, for each credit of the type's price. A record without such values comes after all others, the one
    enriched longest ago first; where `min_freshness` (0-1) leaves fresher records alone, it does not come at all.
    """
    clipped = "CASE WHEN times < 0.0 THEN 0.0 WHEN times > 60.0 THEN 60.0 ELSE times END"
    sql = (
        f"SELECT id, last_enriched_at, (believed - fresh) / {_price(prices)} AS staleness FROM"
        " (SELECT id, entity_type, last_enriched_at, SUM(confidence) AS believed,"
        f" SUM(confidence * {halved('times')}) AS fresh FROM"
        f" (SELECT id, entity_type, last_enriched_at, confidence, {clipped} AS times FROM"
        f" ({_AGED} {due.condition}) AS aged) AS clipped GROUP BY id, entity_type, last_enriched_at) AS summed"
    )
    values: list[Any] = [to_micros(now), due.organization_id, after, last, *due.values]
    if min_freshness is not None:
        sql += " WHERE fresh < ? * believed"
        values.append(min_freshness)
    sql += " ORDER BY staleness DESC, last_enriched_at, id LIMIT ?"
    return await fetch(StaleRecord, sql, [*values, limit])


def _price(prices: Mapping[EntityType, int]) -> str:
    cases = " ".join(f"WHEN '{entity_type}' THEN {float(price)!r}" for entity_type, price in prices.items() if price)
    return f"(CASE entity_type {cases} ELSE 1.0 END)" if cases else "1.0"


async def longest_ago(due: Due, most: int) -> Due:
    """The same narrowed to those enriched longest ago, about `most` of each type, where there are more."""
    until = due.until
    for entity_type in due.entity_types:
        found = await fetch(
            _Moment,
            "SELECT last_enriched_at FROM record WHERE organization_id = ? AND entity_type = ?"
            " AND last_enriched_at <= ? ORDER BY last_enriched_at LIMIT 1 OFFSET ?",
            [due.organization_id, entity_type.value, to_micros(until), most],
        )
        until = min([until, *(row.last_enriched_at for row in found)])
    return replace(due, ranked_until=until)
