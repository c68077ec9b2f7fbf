"""That a Kafka client is over for good is heard by whatever way it says so, and passing errors are not taken for it."""

from __future__ import annotations

import json

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from seamwatch.wire.fatal import STATISTICS_MS, Fatal


def test_passing_errors_end_nothing() -> None:
    fatal = Fatal()
    fatal.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    fatal.on_statistics(json.dumps({"name": "rdkafka#consumer-1", "topics": {}}))
    fatal.on_statistics(json.dumps({"name": "fatal", "topics": {"fatal": {}}}))
    fatal.check()


def test_a_fatal_error_is_told_at_every_check_with_its_reason() -> None:
    by_callback, by_statistics = Fatal(), Fatal()
    by_callback.on_error(KafkaError(KafkaError._FATAL, "Static consumer fenced", True))
    by_statistics.on_statistics(json.dumps({"fatal": {"error": "x", "reason": "Static consumer fenced", "cnt": 1}}))
    for fatal in (by_callback, by_statistics, by_statistics):
        with pytest.raises(KafkaException, match="Static consumer fenced"):
            fatal.check()


def test_a_word_that_was_missed_is_caught_up_with_by_statistics(kafka: str, topics: str) -> None:
    """A consumer whose place is taken, whose only message about it is thrown away."""
    fatal = Fatal()
    settings = {"bootstrap.servers": kafka, "group.id": topics, "group.instance.id": f"{topics}-a"}
    consumers = [Consumer({**settings, **fatal.configuration()}), Consumer(settings)]
    try:
        for consumer in consumers:
            consumer.subscribe(["__consumer_offsets"])
            for _ in range(50):
                consumer.poll(0.1)
        for _ in range(2 * STATISTICS_MS // 100):
            consumers[0].consume(100, 0.1)
            consumers[1].poll(0)
        with pytest.raises(KafkaException, match="fenced"):
            fatal.check()
    finally:
        for consumer in consumers:
            consumer.close()
