"""Partitions are read to their ends: where those are met, where an offset was asked for, and on behind them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from bus import clients
from bus.partitions import Partition
from bus.reading import Reading, take
from seamwatch.errors import SeamwatchError
from tests.waiting import PATIENCE


@pytest.fixture
def topic(kafka: str) -> Iterator[str]:
    name = f"reading-{uuid.uuid4().hex[:8]}"
    admin = clients.admin(kafka)
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(PATIENCE)
    yield name
    admin.delete_topics([name])[name].result(PATIENCE)


@pytest.fixture
def consumer(kafka: str) -> Iterator[Consumer]:
    made = clients.reader(kafka, "reading", {"fetch.wait.max.ms": 20})
    yield made
    made.close()


def write(producer: Producer, topic: str, partition: int, count: int) -> None:
    for number in range(count):
        producer.produce(topic, str(number).encode(), partition=partition)


def read(reading: Reading) -> list[tuple[int, int]]:
    """Partition and offset of what comes until all is read to its end."""
    found = []
    for _ in range(200):
        found += [(m.partition() or 0, m.offset() or 0) for m in reading.read(1_000, 0.2)]
        if not reading.left:
            return sorted(found)
    raise AssertionError(f"{reading.left} were not read to their ends")


def test_each_partition_is_read_from_where_it_was_asked_for_to_its_end_and_on(
    kafka: str, topic: str, consumer: Consumer
) -> None:
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True})
    write(producer, topic, 0, 3)
    write(producer, topic, 1, 2)
    producer.flush()
    reading = Reading(consumer, kafka, {(topic, 0): 1, (topic, 1): 0})
    assert read(reading) == [(0, 1), (0, 2), (1, 0), (1, 1)]
    assert reading.at == {(topic, 0): 3, (topic, 1): 2}
    reading.more({(topic, 2): 0})
    assert reading.left == {(topic, 2)}, "one that is empty has its end at its beginning"
    assert read(reading) == []
    assert reading.at[topic, 2] == 0
    write(producer, topic, 0, 1)
    producer.flush()
    behind = next(messages for _ in range(200) if (messages := reading.read(1_000, 0.2)))
    assert [message.offset() for message in behind] == [3]


def test_an_end_behind_an_open_transaction_is_waited_for(kafka: str, topic: str, consumer: Consumer) -> None:
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    producer.init_transactions(20)
    producer.begin_transaction()
    write(producer, topic, 0, 2)
    producer.flush()
    ends: dict[Partition, int] = {(topic, 0): 2}
    reading = Reading(consumer, kafka, {(topic, 0): 0}, ends)
    seen = [message for _ in range(5) for message in reading.read(1_000, 0.2)]
    assert (seen, reading.left) == ([], {(topic, 0)}), (
        "its end for a reader of committed records is met, and not enough"
    )
    producer.commit_transaction(20)
    assert read(reading) == [(0, 0), (0, 1)]


class Failing:
    """A consumer that has nothing but an error."""

    def __init__(self, code: int, topic: str | None = "t") -> None:
        self._code, self._topic = code, topic

    def assign(self, places: Any) -> None:
        pass

    def list_topics(self, topic: str, timeout: float) -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def consume(self, count: int, wait: float) -> list[Message]:
        return [Message(topic=self._topic, partition=7, error=KafkaError(self._code))]


@pytest.mark.parametrize("patient", [False, True])
def test_what_reading_does_not_get_over_is_raised_with_its_place(patient: bool) -> None:
    refused, away = (
        Reading(cast(Consumer, Failing(code)), "127.0.0.1:9", {("t", 7): 0}, patient=patient)
        for code in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._TRANSPORT)
    )
    with pytest.raises(SeamwatchError, match=r"t\[7\]"):
        refused.read(1, 0)
    if patient:
        assert away.read(1, 0) == [], "whoever follows for good waits until the broker is back"
    else:
        with pytest.raises(SeamwatchError, match=r"t\[7\]"):
            away.read(1, 0)


def test_what_the_client_says_of_itself_is_told_with_what_it_was_to_read() -> None:
    refused = Failing(KafkaError.GROUP_AUTHORIZATION_FAILED, topic=None)
    reading = Reading(cast(Consumer, refused), "127.0.0.1:9", {("t.contracts", 0): 0})
    with pytest.raises(SeamwatchError, match=r"reading t\.contracts: who logs in at Kafka may not do that"):
        reading.read(1, 0)


class Trickling:
    """A consumer to which one message has come, and to which no more come for a long time."""

    def __init__(self) -> None:
        self.waited: list[tuple[int, float]] = []

    def consume(self, count: int, wait: float) -> list[Message]:
        self.waited.append((count, wait))
        return [cast("Message", None)] if len(self.waited) == 1 else []


def test_what_has_come_is_not_kept_for_what_may_come() -> None:
    trickling = Trickling()
    assert len(take(cast("Consumer", trickling), 1_000, 30.0)) == 1
    assert trickling.waited[0] == (1, 30.0)
    assert trickling.waited[1][0] == 999
    assert trickling.waited[1][1] < 0.1
    assert len(take(cast("Consumer", Trickling()), 1, 30.0)) == 1


def test_leaders_are_found_before_it_is_asked_where_a_partition_begins() -> None:
    asked: list[str] = []

    class Noting:
        """A consumer that notes in which order it is asked."""

        def list_topics(self, name: str = "all", timeout: float = -1) -> None:
            asked.append(name)

        def assign(self, places: list[TopicPartition]) -> None:
            asked.append(f"assigned {len(places)}")

    Reading(cast("Consumer", Noting()), "127.0.0.1:1", {("b", 0): 0, ("a", 1): 0, ("a", 0): 0, ("c", 0): 5})
    assert asked == ["a", "b", "assigned 4"], "of c it is known where to begin"
    asked.clear()
    Reading(cast("Consumer", Noting()), "127.0.0.1:1", {(name, 0): 0 for name in "abcdef"})
    assert asked == ["all", "assigned 6"]
