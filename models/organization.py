"""The tenant: its configuration with every version of it, and whether its pipeline runs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant, id_field, new_id, to_micros
from models.db.rows import Json, fetch, fetch_one, insert, projection, query_row, select
from models.db.statements import dump, execute, marks, query
from models.db.transaction import Transaction, unit_of_work
from models.erasure.tombstone import has_erased
from models.suppression import suppresses


class Organization(Model):
    """One tenant, made on first use. `config` is the JSON that `enrichment.config` reads."""

    id = fields.CharField(max_length=128, primary_key=True)
    created_at: datetime = Instant()
    config = fields.JSONField[dict[str, Any]]()
    config_version = fields.IntField(default=1)
    config_updated_at: datetime = Instant()
    config_updated_by = fields.CharField(max_length=255, null=True)
    paused_at: datetime | None = Instant(null=True)
    paused_by = fields.CharField(max_length=255, null=True)
    pause_reason = fields.TextField(null=True)

    class Meta:
        table = "organization"


class ConfigChange(Model):
    """A version of the configuration: what it was, since when, by whom."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    version = fields.IntField()
    config = fields.JSONField[dict[str, Any]]()
    changed_at: datetime = Instant()
    changed_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "config_change"


@projection(Organization)
class OrganizationRow:
    """See Organization."""

    id: str
    config: dict[str, Any]
    config_version: int
    config_updated_at: datetime
    config_updated_by: str | None
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None


@projection(Organization)
class _NewOrganization:
    id: str
    created_at: datetime
    config: dict[str, Any]
    config_updated_at: datetime


@projection(ConfigChange)
class ConfigVersion:
    """See ConfigChange."""

    id: str
    organization_id: str
    version: int
    config: dict[str, Any]
    changed_at: datetime
    changed_by: str | None


@query_row
class ConfigRow:
    """An organization's configuration, and whether it suppresses anybody, or has erased anybody."""

    id: str
    config: Json[dict[str, Any]]
    config_version: int
    suppresses: bool
    has_erased: bool


async def configs_of(organization_ids: Collection[str]) -> list[ConfigRow]:
    """The configurations of these organizations."""
    if not organization_ids:
        return []
    return await fetch(
        ConfigRow,
        f"SELECT id, config, config_version, {suppresses('organization.id')} AS suppresses,"
        f" {has_erased('organization.id')} AS has_erased FROM organization WHERE id IN ({marks(organization_ids)})",
        sorted(organization_ids),
    )


async def organization_ids() -> list[str]:
    """All organizations."""
    return [row["id"] for row in await query("SELECT id FROM organization ORDER BY id")]


async def find_organization(organization_id: str) -> OrganizationRow | None:
    """The organization; None before its first use."""
    sql = f"SELECT {select(OrganizationRow)} FROM organization WHERE id = ?"
    return await fetch_one(OrganizationRow, sql, [organization_id])


@unit_of_work
async def add_organization(tx: Transaction, organization_id: str, config: dict[str, Any], now: datetime) -> None:
    """Add the organization with the first version of its configuration, unless another request just did."""
    await insert(tx, [_NewOrganization(organization_id, now, config, now)], then="ON CONFLICT DO NOTHING")
    first = ConfigVersion(new_id(), organization_id, 1, config, now, None)
    await insert(tx, [first], then="ON CONFLICT DO NOTHING")


async def lock_organization(tx: Transaction, organization_id: str) -> OrganizationRow:
    """The organization, which must exist, locked until the transaction ends."""
    sql = f"UPDATE organization SET config_version = config_version WHERE id = ? RETURNING {select(OrganizationRow)}"
    return (await fetch(OrganizationRow, sql, [organization_id], using=tx))[0]


async def save_config(
    tx: Transaction, organization_id: str, version: int, config: dict[str, Any], *, now: datetime, user: str
) -> None:
    """Make this the configuration of the locked organization, and keep it as that version."""
    await execute(
        "UPDATE organization SET config = ?, config_version = ?, config_updated_at = ?, config_updated_by = ?"
        " WHERE id = ?",
        [dump(config), version, to_micros(now), user, organization_id],
        using=tx,
    )
    await insert(tx, [ConfigVersion(new_id(), organization_id, version, config, now, user)])


async def config_versions(organization_id: str, versions: Sequence[int]) -> list[ConfigVersion]:
    """Those of these versions of the configuration that are there."""
    if not versions:
        return []
    return await fetch(
        ConfigVersion,
        f"SELECT {select(ConfigVersion)} FROM config_change WHERE organization_id = ?"
        f" AND version IN ({marks(versions)})",
        [organization_id, *versions],
    )


async def pause(tx: Transaction, organization_id: str, *, now: datetime, user: str, reason: str | None) -> bool:
    """Start none of the organization's jobs from now on. Returns False where it was paused already."""
    return bool(
        await execute(
            "UPDATE organization SET paused_at = ?, paused_by = ?, pause_reason = ? WHERE id = ? AND paused_at IS NULL",
            [to_micros(now), user, reason, organization_id],
            using=tx,
        )
    )


async def resume(tx: Transaction, organization_id: str) -> bool:
    """Start the organization's jobs again. Returns False where it was not paused."""
    return bool(
        await execute(
            "UPDATE organization SET paused_at = NULL, paused_by = NULL, pause_reason = NULL"
            " WHERE id = ? AND paused_at IS NOT NULL",
            [organization_id],
            using=tx,
        )
    )
