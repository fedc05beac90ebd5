"""The keys that organizations bring for their providers: written once, never shown again."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from redis.asyncio import Redis

from enrichment.config import Config, ProviderRule
from models.db.columns import from_micros, to_micros
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work
from models.provider_state import close_breaker, close_breakers_of_refused_key
from resolvers.audit import note_change
from resolvers.config import change_config
from resolvers.context import Context, Role
from resolvers.errors import Fault, NotFound, Unavailable, ValidationFailed
from resolvers.job.requeue_short_of_credits import restore_jobs
from resolvers.organizations import organization_of
from resolvers.secret_box import CannotUnseal, SecretBox

MAX_KEY = 4096

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeyView:
    """A stored key, as far as it is shown."""

    provider: str
    last_four: str
    set_at: datetime
    set_by: str | None


async def set_provider_key(ctx: Context, provider_id: str, key: str, *, enable: bool = False) -> KeyView:
    """Keep the organization's key for a provider, in place of an earlier one. The provider is tried again at once.

    With `enable` the configuration switches the provider on as well, last in order where it is not in it yet.
    Raises NotFound for an unknown provider, ValidationFailed for one that needs no key or a key that cannot be,
    Unavailable where the installation has no encryption key.
    """
    caller = ctx.require(Role.ADMIN)
    services = ctx.services
    info = services.registry.info(provider_id)
    if info is None:
        raise NotFound("no such provider")
    key = key.strip()
    faults = [] if info.needs_key else [Fault("provider", f"{info.name} needs no key")]
    if not 8 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        faults.append(Fault("key", f"must be 8 to {MAX_KEY} printable ASCII characters"))
    if faults:
        raise ValidationFailed("the key was not stored", faults=faults)
    if services.secret_box is None:
        raise Unavailable("this installation has no ENCRYPTION_KEY, so it keeps no keys", retry_after=3600)
    now = services.now()
    await organization_of(caller.organization_id, services.registry, now)
    sealed = services.secret_box.seal(key, context=_context(caller.organization_id, provider_id))

    async def body(tx: Transaction) -> None:
        await execute(
            "INSERT INTO provider_key (organization_id, provider, sealed, last_four, set_at, set_by)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (organization_id, provider) DO UPDATE SET"
            " sealed = excluded.sealed, last_four = excluded.last_four, set_at = excluded.set_at,"
            " set_by = excluded.set_by, version = provider_key.version + 1",
            [caller.organization_id, provider_id, sealed, key[-4:], to_micros(now), caller.user],
            using=tx,
        )
        if enable:
            await change_config(tx, ctx, _switched_on(provider_id), expected_version=None, now=now)
        await note_change(tx, ctx, "provider_key.set", provider_id)

    await unit_of_work(body)()
    await close_breaker(caller.organization_id, provider_id, now)
    if enable:
        await restore_jobs(services, caller.organization_id)
    return KeyView(provider_id, key[-4:], now, caller.user)


def _switched_on(provider_id: str) -> Callable[[Config], Mapping[str, Any]]:
    """The change of a configuration that switches a provider on."""

    def change(config: Config) -> Mapping[str, Any]:
        rules = [
            rule.model_copy(update={"enabled": True}) if rule.id == provider_id else rule for rule in config.providers
        ]
        if all(rule.id != provider_id for rule in rules):
            rules.append(ProviderRule(id=provider_id))
        return {"providers": [rule.model_dump(mode="json", by_alias=True) for rule in rules]}

    return change


async def remove_provider_key(ctx: Context, provider_id: str) -> bool:
    """Forget the organization's key. Whether there was one; if so, the installation's is tried at once."""
    caller = ctx.require(Role.ADMIN)

    async def body(tx: Transaction) -> bool:
        sql = "DELETE FROM provider_key WHERE organization_id = ? AND provider = ?"
        if not await execute(sql, [caller.organization_id, provider_id], using=tx):
            return False
        await note_change(tx, ctx, "provider_key.removed", provider_id)
        return True

    removed = await unit_of_work(body)()
    if removed:
        await close_breaker(caller.organization_id, provider_id, ctx.services.now())
    return removed


async def keys_of(organization_id: str) -> dict[str, KeyView]:
    """What is shown of an organization's keys, by provider."""
    found = await query(
        "SELECT provider, last_four, set_at, set_by FROM provider_key WHERE organization_id = ?", [organization_id]
    )
    return {
        row["provider"]: KeyView(row["provider"], row["last_four"], from_micros(row["set_at"]), row["set_by"])
        for row in found
    }


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """Finds the key for a call: the organization's own, else the installation's for everyone."""

    secret_box: SecretBox | None
    shared: dict[str, str] = field(repr=False)

    async def heed_changes(self, redis: Redis, now: datetime) -> None:
        """Try again the providers whose key of the installation is another than when this was last called.

        A breaker that a bad key opened waits for another one, and nobody but the operator sets these.
        """
        for provider_id, key in self.shared.items():
            digest = hashlib.sha256(f"{provider_id}\n{key}".encode()).hexdigest()
            index = f"auto-enrichment:shared-key:{provider_id}"
            before = await redis.get(index)
            if before is None or before.decode() != digest:
                await close_breakers_of_refused_key(provider_id, now)
                await redis.set(index, digest)

    async def key_of(self, organization_id: str, provider_id: str) -> str | None:
        """The key, or None where there is none that can be read."""
        if self.secret_box is not None:
            found = await query(
                "SELECT sealed FROM provider_key WHERE organization_id = ? AND provider = ?",
                [organization_id, provider_id],
            )
            if found:
                try:
                    return self.secret_box.unseal(found[0]["sealed"], context=_context(organization_id, provider_id))
                except CannotUnseal:
                    _log.error("a provider key cannot be unsealed", organization=organization_id, provider=provider_id)
                    return None
        return self.shared.get(provider_id)


def _context(organization_id: str, provider_id: str) -> str:
    return f"{organization_id}\n{provider_id}"
