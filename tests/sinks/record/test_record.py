"""Exactly once: whatever is killed or cut off, each record of the topics is one row of the store, and no other."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from seamwatch.errors import StoreError
from seamwatch.settings import load_settings
from sinks.decoding import decoding
from sinks.record.stage import Recorder
from tests.sinks.estate import Estate, Proxy, Stage, assert_recorded, committed, estate
from tests.sinks.mixed import Mixed
from tests.sinks.samples import CODEC, encoded
from tests.waiting import PATIENCE, wait_for

RECORD = "from seamwatch.settings import load_settings; from sinks.record.stage import run; run(load_settings())"


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


def fill(own: Estate, events: int, poison: float = 0.0, seed: int = 1, others: int = 12) -> int:
    """Inferences with some poison among them, and a few records of other topics; how many there are."""
    chance, producer = random.Random(seed), own.producer()
    values = [encoded(number=number) for number in range(200)]
    for number in range(events):
        value = values[number % 200]
        if chance.random() < poison:
            value = chance.choice([b"junk", value + b"x", value + value, b"", value[:-4]])
        producer.produce(own.topics.input("inference"), value, key=f"k{number % 5}".encode())
        if number % 5_000 == 0:
            producer.poll(0)
    assert producer.flush(PATIENCE) == 0
    return events + own.send(Mixed(own.topics, seed, partitions=2).some(others))


def running(own: Estate, url: str | None = None) -> tuple[Recorder, threading.Thread]:
    clock = load_settings().clock()
    recorder = Recorder(own.kafka, url or own.url, own.topics, decoding(CODEC, clock))
    thread = threading.Thread(target=recorder.run, daemon=True)
    thread.start()
    return recorder, thread


def stopped(recorder: Recorder, thread: threading.Thread) -> None:
    recorder.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.timeout(600)
def test_killed_again_and_again_it_records_each_record_once_with_its_bytes(own: Estate) -> None:
    proxy = Proxy(own.url)
    proxy.delay = 0.1  # so that a round takes long enough to be killed in the middle of
    events = fill(own, 20_000, poison=0.01, others=4)
    stage, repeated = Stage(RECORD, {**own.environment, "CLICKHOUSE_URL": proxy.url}), 0
    try:
        for kill in range(5):
            wait_for(lambda: _intended(own) > committed(own), "an open range")
            stage.kill()
            repeated += _intended(own) > committed(own)
            events += fill(own, 10_000, poison=0.01, seed=kill, others=4)
            stage.start()
        proxy.delay = 0
        wait_for(lambda: committed(own) == events, "all of it")
    finally:
        code = stage.end()
        proxy.close()
    assert code == 0
    assert repeated >= 3
    assert_recorded(own)


def _intended(own: Estate) -> int:
    return int(own.rows("SELECT sum(count) AS c FROM ledger_intent")[0]["c"] or 0)


def test_a_store_that_is_away_or_cuts_its_answers_costs_and_repeats_nothing(own: Estate) -> None:
    proxy = Proxy(own.url)
    recorder, thread = running(own, proxy.url)
    try:
        events = fill(own, 5_000)
        wait_for(lambda: committed(own) == events, "recording")
        proxy.down = True
        events += fill(own, 5_000, seed=2)
        proxy.down = False
        for seed in range(3, 6):
            # The request arrives, its answer does not: the recorder cannot know, and must not guess.
            proxy.cut_answers = 3
            events += fill(own, 2_000, seed=seed)
            wait_for(lambda: proxy.cut_answers == 0, "cutting answers")
        wait_for(lambda: committed(own) == events, "catching up")
    finally:
        stopped(recorder, thread)
        proxy.close()
    assert proxy.cut == 9
    assert_recorded(own)
    assert own.rows("SELECT count() - uniqExact(topic, partition, first_offset) AS twice FROM ledger_commit") == [
        {"twice": 0}
    ]


def test_aborted_transactions_and_markers_are_gaps_and_not_rows(own: Estate) -> None:
    producer = own.producer(**{"transactional.id": own.topics.prefix})
    producer.init_transactions(30)
    for number in range(6):
        producer.begin_transaction()
        producer.produce(own.topics.input("inference"), encoded(number=number), partition=0)
        if number % 2:
            producer.flush(PATIENCE)
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    recorder, thread = running(own)
    wait_for(lambda: committed(own) == 3, "recording")
    stopped(recorder, thread)
    assert_recorded(own)
    recorder, thread = running(own)
    events = 3 + fill(own, 10)
    wait_for(lambda: committed(own) == events, "going on")
    stopped(recorder, thread)
    assert_recorded(own)


def test_an_open_range_is_finished_with_its_own_bounds_whatever_of_it_was_written(own: Estate) -> None:
    producer = own.producer()
    for number in range(50):
        producer.produce(own.topics.input("inference"), encoded(number=number), partition=1)
    producer.flush(PATIENCE)
    recorder, thread = running(own)
    wait_for(lambda: committed(own) == 50, "recording")
    stopped(recorder, thread)
    with own.store() as store:
        # As a crash in mid-round leaves it: intended, some rows behind a token the store remembers, no commit.
        store.command("TRUNCATE TABLE ledger_commit")
        store.command("DELETE FROM inference WHERE offset >= 30")
    for number in range(50, 60):
        producer.produce(own.topics.input("inference"), encoded(number=number), partition=1)
    producer.flush(PATIENCE)
    recorder, thread = running(own)
    wait_for(lambda: committed(own) == 60, "repeating")
    stopped(recorder, thread)
    assert_recorded(own)
    ranges = own.rows("SELECT first_offset, next_offset, count, size FROM ledger_commit ORDER BY first_offset")
    assert ranges[0] == {"first_offset": 0, "next_offset": 50, "count": 50, "size": 50}
    assert ranges[-1]["size"] == 60


def test_records_that_are_gone_before_they_were_recorded_stop_it_and_are_not_skipped(own: Estate) -> None:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    events = fill(own, 100)
    recorder, thread = running(own)
    wait_for(lambda: committed(own) == events, "recording")
    stopped(recorder, thread)
    fill(own, 100)
    topic = own.topics.input("inference")
    admin = AdminClient({"bootstrap.servers": own.kafka})
    gone = admin.delete_records([TopicPartition(topic, 0, -1), TopicPartition(topic, 1, -1)])
    assert all(future.result(PATIENCE).low_watermark > 0 for future in gone.values())
    recorder = Recorder(own.kafka, own.url, own.topics, decoding(CODEC, load_settings().clock()))
    threading.Timer(20, recorder.stop).start()
    with pytest.raises(StoreError, match="gone from the topic"):
        recorder.run()
