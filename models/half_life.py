"""The half-lives of an organization's fields, and what its history says of how fast they change."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import SOURCE_CRM, EntityType
from models.db.columns import to_micros
from models.db.rows import Json, columns_of, fetch, insert, projection, query_row, select
from models.db.statements import marks
from models.db.transaction import Transaction
from models.refresh.state import save_fitted_at
from models.value_source import from_provider


class HalfLife(Model):
    """The half-life of one field of one entity type, as fitted last, in days. Its key is all three names."""

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    entity_type = fields.CharEnumField(EntityType, max_length=16)
    field = fields.CharField(max_length=64)
    days = fields.FloatField()
    low_days = fields.FloatField()
    high_days = fields.FloatField()
    prior_days = fields.FloatField()
    changes = fields.BigIntField()
    observed_days = fields.FloatField()

    class Meta:
        table = "half_life"


@projection(HalfLife)
class HalfLifeRow:
    """See `enrichment.learn.half_life.HalfLife`."""

    organization_id: str
    entity_type: EntityType
    field: str
    days: float
    low_days: float
    high_days: float
    prior_days: float
    changes: int
    observed_days: float


@query_row
class TimeWatched:
    """How long the values of one field were watched, in microseconds. See `enrichment.learn.half_life.Evidence`."""

    entity_type: EntityType
    field: str
    confirmed: int
    crm_silent: int


@query_row
class ValueChange:
    """A value that was followed by another one of the world's.

    `edited`: the CRM sent the next one; else a source found it. `gap`: the microseconds from the last observation of
    the value to the first of the next.
    """

    entity_type: EntityType
    field: str
    value: Json[Any]
    next_value: Json[Any]
    edited: bool
    gap: int


async def stored_half_lives(organization_id: str) -> list[HalfLifeRow]:
    """The rows of the last fit; none before the first."""
    sql = f"SELECT {select(HalfLifeRow)} FROM half_life WHERE organization_id = ?"
    return await fetch(HalfLifeRow, sql, [organization_id])


@projection(HalfLife)
class LearnedHalfLife:
    """A half-life that the history of the organization has moved away from the prior, in days."""

    organization_id: str
    entity_type: EntityType
    field: str
    days: float


async def learned_half_lives(organization_ids: Collection[str]) -> list[LearnedHalfLife]:
    """What the last fits of these organizations learned; nothing of those without one."""
    if not organization_ids:
        return []
    sql = (
        f"SELECT {select(LearnedHalfLife)} FROM half_life"
        f" WHERE organization_id IN ({marks(organization_ids)}) AND days <> prior_days"
    )
    return await fetch(LearnedHalfLife, sql, list(organization_ids))


async def save_half_lives(tx: Transaction, organization_id: str, fitted: Sequence[HalfLifeRow], now: datetime) -> None:
    """Replace the organization's half-lives by the ones fitted just `now`."""
    key = ("organization_id", "entity_type", "field")
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns_of(HalfLifeRow, without=key))
    await insert(tx, fitted, then=f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}")
    await save_fitted_at(tx, organization_id, now)


_OWN = from_provider()
_FIRST_SEEN = "COALESCE(first_observed_at, observed_at)"
# Every value that a page of records holds or held, with what followed it.
_CHAINED = f"""
    SELECT record.entity_type, held.*, {_FIRST_SEEN} AS first_seen, LEAD(replaces) OVER line AS next_replaces,
        LEAD(source) OVER line AS next_source, LEAD(value) OVER line AS next_value,
        LEAD(restores) OVER line AS next_restores, LEAD({_FIRST_SEEN}) OVER line AS next_seen,
        LEAD(restores, 2) OVER line AS then_restores
    FROM record JOIN field_value held ON held.record_id = record.id
    WHERE record.organization_id = ? AND record.id > ? AND record.id <= ?
    WINDOW line AS (PARTITION BY held.record_id, held.field ORDER BY held.id)"""
# What was put back or removed by that is no change of the world, nor is a field that was cleared.
_REAL = (
    "next_replaces = id AND next_restores IS NULL AND next_value <> 'null'"
    " AND (then_restores IS NULL OR then_restores <> id)"
)
# A source saw each from `since` to `seen`. `found`: the same source saw another value later. `edited`: the CRM sent
# another. What a reviewer chose is neither: that settles which value was right, not when it changed.
_LIVED = f"""
    (SELECT entity_type, field, value, next_value, next_seen, replaced_at, {_OWN} AS own,
        CASE WHEN restores IS NOT NULL OR NOT {_OWN} THEN written_at ELSE first_seen END AS since,
        CASE WHEN restores IS NOT NULL AND observed_at < written_at THEN written_at ELSE observed_at END AS seen,
        COALESCE({_OWN} AND next_source = source AND next_seen > observed_at AND {_REAL}, FALSE) AS found,
        COALESCE(next_source = '{SOURCE_CRM}' AND {_REAL}, FALSE) AS edited
    FROM ({_CHAINED}) AS chained WHERE value <> 'null') AS lived"""


async def time_watched(organization_id: str, after: str, last: str, now: datetime) -> list[TimeWatched]:
    """The time for which the records after one id up to another were watched, by field.

    The gap before a change that a source found is in neither sum.
    """
    return await fetch(
        TimeWatched,
        "SELECT entity_type, field, SUM(CASE WHEN own AND seen > since THEN seen - since ELSE 0 END) AS confirmed,"
        " SUM(CASE WHEN found THEN 0 ELSE COALESCE(replaced_at, ?) - (CASE WHEN own THEN seen ELSE since END) END)"
        f" AS crm_silent FROM {_LIVED} GROUP BY entity_type, field",
        [to_micros(now), organization_id, after, last],
    )


async def changes_seen(organization_id: str, after: str, last: str) -> list[ValueChange]:
    """Of the records after one id up to another, every value that was followed by another one of the world's."""
    return await fetch(
        ValueChange,
        f"SELECT entity_type, field, value, next_value, edited, next_seen - seen AS gap FROM {_LIVED}"
        " WHERE found OR edited",
        [organization_id, after, last],
    )
