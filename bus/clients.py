"""Clients: the one place where consumers, producers and admin clients are made, from a broker's address.

What lets them in comes with the address; what they are for is given by who asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from seamwatch.broker import Address, broker_at, not_made

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import AdminClient

_Client = TypeVar("_Client")

READING: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
}
"""Of a consumer that is assigned what it reads, knows where that ends, and commits nothing under its group's name."""

TO_THE_ENDS: Mapping[str, Any] = {"fetch.wait.max.ms": 20}
"""Of a reader that is done at the ends: where nothing comes any more, a broker keeps it waiting before it says so."""


def consumer(address: Address, properties: Mapping[str, Any]) -> Consumer:
    """A consumer. Raises UsageError when librdkafka does not take a property."""
    from confluent_kafka import Consumer

    return _made(Consumer, address, properties)


def reader(address: Address, group: str, properties: Mapping[str, Any] | None = None) -> Consumer:
    """A consumer for reading what it is assigned; ``group`` is asked for by the client and never joined."""
    return consumer(address, {"group.id": group, **READING, **(properties or {})})


def producer(address: Address, properties: Mapping[str, Any]) -> Producer:
    """A producer. Raises UsageError when librdkafka does not take a property."""
    from confluent_kafka import Producer

    return _made(Producer, address, properties)


def admin(address: Address, properties: Mapping[str, Any] | None = None) -> AdminClient:
    """An admin client, quiet on its own. Raises UsageError when librdkafka does not take a property."""
    from confluent_kafka.admin import AdminClient

    return _made(AdminClient, address, {"log_level": 0, **(properties or {})})


def _made(kind: Callable[[dict[str, Any]], _Client], address: Address, properties: Mapping[str, Any]) -> _Client:
    from confluent_kafka import KafkaException

    broker = broker_at(address)
    try:
        return kind(broker.client(properties))
    except KafkaException as error:
        raise not_made(broker, error) from None
