"""State is taken back whole: what a transaction leaves undecided is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from bus.restoring import read_tables
from tests.streams.stages import Scene
from tests.waiting import PATIENCE


@pytest.fixture
def producer(scene: Scene) -> Iterator[Producer]:
    made = Producer({
        "bootstrap.servers": scene.kafka, "transactional.id": scene.prefix, "transaction.timeout.ms": 60_000,
    })  # fmt: skip
    made.init_transactions(30)
    yield made
    made.flush(PATIENCE)


@pytest.mark.parametrize("commits", [True, False], ids=["committed", "aborted"])
def test_an_open_transaction_is_waited_for(scene: Scene, producer: Producer, commits: bool) -> None:
    topic = scene.topics.measure_state
    producer.begin_transaction()
    producer.produce(topic, b"before", b"0/1", 0)
    producer.commit_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, b"after", b"0/1", 0)
    producer.produce(topic, None, b"0/2", 0)
    producer.flush(PATIENCE)
    ended: list[float] = []

    def end() -> None:
        ended.append(time.monotonic())
        (producer.commit_transaction if commits else producer.abort_transaction)(30)

    later = threading.Timer(1.0, end)
    later.start()
    tables = read_tables(scene.kafka, topic, [0, 1])
    assert ended
    assert tables == {0: {"0/1": b"after" if commits else b"before"}, 1: {}}
    later.join()
