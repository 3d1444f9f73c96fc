"""Prometheus metrics of one process; several workers are several targets."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from chandlery.store.serving import Publication

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one app, in a registry of their own; every label has few values, whatever callers send."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "api_requests_total", "Requests answered.", ("route", "method", "status"), registry=self._registry
        )
        self._latency = Histogram(
            "api_latency_seconds",
            "Time from request to the end of the answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._errors = Counter("errors_total", "Problems answered, by code.", ("code",), registry=self._registry)
        self._published_at = Gauge(
            "chandlery_published_timestamp_seconds",
            "When the current version of a dataset was published.",
            ("dataset",),
            registry=self._registry,
        )
        self._version = Gauge(
            "chandlery_published_version", "Current version of a dataset.", ("dataset",), registry=self._registry
        )
        self._database_up = Gauge(
            "chandlery_database_up", "1 if the warehouse answered the last look.", registry=self._registry
        )

    def count_request(self, *, route: str, method: str, status: int, seconds: float, problem: str | None) -> None:
        """Count one answered request."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._latency.labels(route).observe(seconds)
        if problem is not None:
            self._errors.labels(problem).inc()

    def note_publications(self, publications: Iterable[Publication] | None) -> None:
        """Take over what is published; None: the warehouse did not answer, the last facts stay."""
        self._database_up.set(0 if publications is None else 1)
        for publication in publications or ():
            self._published_at.labels(publication.dataset).set(publication.published_at.timestamp())
            self._version.labels(publication.dataset).set(publication.version)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
