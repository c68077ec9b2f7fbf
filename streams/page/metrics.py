"""What the pager shows of itself to Prometheus when a port is set; otherwise counted and not shown."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from seamwatch.durations import SECOND
from seamwatch.exposing import LOOPBACK, expose
from seamwatch.judging.model.facts import Violation
from seamwatch.outages import Outage
from seamwatch.paging import NOTICE, Attempt
from seamwatch.summed import OUTCOMES

_DELAYS = (1, 2, 5, 10, 30, 60, 300, 900, 3_600, 6 * 3_600, 86_400)


class Metrics:
    """The figures of one pager."""

    def __init__(self, port: int | None = None, host: str = LOOPBACK) -> None:
        registry = self.registry = CollectorRegistry()
        prefix = "seamwatch_page"
        self._deliveries = Counter(
            f"{prefix}_deliveries", "Attempts to tell a person", ["channel", "result"], registry=registry
        )
        self.summaries = Counter(
            f"{prefix}_summaries", "Summaries, by how much of what broke and is owed could be read", ["outcome"],
            registry=registry,
        )  # fmt: skip
        for outcome in OUTCOMES:
            self.summaries.labels(outcome)
        self.open = Gauge(f"{prefix}_open", "Violations open and unacknowledged, of all pagers", registry=registry)
        self.waiting = Gauge(f"{prefix}_waiting", "What is still to be told by this pager", registry=registry)
        self.oldest = Gauge(
            f"{prefix}_oldest_undelivered_seconds", "How long the longest of it has been due", registry=registry
        )
        self.remembered = Gauge(
            f"{prefix}_remembered", "Violations and deliveries of which anything is remembered", registry=registry
        )
        self.unreadable = Gauge(f"{prefix}_unreadable", "Records passed over since the start", registry=registry)
        self.looks = Counter(f"{prefix}_looks", "Looks at the other stages", ["result"], registry=registry)
        self.signs = Counter(
            f"{prefix}_signs_of_life", "Signs of life to the outside service that misses them", ["result"],
            registry=registry,
        )  # fmt: skip
        self.delay = Histogram(
            f"{prefix}_delivery_delay_seconds",
            "From when a violation was found until a channel of the first person had taken it",
            buckets=_DELAYS,
            registry=registry,
        )
        self.restarts = Counter(
            f"{prefix}_stage_restarts",
            "Processes that were seen to come back to their group as another member",
            ["stage"],
            registry=registry,
        )
        self._outages = Gauge(
            f"{prefix}_outages", "Outages of Seamwatch itself that go on", ["fault", "stage"], registry=registry
        )
        expose(registry, port, host)

    def count(self, attempt: Attempt) -> None:
        """Count an attempt; its channel is known by its scheme."""
        result = "delivered" if attempt.delivered else "failed"
        self._deliveries.labels(attempt.channel, result).inc()

    def count_delivered(self, violations: Collection[Violation], now: int) -> None:
        """Count how long after it was found each violation was delivered to the person who is told first."""
        for violation in violations:
            if violation.step == 0 and violation.severity != NOTICE:
                self.delay.observe(max(0, now - violation.detected_at) / SECOND)

    def show(self, outages: Collection[Outage]) -> None:
        """Show which outages go on."""
        self._outages.clear()
        for outage in outages:
            self._outages.labels(outage.fault, outage.stage).set(1)
