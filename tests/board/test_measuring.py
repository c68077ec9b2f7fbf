"""What is drawn around an episode: a bounded time in a bounded number of parts, and figures that go with the clause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from board.framing import Frame, around, width_of
from board.measuring import nearness, plot_of
from board.plots import Plot
from seamwatch.clauses import kinds
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, MINUTE
from sinks.store.questions.measured import MOST_PARTS, decided
from tests.console.populated import DATASET, MODEL, Populated
from tests.sinks.samples import NOW, violation

LEAST, MOST = "agreed at least", "agreed at most"
spans = st.integers(0, 400 * DAY)


def clause(kind: str, **agreed: Any) -> Clause:
    return kinds()[kind].model_validate({"id": "c", "kind": kind, **agreed})


def plotted(estate: Populated, agreed: Clause, system: str = MODEL) -> Plot:
    frame = Frame("x", system, NOW - DAY, NOW, HOUR)
    return plot_of(estate.store, frame, agreed, agreed.kind_name)


@given(spans, spans, spans, st.sampled_from([None, MINUTE, 10 * MINUTE, HOUR, 30 * DAY]))
def test_whatever_an_episode_lasted_its_frame_can_be_asked_for(
    before: int, lasted: int, since: int, window: int | None
) -> None:
    opened = NOW - before
    agreed = None if window is None else clause("signal", signal="latency", max=300, window=f"{window // 1_000_000}s")
    episode = violation(opened_at=opened, since=opened - since, resolved_at=min(NOW, opened + lasted))
    frame = around(episode, agreed, NOW)

    assert frame.since < frame.until <= max(NOW, frame.since + HOUR)
    assert frame.until - frame.since <= 14 * DAY
    assert (frame.span.until - frame.span.since) / frame.width <= MOST_PARTS
    assert frame.since <= opened


@given(st.integers(1, 4000 * DAY), st.none() | st.integers(MINUTE, 40 * DAY))
def test_a_time_has_at_most_two_hundred_parts(lasts: int, wanted: int | None) -> None:
    assert lasts / width_of(0, lasts, wanted) <= 200


@pytest.mark.parametrize(
    ("agreed", "title", "bounds"),
    [
        (clause("signal", signal="latency", max=300), "Latency", ["agreed at most, for 0.95:"]),
        (clause("signal", signal="abuse", max=0.1), "Abuse", [MOST]),
        (clause("freshness", of="inference", max_lag="1h", warn_at="30m"), "Age of the oldest", [MOST, "warned at"]),
        (clause("range", min=0, max=1), "Scores", [LEAST, MOST]),
        (clause("representation", of="inference", shares={"under-25": [0.1, 0.5]}), "Share of", [LEAST, MOST]),
        (clause("volume", of="inference", min=1, per="1h"), "Decisions", [LEAST]),
        (clause("volume", of="inference", min=1, per="2h"), "Decisions", []),
        (clause("assertion", must="score >= 0"), "Decisions", []),
        (clause("signal", signal="accuracy", min=0.9), "Accuracy", []),
    ],
)  # fmt: skip
def test_what_is_drawn_goes_with_the_clause(estate: Populated, agreed: Clause, title: str, bounds: list[str]) -> None:
    plot = plotted(estate, agreed)

    assert plot.title.startswith(title)
    assert [bound.name for bound in plot.bounds] == bounds
    assert not plot.is_empty


def test_the_age_of_data_grows_until_it_is_refreshed(estate: Populated) -> None:
    plot = plotted(estate, clause("freshness", max_lag="26h"), DATASET)

    # Refreshed once, three hours ago, with data that was an hour old then.
    assert [round(point.value or 0) for point in plot.lines[0].points] == [3_600, 4 * 3_600]
    assert [bound.value for bound in plot.bounds] == [26 * 3_600.0]


def test_how_near_it_is_tells_the_last_value_and_what_was_agreed(estate: Populated) -> None:
    frame = Frame("x", MODEL, NOW - DAY, NOW, HOUR)
    rows = decided(estate.store, frame.span)
    slow = clause("signal", signal="latency", max=25)

    assert nearness(estate.store, frame, slow, rows) == ["last 12.5 ms, agreed at most, for 0.95: 25 ms, 50% of it"]
    assert nearness(estate.store, frame, clause("signal", signal="latency", max=25, where="score > 0.5"), rows) == []
    empty = replace(frame, since=NOW - 30 * DAY, until=NOW - 29 * DAY)
    assert nearness(estate.store, empty, slow, []) == ["nothing was measured in the last day"]
