"""What the server counts, for Prometheus; named as in TensorFlow Serving where it counts the same thing."""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
PATH = "/monitoring/prometheus/metrics"

_MICROSECONDS = tuple(10 * 1.8**k for k in range(33))  # TensorFlow Serving's: 10 us to about 20 minutes
_SUFFIX = re.compile(rb"^((?:# (?:HELP|TYPE) )?:tensorflow:\w+(?::\w+)*)_total\b", re.MULTILINE)


class Metrics:
    """Counters of one server.

    Attributes:
        under_way: predictions that are computed, or wait for it.
    """

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.under_way = Gauge(
            "emobed_serving_predictions_under_way",
            "Predictions that are computed or wait for it, those that timed out included",
            registry=self._registry,
        )
        self._requests = Counter(
            ":tensorflow:serving:request_count",
            "The total number of requests",
            ["model_name", "status"],
            registry=self._registry,
        )
        self._request_latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Wall time of a request in microseconds",
            ["model_name", "API", "entrypoint"],
            buckets=_MICROSECONDS,
            registry=self._registry,
        )
        self._runtime_latency = Histogram(
            ":tensorflow:serving:runtime_latency",
            "Wall time of the model's graph in microseconds",
            ["model_name", "API", "runtime"],
            buckets=_MICROSECONDS,
            registry=self._registry,
        )
        self._loads = Counter(
            ":tensorflow:cc:saved_model:load_attempt_count",
            "The number of times that a version was to be loaded",
            ["model_path", "status"],
            registry=self._registry,
        )

    def count_prediction(self, model: str, code: str, seconds: float) -> None:
        """Counts a request that was answered.

        Args:
            model: its name; one that is served, since every other name would be a time series for ever.
            code: TensorFlow's name of the error, or `OK`.
            seconds: that it took.
        """
        self._requests.labels(model, code).inc()
        self._request_latency.labels(model, "predict", "REST").observe(1e6 * seconds)

    @contextlib.contextmanager
    def timed_run(self, model: str) -> Iterator[None]:
        """Counts the time that the block takes as that of the model's graph.

        Args:
            model: its name.

        Yields:
            Nothing.
        """
        begun = time.monotonic()
        try:
            yield
        finally:
            self._runtime_latency.labels(model, "Predict", "TF1").observe(1e6 * (time.monotonic() - begun))

    @contextlib.contextmanager
    def counted_load(self, path: Path) -> Iterator[None]:
        """Counts the block as an attempt to load a version, which fails if the block raises.

        Args:
            path: folder of the version.

        Yields:
            Nothing.
        """
        try:
            yield
        except BaseException:
            self._loads.labels(str(path), "fail").inc()
            raise
        self._loads.labels(str(path), "success").inc()

    def page(self) -> bytes:
        """All counts in Prometheus' text format."""
        # The library appends _total to every counter's name, TensorFlow Serving doesn't.
        return _SUFFIX.sub(rb"\1", prometheus_client.generate_latest(self._registry))
