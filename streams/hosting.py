"""What measure and judge have in common as processes: addresses, codec, names and partition counts out of settings."""

from __future__ import annotations

import socket

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bus.errors import kafka_error
from bus.loop_settings import LoopSettings
from seamwatch.broker import Address, Broker
from seamwatch.errors import StageError, UsageError
from seamwatch.settings import Settings


def broker_of(settings: Settings) -> Broker:
    """The broker. Raises UsageError when none is set, or only half of how one is let in."""
    broker = settings.broker()
    if broker is None:
        raise UsageError("KAFKA_BOOTSTRAP_SERVERS is not set: name the broker, such as 127.0.0.1:9092")
    return broker


def loop_settings(
    settings: Settings, stage: str, topics: tuple[str, ...], linger: float, largest: int = 100_000
) -> LoopSettings:
    """How the loop of a stage runs; its group is ``<prefix>.<stage>``."""
    instance = settings.instance or socket.gethostname()
    return LoopSettings(broker_of(settings), f"{settings.prefix}.{stage}", instance, topics, linger, largest)


def partitions_of(admin: AdminClient, topic: str, bootstrap: Address) -> int:
    """How many partitions a topic has. Raises StageError when there is no such topic."""
    try:
        found = admin.list_topics(topic, timeout=10.0).topics[topic]
    except KafkaException as error:
        raise kafka_error(error, f"looking up {topic}", bootstrap) from error
    if found.error is not None or not found.partitions:
        raise StageError(f"there is no topic {topic}: create the topics with `seamwatch topics create`")
    return len(found.partitions)
