"""Plots: whatever was measured, the paper has a place for it, and who does not see it can read it."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from board.plots import Bound, Line, Mark, Plot, Point, drawn
from board.plots.scales import display_of, time_axis, time_labels, value_axis
from seamwatch.durations import DAY, HOUR, MINUTE
from tests.clauses.history import at

NOON = at("12h")
numbers = st.none() | st.floats()  # NaN and the infinite too
points = st.lists(st.tuples(st.integers(-2, 30), numbers), max_size=40).map(
    lambda found: tuple(Point(NOON + hour * HOUR, value) for hour, value in sorted(found, key=lambda pair: pair[0]))
)


def plot(*lines: Line, unit: str = "ms", **fields: object) -> Plot:
    return Plot("latency", "Latency", unit, lines, NOON, NOON + DAY, **fields)  # type: ignore[arg-type]


def coordinates(svg: str) -> list[float]:
    found = re.findall(r' (?:x1|x2|y1|y2|x|y|cx|cy)="([^"]+)"', svg)
    for path in re.findall(r' d="M ([^"]+)"', svg):
        found += path.replace(" L ", " ").split()
    return [float(each) for each in found]


@given(points, points, st.lists(st.floats(), max_size=3), st.sampled_from(["ms", "s", "share", ""]))
def test_whatever_was_measured_has_a_finite_place_on_the_paper(
    one: tuple[Point, ...], other: tuple[Point, ...], bounds: list[float], unit: str
) -> None:
    agreed = tuple(Bound("agreed at most", bound) for bound in bounds)
    svg = drawn(plot(Line("p50", one), Line("p95", other), unit=unit, bounds=agreed, marks=(Mark("opened", NOON),)))

    ET.fromstring(svg)
    assert all(math.isfinite(each) and -1 <= each <= 441 for each in coordinates(svg))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=9), st.sampled_from([1, 0.01, 3600.0]))
def test_an_axis_holds_every_value_between_few_round_numbers(values: list[float], by: float) -> None:
    axis = value_axis(values, by)

    assert axis.low < axis.high
    room = (max(values) - min(values)) * 1e-9 + max(map(abs, values)) * 1e-12
    assert axis.low - room <= min(values)
    assert axis.high + room >= max(values)
    assert 2 <= len(axis.ticks) <= 9
    assert all(0 <= axis.share(value) <= 1 for value in values)


def test_nothing_all_the_time_lies_at_the_foot() -> None:
    axis = value_axis([0.0, 0.0], 0.01)

    assert (axis.low, axis.high) == (0.0, 0.01)


@given(st.integers(-(10**15), 4 * 10**15), st.integers(0, 4 * 10**14))
def test_a_time_axis_has_few_times_and_a_word_for_each(since: int, lasts: int) -> None:
    axis = time_axis(since, since + lasts)

    assert axis.low < axis.high
    assert len(axis.ticks) <= 5
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert len(time_labels(axis.ticks)) == len(axis.ticks)


@pytest.mark.parametrize("line", [(), (Point(NOON, None),), (Point(NOON, math.nan),), (Point(NOON - HOUR, 5.0),)])
def test_where_nothing_was_measured_it_says_so(line: tuple[Point, ...]) -> None:
    said = drawn(plot(Line("p50", line), note="why <that> is"))

    assert "<svg" not in said
    assert "Nothing was measured from 2" in said
    assert "why &lt;that&gt; is" in said


def test_a_gap_is_no_line() -> None:
    hours = (1.0, 2.0, None, 3.0, 4.0)
    svg = drawn(plot(Line("p50", tuple(Point(NOON + n * HOUR, value) for n, value in enumerate(hours)))))

    assert svg.count("<path") == 2


def test_it_is_told_in_words_and_as_a_table() -> None:
    line = Line("p95", (Point(NOON, 120.0), Point(NOON + HOUR, 480.0), Point(NOON + 2 * HOUR, 240.0)))
    svg = drawn(plot(line, bounds=(Bound("agreed at most", 300.0),), marks=(Mark("opened", NOON + HOUR),)))
    desc = re.findall(r"<desc[^>]*>([^<]*)<", svg)

    assert len(desc) == 1
    assert "p95: least 120 ms, most 480 ms, last 240 ms; agreed at most 300 ms; opened at" in desc[0]
    assert re.findall(r'<td class="number">([^<]*)<', svg) == ["120 ms", "480 ms", "240 ms"]
    assert 'aria-labelledby="latency-title latency-desc"' in svg


def test_nothing_of_what_others_wrote_is_markup_and_no_style_is_inline() -> None:
    line = Line("<b>p95</b>", (Point(NOON, 1.0),))
    svg = drawn(plot(line, line, bounds=(Bound('"><script>', 2.0),), marks=(Mark("<i>", NOON),)))

    assert "<script" not in svg
    assert "<b>" not in svg
    assert "<i>" not in svg
    assert "style=" not in svg


def test_of_many_values_the_table_says_which_it_lists() -> None:
    line = Line("p95", tuple(Point(NOON + n * MINUTE, float(n)) for n in range(200)))
    svg = drawn(plot(line))

    assert svg.count('<tr><th scope="row">') == 50
    assert "Of 200 times every 4th is listed." in svg
    assert "<circle" not in svg


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("share", 0.042, "4.2 %"), ("s", 97_200.0, "27 h"), ("s", 259_200.0, "3 d"), ("s", 90.0, "90 s"),
        ("ms", 1234.0, "1,234 ms"), ("", 0.31, "0.31"),
    ],
)  # fmt: skip
def test_values_are_written_in_the_unit_that_is_easy_to_read(unit: str, value: float, expected: str) -> None:
    assert display_of(unit, value).text(value) == expected
