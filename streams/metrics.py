"""What measure and judge show of themselves to Prometheus when a port is set; otherwise counted and not shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bus.partitions import Partition
from seamwatch.exposing import LOOPBACK, expose

_ROUND_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
MOST_LABELLED = 1_000
OTHERS = "(others)"


class BoundedCounter(Counter):
    """A counter whose labels take what traffic and documents bring: beyond `MOST_LABELLED`, the rest count as others.

    A series that was begun stays, so that each only ever grows.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._begun: set[tuple[str, ...]] = set()

    def labels(self, *values: object, **named: object) -> Self:
        """The counter of these labels, or of all others where there are too many already."""
        own = tuple(str(value) for value in (*values, *(named[name] for name in self._labelnames[len(values) :])))
        if own not in self._begun:
            if len(self._begun) >= MOST_LABELLED:
                own = (OTHERS,) * len(own)
            else:
                self._begun.add(own)
        return super().labels(*own)


class Metrics:
    """The counters of one stage of one process.

    Labels are of few values (record types, topics and their partitions, reasons of ours); where traffic or documents
    bring them, a `BoundedCounter` counts.
    """

    def __init__(self, stage: str, port: int | None = None, host: str = LOOPBACK) -> None:
        registry = self.registry = CollectorRegistry()
        prefix = f"seamwatch_{stage}"
        self.events = Counter(f"{prefix}_events", "Messages taken in", ["type"], registry=registry)
        self.rejects = Counter(f"{prefix}_rejects", "Messages set aside as dead letters", ["type"], registry=registry)
        self.repeated = Counter(f"{prefix}_repeated", "Events that had been seen before", ["type"], registry=registry)
        self.reused = BoundedCounter(
            f"{prefix}_reused",
            "Events whose id another event had before, so that they do not count",
            ["type", "producer"],
            registry=registry,
        )
        self.late = Counter(f"{prefix}_late", "Events too old to be judged live", ["type"], registry=registry)
        self.let_go = Counter(
            f"{prefix}_let_go", "Conversations, cohorts, … followed no longer: too many at once", registry=registry
        )
        self.answers = Counter(
            f"{prefix}_answers",
            "Acknowledgements by what they came to: counts, or why not",
            ["outcome"],
            registry=registry,
        )
        self.too_late = BoundedCounter(
            f"{prefix}_too_late",
            "Events of which a clause would have counted, had they come within the lateness of its contract",
            ["contract", "clause", "system"],
            registry=registry,
        )
        self.unknown = BoundedCounter(
            f"{prefix}_unknown",
            "Events of which a clause's condition could not be told: what they give is odd, or something is absent",
            ["contract", "clause", "system", "why"],
            registry=registry,
        )
        self.unpublished = BoundedCounter(
            f"{prefix}_unpublished",
            "Events measured by a version of a contract that is not published any more",
            ["contract", "version"],
            registry=registry,
        )
        self.unreadable = Gauge(
            f"{prefix}_unreadable", "Records of the state topic that could not be read and are kept", registry=registry
        )
        self.clock_behind = Gauge(
            f"{prefix}_clock_behind_seconds", "How far event time is behind the clock, at the most", registry=registry
        )
        self.unjoined = Counter(
            f"{prefix}_unjoined", "Outcomes that lack a score or cohort that is measured of them", registry=registry
        )
        self.waiting = Gauge(f"{prefix}_waiting", "Outcomes that wait for their decisions", registry=registry)
        self.joined = Counter(f"{prefix}_joined", "Outcomes that the store told the decision of", registry=registry)
        self.unfound = Counter(
            f"{prefix}_unfound", "Outcomes that count without their decision", ["why"], registry=registry
        )
        self.left_out = Gauge(
            f"{prefix}_documents_left_out",
            "Published documents that cannot be used, or say another text than was published first",
            registry=registry,
        )
        self.outputs = Counter(f"{prefix}_outputs", "Records produced", registry=registry)
        self.lag = Gauge(f"{prefix}_lag", "Records between position and end", ["topic", "partition"], registry=registry)
        self.round = Histogram(
            f"{prefix}_round_seconds", "Time to compute a round", buckets=_ROUND_BUCKETS, registry=registry
        )
        self._shown: set[tuple[str, str]] = set()
        expose(registry, port, host)

    def show_lag(self, lag: Mapping[Partition, int]) -> None:
        """Show how many records are behind each position; of partitions that are another's now, nothing."""
        shown = {(topic, str(number)) for topic, number in lag}
        for gone in self._shown - shown:
            self.lag.remove(*gone)
        self._shown = shown
        for (topic, number), records in lag.items():
            self.lag.labels(topic, str(number)).set(records)
