"""The scheduled refresh of all organizations, the one served longest ago first."""

import time
from typing import Any

import structlog

from models.refresh.state import organizations_to_refresh
from resolvers.context import Services
from resolvers.organizations import read_config
from resolvers.refresh.freshness import is_fit_due, renew_half_lives
from resolvers.refresh.run import RefreshRun
from resolvers.refresh.schedule import start_refreshes
from resolvers.reliability import renew_reliability

REFRESH_SECONDS = 20.0  # after which a run serves no further organization

_log = structlog.get_logger(__name__)


async def refresh(ctx: dict[str, Any]) -> int:
    """Start a refresh for records that are due for one, the stalest first, and renew what history teaches.

    Half-lives are fitted once a day, and how reliable the sources are is estimated as often, or more while little is
    known.

    Returns how many were started. An organization that is not reached in time is first in the next run.
    """
    services: Services = ctx["services"]
    now = services.now()
    deadline = time.monotonic() + REFRESH_SECONDS
    started = 0
    for organization in await organizations_to_refresh():
        if time.monotonic() > deadline:
            break
        try:
            if is_fit_due(organization.fitted_at, now):
                await renew_half_lives(organization.id, now)
            await renew_reliability(organization.id, now)
            config = read_config(organization.config)
            run = RefreshRun(services, organization.id, config, organization.config_version, now)
            started += await start_refreshes(run)
        except Exception:
            # One organization's trouble keeps no other from its refresh.
            _log.exception("refresh failed", organization=organization.id)
    return started
