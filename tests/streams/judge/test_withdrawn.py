"""Measurements by contracts that are withdrawn are waited for once, and not at all once it is known that they are."""

from __future__ import annotations

import time

from structlog.testing import capture_logs

from seamwatch.durations import HOUR
from seamwatch.judging.model.facts import Fact
from tests.clauses.history import at
from tests.streams.hosted import judges, told
from tests.streams.stages import PEOPLE, Scene, contract

CLAUSES = "- {id: few, kind: range, min: 0, max: 1, tolerate: 0.5, window: 1h}"


def fact(version: str, number: int = 0) -> Fact:
    moment = at("1h30m") + number
    return Fact("agreed", version, "d" * 64, "few", "scorer", None, at("1h"), HOUR, 3, 0, moment, moment)


def test_many_withdrawn_versions_hold_up_nothing_not_even_at_the_next_start(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    contracts = scene.contracts()
    for start in range(2):
        stage = judges(scene, contracts)
        begun = time.monotonic()
        with capture_logs() as logs:
            for number in range(40):
                told(stage, scene, at("2h"), at("2h"), (fact(f"gone-{number}"), fact("1", start * 40 + number)))
        assert time.monotonic() - begun < 60, "each of them was waited for"
        said = [line["contracts"] for line in logs if line["event"] == "measured by contracts that are not published"]
        assert said == [[("agreed", f"gone-{number}")] for number in range(40)]
        begun = time.monotonic()
        with capture_logs() as logs:
            told(stage, scene, at("2h"), at("2h"), tuple(fact(f"gone-{number}") for number in range(40)))
        assert logs == []
        counts = {
            sample.labels["version"]: sample.value
            for metric in stage._metrics.unpublished.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }
        assert counts == {f"gone-{number}": 6.0 for number in range(40)}


def test_a_version_that_measure_knew_first_is_read_before_it_is_judged(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    contracts = scene.contracts()
    stage = judges(scene, contracts)
    # Published behind the judge's back, as for a measure that reads the topic a moment earlier.
    scene.publish(PEOPLE, contract(CLAUSES, version="2").replace("seam:", "effective_from: 2026-01-01\nseam:"))
    poll = contracts.poll
    contracts.poll = lambda wait=0.0: poll(wait) if wait else False  # type: ignore[method-assign]
    with capture_logs() as logs:
        told(stage, scene, at("2h"), at("2h"), (fact("2"),))
    assert [line for line in logs if line["event"] == "measured by contracts that are not published"] == []


def test_a_broker_that_does_not_tell_is_waited_for_in_bounds(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    stage = judges(scene, scene.contracts())
    waited: list[float] = []

    def catch_up(patience: float) -> bool:
        waited.append(patience)
        time.sleep(patience / 100)
        stage._patience -= patience
        return False

    stage._contracts.catch_up = catch_up  # type: ignore[method-assign]
    for number in range(30):
        told(stage, scene, at("2h"), at("2h"), (fact(f"gone-{number}"),))
    assert len(waited) == 30
    assert sum(waited) < 20
