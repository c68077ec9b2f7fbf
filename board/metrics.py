"""What a process of the board shows of itself to Prometheus when a port is set; otherwise counted and not shown.

Names no person, no address and no id: of what is asked it knows the route alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from board.live.feed import Feed
from board.live.hub import Hub

_PREFIX: Final = "seamwatch_board"
_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STREAM: Final = "/live"
NO_ROUTE: Final = "(none)"


class Metrics:
    """The figures of one process. What its feed holds is read when it is asked for, so that an age grows by itself."""

    def __init__(self, feed: Feed, hub: Hub, now: Callable[[], float] = time.time) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            f"{_PREFIX}_requests", "Requests answered, by route and status", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            f"{_PREFIX}_request_seconds",
            "Time until an answer began, without the stream of changes, which waits by nature",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )

        def away() -> float:
            since = feed.away_since
            return 0.0 if since is None else max(0.0, now() - since)

        _shown(registry, "away_seconds", "For how long what is shown was not kept up to date; 0 while it is", away)
        _shown(registry, "open", "Violations open, as this process knows", lambda: len(feed.episodes.followed))
        _shown(registry, "pages_followed", "Pages that hear of changes now", lambda: len(hub))
        _shown(registry, "unread", "Records that could not be read since the start", lambda: feed.unread)

    def answered(self, route: str | None, status: int, seconds: float) -> None:
        """Count an answer. ``route``: as the application names it, such as ``/systems/{system}``; None for no route."""
        route = route or NO_ROUTE
        self.requests.labels(route, str(status)).inc()
        if route != _STREAM:
            self.seconds.labels(route).observe(seconds)


def _shown(registry: CollectorRegistry, name: str, what: str, value: Callable[[], float]) -> None:
    Gauge(f"{_PREFIX}_{name}", what, registry=registry).set_function(value)
