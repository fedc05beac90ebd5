"""What Prometheus may read: requests, WebSockets, waiting and running jobs, living workers."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# When a counter began is of no use to anyone, and doubles the answer.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types it not at all


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
        self.workers = Gauge(
            "auto_enrichment_workers", "Workers that gave a sign of life lately.", registry=self._registry
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

    def render(self) -> bytes:
        """The measurements in Prometheus' text format, of the type CONTENT_TYPE."""
        return generate_latest(self._registry)
