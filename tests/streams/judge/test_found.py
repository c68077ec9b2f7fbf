"""The message of a violation says how it was found: which partition event time had waited for, and until when."""

from __future__ import annotations

from seamwatch.durations import HOUR, SECOND
from seamwatch.judging.found import HEADER, Found, found_of
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.held import Held
from tests.clauses.history import at
from tests.streams.hosted import judges, told
from tests.streams.stages import PEOPLE, Scene, contract

CLAUSES = "- {id: few, kind: range, min: 0, max: 1, tolerate: 0.5, window: 1h}"


def test_a_violation_is_sent_with_what_event_time_had_waited_for(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    stage = judges(scene, scene.contracts())
    time = at("1h30m")
    evidence = (Evidence(time, "0b9c9c1e-0000-4000-8000-000000000001", value=2.0),)
    fact = Fact("agreed", "1", "d" * 64, "few", "scorer", None, at("1h"), HOUR, 4, 4, time, time, evidence=evidence)
    told(stage, scene, at("2h"), at("1h59m"), (fact,))
    (opened,) = (
        output for output in told(stage, scene, at("3h"), at("3h")) if output.topic == scene.topics.violations("range")
    )
    ((name, value),) = opened.headers
    assert name == HEADER
    held = Held(at("1h59m"), at("3h"), (("in", 0, at("1h59m")),), 1, 1)
    assert found_of(value) == Found(None, 5 * SECOND, 2 * SECOND, (held,))
