"""What the replies show of themselves to Prometheus when a port is set; otherwise counted and not shown."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from seamwatch.exposing import LOOPBACK, expose

_PREFIX: Final = "seamwatch_replies"


class Metrics:
    """The counters of the process. Labels are ours: services and outcomes."""

    def __init__(self, port: int | None = None, host: str = LOOPBACK) -> None:
        registry = self.registry = CollectorRegistry()
        self.replies = Counter(
            f"{_PREFIX}_replies",
            "What services said, by what became of it: relayed, or why not",
            ["service", "outcome"],
            registry=registry,
        )
        self.last = Gauge(
            f"{_PREFIX}_last_timestamp_seconds",
            "When a service's reply was last relayed",
            ["service"],
            registry=registry,
        )
        self.asked = Counter(
            f"{_PREFIX}_asked", "Times that a service was asked for what never came", ["service", "result"],
            registry=registry,
        )  # fmt: skip
        self.asked_at = Gauge(
            f"{_PREFIX}_asked_timestamp_seconds", "When a service last answered that", ["service"], registry=registry
        )
        self.missed = Counter(
            f"{_PREFIX}_missed", "Replies that were found by asking, and had not come by themselves", ["service"],
            registry=registry,
        )  # fmt: skip
        self.connected = Gauge(
            f"{_PREFIX}_connected", "Whether the connection to a service stands", ["service"], registry=registry
        )
        self.unread = Gauge(f"{_PREFIX}_unread", "Records that could not be read", registry=registry)
        expose(registry, port, host)

    def tell(self, service: str, outcome: str) -> None:
        """Count what became of one."""
        self.replies.labels(service, outcome).inc()
        if outcome == "relayed":
            self.last.labels(service).set(time.time())
