"""The keys that organizations bring for their providers: stored sealed, and never shown again."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from redis.asyncio import Redis

from enrichment.config import Config, ProviderRule
from models.db.acting import across_organizations
from models.db.transaction import Transaction, unit_of_work
from models.provider_key import NewProviderKey, ProviderKeyRow, delete_key, save_key, sealed_keys
from models.provider_state import close_breaker, close_breakers_of_refused_key
from resolvers.audit import note_change
from resolvers.batcher import Batcher
from resolvers.config import change_config
from resolvers.context import Context, Role
from resolvers.errors import Fault, NotFound, Unavailable, ValidationFailed
from resolvers.job.requeue_short_of_credits import restore_jobs
from resolvers.organizations import organization_of
from resolvers.secret_box import CannotUnseal, SecretBox

MAX_KEY = 4096
_MOST = 500  # keys read by one statement

_log = structlog.get_logger(__name__)


async def set_provider_key(ctx: Context, provider_id: str, key: str, *, enable: bool = False) -> ProviderKeyRow:
    """Store the organization's key for a provider, in place of an earlier one. The provider is tried again at once,
    and the jobs that ended because it refused the earlier key run again in a moment.

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
    stored = NewProviderKey(caller.organization_id, provider_id, sealed, key[-4:], now, caller.user)
    await _store(ctx, stored, enable=enable)
    await close_breaker(caller.organization_id, provider_id, now)
    if enable:
        await restore_jobs(services, caller.organization_id)
    return ProviderKeyRow(provider_id, stored.last_four, now, caller.user)


@unit_of_work
async def _store(tx: Transaction, ctx: Context, key: NewProviderKey, *, enable: bool) -> None:
    await save_key(tx, key)
    if enable:
        await change_config(tx, ctx, _switched_on(key.provider), expected_version=None, now=key.set_at)
    await note_change(tx, ctx, "provider_key.set", key.provider)


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
    """Remove the organization's key. Whether there was one; if so, the installation's is tried at once."""
    caller = ctx.require(Role.ADMIN)
    removed = await _remove(ctx, caller.organization_id, provider_id)
    if removed:
        await close_breaker(caller.organization_id, provider_id, ctx.services.now())
    return removed


@unit_of_work
async def _remove(tx: Transaction, ctx: Context, organization_id: str, provider_id: str) -> bool:
    removed = await delete_key(tx, organization_id, provider_id)
    if removed:
        await note_change(tx, ctx, "provider_key.removed", provider_id)
    return removed


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """Finds the key for a call: the organization's own, else the installation's for everyone.

    Each call reads it anew, so that another key counts at once; calls at one time share a statement.
    """

    secret_box: SecretBox | None
    shared: dict[str, str] = field(repr=False)
    _sealed: Batcher[tuple[str, str], str | None] = field(
        default_factory=lambda: Batcher(_sealed_keys, most=_MOST, wait=0.0), repr=False
    )

    async def retry_changed_keys(self, redis: Redis, now: datetime) -> None:
        """Ask the providers again whose key of the installation has changed since this was last called.

        A circuit breaker that a refused key opened stays open until the key changes.
        """
        for provider_id, key in self.shared.items():
            digest = hashlib.sha256(f"{provider_id}\n{key}".encode()).hexdigest()
            name = f"auto-enrichment:shared-key:{provider_id}"
            before = await redis.get(name)
            if before is None or before.decode() != digest:
                with across_organizations():
                    await close_breakers_of_refused_key(provider_id, now)
                await redis.set(name, digest)

    async def key_of(self, organization_id: str, provider_id: str) -> str | None:
        """The key, or None where there is none that can be read."""
        sealed = None if self.secret_box is None else await self._sealed((organization_id, provider_id))
        if self.secret_box is None or sealed is None:
            return self.shared.get(provider_id)
        try:
            return self.secret_box.unseal(sealed, context=_context(organization_id, provider_id))
        except CannotUnseal:
            _log.error("a provider key cannot be unsealed", organization=organization_id, provider=provider_id)
            return None


async def _sealed_keys(wanted: Sequence[tuple[str, str]]) -> list[str | None]:
    with across_organizations():  # many organizations' jobs ask at one time
        found = await sealed_keys(wanted)
    return [found.get(pair) for pair in wanted]


def _context(organization_id: str, provider_id: str) -> str:
    return f"{organization_id}\n{provider_id}"
