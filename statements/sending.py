"""Sends single records to the broker for a command, and waits until it has them."""

from __future__ import annotations

from collections.abc import Iterable

from seamwatch.broker import Address


def send(kafka: Address, topic: str, records: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Send records, each a key and a value; None when the broker has them all, else why it has not, in its words."""
    from bus import clients

    failures: list[str] = []
    producer = clients.producer(kafka, {"acks": "all", "message.timeout.ms": 10_000, "log_level": 0})
    for key, value in records:
        producer.produce(
            topic,
            value,
            key=key,
            on_delivery=lambda error, _message: failures.append(error.str()) if error is not None else None,
        )
    if producer.flush(12) and not failures:
        return "no reply"
    return "; ".join(dict.fromkeys(failures)) or None
