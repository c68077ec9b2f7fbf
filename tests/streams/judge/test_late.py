"""What comes too late to change what was judged is counted where it can be seen: a metric at once, the log in time."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from console.app import build
from seamwatch.durations import DAY, MINUTE
from seamwatch.engine.late import Late
from seamwatch.judging.model.facts import Fact
from streams.counted import EVERY_SECONDS, KEPT, LINES
from streams.judge.late import OTHERS, LateDays, LateEvents
from streams.metrics import Metrics
from tests.clauses.history import at
from tests.streams.hosted import judges, told
from tests.streams.stages import PEOPLE, Scene, contract

SCORER = Late("credit-limits", "valid", "scorer")


class _Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moment() -> _Time:
    return _Time()


def counted(metrics: Metrics) -> dict[tuple[str, ...], float]:
    samples = [sample for metric in metrics.too_late.collect() for sample in metric.samples]
    return {tuple(s.labels.values()): s.value for s in samples if s.name == "seamwatch_judge_too_late_total"}


def test_each_clause_has_a_count_of_its_own(moment: _Time) -> None:
    metrics = Metrics("judge")
    late = LateEvents(metrics, moment)
    late.add({SCORER: 3})
    late.add({SCORER: 2, Late("credit-limits", "fresh", "scorer"): 1})
    assert counted(metrics) == {("credit-limits", "valid", "scorer"): 5, ("credit-limits", "fresh", "scorer"): 1}


def test_the_log_says_so_at_once_and_then_every_so_often(moment: _Time) -> None:
    late = LateEvents(Metrics("judge"), moment)
    with capture_logs() as logs:
        for number in (3, 2, 4):
            late.add({SCORER: number})
            late.tell()
            moment.now += EVERY_SECONDS / 2
        late.tell()
    assert [(line["contract"], line["clause"], line["system"], line["events"]) for line in logs] == [
        ("credit-limits", "valid", "scorer", 3),
        ("credit-limits", "valid", "scorer", 6),
    ]


def test_many_clauses_are_summed_up(moment: _Time) -> None:
    late = LateEvents(Metrics("judge"), moment)
    late.add(Counter({Late("c", "valid", f"s{number}"): number + 1 for number in range(LINES + 2)}))
    with capture_logs() as logs:
        late.tell()
    lines: list[Any] = list(logs)
    assert [line["system"] for line in lines[:2]] == [f"s{LINES + 1}", f"s{LINES}"]
    assert (lines[-1]["others"], lines[-1]["events"]) == (2, 3)


# Today and yesterday, over restarts


def test_two_days_are_kept_over_a_restart_and_no_more(moment: _Time) -> None:
    days = LateDays(moment)
    for day in (1, 2, 3):
        days.add({SCORER: 10**day}, day * DAY)
    again = LateDays(moment)
    assert [again.restore(key, value) for key, value in days.saved().items()] == [True]
    assert [again.of(day * DAY) for day in (3, 4, 5)] == [{SCORER: 1_100}, {SCORER: 1_000}, {}]
    assert not again.restore("another", b"[]")


def test_it_is_kept_every_so_often_while_it_changes(moment: _Time) -> None:
    days, kept = LateDays(moment), 0
    for _ in range(6):
        days.add({SCORER: 1}, DAY)
        kept += len(days.saved())
        moment.now += EVERY_SECONDS / 2
    assert kept == 3
    assert [len(days.saved()), len(days.saved())] == [1, 0]


def test_so_many_are_told_apart(moment: _Time) -> None:
    days = LateDays(moment)
    for number in range(KEPT + 5):
        days.add({Late("c", "valid", f"s{number}"): 2}, DAY)
    days.add({Late("c", "valid", "s0"): 1}, DAY)
    counts = days.of(DAY)
    assert (len(counts), counts[OTHERS], counts[Late("c", "valid", "s0")]) == (KEPT + 1, 10, 3)


def test_the_doctor_says_what_came_too_late(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.publish(PEOPLE, contract("- {id: few, kind: range, min: 0, max: 1, tolerate: 0.5, window: 1m}"))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", scene.kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", scene.prefix)
    monkeypatch.delenv("SEAMWATCH_DATA", raising=False)

    def doctor() -> tuple[str, str]:
        lines = CliRunner().invoke(build(), ["doctor", "--json"]).stdout.splitlines()
        found = next(line for line in map(json.loads, lines) if line["subject"] == "late events")
        return found["verdict"], found["found"]

    fact = Fact("agreed", "1", "d" * 64, "few", "scorer", None, at("1h"), MINUTE, 7, 0, at("1h"), at("1h"))
    contracts = scene.contracts()
    stage = judges(scene, contracts)
    told(stage, scene, at("2h"), at("2h"), (fact,))
    told(stage, scene, at("2h") + MINUTE, at("2h"))
    assert doctor() == ("ok", "no event came too late to be judged, today or yesterday")
    told(judges(scene, contracts), scene, at("2h") + 2 * MINUTE, at("2h"), (fact,))
    verdict, said = doctor()
    assert verdict == "note"
    assert said.startswith("7 events came too late to be judged, today and yesterday: 7 for few of agreed (scorer);")
