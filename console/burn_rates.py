"""Burn rates for Prometheus: a file for a textfile collector, such as node_exporter's, written whole or not at all.

What is unknown has no rate there, and is counted as unknown: a rate of 0 would look well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seamwatch.durations import SECOND
from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

    from sinks.store.questions.burn import Burn

WINDOWS: Final = {1: "1h", 6: "6h", 24: "1d", 72: "3d"}
"""The windows in hours, as the label names them."""
_WHOSE: Final = ("contract", "clause", "system", "cohort")


def write(file: Path, found: Iterable[Burn], now: int) -> None:
    """Write the file. Raises UsageError where it cannot be written."""
    from prometheus_client import CollectorRegistry, write_to_textfile
    from prometheus_client.registry import Collector

    found = list(found)

    class Rates(Collector):
        def collect(self) -> Iterator[GaugeMetricFamily]:
            return families(found, now)

    registry = CollectorRegistry()
    registry.register(Rates())
    try:
        write_to_textfile(str(file), registry)
    except OSError as error:
        raise UsageError(f"--textfile {file}: cannot be written ({error.strerror}): name another") from error


def families(found: Iterable[Burn], now: int) -> Iterator[GaugeMetricFamily]:
    """The metrics: rates by window, ages that are used, clauses of which nothing can be told, and when it was asked."""
    from prometheus_client.core import GaugeMetricFamily

    prefix = "seamwatch_burn"
    rate = GaugeMetricFamily(
        f"{prefix}_rate", "Share of events that offend over the share that is tolerated", labels=(*_WHOSE, "window")
    )
    used = GaugeMetricFamily(f"{prefix}_age_used", "Share that is used of the age of data agreed", labels=_WHOSE)
    unknown = Counter({one.contract: 0 for one in found})
    for one in found:
        whose = (one.contract, one.clause, one.system, one.cohort or "")
        if one.used is not None:
            used.add_metric(whose, one.used)
        for window in one.windows:
            if window.burn is not None:
                rate.add_metric((*whose, WINDOWS[window.hours]), window.burn)
        unknown[one.contract] += one.verdict == "unknown"
    told = GaugeMetricFamily(f"{prefix}_unknown", "Clauses of which nothing can be told", labels=["contract"])
    for contract, number in unknown.items():
        told.add_metric([contract], number)
    asked = GaugeMetricFamily(f"{prefix}_asked_timestamp_seconds", "When all this was asked of the store")
    asked.add_metric([], now / SECOND)
    yield from (rate, used, told, asked)
