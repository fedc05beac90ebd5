"""Raise an alert when a share of the credits is used up: once a month each, and again after the limit was changed."""

from collections.abc import AsyncIterator

import structlog

from enrichment.credits import month_of
from models.credit.account import find_account
from models.credit.alert import AlertRow, add_alerts, alerts_of
from models.db.columns import new_id
from resolvers.context import Context, Role, Services
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of

_log = structlog.get_logger(__name__)


async def raise_alerts(services: Services, organization_id: str) -> list[float]:
    """Note the thresholds that have been crossed this month and were not noted yet. Returns them."""
    now = services.now()
    config = config_of(await organization_of(organization_id, services.registry, now))
    limit = config.credits.monthly_limit
    most = services.monthly_credit_grant if limit is None else limit
    account = await find_account(organization_id)
    used = account.used_in_month if account is not None and account.month == month_of(now) else 0
    crossed = [share for share in config.credits.alert_thresholds if most > 0 and used >= share * most]
    if not crossed:
        return []
    added = await add_alerts(
        [AlertRow(new_id(), organization_id, month_of(now), share, used, most, now) for share in crossed]
    )
    thresholds = [alert.threshold for alert in added]
    if thresholds:
        _log.warning("credits used", organization=organization_id, thresholds=thresholds, used=used, most=most)
        await announce(services.redis, organization_id, credits=True)
    return thresholds


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
