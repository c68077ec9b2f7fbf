"""Several recorders: whoever is paused, continued, killed or late, nothing is lost, doubled or committed twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl
import pytest
from confluent_kafka import Message

from bus.batches import PartitionMessages
from seamwatch.clock import SystemClock
from sinks.decoding import decoding
from sinks.ledger.ledger import Growth, Head, Ledger
from sinks.record.blocks import batch_of
from sinks.record.writer import PendingBatch, Writer
from sinks.store.client import Store
from sinks.store.fencing import Epoch, SupersededError, check, holders, take_epoch
from tests.sinks.estate import ROOT, Estate, Stage, assert_recorded, committed, estate
from tests.sinks.samples import CODEC, NOW, encoded
from tests.waiting import PATIENCE, wait_for

RECORD = "from seamwatch.settings import load_settings; from sinks.record.stage import run; run(load_settings())"


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse, partitions=4) as made:
        yield made


def fill(own: Estate, events: int) -> None:
    producer = own.producer()
    values = [encoded(number=number) for number in range(200)]
    for number in range(events):
        producer.produce(own.topics.input("inference"), values[number % 200], partition=number % 4)
    assert producer.flush(PATIENCE) == 0


def assert_tiled(own: Estate) -> None:
    """Commits follow one another without gap or overlap, each once, and count what they say."""
    rows = own.rows("SELECT topic, partition, first_offset, next_offset, count, size FROM ledger_commit ORDER BY ALL")
    at: dict[tuple[str, int], tuple[int, int]] = {}
    for row in rows:
        place = (row["topic"], row["partition"])
        position, size = at.get(place, (row["first_offset"], 0))
        assert row["first_offset"] == position, row
        assert row["size"] == size + row["count"], row
        at[place] = (row["next_offset"], row["size"])


def recorder_process(own: Estate, instance: str) -> Stage:
    return Stage(RECORD, {**own.environment, "SEAMWATCH_INSTANCE": instance})


def test_recorders_that_are_paused_continued_and_killed_at_random_record_each_record_once(own: Estate) -> None:
    chance, stages, sent = random.Random(7), [recorder_process(own, name) for name in "abc"], 0
    try:
        for turn in range(6):
            fill(own, 4_000)
            sent += 4_000
            time.sleep(chance.random() * 2)
            stage = stages[turn % 3]
            if turn % 2:
                stage.kill()
                stage.start()
            else:
                stage.process.send_signal(signal.SIGSTOP)
                threading.Timer(11 + chance.random() * 3, stage.process.send_signal, [signal.SIGCONT]).start()
        wait_for(lambda: committed(own) == sent, "all of it")
        time.sleep(1)
    finally:
        for stage in stages:
            stage.process.send_signal(signal.SIGCONT)
        codes = [stage.end() for stage in stages]
    assert set(codes) <= {0, -signal.SIGTERM}  # one that was killed a moment ago may not have its handler yet
    assert_recorded(own)
    assert_tiled(own)


def test_a_second_recorder_of_the_same_name_puts_the_first_out_with_a_clear_error(own: Estate) -> None:
    command = [sys.executable, "-c", RECORD]
    environment = {**own.environment, "SEAMWATCH_INSTANCE": "same"}
    first = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: bool(own.rows("SELECT 1 FROM ledger_claim LIMIT 1")), "an epoch")
    second = Stage(RECORD, environment)
    try:
        _, said = first.communicate(timeout=PATIENCE)
        assert first.returncode != 0
        assert "another process has taken over this one's place" in said
        assert "SEAMWATCH_INSTANCE" in said
    finally:
        first.kill()
        assert second.end() == 0


def test_the_newest_claim_counts_and_an_older_one_never_again(own: Estate) -> None:
    places = [("t", 0), ("t", 1)]
    with own.store() as store:
        older = take_epoch(store, places, "a")
        newer = take_epoch(store, places[:1], "b")
        assert newer > older
        assert holders(store, places) == {places[0]: newer, places[1]: older}
        with pytest.raises(SupersededError, match=r"another recorder has claimed t\[0\]") as caught:
            check(store, dict.fromkeys(places, older))
        assert caught.value.places == {places[0]}
        # Two that take one at once take the same number; one of them is the greater all the same.
        assert Epoch(5, "a") < replace(Epoch(5, "a"), recorder="b") < Epoch(6, "a")


def test_a_claim_that_is_outdone_ends_an_insert_in_the_middle_of_its_body_and_nothing_of_it_is_kept(
    own: Estate,
) -> None:
    frame = pl.DataFrame({"record_type": ["x"] * 60_000, "reason": [f"{number:060d}" for number in range(60_000)]})
    with own.store() as store:
        mine, chunks = take_epoch(store, [("t", 0)], "a"), 0

        def look() -> None:
            nonlocal chunks
            chunks += 1
            if chunks == 3:  # a body has at least that many
                with own.store() as other:
                    take_epoch(other, [("t", 0)], "b")
            with own.store() as second:
                check(second, {("t", 0): mine})

        with pytest.raises(SupersededError):
            store.insert("dead_letter", frame, "token", while_sending=look)
        assert store.rows("SELECT count() AS kept FROM dead_letter") == [{"kept": 0}]
        store.insert("dead_letter", frame, "token")  # and the token is not taken for known
        assert store.rows("SELECT count() AS kept FROM dead_letter") == [{"kept": 60_000}]


class _Overtaken(Ledger):
    """A ledger whose recorder is outdone, and overtaken, right before it grows the tree."""

    def __init__(self, own: Estate, entry: PendingBatch) -> None:
        super().__init__()
        self._own, self._entry = own, entry

    def grow(self, store: Store, growths: Sequence[Growth], *, repeated: bool = False) -> list[Head]:
        newer = Writer(self._own.url, threading.Event())
        place = self._entry.batch.range.place
        held = take_epoch(store, [place], "b")
        newer.expect({place: 0}, held)
        assert newer.submit([replace(self._entry, epoch=held, repeated=True)])
        assert newer.close(10)
        return super().grow(store, growths, repeated=repeated)


def test_a_recorder_that_is_overtaken_in_the_middle_of_a_round_gives_up_and_blames_no_row(own: Estate) -> None:
    topic = own.topics.input("inference")
    messages = [
        Message(topic=topic, partition=0, offset=at, value=encoded(number=at), timestamp=(1, NOW // 1000))
        for at in range(9)
    ]
    batch = batch_of(PartitionMessages(topic, 0, messages), 0, 9, own.topics, decoding(CODEC, SystemClock()))
    with own.store() as store:
        held = take_epoch(store, [(topic, 0)], "a")
    entry = PendingBatch(batch, held)
    older = Writer(own.url, threading.Event(), ledger=_Overtaken(own, entry))
    older.expect({(topic, 0): 0}, held)
    assert older.submit([entry])
    assert older.close(10)
    older.check()
    assert older.superseded() == [((topic, 0), held)]
    assert older.done() == []
    assert own.rows("SELECT count() AS rows, uniqExact(offset) AS records FROM inference") == [
        {"rows": 9, "records": 9}
    ]
    assert own.rows("SELECT recorder, size FROM ledger_commit") == [{"recorder": "b", "size": 9}]
