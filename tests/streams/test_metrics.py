"""Labels of every stage's metrics are bounded: of few values by their nature, or counted together beyond so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase

import sinks.record.metrics
import streams.page.metrics
from seamwatch.clock import SystemClock
from seamwatch.durations import SECOND
from seamwatch.paging import NOTICE
from streams.judge.figures import Figures
from streams.metrics import MOST_LABELLED, OTHERS, BoundedCounter, Metrics
from tests.sinks.samples import NOW, violation

OF_FEW_VALUES = {"type", "topic", "partition", "why", "code", "kind", "stage", "channel", "result", "outcome", "fault"}
"""Record types, topics and their partitions, and words of ours: none comes with events or documents."""


def metrics_of(owner: object) -> Iterator[MetricWrapperBase]:
    yield from (value for value in vars(owner).values() if isinstance(value, MetricWrapperBase))


@pytest.mark.parametrize(
    "made",
    [
        Metrics("measure"),
        Metrics("judge"),
        Figures(CollectorRegistry(), SystemClock()),
        sinks.record.metrics.Metrics(),
        streams.page.metrics.Metrics(),
    ],
    ids=["measure", "judge", "judges", "record", "page"],
)
def test_no_label_takes_values_from_traffic_without_a_bound(made: object) -> None:
    seen = list(metrics_of(made))
    assert len(seen) > 3
    for metric in seen:
        labels = set(metric._labelnames)
        assert labels <= OF_FEW_VALUES or isinstance(metric, BoundedCounter), f"{metric._name}: {labels}"


def test_beyond_so_many_labels_the_rest_is_counted_together() -> None:
    registry = CollectorRegistry()
    counter = BoundedCounter("x_events", "Events", ["contract", "system"], registry=registry)
    for number in range(MOST_LABELLED + 50):
        counter.labels("c", f"s{number}").inc(2)
    counter.labels(contract="c", system="s7").inc()
    counter.labels("c", "never seen before").inc()
    told = generate_latest(registry).decode()
    assert f'x_events_total{{contract="{OTHERS}",system="{OTHERS}"}} 101.0' in told
    assert 'x_events_total{contract="c",system="s7"} 3.0' in told
    assert told.count("x_events_total{") == MOST_LABELLED + 1


def test_the_lag_of_partitions_that_are_anothers_is_shown_no_more() -> None:
    metrics = Metrics("judge")
    metrics.show_lag({("t", 0): 5, ("t", 1): 0})
    metrics.show_lag({("t", 1): 3})
    samples: list[Any] = [sample for metric in metrics.lag.collect() for sample in metric.samples]
    assert [(sample.labels, sample.value) for sample in samples] == [({"topic": "t", "partition": "1"}, 3.0)]


def test_a_delivery_is_measured_from_when_its_violation_was_found_for_whom_is_told_first() -> None:
    metrics = streams.page.metrics.Metrics()
    told = violation(detected_at=NOW)
    later = [replace(told, step=1), replace(told, severity=NOTICE)]
    metrics.count_delivered([told, *later], NOW + 90 * SECOND)
    samples: list[Any] = [sample for metric in metrics.delay.collect() for sample in metric.samples]
    found = {(sample.name.rpartition("_")[2], sample.labels.get("le")): sample.value for sample in samples}
    assert (found["count", None], found["sum", None]) == (1, 90)
    assert (found["bucket", "60.0"], found["bucket", "300.0"]) == (0, 1)
