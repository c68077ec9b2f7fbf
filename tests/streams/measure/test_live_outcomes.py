"""Outcomes joined in the running system, as a replay joins them: with kill -9, a store away, and decisions that lag."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from bus.restoring import read_tables
from seamwatch.documents import Estate
from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.instants import format_instant
from streams.replay.replay import replay
from tests.clauses.history import record_of
from tests.sinks.estate import Proxy
from tests.streams.stages import CODEC, PEOPLE, Scene, contract
from tests.streams.stages import counted as counted_by
from tests.streams.stored import Row, record, store_of_its_own
from tests.streams.test_live_is_replay import seen
from tests.waiting import wait_for

CLAUSES = """
- {id: right, kind: signal, signal: accuracy, min: 0.8, window: 30m, min_count: 10, by: cohort}
- {id: labelled, kind: signal, signal: accuracy, correct: label = 1 OR score < 0.5, min: 0.8, window: 1h}
- {id: means, kind: calibration, max_error: 0.12, min_outcomes: 60}
- {id: fell-back, kind: signal, signal: fallback, max: 0.02, window: 30m}
"""
KINDS = ("signal", "calibration")
LOST = 20
Event = tuple[str, dict[str, Any]]


def system(start: int) -> str:
    """A model of which a second version was approved in the middle: who decided tells whose outcome it is."""
    return f"""
kind: System
id: model
type: model
owner: owner@example.org
approvers: [owner@example.org]
versions:
  - version: v1
    approvals:
      - {{id: A1, use_case: credit, approved_by: owner@example.org, approved_at: "{format_instant(start - HOUR)}"}}
  - version: v/2
    approvals:
      - {{id: A2, use_case: credit, approved_by: owner@example.org, approved_at: "{format_instant(start + HOUR)}"}}
"""


def decisions(start: int, first: int, last: int, chance: random.Random) -> list[Event]:
    """One each 20 s; a third of them by the second version, whose scores mean little."""
    events = []
    for number in range(first, last):
        version = "v/2" if number % 3 == 0 else "v1"
        events.append(record_of({
            "type": "inference", "event_time": start + number * 20 * SECOND, "event_id": f"i{number}",
            "system": "model", "version": version, "score": chance.random(), "use_case": "credit", "subject": "s",
            "cohort": chance.choice(["a", "b", None]), "fallback": number > last // 2 and chance.random() < 0.1,
        }))  # fmt: skip
    return events


def outcomes(decided: list[Event], chance: random.Random) -> list[Event]:
    """Of each decision, twenty minutes after it; two of three leave something to the decision. Some come twice."""
    events = []
    for number, (_, inference) in enumerate(decided):
        score = inference["score"]
        true = chance.random() < (0.9 - 0.8 * score if inference["version"] == "v/2" else score)
        event = record_of({
            "type": "outcome", "event_time": inference["event_time"] + 20 * MINUTE,
            "event_id": f"o{inference['event_id']}", "system": "model", "inference_id": inference["event_id"],
            "score": None if number % 3 == 0 else score, "cohort": inference["cohort"] if number % 3 == 1 else None,
            "label": float(true), "observed_at": inference["event_time"],
        })  # fmt: skip
        events += [event, event] if number % 10 == 0 else [event]
    return events


def rows(decided: list[Event]) -> list[Row]:
    return [
        (r["event_id"], r["system"], r["score"], r["cohort"], r["version"], r["event_time"] // SECOND)
        for _, r in decided
    ]


def send(scene: Scene, events: list[Event]) -> None:
    for record_type, event in events:
        scene.send(record_type, CODEC.encode(record_type, event), "model")
    scene.producer.flush()


def counted(scene: Scene) -> int:
    """How many outcomes were counted by the clause that counts all that have a score."""
    return counted_by(scene.measurements(), "right")[0]


@pytest.mark.timeout(600)
def test_outcomes_are_joined_live_as_a_replay_joins_them(scene: Scene, clickhouse: str) -> None:
    start = (time.time_ns() // 1_000 - 5 * HOUR) // HOUR * HOUR
    chance = random.Random(4)
    early, lagging = decisions(start, 0, 450, chance), decisions(start, 540, 640, chance)
    first, second = outcomes(early, chance), outcomes(lagging, chance)
    for number in range(LOST):
        # Of decisions that nobody ever made.
        first.append(record_of({
            "type": "outcome", "event_time": start + number * 5 * MINUTE, "event_id": f"lost{number}",
            "system": "model", "inference_id": f"never{number}", "score": None, "cohort": None, "label": 0.0,
            "observed_at": start,
        }))  # fmt: skip
    scene.publish(PEOPLE, system(start), contract(CLAUSES))
    estate = Estate.load(scene.folder)
    told = [*early, *first, *lagging, *second]
    last = max(event["event_time"] for _, event in told)
    expected = {seen(violation) for violation in replay(estate, told)}
    assert {name for _, name, *_ in expected} == {"right", "labelled", "means", "fell-back"}

    def live(*clauses: str) -> set[tuple[Any, ...]]:
        latest = {v["violation_id"]: v for v in scene.violations(*KINDS) if not clauses or v["clause"] in clauses}
        return {seen(v) for v in latest.values() if v["opened_at"] <= last}

    with store_of_its_own(clickhouse) as url:
        record(url, *rows(early))
        proxy = Proxy(url)
        proxy.down = True
        scene.start("measure", CLICKHOUSE_URL=proxy.url)
        scene.start("judge")
        send(scene, [*early, *first])
        # The store is away: what looks at outcomes waits, what looks at decisions does not.
        fell_back = {violation for violation in expected if violation[1] == "fell-back"}
        wait_for(lambda: live("fell-back") >= fell_back, "what looks at decisions alone")
        assert live("right", "labelled", "means") == set()
        scene.kill("measure")
        send(scene, [*lagging, *second])
        proxy.down = False
        scene.start("measure", CLICKHOUSE_URL=proxy.url)
        # Of the later ones only those that carry all: the store has not their decisions yet.
        whole = [event for _, event in second if None not in (event["score"], event["cohort"])]
        there = len({event["event_id"] for event in [*(event for _, event in first), *whole]}) - LOST
        wait_for(lambda: counted(scene) >= there, "those whose decisions the store has")
        assert counted(scene) == there
        record(url, *rows(lagging))
        everything = len({event["event_id"] for _, event in [*first, *second]}) - LOST
        wait_for(lambda: counted(scene) >= everything, "those whose decisions came later")
        assert live("right", "labelled", "means") == set()
        # Those that were lost hold up the rest, until they have waited long enough.
        scene.kill("measure")
        scene.start("measure", CLICKHOUSE_URL=proxy.url, SEAMWATCH_JOIN_WITHIN="1s")
        wait_for(lambda: live() >= expected, "the violations of the replay")
        assert live() == expected
        proxy.close()
    assert counted(scene) == everything
    kept = read_tables(scene.kafka, scene.topics.measure_state, range(scene.partitions))
    assert not any(kept.values())
