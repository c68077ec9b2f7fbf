"""Silences: what is due is held back while one is in force, and told when it is over; nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seamwatch.durations import HOUR, SECOND
from seamwatch.judging.model.facts import Violation
from streams.page.desk import Desk
from streams.page.silences import Silences

AT = 10 * HOUR
BROKEN = Violation(
    violation_id="v1", contract="limits", contract_version="1", contract_digest="d", clause="valid", kind="range",
    system="scorer", slice=None, severity="breach", state="open", observed=None, limit=None, unit=None, summary="-",
    opened_at=AT, since=AT, detected_at=AT, person="owner@example.org",
)  # fmt: skip
QUIET = replace(
    BROKEN, violation_id="q1", kind="silence", clause="silence", severity="warning", limit=3_600.0, unit="s",
    person="second@example.org",
)  # fmt: skip


def held(quiet: Violation = QUIET, at: int = AT + SECOND, **broken: Any) -> bool:
    silences = Silences()
    silences.receive(quiet)
    return silences.hold(replace(BROKEN, **broken), at)


def test_a_silence_holds_back_what_its_contract_finds_of_its_system_until_its_end() -> None:
    assert held()
    assert held(at=AT + HOUR - 1)
    # It ends at its time even where no judge says so.
    assert not held(at=AT + HOUR)


@pytest.mark.parametrize(
    "broken",
    [{"contract": "other"}, {"system": "ranker"}, {"severity": "drill"}, {"severity": "notice"}, {"kind": "silence"}],
)
def test_nothing_else_is_held_back(broken: dict[str, Any]) -> None:
    assert not held(**broken)


def test_a_silence_of_one_clause_is_of_that_alone() -> None:
    assert held(replace(QUIET, slice="valid"))
    assert not held(replace(QUIET, slice="other"))


def test_one_that_somebody_took_on_is_in_force_and_one_that_is_over_is_not() -> None:
    assert held(replace(QUIET, state="acknowledged"))
    silences = Silences()
    silences.receive(QUIET)
    silences.receive(replace(QUIET, state="resolved", resolved_at=AT + SECOND))
    assert not silences.hold(BROKEN, AT + 2 * SECOND)


class Scene:
    """A desk with silences, and a clock."""

    def __init__(self) -> None:
        self.silences, self.now, self.offset = Silences(), AT, 0
        self.desk = Desk(lambda violation: self.silences.hold(violation, self.now))
        self.desk.go_live()

    def receive(self, violation: Violation) -> None:
        self.offset += 1
        self.silences.receive(violation)
        self.desk.receive(violation, violation.kind, 0, self.offset)

    def due(self) -> list[str]:
        return [violation.violation_id for violation in self.desk.due(self.now / SECOND)]


def test_what_is_open_is_told_when_the_silence_is_over_and_the_silence_at_once() -> None:
    scene = Scene()
    scene.receive(QUIET)
    scene.receive(BROKEN)
    assert scene.due() == ["q1"]
    assert scene.desk.waiting(scene.now / SECOND, lambda *_: True)[0] == 1
    scene.now = AT + HOUR
    assert sorted(scene.due()) == ["q1", "v1"]
    # It has not waited for anybody but the silence.
    assert scene.desk.waiting(scene.now / SECOND + 1, lambda *_: True)[1] <= HOUR / SECOND + 1


def test_it_is_told_to_who_must_act_by_then() -> None:
    scene = Scene()
    scene.receive(QUIET)
    scene.receive(BROKEN)
    scene.receive(replace(BROKEN, state="escalated", step=1, person="second@example.org"))
    scene.now = AT + HOUR
    told = [v for v in scene.desk.due(scene.now / SECOND) if v.violation_id == "v1"]
    assert [(v.step, v.person) for v in told] == [(1, "second@example.org")]


def test_what_opened_and_ended_meanwhile_is_told_nobody() -> None:
    scene = Scene()
    scene.receive(QUIET)
    scene.receive(BROKEN)
    scene.receive(replace(BROKEN, state="resolved", resolved_at=AT + SECOND))
    scene.now = AT + HOUR
    assert scene.due() == ["q1"]
    # Without a silence it is told all the same.
    scene = Scene()
    scene.receive(BROKEN)
    scene.receive(replace(BROKEN, state="resolved", resolved_at=AT + SECOND))
    assert scene.due() == ["v1"]
