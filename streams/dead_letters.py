"""Dead letters: what a stage cannot use, kept whole with its position and the reason."""

from __future__ import annotations

from confluent_kafka import Message

from bus.batches import broker_time
from bus.loop import Output
from seamwatch.wire.codec import Codec


def dead_letter(
    topic: str, message: Message, reason: str, *, of: str, stage: str, detected_at: int, codec: Codec
) -> Output:
    """The dead letter, to ``topic``, for a message of topic ``of``: the same message gives the same key."""
    record = {
        "topic": of,
        "partition": message.partition(),
        "offset": message.offset(),
        "broker_time": broker_time(message) * 1_000 or None,
        "key": _bytes(message.key()),
        "value": _bytes(message.value()),
        "headers": [{"key": name, "value": _bytes(value)} for name, value in _headers(message)],
        "reason": reason,
        "stage": stage,
        "detected_at": detected_at,
    }
    key = f"{of}/{message.partition()}/{message.offset()}".encode()
    return Output(topic, codec.encode("dead_letter", record), key)


def _headers(message: Message) -> list[tuple[str, str | bytes | None]]:
    headers = message.headers() or []
    return list(headers.items()) if isinstance(headers, dict) else headers


def _bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
