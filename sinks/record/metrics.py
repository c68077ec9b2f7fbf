"""What the recorder shows of itself to Prometheus when a port is set; otherwise counted and not shown."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from seamwatch.exposing import LOOPBACK, expose

_ROUND_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """The figures of one recorder."""

    def __init__(self, port: int | None = None, host: str = LOOPBACK) -> None:
        registry = self.registry = CollectorRegistry()
        prefix = "seamwatch_record"
        place = ["topic", "partition"]
        self.rows = Counter(f"{prefix}_rows", "Rows recorded", ["topic"], registry=registry)
        self.rounds = Counter(f"{prefix}_rounds", "Rounds taken to the store", registry=registry)
        self.retries = Counter(
            f"{prefix}_retries", "Calls of the store that are tried again, by its code", ["code"], registry=registry
        )
        self.superseded = Counter(f"{prefix}_superseded", "Partitions that another claimed", registry=registry)
        self.paused = Counter(f"{prefix}_paused_seconds", "Time without reading, for the store", registry=registry)
        self.lag = Gauge(f"{prefix}_lag", "Records of the topic that are not recorded", place, registry=registry)
        self.repeats_behind = Gauge(
            f"{prefix}_repeats_behind", "Records not looked through for repeated events", registry=registry
        )
        self.buffered_rows = Gauge(f"{prefix}_buffered_rows", "Records read, not handed over", registry=registry)
        self.buffered_bytes = Gauge(f"{prefix}_buffered_bytes", "Bytes of them", registry=registry)
        self.round = Histogram(
            f"{prefix}_round_seconds", "Time of a round in the store", buckets=_ROUND_BUCKETS, registry=registry
        )
        expose(registry, port, host)
