"""Broker: where Kafka is and how a client connects to it, as librdkafka's properties; connects to nothing.

The one place that knows which properties those are, and the words for a broker that lets nobody in, for every client of
ours and the SDK's alike. The clients themselves are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, KafkaException

Property = str | int | float | bool

_NONE: Final[Mapping[str, Property]] = MappingProxyType({})

OURS: Final = frozenset(
    {
        *("bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id", "group.protocol"),
        *("enable.auto.commit", "enable.auto.offset.store", "isolation.level", "auto.offset.reset"),
        *("enable.partition.eof", "partition.assignment.strategy", "transactional.id", "enable.idempotence", "acks"),
        *("request.required.acks", "partitioner", "debug"),
    }
)
"""Properties on which it stands that each event counts once and is found by its key: they are not to be set."""

_CERTIFICATE: Final = "it does not accept the certificate of SEAMWATCH_KAFKA_SSL_CERTIFICATE"
KEY_HINT: Final = (
    "Is SEAMWATCH_KAFKA_SSL_KEY the certificate's key, and SEAMWATCH_KAFKA_SSL_KEY_PASSWORD (or …_FILE) its password?"
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alert certificate required": "it asks for a certificate (SEAMWATCH_KAFKA_SSL_CERTIFICATE)",
        "alert certificate": _CERTIFICATE,
        "alert bad certificate": _CERTIFICATE,
        "alert unknown ca": _CERTIFICATE,
        "OAUTHBEARER token": "the token endpoint gives no token",
        "invalid_token": "it does not accept the token",
    }
)
"""By words of a reason, the first that it has: what is wrong, in the reader's words."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Bootstrap servers, ``host:port,host:port``, and what a client needs besides; shown as the servers."""

    servers: str
    properties: Mapping[str, Property] = field(default_factory=dict, repr=False)
    """librdkafka's, passwords among them: never to be shown."""

    def __str__(self) -> str:
        return self.servers

    def client(self, properties: Mapping[str, Any] = _NONE) -> dict[str, Any]:
        """The configuration of a client that has these properties of its own, which go before those of the broker."""
        return {**self.properties, "bootstrap.servers": self.servers, **properties}


Address = str | Broker
"""Where Kafka is: servers that let anybody in who can reach them, or a broker."""


def broker_at(address: Address) -> Broker:
    """The broker at an address."""
    return address if isinstance(address, Broker) else Broker(address)


def is_refusal(error: KafkaError) -> bool:
    """Whether what a client was told means that it is not let in: its login, a certificate, or encryption."""
    from confluent_kafka import KafkaError

    # Both are public codes, whatever their names. The words are of a connection where one side encrypts and one does
    # not, and of a broker that ends it since it does not like our certificate, or has seen none.
    if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):  # noqa: SLF001
        return True
    return any(words in error.str() for words in ("security.protocol", "SSL alert number"))


def not_let_in(address: Address, why: str) -> str:
    """The words for a broker that is there and lets nobody in; ``why`` is the client's reason."""
    hint = next((f": {said}" for words, said in _HINTS.items() if words in why), "")
    return f"Kafka at {address} does not let us in{hint}: {why} (docs/connections.md)"


def not_made(address: Address, error: KafkaException) -> UsageError:
    """Our error for a client that could not be made by the properties given."""
    said = error.args[0]
    reason = said.str() if hasattr(said, "str") else str(said)
    hint = f". {KEY_HINT}" if "ssl.key" in reason else ""
    return UsageError(f"no client for Kafka at {address} could be made: {reason}{hint}")
