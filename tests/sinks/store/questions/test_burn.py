"""Burn rates are those that are reckoned by hand from the raw events, and what cannot be told is unknown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.documents import documents_of, load_folder, published
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.instants import parse_instant
from seamwatch.judging.records import violation_record
from seamwatch.testing import event_id
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from sinks.store.questions.burn import HOURS, Burn, Window, burn_record, burning, said
from tests.databases import migrated
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC, NOW, violation

DOCUMENTS = """\
kind: Person
id: ann@example.org
name: Ann Example
---
{kind: System, id: scorer, type: model, owner: ann@example.org}
---
{kind: System, id: silent, type: model, owner: ann@example.org}
---
{kind: System, id: features, type: dataset, owner: ann@example.org}
---
{kind: System, id: forgotten, type: dataset, owner: ann@example.org}
---
kind: Contract
id: scores
version: "1"
seam: model-to-product
covers: [scorer, silent]
parties: {provider: {team: a}, consumer: {team: b}}
escalation: [{person: ann@example.org, acknowledge_within: 1h}]
clauses:
  - {id: valid, kind: range, min: 0, max: 1, tolerate: 0.1}
  - {id: every, kind: range, min: 0, max: 1}
  - {id: answered, kind: assertion, must: "decision = 'approve'", at_least: 0.8, min_count: 5, where: "version = '1'"}
  - {id: quick, kind: signal, signal: latency, max: 100, quantile: 0.75, min_count: 2}
  - {id: abused, kind: signal, signal: abuse, max: 0.5, min_count: 1, by: cohort}
  - {id: right, kind: signal, signal: accuracy, min: 0.75, min_count: 2}
  - {id: moved, kind: signal, signal: drift, max: 0.2}
  - {id: on-fresh-data, kind: freshness, of: inference, max_lag: 2h}
---
kind: Contract
id: data
version: "3"
seam: data-to-model
effective_from: {begins}
covers: ["f*"]
parties: {provider: {team: a}, consumer: {team: b}}
escalation: [{person: ann@example.org, acknowledge_within: 1h}]
clauses:
  - {id: fresh, kind: freshness, max_lag: 4h}
"""
GIVEN: dict[str, Any] = {
    "system": "scorer", "version": "1", "use_case": "u", "subject": "s", "score": 0.5, "decision": "approve",
    "latency_ms": 50.0, "cohort": "young", "data_as_of": None,
}  # fmt: skip


def decisions() -> list[dict[str, Any]]:
    """Ages and what is odd about each; everything else is as `GIVEN`."""
    made: list[tuple[int, dict[str, Any]]] = [
        # In the last hour: 10, of which 2 are out of range, and 1 of another version.
        *((10 * MINUTE, {"score": 7.0}), (11 * MINUTE, {"score": -1.0, "abuse": True})),
        *((12 * MINUTE, {"version": "2"}), (13 * MINUTE, {"score": None, "decision": None})),
        *((14 * MINUTE, {"latency_ms": 900.0}), (15 * MINUTE, {"latency_ms": None})),
        *((16 * MINUTE, {"cohort": "old", "abuse": True}), (17 * MINUTE, {"data_as_of": 3 * HOUR})),
        *((18 * MINUTE, {"decision": "refuse"}), (19 * MINUTE, {})),
        # Within six hours 10 more, all well; within a day 20 more, 1 out of range; before that 40, of which 20 are.
        *((2 * HOUR + number * MINUTE, {}) for number in range(10)),
        *((8 * HOUR + number * MINUTE, {"score": 2.0 if number == 0 else 0.5}) for number in range(20)),
        *((40 * HOUR + number * MINUTE, {"score": 2.0 if number % 2 else 0.5}) for number in range(40)),
        # Too old for any window.
        (80 * HOUR, {"score": 9.0}),
    ]
    found = []
    for number, (age, odd) in enumerate(made):
        event = {**GIVEN, "event_id": event_id(f"d{number}"), "event_time": NOW - age, **odd}
        if event["data_as_of"] is not None:
            event["data_as_of"] = NOW - age - event["data_as_of"]
        found.append(event)
    return found


def outcomes(decided: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last hour's: right, wrong, wrong by the decision's own score, and one of which it cannot be told."""
    told = ((0.9, 1.0, "d4"), (0.1, 1.0, "d5"), (None, 1.0, "d14"), (None, 0.0, "d3"))
    return [
        {"event_id": event_id(f"o{number}"), "event_time": NOW - 5 * MINUTE, "system": "scorer", "score": score,
         "inference_id": event_id(of), "label": label, "observed_at": NOW}
        for number, (score, label, of) in enumerate(told)
    ]  # fmt: skip


def refresh(name: str, system: str, age: int) -> dict[str, Any]:
    at = NOW - age
    return {"event_id": event_id(name), "event_time": at, "system": system, "data_as_of": at - HOUR, "row_count": 1}


@pytest.fixture(scope="module")
def store(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    name = f"burn_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    folder = tmp_path_factory.mktemp("burn")
    (folder / "all.yaml").write_text(DOCUMENTS.replace("{begins}", "2026-01-01T00:00:00Z"))
    loaded, problems = load_folder(folder)
    assert loaded is not None, problems
    with Store(url) as store:
        book = Book(store, Topics("t"))
        for key, value in published(documents_of(loaded), NOW - 10 * DAY, {}):
            book.record([value], "contracts", key=key.encode())

        def send(record_type: str, *events: dict[str, Any]) -> None:
            book.record([CODEC.encode(record_type, event) for event in events], record_type, millis=NOW // 1000)

        decided = decisions()
        send("inference", *decided)
        send("inference", decided[0])  # sent twice, which the recorder has seen when it looked through the store
        store.command(
            "INSERT INTO repeated (record_type, event_id, topic, partition, offset, broker_time, event_time, system)"
            " SELECT 'inference', event_id, topic, partition, offset, broker_time, event_time, system"
            " FROM inference ORDER BY offset DESC LIMIT 1"
        )
        send("outcome", *outcomes(decided))
        send("dataset_refresh", refresh("r1", "features", 2 * HOUR), refresh("r0", "features", 30 * HOUR))
        episodes = [
            violation(violation_id="1" * 32, contract="scores", clause="every", system="scorer", kind="range",
                      opened_at=NOW - 30 * MINUTE),
            violation(violation_id="2" * 32, contract="scores", clause="every", system="scorer", kind="range",
                      opened_at=NOW - 8 * HOUR, state="resolved", resolved_at=NOW - 15 * MINUTE),
            violation(violation_id="3" * 32, contract="scores", clause="every", system="scorer", kind="range",
                      opened_at=NOW - 90 * HOUR, state="resolved", resolved_at=NOW - 80 * HOUR),
        ]  # fmt: skip
        values: list[bytes | None] = [CODEC.encode("violation", violation_record(each)) for each in episodes]
        book.record(values, "violations.range", millis=NOW // 1000)
        yield store
        store.command(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def found(store: Store) -> dict[tuple[str, str, str | None], Burn]:
    return {(one.clause, one.system, one.cohort): one for one in burning(store, NOW)}


def counts(one: Burn) -> list[tuple[int, int, int]]:
    return [(window.events, window.bad, window.untold) for window in one.windows]


def rates(one: Burn) -> list[float | None]:
    return [None if window.burn is None else round(window.burn, 9) for window in one.windows]


Found = dict[tuple[str, str, str | None], Burn]


def test_a_share_of_scores_out_of_range_burns_as_reckoned_by_hand(found: Found) -> None:
    one = found["valid", "scorer", None]
    assert one.tolerated == 0.1
    assert [(w.hours, w.since) for w in one.windows] == [(hours, NOW - hours * HOUR) for hours in HOURS]
    # The one that was sent twice counts once; the one of 80 hours ago not at all.
    assert counts(one) == [(10, 2, 0), (20, 2, 0), (40, 3, 0), (80, 23, 0)]
    assert rates(one) == [2.0, 1.0, 0.75, 2.875]
    assert one.verdict == "within"


def test_an_assertion_counts_the_events_it_selects_and_says_which_it_cannot_tell(found: Found) -> None:
    one = found["answered", "scorer", None]
    assert one.tolerated == 0.2
    # Of version 1 only; without a decision it does not hold.
    assert counts(one)[0] == (9, 2, 0)
    assert rates(one)[0] == round(2 / 9 / 0.2, 9)
    assert one.verdict == "within"


def test_a_quantile_of_latency_tolerates_what_is_above_it(found: Found) -> None:
    one = found["quick", "scorer", None]
    assert one.tolerated == 0.25
    assert counts(one)[0] == (9, 1, 1)
    assert rates(one)[0] == round(1 / 9 / 0.25, 9)


def test_each_cohort_burns_by_itself(found: Found) -> None:
    young, old = found["abused", "scorer", "young"], found["abused", "scorer", "old"]
    assert counts(young)[0] == (9, 1, 0)
    assert counts(old) == [(1, 1, 0)] * 4
    assert rates(old) == [2.0] * 4
    assert (young.verdict, old.verdict) == ("within", "fast")


def test_an_outcome_takes_the_score_it_lacks_from_its_decision(found: Found) -> None:
    one = found["right", "scorer", None]
    # d14 was 0.5 and turned out 1: wrong, as abs(0.5 - 1) < 0.5 does not hold. d3 had no score.
    assert counts(one)[0] == (3, 2, 1)
    assert rates(one)[0] == round(2 / 3 / 0.25, 9)


def test_of_an_age_it_is_said_how_much_is_used(found: Found) -> None:
    fresh = found["fresh", "features", None]
    assert (fresh.tolerated, fresh.used, fresh.verdict) == (4 * 3600, 0.75, "within")
    stale = found["on-fresh-data", "scorer", None]
    assert (stale.used, stale.verdict) == (1.5, "over")


def test_what_cannot_be_told_is_unknown_and_said(found: Found) -> None:
    assert {said(found[name, "silent", None]) for name in ("valid", "answered", "quick", "abused", "right")} == {
        "no events in three days"
    }
    never = found["fresh", "forgotten", None]
    assert (never.used, never.verdict) == (None, "unknown")
    assert found["valid", "silent", None].verdict == "unknown"
    assert ("fresh", "scorer", None) not in found
    assert ("valid", "features", None) not in found


def test_what_tolerates_nothing_is_listed_with_how_long_it_was_open(found: Found) -> None:
    one = found["every", "scorer", None]
    assert (one.tolerated, one.verdict) == (None, "no tolerance")
    # Open from eight hours ago until now, without a gap; what was over before three days ago counts no more.
    assert [window.open_share for window in one.windows] == [1.0, 1.0, 8 / 24, 8 / 72]
    assert found["moved", "scorer", None].verdict == "no tolerance"


def test_one_contract_or_system_can_be_asked_for_and_the_gravest_comes_first(store: Store, found: Found) -> None:
    assert {one.contract for one in burning(store, NOW, contract="data")} == {"data"}
    assert {one.system for one in burning(store, NOW, system="silent")} == {"silent"}
    everything = burning(store, NOW)
    assert everything[0].burns
    assert [one.burns for one in everything] == sorted((one.burns for one in everything), reverse=True)


def test_a_clause_that_reads_what_must_not_be_told_is_not_counted_and_says_so(store: Store) -> None:
    asked = {one.clause: one for one in burning(store, NOW, system="scorer", hidden=frozenset({"decision"}))}
    told = asked["answered"]
    assert (told.tolerated, told.verdict, [window.events for window in told.windows]) == (0.2, "unknown", [0] * 4)
    assert said(told) == "it reads attributes or arguments, so it is shown to auditors only"
    assert asked["valid"].verdict == "within"


def test_no_window_reaches_back_before_the_contract_is_in_force(store: Store) -> None:
    begins = parse_instant("2026-01-01T00:00:00Z")
    (one,) = (each for each in burning(store, begins + 2 * HOUR, system="features") if each.clause == "fresh")
    assert [window.since - begins for window in one.windows] == [HOUR, 0, 0, 0]
    assert burning(store, begins - HOUR, contract="data") == []


def test_what_no_contract_covers_is_told_by_the_built_in_defaults(store: Store) -> None:
    """So it is before any contract is in force: `data` is not yet, and the first of `scores` reaches back for ever."""
    earlier = burning(store, parse_instant("2025-12-31T00:00:00Z"))
    assert {(one.contract, one.system) for one in earlier} == {
        ("scores", "scorer"), ("scores", "silent"), ("defaults", "features"), ("defaults", "forgotten"),
    }  # fmt: skip
    (lag,) = (one for one in earlier if (one.clause, one.system) == ("data-fresh", "features"))
    assert (lag.tolerated, lag.verdict) == (8 * 86_400, "unknown")


def burn(*burns: float | None, events: int = 9, untold: int = 0, **changed: Any) -> Burn:
    windows = tuple(Window(hours, 0, events, 1, untold, rate) for hours, rate in zip(HOURS, burns, strict=True))
    return replace(Burn("c", "1", "x", "range", "s", None, "share", 0.1, None, windows), **changed)


@pytest.mark.parametrize(
    ("burns", "verdict"),
    [
        ((2.0, 2.0, 0.5, 0.5), "fast"),
        ((2.0, 0.5, 0.5, 0.5), "within"),
        ((0.5, 2.0, 2.0, 0.5), "within"),
        ((None, 0.5, 2.0, 1.1), "slow"),
        ((1.0, 1.0, 1.0, 1.0), "within"),
        ((None, None, None, None), "unknown"),
        ((None, None, None, 0.2), "within"),
    ],
)
def test_it_burns_when_a_window_and_a_longer_one_are_above_one(burns: tuple[float | None, ...], verdict: str) -> None:
    assert burn(*burns).verdict == verdict


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (burn(None, None, None, None), "too few events to judge: 9 in three days"),
        (burn(None, None, None, None, events=0, untold=4), "nothing could be told of 4 events in three days"),
        (burn(None, None, None, None, basis="unreadable"), "this version of Seamwatch cannot read the clause"),
        (burn(None, None, None, None, basis="age"), "no data on record that tells its age"),
    ],
)
def test_it_is_said_why_something_is_unknown(one: Burn, words: str) -> None:
    assert (one.verdict, said(one)) == ("unknown", words)


def test_as_json_times_are_rfc_3339_and_windows_objects() -> None:
    told = burn_record(burn(2.0, 2.0, None, None))
    assert told["verdict"] == "fast"
    assert told["windows"][0] == {
        "hours": 1, "since": "1970-01-01T00:00:00.000000Z", "events": 9, "bad": 1, "untold": 0, "burn": 2.0,
        "open_share": 0.0,
    }  # fmt: skip
