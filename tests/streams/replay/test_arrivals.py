"""When what is said of suspension arrived, as a replay from the store knows it: by the clock of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from seamwatch.clock import Clock, ScaledClock
from seamwatch.columnar.columns import columns, frame_of
from seamwatch.documents import Estate
from seamwatch.durations import DAY, SECOND
from seamwatch.testing import event_id
from seamwatch.wire.events import Suspension
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.history.period import Period
from streams.replay.history.store import gather_store

T0 = 1_772_442_000_000_000


class Recorded:
    """A store of one table, that of suspensions, each with when the broker had it."""

    def __init__(self, arrived: Mapping[int, int]) -> None:
        self._records = [
            Suspension(
                event_id=event_id(f"s{at}"), system="agent", state="suspended", person="owner@example.org", reason="-"
            ).record(event_time=at, producer="test", environment="test")
            for at in arrived
        ]
        self._arrived = [at // 1_000 for at in arrived.values()]

    def frame(self, sql: str, _parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The answer to what gathering asks."""
        here = " FROM suspension" in sql
        if "count()" in sql:
            times = [record["event_time"] for record in self._records]
            row = (min(times), max(times), len(times)) if here else (0, 0, 0)
            return pl.DataFrame([row], schema=["first", "last", "rows"], orient="row")
        assert here
        return frame_of("suspension", self._records).select(
            *columns("suspension"),
            pl.lit("t.suspension").alias("__topic"),
            pl.lit(0).alias("__partition"),
            pl.int_range(pl.len()).alias("__offset"),
            pl.Series("__arrived", self._arrived, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")),
        )


def arrivals(arrived: Mapping[int, int], clock: Clock | None = None) -> list[int | None]:
    """When each suspension arrived, as the judge of a replay is told."""
    with History([Plan(Estate())]) as history:
        gather_store(Recorded(arrived), history, Period(), clock=clock)
        return [event.arrived for event in history.rare()]


def test_a_replay_knows_when_what_was_said_came() -> None:
    assert arrivals({T0: T0 + 9 * SECOND, T0 + 20 * SECOND: T0 + 21 * SECOND}) == [T0 + 9 * SECOND, T0 + 21 * SECOND]


def test_what_was_put_in_long_afterwards_has_event_times_alone() -> None:
    assert arrivals({T0: T0 + 2 * DAY}) == [None]


def test_it_is_told_in_the_time_of_the_stages() -> None:
    assert arrivals({T0: T0 + 2 * DAY}, ScaledClock(T0, T0 + 2 * DAY - SECOND, 60.0)) == [T0 + 60 * SECOND]
