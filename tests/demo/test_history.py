"""Judged offline, the demo's history gives every violation of the stories, and no other."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from console.demo import timeline
from console.demo.models import train
from console.demo.producers import estate
from console.demo.sightings import Sightings, unexpected
from console.demo.stories import stories
from seamwatch.documents import Estate, load_folder
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Violation
from seamwatch.wire.checks import checked
from seamwatch.wire.schemas import schema
from streams.replay.replay import replay

ORIGIN = timeline.micros_of(timeline.NOMINAL_ORIGIN)
END = timeline.at(ORIGIN, timeline.LENGTH_DAYS)
CONTRACTS = Path(str(resources.files("console.demo") / "contracts"))


@pytest.fixture(scope="module")
def violations() -> list[Violation]:
    history = [
        (p.event.type, checked(schema(p.event.type), p.event.record()))
        for producer in estate(ORIGIN, train())
        for p in producer.events
        if p.at <= END
    ]
    return replay(Estate.load(CONTRACTS), history, END)


def test_the_contracts_have_no_errors() -> None:
    _, problems = load_folder(CONTRACTS)
    assert [str(problem) for problem in problems if problem.severity == "error"] == []


def test_exactly_the_expected_violations_come(violations: list[Violation]) -> None:
    expected = {e.key for story in stories(ORIGIN) for e in story.expected}
    seen = [(v.contract, v.clause, v.system, v.slice, v.severity) for v in violations]
    assert sorted(seen, key=str) == sorted(expected, key=str)


def test_each_opens_when_its_story_says(violations: list[Violation]) -> None:
    for expected in (e for story in stories(ORIGIN) for e in story.expected):
        (violation,) = (v for v in violations if (v.contract, v.clause, v.system, v.slice, v.severity) == expected.key)
        assert 0 <= violation.opened_at - expected.due < DAY // 2, expected.what
        assert (violation.state == "resolved") == expected.resolves, expected.what


def test_nothing_healthy_is_named(violations: list[Violation]) -> None:
    assert not [v for v in violations if v.system.startswith("renewals") or v.system == "credit-features"]
    sightings = Sightings()
    for violation in violations:
        sightings.see(violation, violation.opened_at)
    assert unexpected(stories(ORIGIN), sightings.all()) == []
