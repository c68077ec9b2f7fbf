"""What a judge shows of itself: how far each partition is measured, what waits and is remembered, how late it finds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from seamwatch.clauses import kinds
from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.keyed_state import KeyedState
from seamwatch.engine.state_codec import kind_written, write_state
from seamwatch.engine.unjudged import KIND
from seamwatch.judging.model.facts import ForwardedEvent, Measurement, Watermark
from streams.judge.figures import Figures, StateSizes
from tests.clauses.history import at, contract, estate_of

FRESH = estate_of(contract("features", "- {id: fresh, kind: freshness, max_lag: 1h}"))


@dataclass
class Hand:
    """A clock in the test's hand."""

    time: int

    def now(self) -> int:
        return self.time

    def at(self, wall: int) -> int:
        return wall


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"seamwatch_judge_{name}", labels)


def test_event_time_and_what_is_behind_grow_old_by_themselves() -> None:
    registry, clock, judge = CollectorRegistry(), Hand(at("1h")), Judge(FRESH)
    figures = Figures(registry, clock, monotonic=lambda: 0.0)
    marks = (Watermark("in", 0, 1, at("1h"), caught_up=True), Watermark("in", 1, 1, at("1h") - MINUTE, caught_up=False))
    judge.on_measurement(Measurement(at("1h"), marks))
    figures.look({0: judge, 1: Judge(FRESH)})
    # As long as one of them has heard of nothing, there is no time up to which all is measured.
    assert value(registry, "event_time_seconds") is None
    figures.forget()
    figures.look({0: judge})
    assert value(registry, "event_time_seconds") == (at("1h") - MINUTE) / SECOND
    assert value(registry, "watermark_seconds", topic="in", partition="0") == at("1h") / SECOND
    clock.time += 10 * SECOND
    assert value(registry, "event_time_age_seconds") == 70
    assert value(registry, "watermark_age_seconds", topic="in", partition="0") == 10
    assert value(registry, "watermark_age_seconds", topic="in", partition="1") == 70
    figures.forget()
    assert value(registry, "watermark_age_seconds", topic="in", partition="1") is None


def test_how_late_a_violation_was_found_is_counted_once_by_its_kind() -> None:
    registry, judge = CollectorRegistry(), Judge(FRESH)
    figures = Figures(registry, Hand(0))
    refresh = {"event_id": "r", "event_time": at(), "system": "features", "data_as_of": at()}

    def measured(now: int, *events: ForwardedEvent) -> None:
        found = judge.on_measurement(
            Measurement(now, (Watermark("in", 0, 1, now, caught_up=True),), events=events, began=at())
        )
        figures.found(found.violations, judge.clock[0])

    measured(at("1m"), ForwardedEvent("dataset_refresh", refresh, "in", 0, 0, at()))
    figures.look({0: judge})
    assert (value(registry, "timers") or 0) >= 1
    for minutes in (62, 63, 64):
        measured(at() + minutes * MINUTE)
    assert value(registry, "detection_delay_seconds_count", kind="freshness") == 1
    assert value(registry, "detection_delay_seconds_sum", kind="freshness") == 120
    assert value(registry, "detection_delay_seconds_bucket", kind="freshness", le="60.0") == 0


@pytest.mark.parametrize("kind", [*kinds(), KIND])
def test_the_kind_of_what_is_written_is_known_without_reading_it(kind: str) -> None:
    assert kind_written(write_state(KeyedState(kind, "1", last=HOUR))) == kind


def test_what_is_no_state_has_no_kind() -> None:
    for other in (b"", b"[1, 2]", b'{"head":{"kind": "range', b'{"head": {"kind":"range"}}'):
        assert kind_written(other) is None


def test_what_is_remembered_is_counted_as_it_changes_and_goes() -> None:
    small, large = (write_state(KeyedState(kind, "1")) for kind in ("range", "freshness"))
    sizes = StateSizes()
    for key, written in (("a", small), ("b", small), ("c", large), ("\x00clock", b"[1]"), ("a", small + b" ")):
        sizes.put(key, written)
    assert sizes.states == {"range": 2, "freshness": 1}
    assert sizes.bytes == {"range": 2 * len(small) + 1, "freshness": len(large)}
    sizes.put("c", small)
    for gone in ("a", "b", "never there"):
        sizes.put(gone, None)
    assert sizes.states == {"range": 1, "freshness": 0}
    assert sizes.bytes == {"range": len(small), "freshness": 0}


def test_the_state_of_all_partitions_is_shown_by_kind_and_forgotten_with_them() -> None:
    registry = CollectorRegistry()
    figures = Figures(registry, Hand(0))
    written = write_state(KeyedState("range", "1"))
    figures.wrote(0, {"a": written})
    figures.wrote(1, {"a": written})
    figures.look({})
    assert value(registry, "state_entries", kind="range") == 2
    assert value(registry, "state_bytes", kind="range") == 2 * len(written)
    assert value(registry, "state_entries", kind="scope") == 0
    figures.forget()
    figures.look({})
    assert value(registry, "state_entries", kind="range") == 0
