"""The scheduled refresh of all organizations, each in its turn."""

import time
from typing import Any

import structlog

from models.db.statements import load
from models.refresh import organizations_by_turn
from resolvers.context import Services
from resolvers.organizations import read_config
from resolvers.refresh.freshness import is_fit_due, renew_half_lives
from resolvers.refresh.schedule import Turn, start_refreshes

REFRESH_SECONDS = 20.0  # after which a run serves no further organization

_log = structlog.get_logger(__name__)


async def refresh(ctx: dict[str, Any]) -> int:
    """Start a refresh for records that are due for one, the stalest first, and renew half-lives once a day.

    Returns how many were started. An organization whose turn does not come in time is first in the next run.
    """
    services: Services = ctx["services"]
    now = services.now()
    deadline = time.monotonic() + REFRESH_SECONDS
    started = 0
    for row in await organizations_by_turn():
        if time.monotonic() > deadline:
            break
        try:
            if is_fit_due(row["fitted_at"], now):
                await renew_half_lives(row["id"], now)
            config = read_config(load(row["config"]))
            started += await start_refreshes(Turn(services, row["id"], config, row["config_version"], now))
        except Exception:
            # One organization's trouble keeps no other from its refresh.
            _log.exception("refresh failed", organization=row["id"])
    return started
