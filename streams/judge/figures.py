"""What a process of judge shows of its judges: event time, what waits, what they remember, how late they find.

Shows only, to Prometheus. How far event time is behind is reckoned when it is asked for, so that a stage that hears
nothing any more does not look as if it kept up.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from seamwatch.clauses import kinds
from seamwatch.clock import Clock
from seamwatch.durations import SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.state_codec import kind_written
from seamwatch.engine.unjudged import KIND
from seamwatch.engine.watermarks import LONG_AGO
from seamwatch.judging.model.facts import Violation

LOOK_SECONDS: Final = 1.0
PREFIX: Final = "seamwatch_judge"
DELAYS: Final = (1, 2, 5, 10, 30, 60, 300, 900, 3_600, 6 * 3_600, 86_400)
"""Bounds of the histograms of delays, in seconds."""


class Figures:
    """The figures of the judges of one process."""

    def __init__(self, registry: CollectorRegistry, clock: Clock, monotonic: Callable[[], float] = time.monotonic):
        self._monotonic = monotonic
        self._looked = -LOOK_SECONDS
        self._sizes: dict[int, StateSizes] = {}
        self._times = EventTimes(clock)
        registry.register(self._times)
        self.delay = Histogram(
            f"{PREFIX}_detection_delay_seconds",
            "From when a violation became true (event time) until it was found",
            ["kind"],
            buckets=DELAYS,
            registry=registry,
        )
        self.timers = Gauge(f"{PREFIX}_timers", "Times at which something is due to be looked at", registry=registry)
        self.states = Gauge(
            f"{PREFIX}_state_entries", "Clauses, by system and slice, that are remembered", ["kind"], registry=registry
        )
        self.bytes = Gauge(
            f"{PREFIX}_state_bytes", "What is remembered, as it is written to the state", ["kind"], registry=registry
        )

    def found(self, violations: Iterable[Violation], now: int) -> None:
        """Count how late violations were found that were opened now, by the stages' clock."""
        opened = {v.violation_id: v for v in violations if v.state == "open" and v.detected_at == now}
        for violation in opened.values():
            self.delay.labels(violation.kind).observe(max(0, now - violation.opened_at) / SECOND)

    def wrote(self, number: int, records: Mapping[str, bytes | None]) -> None:
        """Take note of records of a partition's state, as they are written or taken back; None deletes."""
        sizes = self._sizes.setdefault(number, StateSizes())
        for key, value in records.items():
            sizes.put(key, value)

    def look(self, judges: Mapping[int, Judge]) -> None:
        """Show where they stand; to be called after every round. It does so once a second at most."""
        if self._monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = self._monotonic()
        reached: dict[tuple[str, int], int] = {}
        for judge in judges.values():
            for mark in judge.watermarks:
                place = mark.topic, mark.partition
                reached[place] = min(reached.get(place, mark.watermark), mark.watermark)
        lowest = min((judge.clock[1] for judge in judges.values()), default=LONG_AGO)
        self._times.show(lowest, reached)
        self.timers.set(sum(judge.timers for judge in judges.values()))
        states, sizes = Counter[str](), Counter[str]()
        for each in self._sizes.values():
            states.update(each.states)
            sizes.update(each.bytes)
        for kind in (*kinds(), KIND):
            self.states.labels(kind).set(states[kind])
            self.bytes.labels(kind).set(sizes[kind])

    def forget(self) -> None:
        """Nothing is ours any more."""
        self._sizes = {}
        self._times.show(LONG_AGO, {})
        self._looked = -LOOK_SECONDS


class EventTimes(Collector):
    """How far each input partition is measured, and event time; and how long ago that is, when it is asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown: tuple[int, Mapping[tuple[str, int], int]] = (LONG_AGO, {})

    def show(self, lowest: int, reached: Mapping[tuple[str, int], int]) -> None:
        """Show these from now on: event time, and the times that input partitions have reached."""
        # In one step: who asks is on another thread.
        self._shown = lowest, reached

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What is shown now. A time that has not begun has no sample."""
        lowest, reached = self._shown
        now = self._clock.now()
        time_of = GaugeMetricFamily(f"{PREFIX}_event_time_seconds", "Up to when all is measured, Unix time")
        age = GaugeMetricFamily(f"{PREFIX}_event_time_age_seconds", "How far that is behind the clock")
        if lowest != LONG_AGO:
            time_of.add_metric([], lowest / SECOND)
            age.add_metric([], (now - lowest) / SECOND)
        labels = ["topic", "partition"]
        mark = GaugeMetricFamily(
            f"{PREFIX}_watermark_seconds", "Up to when an input partition is measured, Unix time", labels=labels
        )
        mark_age = GaugeMetricFamily(
            f"{PREFIX}_watermark_age_seconds", "How far that is behind the clock", labels=labels
        )
        for (topic, number), at in sorted(reached.items()):
            if at != LONG_AGO:
                mark.add_metric([topic, str(number)], at / SECOND)
                mark_age.add_metric([topic, str(number)], (now - at) / SECOND)
        yield from (time_of, age, mark, mark_age)


class StateSizes:
    """How many states of each clause kind there are in a partition's state, and their bytes.

    Of each one number is kept: keys are texts of a hundred characters, and there may be a million.
    """

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self._kinds: list[str] = []
        self._known: dict[int, int] = {}

    def put(self, key: str, value: bytes | None) -> None:
        """Take note of a record; None deletes. What is no keyed state is passed over."""
        name = hash(key)
        size_before = self._known.pop(name, None)
        if size_before is not None:
            size, place = divmod(size_before, _KINDS)
            self.states[self._kinds[place]] -= 1
            self.bytes[self._kinds[place]] -= size
        kind = None if value is None else kind_written(value)
        if kind is None or value is None:
            return
        if kind not in self._kinds:
            if len(self._kinds) == _KINDS:
                return
            self._kinds.append(kind)
        self._known[name] = len(value) * _KINDS + self._kinds.index(kind)
        self.states[kind] += 1
        self.bytes[kind] += len(value)


_KINDS: Final = 256
