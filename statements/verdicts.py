"""Waits for what the judge makes of an acknowledgement or an attestation, on the topic of verdicts.

Opened before the acknowledgement is published, so that no verdict is missed (`statements.from_now`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seamwatch.broker import Address
from statements.from_now import FromNow

if TYPE_CHECKING:
    from confluent_kafka import Message


class Verdicts(FromNow):
    """The verdicts from now on. Raises UnreachableError when the broker does not answer."""

    def __init__(self, bootstrap: Address, topic: str) -> None:
        super().__init__(bootstrap, (topic,), f"{topic}.ack", "looking for verdicts")

    def wait(self, acknowledgement_id: str, seconds: float) -> dict[str, Any] | None:
        """The verdict on an acknowledgement; None when none came in time.

        One that says that nothing is known of what was answered may be followed by one that knows, and is waited past.
        """
        return self.wait_for([acknowledgement_id], seconds)[0]

    def wait_for(self, ids: Sequence[str], seconds: float) -> list[dict[str, Any] | None]:
        """The verdict on each of several, in their order, as `wait` gives one; all of them in that time."""
        found: dict[str, dict[str, Any]] = {}
        known = set[str]()
        for message in self.within(seconds if ids else 0):
            if (name := _key(message)) not in ids:
                continue
            verdict = _decoded(message)
            if name is not None and verdict is not None:
                found[name] = verdict
                if verdict["reason"] != "unknown":
                    known.add(name)
            if len(known) == len(ids):
                break
        return [found.get(name) for name in ids]


def _key(message: Message) -> str | None:
    key = message.key()
    return key.decode(errors="replace") if isinstance(key, bytes) else key


def _decoded(message: Message) -> dict[str, Any] | None:
    from seamwatch.errors import RecordError
    from seamwatch.settings import load_settings
    from seamwatch.wire.codec import codec_of

    value = message.value()
    try:
        return None if not isinstance(value, bytes) else dict(codec_of(load_settings()).decode("verdict", value))
    except RecordError:
        return None
