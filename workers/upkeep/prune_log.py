"""The beginning of each organization's log, once it is older than the log is kept."""

from datetime import datetime, timedelta
from typing import Any

from models.event.remove import delete_impossible, prune_events
from models.organization import organization_ids
from resolvers.context import Services

_AT_ONCE = 2000
_PARTS = 40  # of one organization at a time: the next run goes on there


async def prune_log(ctx: dict[str, Any]) -> int:
    """Delete the events that are kept no longer, and those that no reader could get. Returns how many rows."""
    services: Services = ctx["services"]
    before = services.now() - timedelta(days=services.keep_days.events)
    return sum([await _prune(organization_id, before) for organization_id in await organization_ids()])


async def _prune(organization_id: str, before: datetime) -> int:
    deleted = await delete_impossible(organization_id)
    for _ in range(_PARTS):
        deleted += (count := await prune_events(organization_id, before, _AT_ONCE))
        if count < _AT_ONCE:
            break
    return deleted
