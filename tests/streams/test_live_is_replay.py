"""Live and replay: the same events and contracts give the same violations, whatever happens to the stages."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seamwatch.clauses import kinds
from seamwatch.documents import Estate
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.records import violation_of
from streams.replay.replay import replay
from streams.testing import Load, loaded
from tests.streams.every_kind import beginning, documents, history
from tests.streams.recorded import from_store, own_store, recording, wait_until_recorded
from tests.streams.stages import CODEC, Scene
from tests.waiting import wait_for


def seen(violation: Violation | Mapping[str, Any]) -> tuple[Any, ...]:
    """What must be equal: everything but positions, the judge's clock and what follows from it."""
    record = violation if isinstance(violation, Mapping) else None
    if record is not None:
        ids = tuple(item["event_id"] for item in record["evidence"])
        fields = {**record, "ids": ids}
    else:
        assert isinstance(violation, Violation)
        ids = tuple(item.event_id for item in violation.evidence)
        fields = {name: getattr(violation, name) for name in Violation.__slots__} | {"ids": ids}
    names = ("violation_id", "clause", "system", "slice", "severity", "opened_at", "since", "observed", "limit",
             "unit", "summary", "person", "contract_digest", "ids")  # fmt: skip
    return tuple(fields[name] for name in names)


@pytest.mark.timeout(600)
def test_a_history_loaded_in_bulk_is_judged_as_replay_judges_it(scene: Scene, clickhouse: str) -> None:
    start = beginning(time.time_ns() // 1_000)
    scene.publish(documents(start))
    scene.start("measure")
    scene.start("judge")
    events = history(start)
    last = events[-1][1]["event_time"]
    estate = Estate.load(scene.folder)
    judged = replay(estate, events)
    expected = {seen(violation) for violation in judged}
    used = {clause.kind_name for contract in estate.all_contracts() for clause in contract.clauses}
    assert {violation.kind for violation in judged} == used

    kills = {len(events) // 3: "measure", 2 * len(events) // 3: "judge"}
    for number, (record_type, record) in enumerate(events):
        # Without a key, so that what belongs together is spread over all partitions.
        scene.send(record_type, CODEC.encode(record_type, record), None)
        if number in kills:
            scene.kill(kills[number])
            scene.start(kills[number])

    def live() -> set[tuple[Any, ...]]:
        latest = {v["violation_id"]: v for v in scene.violations(*used)}
        return {seen(v) for v in latest.values() if v["opened_at"] <= last}

    scene.caught_up("measure")
    wait_for(lambda: live() >= expected, "the violations of the replay")
    assert live() == expected
    assert_the_store_is_judged_alike(scene, clickhouse, len(events), last)


def assert_the_store_is_judged_alike(scene: Scene, clickhouse: str, events: int, last: int) -> None:
    """A replay of what was recorded finds what was found live, with the places of all evidence."""

    def told(violation: Violation) -> tuple[Any, ...]:
        return (*seen(violation), tuple((e.topic, e.partition, e.offset) for e in violation.evidence))

    with own_store(clickhouse, scene.topics) as url:
        with recording(scene.kafka, url, scene.topics):
            wait_until_recorded(url, scene.topics, events)
        stored, _ = from_store(url, scene.folder)
    latest = {v.violation_id: v for v in map(violation_of, scene.violations(*kinds()))}
    assert {told(v) for v in stored} == {told(v) for v in latest.values() if v.opened_at <= last}


@pytest.mark.parametrize(
    ("order", "keyed"),
    [("time", True), ("time", False), ("types", False), ("conversations", False), ("chance", False)],
)
def test_whatever_the_order_of_a_history_it_is_judged_as_replay_judges_it(
    order: str, keyed: bool, tmp_path: Path
) -> None:
    begin = time.time_ns() // 1_000
    start = beginning(begin)
    (tmp_path / "documents.yaml").write_text(documents(start))
    estate, events = Estate.load(tmp_path), history(start)
    last = events[-1][1]["event_time"]
    expected = {seen(violation) for violation in replay(estate, events)}
    arranged = {
        "time": lambda: events,
        "types": lambda: sorted(events, key=lambda event: event[0]),
        "conversations": lambda: sorted(events, key=lambda event: event[1].get("trace_id") or ""),
        "chance": lambda: random.Random(5).sample(events, len(events)),
    }[order]()
    latest = loaded(estate, arranged, Load(seed=5, keyed=keyed), begin)
    assert {seen(violation) for violation in latest.values() if violation.opened_at <= last} == expected
