"""Jobs that ended because a provider refused to answer, once it is asked again."""

from resolvers.context import Services
from resolvers.job.restart_refused import restart_refused
from workers.repeating import repeat

EVERY_SECONDS = 10.0


async def restart_refused_forever(services: Services) -> None:
    """Look for such jobs every ten seconds until cancelled; where no provider is asked again, by two statements."""
    await repeat(lambda: restart_refused(services), lambda: EVERY_SECONDS, "restart refused")
