"""Rows whose time is over."""

from datetime import timedelta
from typing import Any

from models.decision_log import delete_snapshots
from resolvers.context import Services


async def prune(ctx: dict[str, Any]) -> int:
    """Delete the decision snapshots that are too old to be replayed. Returns how many."""
    services: Services = ctx["services"]
    return await delete_snapshots(services.now() - timedelta(days=services.replay_days))
