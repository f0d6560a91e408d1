"""What the service counts, in Prometheus' format; right over several processes, too.

With several workers, each writes into a file of its own in $PROMETHEUS_MULTIPROC_DIR, and
whoever is asked adds them up.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from vaekit.serving.engine import BatchReport
from vaekit.serving.exchange import Exchange, Reply
from vaekit.serving.models import Models
from vaekit.serving.together import Answer

MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
SECONDS: Final = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""The objective, 2 ms for nineteen of twenty requests of one client, is one of the bounds."""
SIZES: Final = tuple(2.0**power for power in range(18))
ERRORS: Final = tuple(float(f"{10 ** (power / 4):.3g}") for power in range(-20, 9))
NATS: Final = tuple(float(f"{10 ** (power / 4):.3g}") for power in range(-4, 17))
NATS_PER_DIMENSION: Final = (
    -20, -10, -7, -5, -4, -3, -2.5, -2, -1.5, -1, -0.75, -0.5, -0.4, -0.3, -0.25, -0.2, -0.15,
    -0.1, -0.075, -0.05, -0.025, 0, 0.5, 1, 2, 5,
)  # fmt: skip


@final
class Metrics:
    """Everything that is counted.

    Args:
        models: What is served.
    """

    def __init__(self, models: Models) -> None:
        self._models, self.registry = models, CollectorRegistry()
        self._shown: set[tuple[str, ...]] = set()
        self._children: dict[tuple[Any, ...], Any] = {}
        by_verb, by_model = ["model", "version", "verb"], ["model", "version"]
        self.requests = self._counter(
            "requests", "Requests, by how they ended.", [*by_verb, "outcome"]
        )
        self.seconds = self._histogram("request_seconds", "From head to reply.", by_verb, SECONDS)
        self.examples = self._counter("examples", "Examples answered.", by_verb)
        self.batch_requests = self._histogram(
            "batch_requests", "Requests that travelled together.", by_verb, SIZES
        )
        self.batch_samples = self._histogram("batch_samples", "Samples of a batch.", by_verb, SIZES)
        self.batch_seconds = self._histogram(
            "batch_seconds", "One call of the runtime.", by_verb, SECONDS
        )
        self.wait_seconds = self._histogram("queue_seconds", "In the queue.", by_model, SECONDS)
        self.waiting = self._gauge("queue_requests", "Requests in the queue.", by_model, "livesum")
        self.waiting_samples = self._gauge(
            "queue_samples", "Samples in the queue.", by_model, "livesum"
        )
        self.scores = {
            "mse": self._histogram("score_mse", "Reconstruction error.", by_model, ERRORS),
            "kl_nats": self._histogram("score_kl_nats", "KL of an example.", by_model, NATS),
        }
        self.elbo = self._histogram(
            "score_elbo_nats_per_dimension", "ELBO of an example.", by_model, NATS_PER_DIMENSION
        )
        self.served = self._gauge(
            "model", "1 for what an alias points to.", [*by_model, "alias", "artifact"], "livemax"
        )
        self.refused = self._gauge("refused_versions", "Not served as wanted.", [], "livemax")
        self.records = self._counter("records", "Records, by what became of them.", ["outcome"])
        self.resident = self._gauge("process_resident_bytes", "Memory.", [], "liveall")
        self.processor = self._gauge("process_cpu_seconds", "Processor time.", [], "liveall")
        self.files = self._gauge("process_open_files", "Open files.", [], "liveall")

    # -- who tells -------------------------------------------------------------------------------

    def ended(self, exchange: Exchange, _status: int) -> None:
        """A request has ended."""
        labels = exchange.model or "", exchange.version or "", exchange.verb or ""
        self._child(self.requests, *labels, exchange.outcome).inc()
        if exchange.model is not None:
            seconds = time.monotonic() - exchange.started
            self._child(self.seconds, *labels).observe(seconds)

    def batches(self, name: str, version: str, dimensions: int) -> Callable[[BatchReport], None]:
        """Who is told of the batches of one version, in the thread of its engine.

        Args:
            name: Of the model.
            version: Of it.
            dimensions: Values of an example.
        """

        def told(report: BatchReport) -> None:
            labels = name, version, report.verb
            self._child(self.batch_requests, *labels).observe(report.requests)
            self._child(self.batch_samples, *labels).observe(report.samples)
            self._child(self.batch_seconds, *labels).observe(report.seconds)
            observe(self._child(self.wait_seconds, name, version), np.asarray(report.waits))
            examples = sum(len(next(iter(answer.values()))) for answer in report.answers)
            self._child(self.examples, *labels).inc(examples)
            if report.verb == "score":
                self._scored(report.answers, (name, version), dimensions)

        return told

    def _scored(self, answers: Sequence[Answer], labels: tuple[str, str], dimensions: int) -> None:
        for quantity, (histogram, divisor) in self._histograms_of_scores(dimensions).items():
            found = [answer[quantity] for answer in answers if quantity in answer]
            if found:
                observe(self._child(histogram, *labels), np.concatenate(found) / divisor)

    def _histograms_of_scores(self, dimensions: int) -> dict[str, tuple[Histogram, int]]:
        each = {quantity: (histogram, 1) for quantity, histogram in self.scores.items()}
        return {**each, "elbo_nats": (self.elbo, dimensions)}

    def _child(self, metric: Any, *labels: str) -> Any:
        """What `metric.labels(*labels)` gives, which takes its time to find it."""
        key = metric, *labels
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = metric.labels(*labels)
        return found

    def look(self, refused: int) -> None:
        """Reads what has to be looked at rather than counted."""
        self.refused.set(refused)
        pages, ticks = Path("/proc/self/statm").read_text().split()[1], os.times()
        self.resident.set(int(pages) * os.sysconf("SC_PAGE_SIZE"))
        self.processor.set(ticks.user + ticks.system)
        self.files.set(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - names alone
        shown = set()
        for name, model in self._models.picture.items():
            for version, served in model.versions.items():
                requests, samples = served.engine.waiting
                self.waiting.labels(name, version).set(requests)
                self.waiting_samples.labels(name, version).set(samples)
            for alias, version in model.aliases.items():
                shown.add((name, version, alias, model.versions[version].digest))
        for labels in self._shown | shown:
            self.served.labels(*labels).set(labels in shown)
        self._shown |= shown

    def page(self) -> Reply:
        """All of it, as Prometheus reads it; of all processes, where there are several."""
        media_type = b"text/plain; version=0.0.4; charset=utf-8"
        return Reply(generate_latest(self._whole()), media_type=media_type)

    def samples(self) -> Iterator[Sample]:
        """All numbers of the page, one by one."""
        return (sample for family in self._whole().collect() for sample in family.samples)

    def _whole(self) -> CollectorRegistry:
        if MULTIPROCESS_VARIABLE not in os.environ:
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return registry

    # -- what there is ---------------------------------------------------------------------------

    def _counter(self, name: str, words: str, labels: list[str]) -> Counter:
        return Counter(f"vaekit_{name}", words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, labels: list[str], mode: str) -> Gauge:
        return Gauge(
            f"vaekit_{name}",
            words,
            labels,
            registry=self.registry,
            multiprocess_mode=mode,  # pyright: ignore[reportArgumentType]
        )

    def _histogram(
        self, name: str, words: str, labels: list[str], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(f"vaekit_{name}", words, labels, registry=self.registry, buckets=buckets)


def observe(histogram: Histogram, values: np.ndarray) -> None:
    """Counts many values at once; what is no number is left out.

    prometheus_client takes one value at a time, two microseconds each; a request of ten
    thousand examples would hold everybody up for that, three quantities long. There is no public
    way to add more than one, so its counters are added to by hand, and a test compares.
    """
    if len(values) == 1:
        if np.isfinite(values[0]):
            histogram.observe(float(values[0]))
        return
    finite = values[np.isfinite(values)]
    places = np.searchsorted(histogram._upper_bounds, finite, side="left")
    for place, count in enumerate(np.bincount(places)):
        if count:
            histogram._buckets[place].inc(int(count))
    histogram._sum.inc(float(finite.sum()))
