"""History from the decision store: on the real engine, the same violations as from files, and evidence with places."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from console.commands import replay as command
from seamwatch.documents import Estate
from seamwatch.durations import HOUR
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.testing import event_id, named
from sinks.store.client import Store
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.history.period import Period
from streams.replay.history.store import gather_store
from streams.replay.replay import judged, replay
from tests.clauses.history import at, contract, estate_of
from tests.sinks.estate import Estate as Stored
from tests.sinks.estate import estate
from tests.streams.every_kind import documents, history
from tests.streams.recorded import SLICE, from_store, recording, wait_until_recorded
from tests.streams.stages import CODEC
from tests.streams.stored import store_of_its_own
from tests.streams.test_live_is_replay import seen
from tests.waiting import PATIENCE

START = 1_772_409_600_000_000 // (2 * HOUR) * (2 * HOUR)


pytestmark = pytest.mark.timeout(600)


@cache
def sent() -> list[tuple[str, dict[str, Any]]]:
    """The history of every kind, in order."""
    return history(START)


@pytest.fixture(scope="module")
def recorded(kafka: str, clickhouse: str) -> Iterator[Stored]:
    """A store that a recorder filled with the history of every kind, out of order, some events of it twice."""
    chance = random.Random(7)
    with estate(kafka, clickhouse, partitions=3) as own:
        producer = own.producer(partitioner="random")
        shuffled = chance.sample(sent(), len(sent())) + chance.sample(sent(), 300)
        for record_type, record in shuffled:
            producer.produce(own.topics.input(record_type), CODEC.encode(record_type, record))
        assert producer.flush(PATIENCE) == 0
        with recording(own.kafka, own.url, own.topics):
            wait_until_recorded(own.url, own.topics, len(shuffled))
        yield own


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("contracts")
    (made / "documents.yaml").write_text(documents(START))
    return made


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[Violation]:
    return replay(Estate.load(folder), sent())


@pytest.fixture(scope="module")
def whole(recorded: Stored, folder: Path) -> tuple[list[Violation], int]:
    """What the whole store comes to, and how long its longest answer was."""
    return from_store(recorded.url, folder)


def test_the_stores_tables_are_judged_as_the_events_that_were_sent(
    whole: tuple[list[Violation], int], expected: list[Violation]
) -> None:
    found, longest = whole
    assert {seen(v) for v in found} == {seen(v) for v in expected}
    # However long the history, no answer is longer than a slice.
    assert longest <= SLICE < len(sent()) / 4


def test_evidence_says_where_the_broker_first_had_the_event(
    recorded: Stored, whole: tuple[list[Violation], int]
) -> None:
    evidence = {item for v in whole[0] for item in v.evidence}
    places: dict[str, list[tuple[int, str, int, int]]] = {}
    for topic in recorded.topics.inputs:
        table = topic.rsplit(".", 1)[1]
        for row in recorded.rows(
            f"SELECT event_id, toUnixTimestamp64Milli(broker_time) AS t, topic, partition, `offset` AS o FROM {table}"
        ):
            places.setdefault(row["event_id"], []).append((row["t"], row["topic"], row["partition"], row["o"]))
    assert any(len(places[item.event_id]) > 1 for item in evidence)
    # An answer is evidence by its id alone, live as well.
    told = [item for item in evidence if not item.event_id.startswith(event_id("acknowledgement")[:18])]
    assert len(told) > 500
    assert [item for item in told if (item.topic, item.partition, item.offset) != min(places[item.event_id])[1:]] == []


def test_measuring_begins_early_enough_for_windows_and_conversations_under_way(folder: Path) -> None:
    since = START + 5 * HOUR
    period = Period.of((Estate.load(folder),), since, None)
    assert period.lead is not None
    # A day at least, and on the edge of every window that is a whole part of it.
    assert since - 48 * HOUR <= period.lead <= since - 24 * HOUR
    assert period.lead % (24 * HOUR) == 0
    # What was announced holds however old it is.
    assert period.start("inference") == period.lead
    assert period.start("config_change") is None


def test_only_events_before_until_are_read(recorded: Stored, folder: Path) -> None:
    known, until = Estate.load(folder), START + HOUR
    with History([Plan(known)]) as gathered, Store(recorded.url) as store:
        gather_store(store, gathered, Period.of((known,), None, until), slice_rows=SLICE)
        ids = {event.record["event_id"] for event in gathered.rare()}
        ids |= {name for blocks in gathered.blocks().values() for block in blocks for name in block["event_id"]}
    assert ids == {record["event_id"] for _, record in sent() if record["event_time"] < until}


def test_the_command_finds_the_store_and_tells_what_was_not_over_by_then(
    recorded: Stored, folder: Path, expected: list[Violation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", recorded.url)
    app = typer.Typer()
    command.register(app)
    since = START + 5 * HOUR
    asked = ["--contracts", str(folder), "--from-store", "--since", format_instant(since)]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 1, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    told = [v for v in expected if v.resolved_at is None or v.resolved_at >= since]
    assert [line["violation_id"] for line in lines] == [v.violation_id for v in told]
    assert 0 < len(told) < len(expected)


AGREED = contract("scorer", "- {id: right, kind: signal, signal: accuracy, min: 0.5, window: 1h, min_count: 1}")


def test_an_outcome_of_the_period_takes_its_score_from_a_decision_before_it(clickhouse: str) -> None:
    moments = {"old": at("1d"), "twice": at("2d"), "judged": at("9d"), "unasked": at("1d")}
    # Of a decision that was recorded twice the copy counts that came first.
    decided = [("old", 0.9, 1), ("twice", 0.1, 9), ("twice", 0.9, 2), ("judged", 0.9, 3), ("unasked", 0.9, 4)]
    with store_of_its_own(clickhouse) as url, Store(url) as store:
        rows = [(event_id(name), moments[name], "scorer", "1", score, came * 1_000) for name, score, came in decided]
        made = _frame(rows, "event_id", "event_time", "system", "version", "score", "broker_time")
        store.insert("inference", made, "decisions")
        judged_of = ("old", "twice", "judged", "unknown")
        outcomes = [(event_id(f"of {name}"), at("9d5h"), "scorer", event_id(name), 0.0, 10_000) for name in judged_of]
        told = _frame(outcomes, "event_id", "event_time", "system", "inference_id", "label", "broker_time")
        store.insert("outcome", told, "outcomes")
        agreed = estate_of(AGREED)
        with History([Plan(agreed)]) as gathered:
            gather_store(store, gathered, Period.of((agreed,), at("9d4h"), None), slice_rows=3)
            assert gathered.events == 1 + 4, "what is only asked for its score is not judged"
            (found,) = judged(agreed, gathered, at("10d"))
    assert [named(item.event_id) for item in found.evidence] == ["of judged", "of old", "of twice"]
    assert found.summary.startswith("scorer: 0 %")
    assert "of 3 outcomes (1 more left out: 1 without a score) were right" in found.summary


def _frame(rows: Sequence[tuple[Any, ...]], *names: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")), pl.col("broker_time").cast(pl.Datetime("ms", "UTC"))
    )
