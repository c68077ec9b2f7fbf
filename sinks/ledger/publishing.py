"""Publishing: signed checkpoints to their topic, where whoever keeps copies of them finds them.

At least once: after a crash the newest is published again, with the same note. One that the broker does not take in
time is left out and logged; the next one of its tree stands for it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import structlog
from confluent_kafka import KafkaError, Message

from bus import clients
from seamwatch.broker import Address
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.ledger.ledger import Head

_log = structlog.get_logger("sinks.ledger")


class CheckpointTopic:
    """Takes heads to the checkpoint topic; call it from one thread at a time."""

    def __init__(self, bootstrap: Address, topics: Topics) -> None:
        self._topic = topics.checkpoint
        self._codec = Codec()
        self._producer = clients.producer(
            bootstrap,
            {
                "client.id": "ledger",
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": 60_000,
                "log_level": 3,
                # While the broker is away the client says so many times a second: our log says it now and then.
                "logger": logging.getLogger("librdkafka"),
            },
        )

    def __call__(self, heads: Sequence[Head]) -> None:
        """Publish heads that are signed; returns at once."""
        for head in heads:
            try:
                value = self._codec.encode("checkpoint", head.record())
                self._producer.produce(self._topic, value, key=head.origin, on_delivery=_delivered)
            except BufferError:
                _log.warning("checkpoint not published: the broker is away", origin=head.origin, size=head.size)
        self._producer.poll(0)

    def close(self, seconds: float) -> None:
        """Wait so long at most for what is under way."""
        self._producer.flush(seconds)


def _delivered(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        _log.warning("checkpoint not published", origin=str(message.key()), error=str(error))
