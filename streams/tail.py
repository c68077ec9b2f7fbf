"""Tailing: the messages of topics from their beginning, for people and tests; commits nothing, joins no group."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from seamwatch.errors import UsageError
from seamwatch.wire.schemas import nearest
from seamwatch.wire.topics import Topics
from streams.errors import consumer_error, kafka_error

_TIMEOUT_SECONDS = 15.0
_POLL_SECONDS = 0.5
_BATCH = 1_000
_LOOK_SECONDS = 10.0
"""How often it is looked whether topics that are followed have grown."""


@dataclass(frozen=True, slots=True)
class Read:
    """One message and where it lies; ``broker_time`` in milliseconds."""

    topic: str
    partition: int
    offset: int
    broker_time: int
    key: bytes | None
    value: bytes | None


def tail(bootstrap: str, topics: Topics, names: Sequence[str], *, follow: bool = False) -> Iterator[Read]:
    """The committed messages of topics, each partition in order, up to their present ends, or for ever.

    A name is a topic's, with or without the prefix; ``violations`` stands for those of all kinds. Raises UsageError
    for a topic that is not there, UnreachableError when the broker does not answer.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "seamwatch-tail",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "log_level": 2,
        }
    )
    try:
        places = _places(consumer, names, topics)
        left = set(places)
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in sorted(left)])
        looked = time.monotonic()
        while left or follow:
            if follow and time.monotonic() - looked >= _LOOK_SECONDS:
                looked = time.monotonic()
                grown = _places(consumer, names, topics) - places
                consumer.incremental_assign([TopicPartition(topic, partition, 0) for topic, partition in sorted(grown)])
                places |= grown
            for message in consumer.consume(_BATCH, _POLL_SECONDS):
                topic, partition = message.topic() or "", message.partition() or 0
                error = message.error()
                if error is None:
                    _, at = message.timestamp()
                    yield Read(topic, partition, message.offset() or 0, at, message.key(), message.value())
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its own name
                    left.discard((topic, partition))
                elif error.fatal() or not error.retriable():
                    raise consumer_error(error, topic, partition)
    except KafkaException as error:
        raise kafka_error(error, "reading topics", bootstrap) from error
    finally:
        consumer.close()


def _places(consumer: Consumer, names: Sequence[str], topics: Topics) -> set[tuple[str, int]]:
    present = consumer.list_topics(timeout=_TIMEOUT_SECONDS).topics
    return {(topic, number) for topic in _named(names, topics, tuple(present)) for number in present[topic].partitions}


def _named(names: Sequence[str], topics: Topics, present: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for name in names:
        full = f"{topics.prefix}.{name}"
        some = [topic for topic in present if topic.startswith(f"{full}.")] if name == "violations" else []
        some = some or [topic for topic in (name, full) if topic in present][:1]
        if not some:
            short = tuple(topic.removeprefix(f"{topics.prefix}.") for topic in present)
            raise UsageError(f"there is no topic {name!r} with or without {topics.prefix!r}{nearest(name, short)}")
        found += [topic for topic in some if topic not in found]
    return found
