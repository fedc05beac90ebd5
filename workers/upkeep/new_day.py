"""Jobs that ended for want of credits, once a new day brings credits."""

from datetime import UTC
from typing import Any

from models.job.queries import organizations_short_of_credits
from resolvers.context import Services
from resolvers.job.requeue_short_of_credits import restore_jobs


async def new_day(ctx: dict[str, Any]) -> int:
    """Run again what ended for want of credits before this day: its limits are new, and maybe the month's grant.

    Returns how many jobs were started.
    """
    services: Services = ctx["services"]
    midnight = services.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    started = 0
    for organization_id in await organizations_short_of_credits(midnight):
        started += await restore_jobs(services, organization_id, ended_before=midnight)
    return started
