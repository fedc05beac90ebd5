"""What Prometheus may read: requests, sockets, the queue, breakers, living workers, and what the process's work is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OPERATION_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0)
_LAG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)

MOST_WAITS = 5  # organizations that are told apart, by rank and not by name


@dataclass(frozen=True, slots=True)
class Wait:
    """How long an organization's oldest waiting job waits, and how many wait."""

    seconds: float
    jobs: int


class Metrics:
    """The measurements of one process, in a registry of their own."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        # Found by their labels once: there are as many as routes, methods and statuses together.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "auto_enrichment_http_requests",
            "Requests answered, by method, route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "auto_enrichment_http_request_seconds",
            "Time to the end of the answer, by route.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.sockets = Gauge("auto_enrichment_websockets", "WebSocket connections open now.", registry=self._registry)
        self.jobs = Gauge(
            "auto_enrichment_jobs",
            "Jobs that have not ended, by status.",
            ["status"],
            registry=self._registry,
        )
        self.oldest_wait = Gauge(
            "auto_enrichment_queue_oldest_seconds", "How long the oldest waiting job waits.", registry=self._registry
        )
        self.worst_waits = Gauge(
            "auto_enrichment_queue_worst_seconds",
            "How long the oldest waiting job of an organization waits, of the few whose wait is longest, by rank.",
            ["rank"],
            registry=self._registry,
        )
        self.worst_depths = Gauge(
            "auto_enrichment_queue_worst_jobs",
            "Waiting jobs of an organization, of those same few, by rank.",
            ["rank"],
            registry=self._registry,
        )
        self.breakers = Gauge(
            "auto_enrichment_provider_breakers_open",
            "Organizations for which a provider's circuit breaker is not closed, by reason.",
            ["provider", "reason"],
            registry=self._registry,
        )
        self.workers = Gauge(
            "auto_enrichment_workers", "Workers that gave a sign of life lately.", registry=self._registry
        )
        self._operated: dict[tuple[str, str, str], Counter] = {}
        self._operations = Counter(
            "auto_enrichment_graphql_operations",
            "GraphQL operations, by name (of those that are known), kind and outcome.",
            ["operation", "kind", "outcome"],
            registry=self._registry,
        )
        self._operation_seconds = Histogram(
            "auto_enrichment_graphql_operation_seconds",
            "Time to the result of a query or mutation over HTTP, by name (of those that are known).",
            ["operation"],
            buckets=_OPERATION_SECONDS,
            registry=self._registry,
        )
        self.too_complex = Counter(
            "auto_enrichment_graphql_too_complex",
            "GraphQL operations refused over HTTP because of their depth, size or cost.",
            registry=self._registry,
        )
        self._event_lag = Histogram(
            "auto_enrichment_event_lag_seconds",
            "Time from an event of the log to its reading for those who follow the log.",
            buckets=_LAG_SECONDS,
            registry=self._registry,
        )
        self._rate_limited = Counter(
            "auto_enrichment_rate_limited",
            "Requests, operations and sockets refused because a limit was used up, by what and whom it counts.",
            ["measure", "subject"],
            registry=self._registry,
        )
        about = Gauge("auto_enrichment_info", "The version that runs.", ["version"], registry=self._registry)
        about.labels(version).set(1)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. `route` is the pattern, never the path: paths are without number."""
        seen = (method if method in _METHODS else "other", route, status)
        if seen not in self._counted:
            counter = self.requests.labels(seen[0], route, str(status))
            self._counted[seen] = (counter, self.seconds.labels(route))
        requests, took = self._counted[seen]
        requests.inc()
        took.observe(seconds)

    def operated(self, operation: str, kind: str, outcome: str, seconds: float | None) -> None:
        """Count a GraphQL operation; all three are of closed lists. `seconds`: None where it says nothing."""
        seen = (operation, kind, outcome)
        if seen not in self._operated:
            self._operated[seen] = self._operations.labels(*seen)
        self._operated[seen].inc()
        if seconds is not None:
            self._operation_seconds.labels(operation).observe(seconds)

    def event_read(self, seconds: float) -> None:
        """Note that an event was read for those who follow the log, so long after it happened."""
        self._event_lag.observe(max(seconds, 0.0))

    def rate_limited(self, measure: str, subject: str) -> None:
        """Count a refusal because of a limit."""
        self._rate_limited.labels(measure, subject).inc()

    def queued(self, waits: Sequence[Wait]) -> None:
        """Note who waits longest, the longest wait first."""
        self.oldest_wait.set(waits[0].seconds if waits else 0)
        for rank in range(1, MOST_WAITS + 1):
            found = waits[rank - 1] if rank <= len(waits) else Wait(0.0, 0)
            self.worst_waits.labels(str(rank)).set(found.seconds)
            self.worst_depths.labels(str(rank)).set(found.jobs)

    def broken(self, open_breakers: Mapping[tuple[str, str], int]) -> None:
        """Note for how many organizations a breaker is not closed, by provider and reason."""
        self.breakers.clear()
        for (provider, reason), organizations in open_breakers.items():
            self.breakers.labels(provider, reason).set(organizations)

    def render(self, work: CollectorRegistry) -> bytes:
        """The measurements, and those of the process's work, in Prometheus' text format, of the type CONTENT_TYPE."""
        return generate_latest(self._registry) + generate_latest(work)
