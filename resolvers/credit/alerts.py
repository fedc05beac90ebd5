"""Raise an alert when a share of the credits is used up: once a month each, and again after the limit was changed."""

from collections.abc import AsyncIterator, Collection

import structlog

from enrichment.config import Config
from enrichment.credits import month_of
from models.credit.account import find_accounts
from models.credit.alert import AlertRow, add_alerts, alerts_of
from models.db.columns import new_id
from models.organization import configs_of
from resolvers.context import Context, Role, Services
from resolvers.events.publisher import announce
from resolvers.organizations import read_config

_log = structlog.get_logger(__name__)


async def raise_alerts(services: Services, organization_id: str) -> list[float]:
    """Note the thresholds that have been crossed this month and were not noted yet. Returns them."""
    raised = await raise_alerts_of(services, {organization_id})
    return raised.get(organization_id, [])


async def raise_alerts_of(services: Services, organization_ids: Collection[str]) -> dict[str, list[float]]:
    """As `raise_alerts`, for many organizations at once: their thresholds, by organization."""
    now = services.now()
    used = {account.organization_id: account for account in await find_accounts(organization_ids)}
    crossed = [
        AlertRow(new_id(), row.id, month_of(now), share, account.used_in_month, most, now)
        for row in await configs_of(used)
        if (account := used[row.id]).month == month_of(now)
        for share, most in _crossed(read_config(row.config), account.used_in_month, services.monthly_credit_grant)
    ]
    raised: dict[str, list[float]] = {}
    for alert in await add_alerts(crossed) if crossed else ():
        raised.setdefault(alert.organization_id, []).append(alert.threshold)
        _log.warning(
            "credits used",
            organization=alert.organization_id,
            threshold=alert.threshold,
            used=alert.used,
            most=alert.most,
        )
    for organization_id in raised:
        await announce(services.redis, organization_id, credits=True)
    return raised


def _crossed(config: Config, used: int, monthly_grant: int) -> list[tuple[float, int]]:
    """The thresholds that are reached, each with what it is a share of."""
    limit = config.credits.monthly_limit
    most = monthly_grant if limit is None else limit
    return [(share, most) for share in config.credits.alert_thresholds if most > 0 and used >= share * most]


async def list_alerts(ctx: Context) -> list[AlertRow]:
    """The alerts of this month, the newest first."""
    caller = ctx.require(Role.VIEWER)
    return await alerts_of(caller.organization_id, month_of(ctx.services.now()))


async def watch_alerts(ctx: Context) -> AsyncIterator[list[AlertRow]]:
    """The alerts of this month as they are now, then each time there are others."""
    caller = ctx.require(Role.VIEWER)
    async with ctx.services.events.watch(caller.organization_id) as notices:
        shown = await list_alerts(ctx)
        yield shown
        async for notice in notices:
            if not notice.credits and not notice.gap:
                continue
            alerts = await list_alerts(ctx)
            if alerts != shown:
                shown = alerts
                yield shown
