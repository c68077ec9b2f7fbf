"""The demo's drill: who may hold it and answer its steps, what must come of it, and that it is no breach."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from console.demo import timeline
from console.demo.drilling import ANSWERS, drilled, enrol, practice
from console.demo.pace import Pace
from console.demo.sightings import Page, Sightings, unexpected, verdicts
from console.demo.stories import PRACTISED, RUNS_DRILLS, TAKES_DRILLS, stories
from console.demo.table import delays
from console.drilling.answering import read_answers
from console.drilling.scenario import read_scenario
from console.keys import public_of, read_private_key
from seamwatch.documents import Estate, load_folder
from seamwatch.durations import DAY, HOUR, SECOND
from seamwatch.engine.seams import Seams
from seamwatch.judging.patterns.ladder import asked
from tests.demo.test_sightings import SEEN

ORIGIN = timeline.micros_of(timeline.NOMINAL_ORIGIN)
CONTRACT, CLAUSE, SYSTEM = PRACTISED
BEGAN = timeline.at(ORIGIN, 12)
DRILL = replace(
    SEEN, contract=CONTRACT, clause=CLAUSE, kind="drill", system=SYSTEM, slice="leaked-data-1", severity="drill",
    opened_at=BEGAN, person=TAKES_DRILLS,
)  # fmt: skip
HELD: dict[str, Any] = {
    "passed": True,
    "report": "sha256:00",
    "taken": {"person": TAKES_DRILLS},
    "steps": [{"id": "taken", "what": "it is taken", "result": "passed", "said": "they took it on", "by": None}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(Path(str(resources.files("console.demo") / "contracts")), tmp_path / "contracts")
    enrol(tmp_path, "2026-01-05")
    return tmp_path


def test_who_holds_drills_is_given_a_key_that_their_document_publishes(folder: Path) -> None:
    _, problems = load_folder(folder / "contracts")
    assert [str(problem) for problem in problems if problem.severity == "error"] == []
    estate = Estate.load(folder / "contracts")
    (key,) = estate.persons[RUNS_DRILLS].keys
    assert key.public == public_of(read_private_key(folder / "continuity.pem"))
    (contract,) = estate.contracts_for(SYSTEM, ORIGIN)
    bound = Seams(estate).covering(contract, SYSTEM)[CLAUSE]
    assert bound.clause.people() == (RUNS_DRILLS,)
    assert asked(bound.seam.escalation, ORIGIN)[0].person == TAKES_DRILLS
    # With it a drill would wait behind what the system's traffic brings late (docs/demo.md).
    assert bound.clause.sources() == ()


def test_each_step_that_persons_do_has_an_answer(folder: Path) -> None:
    scenario = read_scenario("leaked-data")
    read_answers(folder / ANSWERS, scenario, Estate.load(folder / "contracts"))
    asked = {step.id for step in scenario.steps if step.by is not None}
    assert {line.partition(":")[0] for line in (folder / ANSWERS).read_text().splitlines()[1:]} == asked


@pytest.mark.parametrize(
    ("code", "changed", "missing"),
    [
        (0, {}, ""),
        (0, {"taken": None}, "nobody took it on"),
        (0, {"taken": {"person": "other@example.org"}}, "other@example.org took it on"),
        (1, {"passed": False}, "it did not pass"),
        (1, {}, "exit 1"),
    ],
)
def test_a_drill_is_good_that_is_taken_on_by_who_is_asked_and_passes(
    code: int, changed: dict[str, Any], missing: str
) -> None:
    ended = drilled("seamwatch drill", code, json.dumps({**HELD, **changed}), "it begins\n\n")
    assert ended.missing == missing
    assert ended.said == (
        "it begins", "  passed   taken: they took it on", "  order-agent-drill.html: sha256:00"
    )  # fmt: skip


def test_a_drill_that_ends_without_a_report_says_why() -> None:
    ended = drilled("seamwatch drill", 3, "", "no broker\n")
    assert (ended.missing, ended.said, ended.report) == ("it gave no report", ("no broker",), None)


def test_the_drill_is_seen_as_what_it_is_and_as_no_violation_of_a_story() -> None:
    sightings, told = Sightings(), (*stories(ORIGIN), practice(BEGAN - HOUR))
    sightings.see(DRILL, BEGAN + 2 * SECOND)
    sightings.see_page(Page(DRILL.violation_id, 0, TAKES_DRILLS, BEGAN + SECOND), "delivered")
    assert unexpected(told, sightings.all()) == []
    assert [str(s.first.summary) for s in unexpected(stories(ORIGIN), sightings.all())] == [DRILL.summary]
    assert verdicts(told[-1:], sightings.all())[0].missing == "not over"
    sightings.see(replace(DRILL, state="resolved"), BEGAN + 9 * SECOND)
    (verdict,) = verdicts(told[-1:], sightings.all())
    # In true time, from when it began: not a day in five seconds.
    assert (verdict.missing, delays(verdict, timeline.RATE)) == ("", ("2.0 s", "2 s"))


def test_another_drill_or_a_breach_of_its_clause_is_seen() -> None:
    sightings, told = Sightings(), (*stories(ORIGIN), practice(BEGAN))
    sightings.see(DRILL, BEGAN)
    sightings.see(replace(DRILL, violation_id="v2", severity="breach"), BEGAN)
    assert [s.first.violation_id for s in unexpected(told, sightings.all())] == ["v2"]
    sightings.see(replace(DRILL, violation_id="v3", slice="leaked-data-2"), BEGAN)
    assert verdicts(told[-1:], sightings.all())[0].missing == "seen 2 times"


def test_time_is_true_before_the_history_and_after_it_and_never_runs_back(tmp_path: Path) -> None:
    pace = Pace(tmp_path, ORIGIN)
    seen = [pace.clock.now()]
    wall = pace.clock.scaled().wall_origin
    assert pace.clock.at(wall + SECOND) - pace.clock.at(wall) == SECOND
    pace.begin(waited=0.0)
    seen.append(pace.clock.now())
    begins = pace.clock.scaled().wall_origin
    assert pace.clock.at(begins) == ORIGIN
    assert pace.clock.at(begins + 5 * SECOND) == ORIGIN + DAY
    pace.slow_down()
    seen.append(pace.clock.now())
    far = begins + HOUR
    assert pace.clock.at(far + SECOND) - pace.clock.at(far) == SECOND
    assert not pace.is_slow
    assert seen == sorted(seen)
    assert seen[-1] < pace.clock.at(far)


@pytest.mark.parametrize(("waited", "day"), [(3.0, 5), (30.0, 5), (60.0, 10), (120.0, 20), (600.0, 20)])
def test_the_days_of_a_machine_that_is_slow_to_start_are_longer(waited: float, day: int, tmp_path: Path) -> None:
    pace = Pace(tmp_path, ORIGIN)
    pace.begin(waited)
    begins = pace.clock.scaled().wall_origin
    assert pace.clock.at(begins + day * SECOND) == ORIGIN + DAY
    assert pace.rate * day * SECOND == DAY
