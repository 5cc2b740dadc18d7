"""The metrics as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from mailnode.metrics import Counter, Histogram, Labels, Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


@dataclass(frozen=True, slots=True)
class Gauge:
    """What is read only when it is asked for. `total`: it never falls while the node runs."""

    name: str
    about: str
    labels: Labels
    values: Mapping[Labels, float]
    total: bool = False


class Exposition(Collector):
    """`gauges` is called for each reader."""

    def __init__(self, metrics: Metrics, gauges: Callable[[], Iterable[Gauge]]) -> None:
        self._metrics = metrics
        self._gauges = gauges
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Family]:
        """Nothing is read when it is registered."""
        return ()

    def collect(self) -> Iterator[Family]:
        for counter in self._metrics.counters():
            yield _counter(counter)
        for histogram in self._metrics.histograms():
            yield _histogram(histogram)
        for gauge in self._gauges():
            yield _gauge(gauge)


def _counter(counter: Counter) -> CounterMetricFamily:
    family = CounterMetricFamily(counter.name, counter.about, labels=counter.labels)
    for labels, count in counter.counts.items():
        family.add_metric(labels, count)
    return family


def _gauge(gauge: Gauge) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if gauge.total else GaugeMetricFamily
    family = kind(gauge.name, gauge.about, labels=gauge.labels)
    for labels, value in gauge.values.items():
        family.add_metric(labels, value)
    return family


def _histogram(histogram: Histogram) -> HistogramMetricFamily:
    """Of commands that nobody gave there are many, and nothing to say."""
    family = HistogramMetricFamily(histogram.name, histogram.about, labels=histogram.labels)
    bounds = [*map(repr, histogram.bounds), "+Inf"]
    for labels, row in histogram.rows.items():
        if any(row.counts):
            family.add_metric(labels, list(zip(bounds, accumulate(row.counts), strict=True)), row.sum)
    return family
