"""Read and change an organization's configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.config import Config, InvalidConfig, differences, merge, parse_config
from models.db.transaction import Transaction, unit_of_work
from models.event.kinds import EventKind
from models.event.write import NewEvent, add_events
from models.organization import lock_organization, save_config
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.credit.alerts import raise_alerts
from resolvers.errors import Fault, ValidationFailed, VersionMismatch
from resolvers.events.publisher import announce
from resolvers.job.requeue_short_of_credits import restore_jobs
from resolvers.organizations import config_of, organization_of

_VERSION = "version"
_READ_ONLY = frozenset({_VERSION, "updatedAt", "updatedBy"})  # shown by GET, so clients send them back


@dataclass(frozen=True, slots=True)
class ConfigView:
    """The configuration with its version and who made it."""

    config: Config
    version: int
    updated_at: datetime
    updated_by: str | None


async def get_config(ctx: Context) -> ConfigView:
    """The organization's configuration, with defaults on first use."""
    caller = ctx.require(Role.VIEWER)
    row = await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    return ConfigView(config_of(row), row.config_version, row.config_updated_at, row.config_updated_by)


async def update_config(ctx: Context, changes: Mapping[str, Any], *, expected_version: int | None = None) -> ConfigView:
    """Change the given keys and leave the others alone. A change of nothing makes no new version.

    A `version` among the changes is an expected version too: clients send back what they have read. Raises
    ValidationFailed with every fault, and VersionMismatch when a version that is expected is not the current one.
    """
    caller = ctx.require(Role.MANAGER)
    now = ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    view = await unit_of_work(change_config)(ctx, lambda _: changes, expected_version=expected_version, now=now)
    if view.updated_at == now:
        await announce(ctx.services.redis, caller.organization_id, log=True)
    if view.updated_at == now and {"credits", "providers"} & changes.keys():
        # A limit may have been raised: what ended for want of credits runs again, and ends the same if not.
        await restore_jobs(ctx.services, caller.organization_id)
    if view.updated_at == now and "credits" in changes:
        await raise_alerts(ctx.services, caller.organization_id)  # of a lower limit a share may be used up already
    return view


async def change_config(
    tx: Transaction,
    ctx: Context,
    changes: Callable[[Config], Mapping[str, Any]],
    *,
    expected_version: int | None,
    now: datetime,
) -> ConfigView:
    """Make the changes that follow from the configuration as it is, in the caller's transaction. See `update_config`.

    Writes the audit log: whatever else the transaction locks comes before.
    """
    caller = ctx.require(Role.MANAGER)
    row = await lock_organization(tx, caller.organization_id)
    before = config_of(row)
    wanted = changes(before)
    for expected in (expected_version, _version_in(wanted)):
        if expected is not None and expected != row.config_version:
            raise VersionMismatch(
                f"the configuration is at version {row.config_version}, not {expected}", version=row.config_version
            )
    config = merged_config(row.config, wanted, ctx.services.registry.ids())
    if config.as_json() == before.as_json():
        return ConfigView(config, row.config_version, row.config_updated_at, row.config_updated_by)
    version = row.config_version + 1
    await save_config(tx, caller.organization_id, version, config.as_json(), now=now, user=caller.user)
    about = {"version": version}
    await add_events(tx, [NewEvent(caller.organization_id, now, EventKind.CONFIG_CHANGED, data=about)])
    await note_change(
        tx, ctx, "config.changed", f"version {version}", {"changes": differences(before.as_json(), config.as_json())}
    )
    return ConfigView(config, version, now, caller.user)


def _version_in(changes: Mapping[str, Any]) -> int | None:
    """The version that the changes were made to, where they say it."""
    version = changes.get(_VERSION)
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def merged_config(before: Mapping[str, Any], changes: Mapping[str, Any], provider_ids: tuple[str, ...]) -> Config:
    """The stored configuration with these changes laid over. Raises ValidationFailed with every fault."""
    wanted = {key: value for key, value in changes.items() if key not in _READ_ONLY}
    faults: list[Fault] = []
    if changes.get(_VERSION) is not None and _version_in(changes) is None:
        faults.append(Fault(_VERSION, "must be a whole number: the version that was read"))
    try:
        config = parse_config(merge(before, wanted), provider_ids)
    except InvalidConfig as error:
        faults += [Fault(path, message) for path, message in error.faults]
    if faults:
        raise ValidationFailed("the configuration is not valid; nothing was changed", faults=faults)
    return config
