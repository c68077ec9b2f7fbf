"""What a clause could not be told of is counted where it can be seen: by system, clause and reason, over restarts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from bus.documents import ContractsFollower
from console.app import build
from console.unknown import sentences
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Unknown
from streams.counted import EVERY_SECONDS, KEPT, LINES
from streams.judge.unknown import Doubted, UnknownDays, UnknownEvents, doubted, others
from streams.metrics import MOST_LABELLED, OTHERS, Metrics
from tests.clauses.history import at
from tests.streams.hosted import judges
from tests.streams.stages import CODEC, PEOPLE, Scene, contract

ODD = Doubted("pact", "no-large-refund", "desk-agent", "odd")
ABSENT = ODD._replace(why="absent")


class _Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(metrics: Metrics) -> dict[tuple[str, ...], float]:
    samples = [sample for metric in metrics.unknown.collect() for sample in metric.samples]
    return {tuple(s.labels.values()): s.value for s in samples if s.name == "seamwatch_judge_unknown_total"}


def test_each_clause_system_and_reason_has_a_count_of_its_own() -> None:
    found = doubted([Unknown("pact", "no-large-refund", "desk-agent", 3, 0), Unknown(*ODD[:3], 1, 2)])
    assert found == {ODD: 4, ABSENT: 2}
    metrics = Metrics("judge")
    events = UnknownEvents(metrics)
    events.add(found)
    events.add({ODD: 1})
    assert shown(metrics) == {ODD: 5, ABSENT: 2}


def test_the_metric_has_so_many_labels_and_no_more() -> None:
    metrics = Metrics("judge")
    events = UnknownEvents(metrics)
    for number in range(MOST_LABELLED + 10):
        events.add({ODD._replace(system=f"s{number}"): 2})
    events.add({ODD._replace(system="s0"): 1})
    told = shown(metrics)
    assert (len(told), told[(OTHERS,) * 4], told[ODD._replace(system="s0")]) == (MOST_LABELLED + 1, 20, 3)


def test_the_log_tells_of_what_is_odd_at_once_and_then_every_so_often() -> None:
    moment = _Time()
    events = UnknownEvents(Metrics("judge"), moment)
    with capture_logs() as logs:
        for number in (3, 2, 4):
            events.add({ODD: number, ABSENT: 100})
            events.tell()
            moment.now += EVERY_SECONDS / 2
        events.add({ODD._replace(system=f"s{number}"): number + 1 for number in range(LINES + 2)})
        moment.now += EVERY_SECONDS
        events.tell()
    lines: list[Any] = list(logs)
    assert [line["events"] for line in lines[:2]] == [3, 6]
    assert (lines[-1]["others"], lines[-1]["events"]) == (2, 3)


def test_two_days_are_kept_over_a_restart_and_no_more() -> None:
    days = UnknownDays(_Time())
    for day in (1, 2, 3):
        days.add({ODD: 10**day, ABSENT: 1}, day * DAY)
    again = UnknownDays(_Time())
    assert [again.restore(key, value) for key, value in days.saved().items()] == [True]
    assert [again.of(day * DAY) for day in (3, 4, 5)] == [{ODD: 1_100, ABSENT: 2}, {ODD: 1_000, ABSENT: 1}, {}]
    assert not again.restore("\x00late", b"[]")


def test_what_is_absent_takes_no_room_of_what_is_odd() -> None:
    days = UnknownDays(_Time())
    for number in range(KEPT + 5):
        days.add({ABSENT._replace(system=f"s{number}"): 2}, DAY)
    days.add({ODD: 1}, DAY)
    counts = days.of(DAY)
    assert (counts[others("absent")], counts[ODD], len(counts)) == (10, 1, KEPT + 2)


def test_what_is_odd_is_said_first_and_the_rest_in_sum() -> None:
    counts = Counter({ABSENT: 1_000, ODD: 1, **{ODD._replace(system=f"s{n}"): 2 for n in range(3)}})
    odd = "give what cannot be judged (values of another kind, arguments nobody can read, labels outside 0 to 1)"
    assert list(sentences(counts, 2)) == [
        f"2 events of s0 {odd}: no-large-refund of pact",
        f"2 events of s1 {odd}: no-large-refund of pact",
        f"3 events more {odd}, of other clauses and systems",
        "1,000 events of desk-agent lack what is asked for: no-large-refund of pact",
    ]


CLAUSES = """
- {id: no-large-refund, kind: prohibition, never: "tool = 'refund' AND arguments.amount > 1000"}
- {id: elsewhere, kind: rate, max: 3, per: 1h, where: "arguments.to <> 'desk'"}
- {id: valid, kind: range, min: 0, max: 1, where: "cohort <> 'internal-test'"}
"""


def call(number: int, arguments: str) -> bytes:
    record = {
        "event_id": str(uuid4()),
        "event_time": at("1h") + number,
        "producer": "p",
        "environment": "e",
        "trace_id": f"t{number}",
        "parent_id": None,
        "attributes": [],
        "system": "desk-agent",
        "version": "v1",
        "config_digest": None,
        "tool": "refund",
        "arguments": arguments,
        "resource": None,
        "authorisation": None,
        "decision": "allowed",
        "confidence": None,
        "outcome": None,
    }
    return CODEC.encode("tool_call", record)


def test_what_is_measured_as_unknown_reaches_whoever_looks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", scene.kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", scene.prefix)
    monkeypatch.delenv("SEAMWATCH_DATA", raising=False)

    def doctor() -> list[tuple[str, str]]:
        lines = CliRunner().invoke(build(), ["doctor", "--json"]).stdout.splitlines()
        found = [line for line in map(json.loads, lines) if line["subject"] == "unknown"]
        return [(line["verdict"], line["found"]) for line in found]

    stages = {"SEAMWATCH_MAX_AGE": "36500d"}
    scene.start("measure", **stages)
    texts = ['{"amount": 5}', '{"amount": "5000"}', '{"amount": [5000]}', '"{}"', "{}", '{"to": "desk"}']
    for number, text in enumerate(texts):
        scene.send("tool_call", call(number, text), "desk-agent")
    scene.caught_up("measure")
    counts = Counter[Doubted]()
    for measurement in scene.measurements():
        counts += doubted(measurement.unknowns)
    whose = {why: Doubted("agreed", "no-large-refund", "desk-agent", why) for why in ("odd", "absent")}
    expected = {
        whose["odd"]: 3,
        whose["absent"]: 2,
        whose["odd"]._replace(clause="elsewhere"): 1,
        whose["absent"]._replace(clause="elsewhere"): 4,
    }
    assert counts == expected
    scene.start("judge", **stages)
    scene.caught_up("judge")
    scene.end()
    told = doctor()
    assert [verdict for verdict, _ in told] == ["note"] * 4
    assert told[0][1].startswith("today and yesterday, 3 events of desk-agent give what cannot be judged")
    assert told[0][1].endswith("no-large-refund of agreed")
    assert told[2][1] == "today and yesterday, 4 events of desk-agent lack what is asked for: elsewhere of agreed"
    # Whoever takes the partition over goes on counting where the former ended.
    stage = judges(scene, ContractsFollower(scene.kafka, scene.prefix))
    stage.forget()
    assert [verdict for verdict, _ in doctor()] == ["note"] * 4
