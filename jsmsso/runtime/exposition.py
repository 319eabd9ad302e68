"""The workers' numbers and the parent's own in Prometheus's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from jsmsso import __version__
from jsmsso.runtime.instance import Instance
from jsmsso.runtime.metrics import FAMILIES, SECONDS, Family
from jsmsso.runtime.shared_counts import Key

GAUGES = {
    "jsmsso_store_up": "Whether the store answers.",
    "jsmsso_jsm_writes_waiting": "Customers' records that wait to be written to JSM.",
    "jsmsso_jsm_writes_failing": "Those of them that failed before.",
    "jsmsso_workers": "Workers that run.",
    "jsmsso_workers_wanted": "Workers that ought to run.",
    "jsmsso_stopping": "Whether the end has begun.",
    "jsmsso_profile_read_timestamp_seconds": "When the profile was read that counts now.",
    "jsmsso_profile_refused": "Whether the last reload was refused.",
}
COUNTERS = {
    "jsmsso_reloads": "Reloads of the profile, by outcome.",
    "jsmsso_worker_restarts": "Workers that died and were started again.",
}
EXPIRIES = {
    "jsmsso_token_expiry_timestamp_seconds": "When a token ends, as the profile says.",
    "jsmsso_certificate_expiry_timestamp_seconds": "When a certificate ends.",
}


def exposition(instance: Instance, accept: str) -> tuple[bytes, str]:
    """The document and its content type, in the format that the scraper's ``Accept`` asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([*_of_workers(instance.totals()), *_of_parent(instance)]))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


class _Collected:
    """What prometheus-client asks for metrics."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_workers(totals: dict[Key, float]) -> Iterator[Metric]:
    by_name: dict[str, dict[Key, float]] = {}
    for key, number in totals.items():
        by_name.setdefault(key[0], {})[key[1:]] = number
    for family in FAMILIES.values():
        numbers = by_name.get(family.name, {})
        if family.kind == "histogram":
            yield _histogram(family, numbers)
        elif family.kind == "counter":
            counter = CounterMetricFamily(family.name, family.help, labels=family.labels)
            for labels, number in numbers.items():
                counter.add_metric(labels, number)
            yield counter


def _histogram(family: Family, numbers: dict[Key, float]) -> Metric:
    """Histograms add up from bucket to bucket; ours are counted apart. One without an observation is left out."""
    histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels in dict.fromkeys(key[:-1] for key in numbers):
        total, buckets = 0.0, []
        for bound in (*map(str, SECONDS), "+Inf"):
            total += numbers[(*labels, bound)]
            buckets.append((bound, total))
        if total:
            histogram.add_metric(labels, buckets, numbers[(*labels, "sum")])
    return histogram


def _of_parent(instance: Instance) -> Iterator[Metric]:
    store = instance.store_state()
    numbers = {
        "jsmsso_store_up": float(store.error is None),
        "jsmsso_workers": instance.living_workers(),
        "jsmsso_workers_wanted": instance.wanted_workers,
        "jsmsso_stopping": float(instance.is_stopping),
        "jsmsso_profile_read_timestamp_seconds": instance.read_at,
        "jsmsso_profile_refused": float(instance.refused is not None),
    }
    if store.error is None:
        numbers |= {"jsmsso_jsm_writes_waiting": store.waiting, "jsmsso_jsm_writes_failing": store.failing}
    for name, number in numbers.items():
        yield GaugeMetricFamily(name, GAUGES[name], value=number)
    reloads = CounterMetricFamily("jsmsso_reloads", COUNTERS["jsmsso_reloads"], labels=["outcome"])
    reloads.add_metric(["ok"], instance.reloads)
    reloads.add_metric(["refused"], instance.refused_reloads)
    yield reloads
    yield CounterMetricFamily("jsmsso_worker_restarts", COUNTERS["jsmsso_worker_restarts"], value=instance.restarts)
    yield InfoMetricFamily("jsmsso_build", "The release that runs.", value={"version": __version__})
    for name, help_ in EXPIRIES.items():
        kind = name.split("_")[1]
        gauge = GaugeMetricFamily(name, help_, labels=[kind])
        for one in instance.expiries:
            if one.kind == kind:
                gauge.add_metric([one.name], one.at)
        yield gauge
