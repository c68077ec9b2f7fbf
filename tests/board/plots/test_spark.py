"""Sparks: whatever the shares, they lie on the paper, and are told in words."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from board.plots.spark import spark, told

shares = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=12)


@given(shares, st.none() | st.floats(0, 1))
def test_whatever_the_shares_they_lie_on_the_paper(found: list[float | None], agreed: float | None) -> None:
    svg = str(spark(found, agreed))
    known = [share for share in found if share is not None]
    if not known:
        assert "<svg" not in svg
        return
    dots = [(float(x), float(y)) for x, y in re.findall(r'cx="([^"]+)" cy="([^"]+)"', svg)]
    assert len(dots) == len(known)
    assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in dots)
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert told(found) in svg


def test_what_is_better_lies_higher_and_what_hardly_differs_on_a_level() -> None:
    def heights(*found: float) -> list[float]:
        return [float(y) for y in re.findall(r'cy="([^"]+)"', str(spark(found)))]

    worse, better = heights(0.5, 0.9)
    assert better < worse
    one, other = heights(0.9999, 0.99991)
    assert abs(one - other) < 1


def test_a_period_without_events_is_a_gap_and_said_to_be() -> None:
    svg = str(spark([0.5, None, 0.7, 0.8], 0.9))
    assert svg.count('class="line"') == 2
    assert "50 %, no events, 70 %, 80 %" in svg
    assert svg.count('class="bound"') == 1
