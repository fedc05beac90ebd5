"""The spans of jobs: each begins when a worker has claimed the job, and ends when that lets go of it."""

from collections.abc import Sequence

from resolvers.context import Services
from resolvers.tracing import parents_of
from workers.job.load import ClaimedJob


async def begin_spans(services: Services, jobs: Sequence[ClaimedJob]) -> None:
    """Begin a span for each of these jobs, in the trace of the request that started it."""
    if services.tracer is None:
        return
    parents = await parents_of(services.redis, [job.id for job in jobs])
    for job in jobs:
        about = {
            "job.id": job.id,
            "job.trigger": job.trigger.value,
            "job.attempt": job.attempts,
            "record.type": job.entity_type.value,
            "organization": job.organization_id,
        }
        job.span = services.tracer.begin("job", "consumer", about, parent=parents.get(job.id))
