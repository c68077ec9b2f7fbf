"""A breach that was over before its person could be told is told all the same, once; history wakes nobody."""

from __future__ import annotations

from dataclasses import replace

from seamwatch.judging.model.facts import Violation
from streams.page.desk import Desk

OPEN = Violation(
    "v", "c", "1", "d", "tools", "scope", "agent", "trace", "breach", "open", None, None, None, "s", 1, 1, 1, "a@b"
)
OVER = replace(OPEN, state="resolved", resolved_at=2)


def heard(*states: Violation, live: bool = True) -> Desk:
    desk = Desk()
    if live:
        desk.go_live()
    for offset, state in enumerate(states):
        desk.receive(state, "t", 0, offset)
    return desk


def test_a_breach_that_is_over_untold_is_still_due_until_it_is_delivered() -> None:
    desk = heard(OPEN, OVER)
    assert desk.due(0.0) == [OVER]
    taken = desk.take([OVER])
    assert taken == [OVER]
    desk.put_back(taken, delivered=True, now=0.0)
    assert desk.due(0.0) == []
    assert desk.open == 0


def test_what_was_over_before_we_started_wakes_nobody() -> None:
    assert heard(OPEN, OVER, live=False).due(0.0) == []
    assert heard(OVER).due(0.0) == []


def test_a_warning_that_is_over_and_a_breach_that_was_told_wake_nobody() -> None:
    warning = replace(OPEN, severity="warning")
    assert heard(warning, replace(warning, state="resolved")).due(0.0) == []
    desk = heard(OPEN)
    desk.receive_page("v", 0, "delivered")
    desk.receive(OVER, "t", 0, 1)
    assert desk.due(0.0) == []


def test_an_acknowledged_breach_that_is_over_wakes_nobody() -> None:
    assert heard(OPEN, replace(OPEN, state="acknowledged"), OVER).due(0.0) == []
