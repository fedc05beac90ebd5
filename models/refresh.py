"""The plan of whom to refresh, the stalest first, and the state of an organization's day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from enrichment.enums import EntityType, JobTrigger
from models.db.connection import dialect
from models.db.statements import dump_rows, execute, insert_rows, marks, query, rows
from models.db.transaction import Transaction
from models.value_source import from_provider

_DAY_MICROS = 86_400_000_000.0
_PLAN = {
    "organization_id": "text",
    "record_id": "text",
    "place": "integer",
    "staleness": "real",
}


@dataclass(frozen=True, slots=True)
class Due:
    """Which records are due: enriched before `enriched_before` (microseconds), of these types, and at rest.

    One try a period: a record that had a job since `enriched_before` is not due, however that ended; unless it
    was a refresh for which the credits did not reach, before `today`.
    """

    organization_id: str
    enriched_before: int
    today: int
    entity_types: Collection[EntityType]
    ranked_until: int | None = None  # leaves out those enriched after this moment

    @property
    def condition(self) -> str:
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
        until = self.enriched_before - 1 if self.ranked_until is None else self.ranked_until
        return [until, *kinds, self.enriched_before, self.today]


def _halved(times: str) -> str:
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


# Of every value of enrichment's own: how many half-lives have passed since a source saw it, or was asked about it
# again in vain.
_AGED = f"""
    SELECT record.id, record.entity_type, record.last_enriched_at, COALESCE(own.confidence, 0.0) AS confidence,
        COALESCE((? - CASE WHEN record.refreshed_at > own.written_at AND record.refreshed_at > own.observed_at
            THEN record.refreshed_at ELSE own.observed_at END) / (half_life.days * {_DAY_MICROS!r}), 0.0) AS times
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
    now: int,
    limit: int,
    prices: Mapping[EntityType, int],
    min_freshness: float | None,
) -> list[dict[str, Any]]:
    """The stalest of the due records after one id up to another: `id`, `staleness`, `last_enriched_at`.

    The staleness is how many of enrichment's values are expected to hold no longer, each counted by its
    confidence, for each credit of the type's price. A record without such values comes after all others, the one
    enriched longest ago first; where `min_freshness` (0-1) leaves fresher records alone, it does not come at all.
    """
    clipped = "CASE WHEN times < 0.0 THEN 0.0 WHEN times > 60.0 THEN 60.0 ELSE times END"
    sql = (
        f"SELECT id, last_enriched_at, (believed - fresh) / {_price(prices)} AS staleness FROM"
        " (SELECT id, entity_type, last_enriched_at, SUM(confidence) AS believed,"
        f" SUM(confidence * {_halved('times')}) AS fresh FROM"
        f" (SELECT id, entity_type, last_enriched_at, confidence, {clipped} AS times FROM"
        f" ({_AGED} {due.condition}) AS aged) AS clipped GROUP BY id, entity_type, last_enriched_at) AS summed"
    )
    values = [now, due.organization_id, after, last, *due.values]
    if min_freshness is not None:
        sql += " WHERE fresh < ? * believed"
        values.append(min_freshness)
    sql += " ORDER BY staleness DESC, last_enriched_at, id LIMIT ?"
    return await query(sql, [*values, limit])


def _price(prices: Mapping[EntityType, int]) -> str:
    cases = " ".join(f"WHEN '{entity_type}' THEN {float(price)!r}" for entity_type, price in prices.items() if price)
    return f"(CASE entity_type {cases} ELSE 1.0 END)" if cases else "1.0"


async def longest_ago(due: Due, most: int) -> Due:
    """The same narrowed to those enriched longest ago, about `most` of each type, where there are more."""
    until = due.enriched_before - 1
    for entity_type in due.entity_types:
        found = await query(
            "SELECT last_enriched_at FROM record WHERE organization_id = ? AND entity_type = ?"
            " AND last_enriched_at <= ? ORDER BY last_enriched_at LIMIT 1 OFFSET ?",
            [due.organization_id, entity_type.value, until, most],
        )
        until = min([until, *(row["last_enriched_at"] for row in found)])
    return replace(due, ranked_until=until)


async def state_of(organization_id: str) -> dict[str, Any] | None:
    """The row of the organization's refreshes with the most that its budget allows; None before the first."""
    found = await query(
        "SELECT refresh_state.*, credit_budget.most AS budget_most FROM refresh_state"
        " LEFT JOIN credit_budget ON credit_budget.id = refresh_state.budget_id"
        " WHERE refresh_state.organization_id = ?",
        [organization_id],
    )
    return found[0] if found else None


async def lock_state(tx: Transaction, organization_id: str, now: int) -> dict[str, Any]:
    """The same row, made if need be, locked until the transaction ends. The organization was served `now`."""
    await execute(
        "INSERT INTO refresh_state (organization_id) VALUES (?) ON CONFLICT DO NOTHING", [organization_id], using=tx
    )
    found = await query(
        "UPDATE refresh_state SET swept_at = ? WHERE organization_id = ? RETURNING *", [now, organization_id], using=tx
    )
    return found[0]


async def save_day(tx: Transaction, state: Mapping[str, Any]) -> None:
    """Keep the day (UTC) with its budget and how many records were started on it."""
    await execute(
        "UPDATE refresh_state SET day = ?, budget_id = ?, started = ? WHERE organization_id = ?",
        [state["day"], state["budget_id"], state["started"], state["organization_id"]],
        using=tx,
    )


async def set_budget(tx: Transaction, organization_id: str, budget_id: str, most: int, now: int) -> None:
    """Make `most` the most that the budget allows, or what it holds already where that is more."""
    await execute(
        "INSERT INTO credit_budget (id, organization_id, most, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET most = CASE WHEN credit_budget.held > excluded.most THEN credit_budget.held"
        " ELSE excluded.most END",
        [budget_id, organization_id, most, now],
        using=tx,
    )


_ACTIVE = "SELECT 1 FROM job WHERE job.id = refresh_plan.job_id AND job.status IN ('pending', 'in_progress')"


async def replace_plan(
    tx: Transaction, organization_id: str, record_stalenesses: Sequence[tuple[str, float]], version: int, now: int
) -> None:
    """Plan to refresh these records, in this order, in place of what was planned before and is not under way."""
    await execute(
        f"DELETE FROM refresh_plan WHERE organization_id = ? AND (job_id IS NULL OR NOT EXISTS ({_ACTIVE}))",
        [organization_id],
        using=tx,
    )
    items = [
        {"organization_id": organization_id, "record_id": record_id, "place": index, "staleness": staleness}
        for index, (record_id, staleness) in enumerate(record_stalenesses)
    ]
    there = "AND EXISTS (SELECT 1 FROM record WHERE record.id = v.record_id)"
    await insert_rows(tx, "refresh_plan", _PLAN, items, then=f"{there} ON CONFLICT DO NOTHING")
    await execute(
        "UPDATE refresh_state SET planned_at = ?, planned_for = ? WHERE organization_id = ?",
        [now, version, organization_id],
        using=tx,
    )


async def next_planned(due: Due, limit: int) -> list[dict[str, Any]]:
    """The next records of the plan that no job was started for, in order, and whether each is (still) `due`."""
    return await query(
        "SELECT record.id, record.organization_id, record.entity_type, record.fields,"
        f" COALESCE({due.condition}, FALSE) AS due FROM refresh_plan JOIN record ON record.id = refresh_plan.record_id"
        " WHERE refresh_plan.organization_id = ? AND refresh_plan.job_id IS NULL ORDER BY refresh_plan.place LIMIT ?",
        [*due.values, due.organization_id, limit],
    )


async def planned(organization_id: str, limit: int) -> list[dict[str, Any]]:
    """The next records that no job was started for, in order: `record_id` and `staleness`."""
    return await query(
        "SELECT record_id, staleness FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
        " ORDER BY place LIMIT ?",
        [organization_id, limit],
    )


async def count_planned(organization_id: str) -> int:
    """How many records no job was started for yet."""
    sql = "SELECT COUNT(*) AS records FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
    return int((await query(sql, [organization_id]))[0]["records"])


async def still_planned(tx: Transaction, organization_id: str, record_ids: Sequence[str]) -> set[str]:
    """Those of the records that are planned and that no job was started for."""
    if not record_ids:
        return set()
    found = await query(
        "SELECT record_id FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
        f" AND record_id IN ({marks(record_ids)})",
        [organization_id, *record_ids],
        using=tx,
    )
    return {row["record_id"] for row in found}


async def drop_planned(organization_id: str, record_ids: Sequence[str], *, using: Transaction | None = None) -> None:
    """Take records out of the plan."""
    if record_ids:
        await execute(
            "DELETE FROM refresh_plan WHERE organization_id = ? AND job_id IS NULL"
            f" AND record_id IN ({marks(record_ids)})",
            [organization_id, *record_ids],
            using=using,
        )


async def note_started(tx: Transaction, organization_id: str, started: Sequence[Mapping[str, Any]]) -> None:
    """Note the job (`job_id`) that each record (`record_id`) is refreshed by, and its `most` credits."""
    if not started:
        return
    await execute(
        "UPDATE refresh_plan SET job_id = v.job_id, most = v.most"
        f" FROM {rows({'record_id': 'text', 'job_id': 'text', 'most': 'integer'})}"
        " WHERE refresh_plan.record_id = v.record_id",
        [dump_rows(list(started))],
        using=tx,
    )
    await execute(
        "UPDATE refresh_state SET started = started + ? WHERE organization_id = ?",
        [len(started), organization_id],
        using=tx,
    )


async def under_way(organization_id: str, *, using: Transaction | None = None) -> int:
    """The most credits that the refreshes still at work may cost."""
    found = await query(
        "SELECT SUM(most) AS most FROM refresh_plan WHERE organization_id = ? AND job_id IS NOT NULL"
        f" AND EXISTS ({_ACTIVE})",
        [organization_id],
        using=using,
    )
    return int(found[0]["most"] or 0)


async def spent(organization_id: str, budget_id: str | None, midnight: int, *, using: Transaction | None = None) -> int:
    """Credits that a day's budget holds, or that refreshes of any day were charged since `midnight` if more."""
    held = await query("SELECT held FROM credit_budget WHERE id = ?", [budget_id], using=using)
    charged = await query(
        "SELECT SUM(-amount) AS credits FROM credit_entry WHERE organization_id = ? AND kind = 'charge'"
        f" AND created_at >= ? AND trigger_kind = '{JobTrigger.SCHEDULED_REFRESH}'",
        [organization_id, midnight],
        using=using,
    )
    return max(int(held[0]["held"]) if held else 0, int(charged[0]["credits"] or 0))


async def organizations_by_turn() -> list[dict[str, Any]]:
    """Every organization that is not paused, the one served longest ago first: its config, and its last fit."""
    return await query(
        "SELECT organization.id, organization.config, organization.config_version, refresh_state.fitted_at"
        " FROM organization LEFT JOIN refresh_state ON refresh_state.organization_id = organization.id"
        " WHERE organization.paused_at IS NULL ORDER BY COALESCE(refresh_state.swept_at, 0), organization.id"
    )
