"""An event with the id of another does not count, and is told: by metric, log and doctor live, by name in a replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from console.app import build
from seamwatch.durations import DAY, SECOND
from seamwatch.testing import event_id
from streams.counted import EVERY_SECONDS, LINES
from streams.measure.reused import KEPT, OTHERS, Reused
from streams.metrics import Metrics
from tests.clauses.history import PEOPLE, call, contract, with_ids
from tests.streams.stages import CODEC, RANGE, Scene, counted, inference
from tests.streams.stages import PEOPLE as STAGED
from tests.streams.stages import contract as agreed
from tests.waiting import wait_for


class _Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def some(*producers: str) -> pl.DataFrame:
    return pl.DataFrame({"event_id": [event_id(f"e{n}") for n in range(len(producers))], "producer": list(producers)})


def labelled(metrics: Metrics) -> dict[tuple[str, ...], float]:
    samples = [sample for metric in metrics.reused.collect() for sample in metric.samples]
    return {tuple(s.labels.values()): s.value for s in samples if s.name.endswith("_total")}


def test_each_producer_is_counted_and_named_once_in_a_while() -> None:
    metrics, moment = Metrics("measure"), _Time()
    reused = Reused(metrics, moment)
    with capture_logs() as logs:
        for _ in range(3):
            reused.add("tool_call", some("refunds", "refunds", "desk"), DAY)
            reused.tell()
            moment.now += EVERY_SECONDS / 2
    assert labelled(metrics) == {("tool_call", "refunds"): 6, ("tool_call", "desk"): 3}
    assert [(line["producer"], line["events"]) for line in logs] == [
        ("refunds", 2), ("desk", 1), ("refunds", 4), ("desk", 2),
    ]  # fmt: skip
    assert logs[0]["such_as"] == event_id("e0")


def test_however_many_producers_there_are_labels_lines_and_days_are_bounded() -> None:
    metrics, moment = Metrics("measure"), _Time()
    reused = Reused(metrics, moment)
    names = [f"p{n:04}" for n in range(3 * KEPT)]
    with capture_logs() as logs:
        reused.add("inference", some(*names, *names), 3 * DAY)
        reused.tell()
    assert len(labelled(metrics)) == KEPT + 1
    assert labelled(metrics)["inference", OTHERS] == 4 * KEPT
    assert len(logs) == LINES + 1
    (saved,) = reused.saved().values()
    ((day, counts),) = json.loads(saved)
    assert (day, len(counts), sum(counts.values())) == (3, KEPT + 1, 6 * KEPT)
    assert reused.saved() == {}
    moment.now += EVERY_SECONDS
    reused.add("inference", some("late"), 5 * DAY)
    assert [day for day, _ in json.loads(*reused.saved().values())] == [5]


def test_the_doctor_says_who_gave_several_events_one_id(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.publish(STAGED, agreed(RANGE))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", scene.kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", scene.prefix)
    monkeypatch.delenv("SEAMWATCH_DATA", raising=False)

    def doctor() -> tuple[str, str]:
        lines = CliRunner().invoke(build(), ["doctor", "--json"]).stdout.splitlines()
        found = next(line for line in map(json.loads, lines) if line["subject"] == "reused ids")
        return found["verdict"], found["found"]

    def send(number: int, **fields: Any) -> None:
        record = inference("system-0", number, **{"producer": "scoring", **fields})
        scene.send("inference", CODEC.encode("inference", record), "system-0")

    assert doctor() == ("ok", "no event had the id of another, today or yesterday")
    at = inference("s", 0)["event_time"] - SECOND
    for _ in range(3):
        send(1, at=at)
    scene.start("measure")
    scene.caught_up("measure")
    assert counted(scene.measurements())[0] == 1
    assert doctor()[0] == "ok", "an event that is sent again is no other event"
    assert scene.end() == [0]
    # What came before a restart is known after it, content and all; nothing that differs is measured of these.
    send(1, at=at, subject="another")
    send(1, at=at, subject="a third", producer="batch")
    send(2, at=at)
    scene.start("measure")
    scene.caught_up("measure")
    wait_for(lambda: doctor()[0] == "problem", "measure to say so")
    assert doctor()[1].startswith("2 events had the id of another event, today and yesterday, and were not judged: ")
    assert "1 of scoring" in doctor()[1]
    assert "1 of batch" in doctor()[1]
    assert counted(scene.measurements())[0] == 2
    assert scene.dead_letters() == []


SCOPE = contract("agent", "- {id: tools, kind: scope, tools: [{tool: find}]}")


@pytest.mark.parametrize("packed", [1, 40], ids=["in memory", "beside many"])
def test_a_replay_names_what_was_left_out(tmp_path: Path, packed: int) -> None:
    (tmp_path / "agreed.yaml").write_text(PEOPLE + SCOPE)
    same = call("1m", "find", "t1", event_id="one", producer="desk")
    events = [
        same, same, {**same, "event_id": event_id("one").upper()},
        call("2m", "delete_all", "t2", event_id="one", producer="desk"),
        call("3m", "delete_all", "t3", event_id="one", producer="refunds"),
        call("4m", "delete_all", "t4", event_id="two", producer="desk"),
        {"type": "config_change", "event_time": "2026-03-02T00:05:00Z", "system": "agent", "change_id": "c1",
         "kind": "model", "effective_at": "2026-03-02T00:05:00Z", "announced_by": "x", "event_id": "change"},
        {"type": "config_change", "event_time": "2026-03-02T00:06:00Z", "system": "agent", "change_id": "c2",
         "kind": "model", "effective_at": "2026-03-02T00:05:00Z", "announced_by": "x", "event_id": "change"},
        *(call(f"{n + 1}h", "find", f"x{n}") for n in range(packed)),
    ]  # fmt: skip
    history = tmp_path / "history.ndjson"
    history.write_text("".join(json.dumps(with_ids(event)) + "\n" for event in events))
    result = CliRunner().invoke(build(), ["replay", "--contracts", str(tmp_path), str(history)])
    assert result.exit_code == 1
    assert [json.loads(line)["slice"] for line in result.stdout.splitlines()] == ["t4"]
    assert result.stderr.count("was another event's before; left out") == 3
    assert f"tool_call of agent at 2026-03-02T00:02:00.000000Z: event_id {event_id('one')}" in result.stderr
    assert "note: 2 events were left out" in result.stderr
    assert "(desk 1, refunds 1)" in result.stderr
    assert "config_change of agent at 2026-03-02T00:06:00.000000Z" in result.stderr
