"""What measure and judge show of themselves to Prometheus when a port is set; otherwise counted and not shown."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from seamwatch.exposing import LOOPBACK, expose

_ROUND_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The counters of one stage of one process."""

    def __init__(self, stage: str, port: int | None = None, host: str = LOOPBACK) -> None:
        registry = CollectorRegistry()
        prefix = f"seamwatch_{stage}"
        self.events = Counter(f"{prefix}_events", "Messages taken in", ["type"], registry=registry)
        self.rejects = Counter(f"{prefix}_rejects", "Messages set aside as dead letters", ["type"], registry=registry)
        self.repeated = Counter(f"{prefix}_repeated", "Events that had been seen before", ["type"], registry=registry)
        self.late = Counter(f"{prefix}_late", "Events too old to be judged live", ["type"], registry=registry)
        self.let_go = Counter(
            f"{prefix}_let_go", "Conversations, cohorts, … followed no longer: too many at once", registry=registry
        )
        self.too_late = Counter(
            f"{prefix}_too_late",
            "Events of which a clause would have counted, had they come within the lateness of its contract",
            ["contract", "clause", "system"],
            registry=registry,
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
        expose(registry, port, host)
