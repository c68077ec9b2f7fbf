"""Replay of long histories: sorted on disk, judged in runs, and yet what a plain replay in memory finds."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.columnar.contents import contents_of_rows
from seamwatch.documents import Estate
from streams.measure.plan import Plan
from streams.replay.history.gathering import MEASURED, History, Limits
from streams.replay.history.repeats import CONTENT, Repeats
from streams.replay.history.sorting import Sorter
from streams.replay.replay import chunks_of, replay
from tests.clauses.history import at, call, contract, decision, estate_of, record_of
from tests.streams.replay.plain_replay import plain_replay

SMALL = Limits(rows_in_memory=7, block_rows=3, held_ids=5)

_MODEL = """
- {id: valid, kind: range, min: 0, max: 1}
- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.2, window: 10m}
- {id: fresh, kind: freshness, of: inference, max_lag: 26h, warn_at: 20h}
- {id: approved, kind: approval}
- {id: told, kind: change_notice, unannounced: true, acknowledgers: [owner@example.org], acknowledge_within: 30m}
- {id: quick, kind: signal, signal: latency, max: 100, window: 10m, min_count: 2}
- {id: right, kind: signal, signal: accuracy, min: 0.9, window: 30m, min_count: 2}
- {id: means, kind: calibration, max_error: 0.2, bins: 2, min_outcomes: 2}
- {id: twice, kind: rate, max: 2, per: subject, window: 1h}
- {id: enough, kind: volume, min: 2, max: 9, per: 10m}
"""
_AGENT = """
- {id: tools, kind: scope, tools: [{tool: find}, {tool: verify}, {tool: refund, where: arguments.amount <= 10}]}
- {id: never, kind: prohibition, never: "tool = 'delete'"}
- {id: identity, kind: precondition, tool: refund, requires: verify, matching: [user]}
- {id: few, kind: rate, max: 2, per: trace, tool: refund}
- {id: person, kind: escalation, when: arguments.amount > 8, to: transfer, within: 2}
"""


@cache
def estate() -> Estate:
    return estate_of(
        "kind: System\nid: scorer\ntype: model\nowner: owner@example.org\n"
        "versions: [{version: v1, approvals: [{id: a1, use_case: credit, approved_by: second@example.org}]}]\n",
        contract("scorer", _MODEL),
        contract("agent", _AGENT).replace("id: example", "id: pact"),
    )


def events(chance: random.Random, number: int) -> list[tuple[str, dict[str, Any]]]:
    """Events of all kinds, many at one time, ids repeated at the same and at another time."""
    made: list[dict[str, Any]] = []
    for _ in range(number):
        offset, name = f"{chance.randrange(1, 120)}m", f"e{chance.randrange(number * 2)}"
        kind = chance.choice(["decision"] * 5 + ["call"] * 5 + ["outcome"] * 2 + ["change", "answer"])
        if kind == "decision":
            made.append(decision(
                offset, event_id=name, score=chance.uniform(0, 1.2), latency_ms=chance.uniform(0, 130),
                version=chance.choice(["v1", "v1", "v2"]), subject=f"s{chance.randrange(6)}",
                data_as_of=at() - chance.choice([1, 21, 27]) * 3_600_000_000,
            ))  # fmt: skip
        elif kind == "call":
            arguments = {"user": chance.choice("ab"), "amount": chance.randrange(14)}
            tool = chance.choice(["find", "verify", "refund", "refund", "delete", "transfer"])
            made.append(call(offset, tool, f"t{chance.randrange(6)}", event_id=name, arguments=arguments))
        elif kind == "outcome":
            made.append({"type": "outcome", "event_time": at(offset), "event_id": name, "system": "scorer",
                         "inference_id": f"e{chance.randrange(number * 2)}", "label": float(chance.random() < 0.9),
                         "score": chance.choice([None, chance.random()]), "observed_at": at()})  # fmt: skip
        elif kind == "change":
            made.append({"type": "config_change", "event_time": at(offset), "event_id": name, "system": "scorer",
                         "change_id": f"c{chance.randrange(3)}", "kind": "model", "to_value": "v2", "summary": "-",
                         "effective_at": at(offset), "announced_by": "owner@example.org"})  # fmt: skip
        else:
            made.append({"type": "acknowledgement", "event_time": at(offset), "event_id": name, "system": "scorer",
                         "of": "change", "reference": f"c{chance.randrange(3)}", "person": "owner@example.org",
                         "answer": chance.choice(["accept", "object"])})  # fmt: skip
    return [record_of(event) for event in made]


@settings(max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(1, 90))
def test_a_history_sorted_on_disk_is_judged_as_one_in_memory(chance: random.Random, number: int) -> None:
    records = events(chance, number)
    expected = plain_replay(estate(), records, at("3h"))
    assert replay(estate(), records, at("3h"), limits=SMALL) == expected


@pytest.mark.parametrize("run_rows", [1, 4, 50_000])
def test_how_many_rows_are_measured_at_a_time_changes_nothing(run_rows: int) -> None:
    records = events(random.Random(5), 250)
    expected = plain_replay(estate(), records, at("3h"))
    assert expected
    assert replay(estate(), records, at("3h"), limits=SMALL, run_rows=run_rows) == expected


def test_the_plain_replay_finds_something_of_every_clause() -> None:
    found = plain_replay(estate(), events(random.Random(4), 400), at("3h"))
    clauses = {line.split(",")[0] for line in (_MODEL + _AGENT).split("id: ")[1:]}
    assert {v.clause for v in found} >= clauses - {"enough"}


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=150), st.integers(1, 12))
def test_sorting_keeps_times_whole_and_copies_in_input_order(rows: list[tuple[int, int]], memory: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        sorter = Sorter(Path(folder), rows_in_memory=memory, block_rows=2)
        for number, (time, name) in enumerate(rows):
            sorter.add(pl.DataFrame({"event_time": [time], "event_id": [f"e{name}"], "place": [number]}))
        expected = sorted((time, f"e{name}", number) for number, (time, name) in enumerate(rows))
        for _ in range(2):
            blocks = list(sorter.blocks())
            assert [row for block in blocks for row in block.iter_rows()] == expected
            lasts, firsts = [b["event_time"][-1] for b in blocks], [b["event_time"][0] for b in blocks]
            assert all(last < first for last, first in zip(lasts, firsts[1:], strict=False))


@pytest.mark.parametrize("held", [3, 1_000])
def test_an_id_counts_once_at_its_earliest_time_and_no_other_is_lost(tmp_path: Path, held: int) -> None:
    # Time, id and what else the event says: copies, other times, other contents at one time.
    rows = [(1, "a", 0), (1, "a", 0), (1, "b", 0), (2, "c", 0), (2, "c", 1), (2, "c", 0), (3, "b", 0), (4, "a", 0),
            (4, "d", 0), (5, "e", 0), (6, "c", 1)]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["event_time", "event_id", "said"], orient="row")
    frame = frame.with_columns(contents_of_rows(frame).alias(CONTENT))
    repeats = Repeats(tmp_path, held=held)
    for part in frame.reverse().iter_slices(1):
        repeats.add(part["event_id"], part[CONTENT])
    for _ in range(2):
        fresh = repeats.fresh()
        parts = [fresh.of(part) for part in (frame.head(6), frame.tail(5))]
        kept, reused = ([row for part in which for row in part.iter_rows()] for which in zip(*parts, strict=True))
        assert kept == [(1, "a", 0), (1, "b", 0), (2, "c", 0), (4, "d", 0), (5, "e", 0)]
        assert reused == [(2, "c", 1), (3, "b", 0), (4, "a", 0), (6, "c", 1)]


@settings(max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(1, 90))
def test_events_that_another_had_the_id_of_are_told_whatever_is_held_in_memory(
    chance: random.Random, number: int
) -> None:
    records = events(chance, number)
    # What is first of an id is what is earliest, and of one time what came first; rare events as they come.
    expected: Counter[str] = Counter()
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    measured = sorted((each for each in records if each[0] in MEASURED), key=lambda each: each[1]["event_time"])
    for record_type, record in [*measured, *(each for each in records if each[0] not in MEASURED)]:
        first = seen.setdefault((record_type, record["event_id"]), record)
        expected[record_type] += first != record
    with History([Plan(estate())], SMALL) as history:
        for record_type, frame in chunks_of(records):
            history.add(record_type, frame)
        for _ in range(2):
            for blocks in history.blocks().values():
                assert all(CONTENT not in block.columns for block in blocks)
            assert {each.named[0].split()[0]: each.by_producer.total() for each in history.reused} == +expected
