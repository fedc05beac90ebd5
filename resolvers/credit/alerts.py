"""Tell once a month when a share of the credits is used up."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from enrichment.credits import month_of
from models.credit import CreditAlert
from models.db.columns import new_id, to_micros
from models.db.statements import query
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Context, Role, Services
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AlertView:
    """A threshold (share 0-1 of `most` credits) that the use of a month has crossed."""

    month: str
    threshold: float
    used: int
    most: int
    raised_at: datetime


async def raise_alerts(services: Services, organization_id: str) -> list[float]:
    """Note the thresholds that have been crossed and not yet told. Returns them."""
    now = services.now()
    config = config_of(await organization_of(organization_id, services.registry, now))
    limit = config.credits.monthly_limit
    most = services.monthly_credit_grant if limit is None else limit
    account = await query(
        "SELECT used_in_month FROM credit_account WHERE organization_id = ? AND month = ?",
        [organization_id, month_of(now)],
    )
    used = account[0]["used_in_month"] if account else 0
    crossed = [share for share in config.credits.alert_thresholds if most > 0 and used >= share * most]
    if not crossed:
        return []

    async def body(tx: Transaction) -> list[float]:
        told = []
        for share in crossed:
            told += await query(
                "INSERT INTO credit_alert (id, organization_id, month, threshold, used, most, raised_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING threshold",
                [new_id(), organization_id, month_of(now), share, used, most, to_micros(now)],
                using=tx,
            )
        return [row["threshold"] for row in told]

    told = await unit_of_work(body)()
    if told:
        _log.warning("credits used", organization=organization_id, thresholds=told, used=used, most=most)
        await announce(services.redis, organization_id, credits=True)
    return told


async def list_alerts(ctx: Context) -> list[AlertView]:
    """The alerts of this month, the newest first."""
    caller = ctx.require(Role.VIEWER)
    rows = CreditAlert.filter(organization_id=caller.organization_id, month=month_of(ctx.services.now()))
    return [
        AlertView(row.month, row.threshold, row.used, row.most, row.raised_at) for row in await rows.order_by("-id")
    ]


async def watch_alerts(ctx: Context) -> AsyncIterator[list[AlertView]]:
    """The alerts of this month as they are now, then each time there are others."""
    caller = ctx.require(Role.VIEWER)
    async with ctx.services.live.watch(caller.organization_id) as notices:
        told = await list_alerts(ctx)
        yield told
        async for notice in notices:
            if not notice.credits and not notice.gap:
                continue
            alerts = await list_alerts(ctx)
            if alerts != told:
                told = alerts
                yield told
