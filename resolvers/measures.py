"""What the work of this process comes to, for Prometheus: jobs, retries, calls of providers, credits, fields.

Each process counts its own; whoever reads them adds them up. Labels are of closed lists and providers, never of
organizations or records, which are without number.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

_CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_JOB_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)

# When a counter began is of no use to anyone, and doubles the answer.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types it not at all


class Measures:
    """The counts of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = self._counter(
            "jobs_ended", "Jobs that ended, by how and by what had started them.", "outcome", "trigger"
        )
        self._retries = self._counter("job_retries", "Attempts of jobs that end in another attempt later.")
        self._job_seconds = Histogram(
            "auto_enrichment_job_seconds",
            "Time from a job's creation to its end.",
            buckets=_JOB_SECONDS,
            registry=self.registry,
        )
        self._calls = self._counter("provider_answers", "Answers of providers, by outcome.", "provider", "outcome")
        self._call_seconds = Histogram(
            "auto_enrichment_provider_call_seconds",
            "Time that a provider took.",
            ["provider"],
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        self._credits = self._counter("credits_charged", "Credits that were charged.", "provider")
        self._fields = self._counter("fields_written", "Values that jobs wrote.")

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"auto_enrichment_{name}", help_text, labels, registry=self.registry)

    def job_ended(self, outcome: str, trigger: str, seconds: float, fields_written: int) -> None:
        """Count the end of a job, `seconds` after it was created."""
        self._jobs.labels(outcome, trigger).inc()
        self._job_seconds.observe(seconds)
        if fields_written:
            self._fields.inc(fields_written)

    def job_retried(self) -> None:
        """Count an attempt after which the job waits for another."""
        self._retries.inc()

    def provider_answered(self, provider: str, outcome: str, latency_ms: int | None, credits_charged: int) -> None:
        """Count what a provider came to for one job. `latency_ms`: None where it was not called now."""
        self._calls.labels(provider, outcome).inc()
        if latency_ms is not None:
            self._call_seconds.labels(provider).observe(latency_ms / 1000)
        if credits_charged > 0:
            self._credits.labels(provider).inc(credits_charged)
