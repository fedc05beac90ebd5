"""Records that enrichment has filled, aged as a test wants them, and what the scheduled refresh makes of them."""

from datetime import timedelta
from typing import Any

from enrichment.enums import JobTrigger
from models.db.columns import to_micros
from models.db.statements import execute
from models.job import Job
from resolvers.context import Context, Services
from resolvers.record.api import upsert_records
from tests.support.factories import Clock, work
from workers.upkeep.refresh import refresh

DAY = timedelta(days=1).total_seconds()


def known(records: int) -> dict[str, dict[str, Any]]:
    return {f"acme{n}.com": {"city": "Oakland"} for n in range(records)}


async def enriched(ctx: Context, records: int, *, first: int = 0) -> None:
    """Accounts A0, A1, … that enrichment has given a city just now."""
    numbers = range(first, first + records)
    inputs = [{"entityType": "account", "externalId": f"A{n}", "fields": {"domain": f"acme{n}.com"}} for n in numbers]
    for start in range(0, records, 1000):
        await upsert_records(ctx, inputs[start : start + 1000])
    await work(ctx.services)


async def seen_before(clock: Clock, ages: dict[str, float]) -> None:
    """Make it so that the values of these accounts were seen, and the accounts enriched, so many days ago."""
    for external_id, days in ages.items():
        moment = to_micros(clock() - timedelta(days=days))
        record = "(SELECT id FROM record WHERE external_id = ?)"
        sql = f"UPDATE field_value SET observed_at = ?, written_at = ? WHERE record_id = {record}"
        await execute(sql, [moment, moment, external_id])
        await execute("UPDATE record SET last_enriched_at = ? WHERE external_id = ?", [moment, external_id])
    await execute("UPDATE job SET created_at = created_at - ?", [10 * 365 * 86_400_000_000])


async def refreshed(trigger: JobTrigger = JobTrigger.SCHEDULED_REFRESH) -> list[str]:
    """The external ids of the records refreshed so far, in the order in which they were started."""
    return [
        job.record.external_id for job in await Job.filter(trigger=trigger).order_by("id").prefetch_related("record")
    ]


async def a_day(shared: Services) -> int:
    """Sweep and work until nothing more is started. How many were."""
    total = 0
    while started := await refresh({"services": shared}):
        total += started
        await work(shared)
    return total
