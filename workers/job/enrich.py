"""The arq function behind every wake-up: claim what is due and bring it to its end."""

from typing import Any

from workers.job.runner import JobRunner


async def enrich(ctx: dict[str, Any]) -> int:
    """Run due jobs until none is left. Returns how many ended. Safe to run at any time, any number at once."""
    runner: JobRunner = ctx["runner"]
    return await runner.work(ctx["may_claim"])
