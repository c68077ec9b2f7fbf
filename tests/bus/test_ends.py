"""Where partitions end is asked on and on, by another client when one was refused; one moment holds for all of it.

Whoever waits for the answer is answered although a topic is new, or its leader has moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from bus import clients
from bus.ends import Answer, Ends, bounds_for, end_for, ends_of, newest_in
from seamwatch.clock import ScaledClock
from seamwatch.testing import T0

A, B = ("seamwatch.inference", 0), ("seamwatch.outcome", 1)


def done(answer: Any) -> Future[Any]:
    future: Future[Any] = Future()
    if isinstance(answer, KafkaError):
        future.set_exception(KafkaException(answer))
    else:
        future.set_result(answer)
    return future


class Client:
    """As librdkafka's: it goes by the epoch of leaders that it heard of first."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._epoch = broker.epoch

    def list_offsets(self, places: Mapping[TopicPartition, Any], **_: Any) -> dict[TopicPartition, Future[Any]]:
        self._broker.asked += 1
        stale = KafkaError(KafkaError.FENCED_LEADER_EPOCH) if self._epoch != self._broker.epoch else None
        return {place: done(stale or SimpleNamespace(offset=7)) for place in places}

    def describe_topics(self, _topics: TopicCollection, **_: Any) -> dict[str, Future[Any]]:
        return {name: done(SimpleNamespace(partitions=[None] * 3)) for name in self._broker.topics}


class Broker:
    epoch = 0
    asked = 0
    clients = 0
    topics = ("seamwatch.inference",)

    def connect(self) -> AdminClient:
        self.clients += 1
        return cast(AdminClient, Client(self))


class Asked:
    """Questions every five seconds, and a clock in the test's hand."""

    def __init__(self, broker: Broker) -> None:
        self.now = 0.0
        self._ends = Ends(broker.connect, ScaledClock(T0, 0, 0.0), 5.0, broker.topics, lambda: self.now)

    def after_five_seconds(self) -> Answer | None:
        self.now += 5.0
        self._ends.poll((A, B))
        return self._ends.poll((A, B))


def test_one_client_asks_as_long_as_it_is_answered() -> None:
    broker = Broker()
    asked = Asked(broker)
    for number in range(1, 4):
        assert asked.after_five_seconds() == Answer(T0, {A: 7, B: 7}, {"seamwatch.inference": 3})
        assert (broker.asked, broker.clients) == (number, 1)


def test_leaders_that_move_are_heard_of_although_a_client_asks_by_what_it_heard_before() -> None:
    broker = Broker()
    asked = Asked(broker)
    asked.after_five_seconds()
    for moves in range(1, 4):
        broker.epoch += 1
        # What was not told is left out, and is no end.
        assert asked.after_five_seconds() == Answer(T0, {}, {"seamwatch.inference": 3})
        told = asked.after_five_seconds()
        assert told is not None
        assert told.ends == {A: 7, B: 7}
        assert broker.clients == moves + 1


class Moving:
    """A consumer and an admin client that are refused until they have looked at the topics so many times."""

    def __init__(self, code: int, looks: int) -> None:
        self._refusal = KafkaError(code)
        self._left = looks

    def list_topics(self, *_: Any, **__: Any) -> None:
        self._left -= 1

    def get_watermark_offsets(self, _place: TopicPartition, **_: Any) -> tuple[int, int]:
        if self._left > 0:
            raise KafkaException(self._refusal)
        return 3, 7

    def list_offsets(self, places: Mapping[TopicPartition, Any], **_: Any) -> dict[TopicPartition, Future[Any]]:
        answers: list[Any] = [SimpleNamespace(offset=7, timestamp=9)] * len(places)
        if self._left > 0:
            answers[-1] = self._refusal
        return {place: done(answer) for place, answer in zip(places, answers, strict=True)}


def all_of(client: Moving, seconds: float) -> list[Any]:
    consumer, admin = cast(Consumer, client), cast(AdminClient, client)
    return [
        lambda: bounds_for(consumer, *A, seconds),
        lambda: end_for(consumer, *A, seconds),
        lambda: ends_of(admin, [A, B], seconds),
        lambda: newest_in(admin, A[0], [0, 1], seconds),
    ]


ANSWERS = [(3, 7), 7, {A: 7, B: 7}, 9]
MOVES = [
    KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError._NOENT, KafkaError._UNKNOWN_PARTITION, KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
]  # fmt: skip


@pytest.mark.parametrize("way", range(len(ANSWERS)))
@pytest.mark.parametrize("code", MOVES)
def test_whoever_waits_looks_at_the_topics_anew_until_a_leader_answers(code: int, way: int) -> None:
    assert all_of(Moving(code, looks=2), 5.0)[way]() == ANSWERS[way]


@pytest.mark.parametrize("way", range(len(ANSWERS)))
def test_a_leader_that_never_comes_is_an_error_in_the_end_and_another_error_is_one_at_once(way: int) -> None:
    client = Moving(KafkaError.NOT_LEADER_FOR_PARTITION, looks=10**6)
    with pytest.raises(KafkaException, match="NOT_LEADER_FOR_PARTITION"):
        all_of(client, 0.3)[way]()
    refused = Moving(KafkaError.TOPIC_AUTHORIZATION_FAILED, looks=1)
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        all_of(refused, 60.0)[way]()


def test_a_topic_that_was_made_a_moment_ago_has_ends(kafka: str, topics: str) -> None:
    admin, consumer = clients.admin(kafka), clients.reader(kafka, topics)
    try:
        for number in range(5):
            name = f"{topics}.{number}"
            admin.create_topics([NewTopic(name, 2, 1)])[name].result()
            assert [bounds_for(consumer, name, partition, 20.0) for partition in range(2)] == [(0, 0), (0, 0)]
            assert ends_of(admin, [(name, 0), (name, 1)], 20.0) == {(name, 0): 0, (name, 1): 0}
    finally:
        consumer.close()
