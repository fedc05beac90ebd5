"""The keys that organizations bring for their providers, sealed."""

from collections.abc import Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from models.db.columns import Instant
from models.db.rows import bulk, fetch, insert, projection, select
from models.db.statements import execute
from models.db.transaction import Transaction


class ProviderKey(Model):
    """An organization's key for one provider. The table's key is the organization and the provider.

    `version` counts how often it was set.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)  # Tortoise knows keys of one column only
    provider = fields.CharField(max_length=64)
    sealed = fields.TextField()
    last_four = fields.CharField(max_length=4)
    version = fields.IntField(default=1)
    set_at: datetime = Instant()
    set_by = fields.CharField(max_length=255, null=True)

    class Meta:
        table = "provider_key"


@projection(ProviderKey)
class NewProviderKey:
    """A key to store, sealed."""

    organization_id: str
    provider: str
    sealed: str
    last_four: str
    set_at: datetime
    set_by: str | None


@projection(ProviderKey)
class ProviderKeyRow:
    """A stored key, as far as it is shown."""

    provider: str
    last_four: str
    set_at: datetime
    set_by: str | None


@projection(ProviderKey)
class _KeyOf:
    organization_id: str
    provider: str


@projection(ProviderKey)
class _SealedKey:
    organization_id: str
    provider: str
    sealed: str


async def save_key(tx: Transaction, key: NewProviderKey) -> None:
    """Store a key in place of an earlier one."""
    then = (
        "ON CONFLICT (organization_id, provider) DO UPDATE SET sealed = excluded.sealed,"
        " last_four = excluded.last_four, set_at = excluded.set_at, set_by = excluded.set_by,"
        " version = provider_key.version + 1"
    )
    await insert(tx, [key], then=then)


async def delete_key(tx: Transaction, organization_id: str, provider: str) -> bool:
    """Remove a key. Whether there was one."""
    sql = "DELETE FROM provider_key WHERE organization_id = ? AND provider = ?"
    return bool(await execute(sql, [organization_id, provider], using=tx))


async def keys_of(organization_id: str) -> dict[str, ProviderKeyRow]:
    """An organization's keys by provider."""
    sql = f"SELECT {select(ProviderKeyRow)} FROM provider_key WHERE organization_id = ?"
    return {key.provider: key for key in await fetch(ProviderKeyRow, sql, [organization_id])}


async def sealed_key(organization_id: str, provider: str) -> str | None:
    """The organization's key for a provider, sealed; None where it has none."""
    return (await sealed_keys([(organization_id, provider)])).get((organization_id, provider))


async def sealed_keys(wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The keys of these organizations for these providers, sealed; what has none is left out."""
    if not wanted:
        return {}
    source, parameter = bulk([_KeyOf(*pair) for pair in wanted])
    found = await fetch(
        _SealedKey,
        f"SELECT {select(_SealedKey, 'provider_key')} FROM {source} JOIN provider_key"
        " ON provider_key.organization_id = v.organization_id AND provider_key.provider = v.provider",
        [parameter],
    )
    return {(row.organization_id, row.provider): row.sealed for row in found}
