"""What measure and judge have in common as processes: addresses, codec, names and partition counts out of settings."""

from __future__ import annotations

import socket

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from seamwatch.errors import StageError, UsageError
from seamwatch.settings import Settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.registry import SchemaRegistry
from streams.clients import LoopSettings
from streams.decisions import Decisions
from streams.errors import kafka_error


def bootstrap_of(settings: Settings) -> str:
    """The broker's address. Raises UsageError when none is set."""
    if not settings.kafka:
        raise UsageError("KAFKA_BOOTSTRAP_SERVERS is not set: name the broker, such as 127.0.0.1:9092")
    return settings.kafka


def codec_of(settings: Settings) -> Codec:
    """The codec: with the schema registry when one is set."""
    registry = SchemaRegistry(settings.schema_registry_url) if settings.schema_registry_url else None
    return Codec(registry, settings.schemas)


def decisions_of(settings: Settings) -> Decisions | None:
    """The decisions in the store, which is only read; None when no store is named."""
    url = settings.auditor or settings.clickhouse
    return None if url is None else Decisions(url)


def loop_settings(
    settings: Settings, stage: str, topics: tuple[str, ...], linger: float, largest: int = 100_000
) -> LoopSettings:
    """How the loop of a stage runs; its group is ``<prefix>.<stage>``."""
    instance = settings.instance or socket.gethostname()
    return LoopSettings(bootstrap_of(settings), f"{settings.prefix}.{stage}", instance, topics, linger, largest)


def partitions_of(admin: AdminClient, topic: str, bootstrap: str = "the configured address") -> int:
    """How many partitions a topic has. Raises StageError when there is no such topic."""
    try:
        found = admin.list_topics(topic, timeout=10.0).topics[topic]
    except KafkaException as error:
        raise kafka_error(error, f"looking up {topic}", bootstrap) from error
    if found.error is not None or not found.partitions:
        raise StageError(f"there is no topic {topic}: create the topics with `seamwatch topics create`")
    return len(found.partitions)
