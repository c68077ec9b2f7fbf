"""A stream in the test's hand finds what a replay finds, when live would find it, and says what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.errors import RecordError
from seamwatch.testing import T0, dataset_refresh, event_id, inference
from streams.replay.replay import replay
from streams.testing import Stream

DOCUMENTS = """
{apiVersion: seamwatch/v1, kind: Person, id: owner@example.org, name: Owner}
---
{apiVersion: seamwatch/v1, kind: Person, id: second@example.org, name: Second}
---
{apiVersion: seamwatch/v1, kind: System, id: features, type: dataset, owner: owner@example.org, team: a}
---
{apiVersion: seamwatch/v1, kind: System, id: scorer, type: model, owner: owner@example.org, team: b}
---
apiVersion: seamwatch/v1
kind: Contract
id: pact
version: "1"
seam: data-to-model
covers: [features, scorer]
parties: {provider: {team: a}, consumer: {team: b}}
escalation:
  - {person: owner@example.org, acknowledge_within: 15m}
  - {person: second@example.org, acknowledge_within: 15m}
clauses:
  - {id: fresh, kind: freshness, of: dataset, max_lag: 26h}
  - {id: bounds, kind: range, min: 0, max: 1, where: system = 'scorer'}
  - {id: enough, kind: volume, of: inference, max: 3, per: 1h}
"""


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    (tmp_path / "pact.yaml").write_text(DOCUMENTS, "utf-8")
    return Estate.load(tmp_path)


def of_pact(stream: Stream) -> list[tuple[str, str, int]]:
    return [(v.clause, v.system, v.opened_at) for v in stream.violations if v.contract == "pact"]


def test_nine_silent_days_are_found_when_they_begin_and_climb_the_list(estate: Estate) -> None:
    stream = Stream(estate)
    stream.send(dataset_refresh(system="features", event_time=T0))
    stream.advance(26 * HOUR)
    assert of_pact(stream) == []
    stream.advance(4 * SECOND)
    assert of_pact(stream) == []  # until nothing can come any more that the contract allows to be late
    stream.advance(MINUTE)
    assert of_pact(stream) == [("fresh", "features", T0 + 26 * HOUR)]
    stream.advance(9 * DAY)
    (opened,) = stream.violations
    assert (opened.state, opened.person) == ("escalated", "second@example.org")
    assert opened.detected_at > opened.opened_at


def test_it_finds_what_a_replay_finds(estate: Estate) -> None:
    stream, events = Stream(estate), []
    for number in range(40):
        score = 1.5 if number % 7 == 3 else 0.5
        event = inference(event_id=event_id(f"i{number}"), score=score, event_time=stream.now)
        events.append((event.type, event.record()))
        stream.send(event)
        stream.advance(5 * MINUTE)
    stream.advance(2 * HOUR)
    replayed = replay(estate, events, now=stream.now - MINUTE)
    assert {v.violation_id for v in replayed} == {v.violation_id for v in stream.violations}
    assert {(v.clause, v.opened_at, v.resolved_at) for v in replayed} == {
        (v.clause, v.opened_at, v.resolved_at) for v in stream.violations
    }
    assert {v.clause for v in replayed} >= {"bounds", "enough"}


def test_a_restart_of_either_changes_nothing(estate: Estate) -> None:
    undisturbed, killed = Stream(estate), Stream(estate)
    for number in range(12):
        for stream in (undisturbed, killed):
            fields = {"event_id": event_id(f"i{number}"), "score": 2.0 if number == 5 else 0.5}
            stream.send(inference(**fields, event_time=T0 + number * MINUTE))
            stream.advance(MINUTE)
        if number % 4 == 1:
            killed.restart_judge()
        if number % 4 == 3:
            killed.restart_measure()
    for stream in (undisturbed, killed):
        stream.advance(2 * HOUR)
    assert [v.violation_id for v in killed.violations] == [v.violation_id for v in undisturbed.violations]
    assert {"bounds", "enough"} <= {clause for clause, _, _ in of_pact(killed)}


def test_a_partition_that_is_not_read_holds_the_clock_and_is_named(estate: Estate) -> None:
    stream = Stream(estate)
    stream.put("dataset_refresh", dataset_refresh(system="features", event_time=T0).record(), partition=1)
    stream.advance(10 * SECOND)
    later = dataset_refresh(system="features", event_time=stream.now)
    stream.put("dataset_refresh", later.record(), partition=2)
    for _ in range(60):
        stream.now += HOUR
        stream.round(reads=lambda there: 0)
    assert (of_pact(stream), stream.held_by(), stream.unread) == ([], ["seamwatch.dataset_refresh/2"], 1)
    stream.advance(10 * SECOND)
    assert of_pact(stream) == [("fresh", "features", T0 + 10 * SECOND + 26 * HOUR)]


def test_a_repeated_event_counts_once_and_one_of_long_ago_not_at_all(estate: Estate) -> None:
    stream = Stream(estate)
    for _ in range(9):
        stream.send(inference(event_id=event_id("same"), score=0.5))
    stream.send(inference(score=7.0, event_time=T0 - 2 * DAY))
    stream.advance(2 * HOUR)
    assert (of_pact(stream), stream.late) == ([], 1)


def test_what_would_be_a_dead_letter_is_refused_by_name(estate: Estate) -> None:
    stream = Stream(estate)
    with pytest.raises(RecordError, match="a dead letter"):
        stream.send(inference(event_time=T0 + 2 * DAY))
    with pytest.raises(RecordError, match="system"):
        stream.send(inference(system=""))
    with pytest.raises(ValueError, match="in order"):
        stream.put("inference", inference().record(), at=T0 - 1)
    assert stream.unread == 0


def test_other_documents_are_judged_by_from_then_on(estate: Estate, tmp_path: Path) -> None:
    stream = Stream(estate)
    stream.send(inference(score=0.5))
    stream.advance(MINUTE)
    (tmp_path / "pact.yaml").write_text(DOCUMENTS.replace("max: 1,", "max: 0.4,"), "utf-8")
    stream.replace_estate(Estate.load(tmp_path))
    stream.send(inference(score=0.5, event_time=stream.now))
    stream.advance(MINUTE)
    assert [(clause, at) for clause, _, at in of_pact(stream)] == [("bounds", T0 + MINUTE)]
