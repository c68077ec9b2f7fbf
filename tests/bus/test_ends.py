"""Where partitions end is asked on and on, by another client when one was refused; one moment holds for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from bus.ends import Answer, Ends
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
