"""The beginning of each organization's log, once it is older than the log is kept, and old deliveries of webhooks."""

from datetime import datetime, timedelta
from typing import Any

from models.event.remove import delete_impossible, prune_events
from models.organization import organization_ids
from models.webhook.forget import prune_deliveries
from models.webhook.queue import reset_impossible_cursors
from resolvers.context import Services

_AT_ONCE = 2000
_PARTS = 40  # of one organization at a time: the next run goes on there


async def prune_log(ctx: dict[str, Any]) -> int:
    """Delete the events and deliveries that are kept no longer, and events that no reader could get.

    Returns how many rows.
    """
    services: Services = ctx["services"]
    now, keep, deleted = services.now(), services.keep_days, 0
    for organization_id in await organization_ids():
        await reset_impossible_cursors(organization_id, now)
        deleted += await _prune(organization_id, now - timedelta(days=keep.events))
        deleted += await _prune_deliveries(organization_id, now - timedelta(days=keep.webhooks))
    return deleted


async def _prune(organization_id: str, before: datetime) -> int:
    deleted = await delete_impossible(organization_id)
    for _ in range(_PARTS):
        deleted += (count := await prune_events(organization_id, before, _AT_ONCE))
        if count < _AT_ONCE:
            break
    return deleted


async def _prune_deliveries(organization_id: str, before: datetime) -> int:
    deleted = 0
    for _ in range(_PARTS):
        deleted += (count := await prune_deliveries(organization_id, before, _AT_ONCE))
        if count < _AT_ONCE:
            break
    return deleted
