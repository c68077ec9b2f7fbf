"""Tailing: the messages of topics, from their beginning or from somewhere on; commits nothing, joins no group."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from confluent_kafka import Consumer, KafkaException

from bus import clients
from bus.errors import kafka_error
from bus.reading import Reading
from seamwatch.broker import Address
from seamwatch.errors import UsageError
from seamwatch.wire.schemas import nearest
from seamwatch.wire.topics import Topics

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


def tail(
    bootstrap: Address,
    topics: Topics,
    names: Sequence[str],
    *,
    follow: bool = False,
    since: Mapping[tuple[str, int], int] = MappingProxyType({}),
) -> Iterator[Read]:
    """The committed messages of topics, each partition in order, up to their present ends, or for ever.

    A name is a topic's, with or without the prefix; ``violations`` stands for those of all kinds. ``since`` has by
    topic and partition the offset to begin at, where that is not the beginning. Raises UsageError for a topic that is
    not there, UnreachableError when the broker does not answer.
    """
    consumer = clients.reader(
        bootstrap, f"{topics.prefix}.tail", {"log_level": 2, **({} if follow else clients.TO_THE_ENDS)}
    )
    try:
        places = _places(consumer, names, topics)
        reading = Reading(consumer, bootstrap, {place: since.get(place, 0) for place in places})
        looked = time.monotonic()
        while reading.left or follow:
            if follow and time.monotonic() - looked >= _LOOK_SECONDS:
                looked = time.monotonic()
                grown = _places(consumer, names, topics) - places
                reading.more(dict.fromkeys(grown, 0))
                places |= grown
            for message in reading.read(_BATCH, _POLL_SECONDS):
                topic, partition = message.topic() or "", message.partition() or 0
                _, at = message.timestamp()
                yield Read(topic, partition, message.offset() or 0, at, message.key(), message.value())
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
