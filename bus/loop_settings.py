"""Clients: how the loop's consumer and producer are configured. Why each value is there is in docs/operations.md."""

from __future__ import annotations

from dataclasses import dataclass

from seamwatch.broker import Address

Configuration = dict[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """Where and how a loop runs.

    ``instance`` names this process within the group: unique among those that run, and the same after a restart, so
    that the group waits for it instead of moving its partitions. ``linger`` is the longest time in seconds between
    the first message of a round and its computing, ``largest`` the number of messages that ends it sooner.
    """

    broker: Address
    group: str
    instance: str
    topics: tuple[str, ...]
    linger: float = 0.2
    largest: int = 50_000


def consumer_configuration(settings: LoopSettings) -> Configuration:
    """The consumer's configuration."""
    return {
        "group.id": settings.group,
        "group.instance.id": f"{settings.group}-{settings.instance}",
        "partition.assignment.strategy": "range",
        "session.timeout.ms": 10_000,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        # Positions are always given, the beginning included; only one that is gone asks for a reset.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 0,
        "fetch.message.max.bytes": 8 << 20,
        "queued.min.messages": 1_000_000,
        "queued.max.messages.kbytes": 256 << 10,
        # Partitions that are added to a topic are noticed so soon.
        "topic.metadata.refresh.interval.ms": 10_000,
    }


def producer_configuration(settings: LoopSettings) -> Configuration:
    """The transactional producer's configuration."""
    return {
        "transactional.id": f"{settings.group}-{settings.instance}",
        "transaction.timeout.ms": 10_000,
        "partitioner": "murmur2_random",
        "delivery.report.only.error": True,
        "message.max.bytes": 4 << 20,
        "compression.type": "lz4",
        "linger.ms": 0,
        "retry.backoff.ms": 5,
    }
