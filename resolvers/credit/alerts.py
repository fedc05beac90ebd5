"""Raise an alert when a share of the credits is used up: once a month each, and again after the limit was changed."""

from collections.abc import AsyncIterator, Collection
from contextlib import aclosing

import structlog

from enrichment.config import Config
from enrichment.credits import month_of
from models.credit.account import find_accounts
from models.credit.alert import AlertRow, add_alerts, alerts_of
from models.db.columns import new_id
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.organization import configs_of
from resolvers.context import Context, Role, Services
from resolvers.events.follow import REREAD_SECONDS, follow, start_of
from resolvers.events.log import EventFilter
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


_RAISED = EventFilter((EventKind.CREDITS_LOW, EventKind.CREDITS_EXHAUSTED))


async def watch_alerts(
    ctx: Context, *, after: str | None = None
) -> AsyncIterator[tuple[list[AlertRow], EventCursor | None]]:
    """The alerts of this month as they are now, then each time that one is raised, with its cursor in the log.

    With `after` those come first that were raised after it. Raises BadRequest and CursorExpired.
    """
    organization_id = ctx.require(Role.VIEWER).organization_id
    async with ctx.services.events.watch(organization_id, reread_every=REREAD_SECONDS) as notices:
        start = await start_of(organization_id, after)
        shown: list[AlertRow] | None = None
        async with aclosing(follow(organization_id, start, notices)) as followed:
            async for read in followed:
                raised = [event for event in read.events if _RAISED.lets_through(event)]
                if shown is not None and not raised:
                    continue
                shown = await list_alerts(ctx)
                for event in raised:
                    yield shown, event.cursor
                if not raised:
                    yield shown, None
