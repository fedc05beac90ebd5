"""Counts the results of jobs that were written, for whoever watches the service."""

from collections.abc import Iterable
from datetime import datetime

from resolvers.measures import Measures
from workers.job.process import JobResult


def count(measures: Measures, results: Iterable[JobResult], now: datetime) -> None:
    """Count jobs that ended or wait for another attempt, with what their providers came to."""
    for result in results:
        if result.job.span is not None:
            result.job.span.note({"job.status": result.status.value})
        for provider, reply in result.replies:
            measures.provider_answered(provider, reply.outcome.value, reply.latency_ms, reply.credits)
        if result.status.is_final:
            job = result.job
            written = sum(decision.write is not None for decision in result.decisions.values())
            measures.job_ended(result.status.value, job.trigger.value, (now - job.created_at).total_seconds(), written)
        else:
            measures.job_retried()
