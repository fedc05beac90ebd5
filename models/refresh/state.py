"""The state of an organization's refreshes: its day, its budget, and when it was served and planned last."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import JobTrigger
from models.credit.budget import budget_held
from models.credit.usage import charged_for
from models.db.columns import Instant, to_micros
from models.db.period import Period
from models.db.rows import Json, fetch, fetch_one, projection, query_row, select
from models.db.statements import execute
from models.db.transaction import Transaction


class RefreshState(Model):
    """`day` (UTC) is the one that `budget_id` and `started` (records) belong to; `planned_for` is a config's version.

    `fitted_at`: when the half-lives were fitted; `swept_at`: when the organization was served.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)
    fitted_at: datetime | None = Instant(null=True)
    swept_at: datetime = Instant(default=0)
    day = fields.CharField(max_length=10, default="")
    budget_id = fields.CharField(max_length=36, null=True)
    started = fields.BigIntField(default=0)
    planned_at: datetime | None = Instant(null=True)
    planned_for = fields.IntField(null=True)

    class Meta:
        table = "refresh_state"


@projection(RefreshState)
class RefreshStateRow:
    """See RefreshState."""

    organization_id: str
    day: str
    budget_id: str | None
    started: int
    planned_at: datetime | None
    planned_for: int | None


@projection(RefreshState)
class _FittedAt:
    fitted_at: datetime | None


@query_row
class RefreshOrganization:
    """An organization that may be served: its configuration, and when its half-lives were fitted (None: never)."""

    id: str
    config: Json[dict[str, Any]]
    config_version: int
    fitted_at: datetime | None


async def find_state(organization_id: str) -> RefreshStateRow | None:
    """The state of the organization's refreshes; None before the first."""
    sql = f"SELECT {select(RefreshStateRow)} FROM refresh_state WHERE organization_id = ?"
    return await fetch_one(RefreshStateRow, sql, [organization_id])


async def lock_state(tx: Transaction, organization_id: str, now: datetime) -> RefreshStateRow:
    """The state, made if need be, locked until the transaction ends. Notes that the organization was served `now`."""
    await execute(
        "INSERT INTO refresh_state (organization_id) VALUES (?) ON CONFLICT DO NOTHING", [organization_id], using=tx
    )
    sql = f"UPDATE refresh_state SET swept_at = ? WHERE organization_id = ? RETURNING {select(RefreshStateRow)}"
    return (await fetch(RefreshStateRow, sql, [to_micros(now), organization_id], using=tx))[0]


async def save_day(tx: Transaction, state: RefreshStateRow) -> None:
    """Write the day (UTC) with its budget and how many records were started on it."""
    await execute(
        "UPDATE refresh_state SET day = ?, budget_id = ?, started = ? WHERE organization_id = ?",
        [state.day, state.budget_id, state.started, state.organization_id],
        using=tx,
    )


async def fitted_at(organization_id: str) -> datetime | None:
    """When the organization's half-lives were fitted last; None: never."""
    sql = f"SELECT {select(_FittedAt)} FROM refresh_state WHERE organization_id = ?"
    found = await fetch_one(_FittedAt, sql, [organization_id])
    return None if found is None else found.fitted_at


async def save_fitted_at(tx: Transaction, organization_id: str, now: datetime) -> None:
    """Note that the organization's half-lives were fitted, and it was served, `now`."""
    await execute(
        "INSERT INTO refresh_state (organization_id, fitted_at, swept_at) VALUES (?, ?, ?)"
        " ON CONFLICT (organization_id) DO UPDATE SET fitted_at = excluded.fitted_at, swept_at = excluded.swept_at",
        [organization_id, to_micros(now), to_micros(now)],
        using=tx,
    )


async def spent(
    organization_id: str, budget_id: str | None, midnight: datetime, *, using: Transaction | None = None
) -> int:
    """Credits that a day's budget holds, or that refreshes of any day were charged since `midnight` if more."""
    held = await budget_held(organization_id, budget_id, using=using)
    charged = await charged_for(JobTrigger.SCHEDULED_REFRESH, Period(organization_id, midnight), using=using)
    return max(held, charged)


async def organizations_to_refresh() -> list[RefreshOrganization]:
    """Every organization that is not paused, the one served longest ago first."""
    return await fetch(
        RefreshOrganization,
        "SELECT organization.id, organization.config, organization.config_version, refresh_state.fitted_at"
        " FROM organization LEFT JOIN refresh_state ON refresh_state.organization_id = organization.id"
        " WHERE organization.paused_at IS NULL ORDER BY COALESCE(refresh_state.swept_at, 0), organization.id",
    )
