"""Records a second through the whole pipeline: claimed and written in batches against one at a time.

    python -m benchmarks.pipeline [RECORDS] [DATABASE_URL]

Both variants run the same jobs, with the built-in directories, in one process, one after the other. Needs a
redis-server (the embedded one is used). Without a database URL: SQLite in a temporary folder.
"""

import asyncio
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from models.db import connection, statements
from models.db.migrate import migrate
from providers.registry import ProviderSettings, default_registry
from resolvers.context import Caller, Context, Role, Services
from resolvers.events.subscriber import EventSubscriber
from resolvers.pipeline import pause_pipeline, resume_pipeline
from resolvers.record.api import upsert_records
from service.embedded.redis import EmbeddedRedis
from service.redis_pool import redis_at
from service.runtime import utc_now
from service.sample.records import sample_records
from workers.job import runner
from workers.settings import build_worker


async def _measure(services: Services, organization: str, records: int, batch: int) -> tuple[float, float]:
    """Seconds to take the records in, and to enrich them with this many at a time."""
    ctx = Context(services, Caller(organization, "benchmark", Role.ADMIN))
    sample = list(sample_records())
    inputs = [
        {**sample[n % len(sample)], "externalId": f"{n}-{sample[n % len(sample)]['externalId']}"}
        for n in range(records)
    ]
    await pause_pipeline(ctx)
    started = time.perf_counter()
    remaining = iter(inputs)
    while chunk := list(islice(remaining, 1000)):
        await upsert_records(ctx, chunk)
    taken_in = time.perf_counter() - started
    await services.redis.flushall()
    await resume_pipeline(ctx)
    runner.AT_ONCE = batch
    worker = build_worker(services, max_jobs=4, capacity=2000 if batch > 1 else 1, burst=True)
    started = time.perf_counter()
    await worker.async_run()
    enriched = time.perf_counter() - started
    assert worker.on_shutdown is not None
    await worker.on_shutdown(worker.ctx)
    left = await statements.query(
        "SELECT COUNT(*) AS jobs FROM job WHERE organization_id = ? AND status IN ('pending', 'in_progress')",
        [organization],
    )
    assert left[0]["jobs"] == 0, left
    return taken_in, enriched


async def main(records: int, database_url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        redis_server = EmbeddedRedis(Path(folder))
        await redis_server.start()
        await connection.connect(database_url or f"sqlite://{folder}/benchmark.db")
        redis = redis_at(redis_server.url, tries=3)
        try:
            await migrate()
            services = Services(redis, default_registry(ProviderSettings()), EventSubscriber(redis), utc_now, 1000)
            await _measure(services, f"warm-{time.time()}", 50, 250)
            one, many = f"one-{time.time()}", f"many-{time.time()}"
            _, single = await _measure(services, one, records // 10, 1)
            many_in, batched = await _measure(services, many, records, 250)
            rate_one, rate_many = records / 10 / single, records / batched
            print(f"{connection.dialect()}, {records} records ({records // 10} one at a time)")
            print(f"  taken in            {records / many_in:8.0f} records/s")
            print(f"  one at a time       {rate_one:8.0f} records/s   1.0")
            print(f"  batches of 250      {rate_many:8.0f} records/s   {rate_many / rate_one:.1f}")
        finally:
            await redis.aclose(close_connection_pool=True)
            await connection.close()
            await redis_server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000, sys.argv[2] if len(sys.argv) > 2 else None))
