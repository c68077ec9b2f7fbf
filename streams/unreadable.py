"""Unreadable: says aloud which records of a state topic could not be read, and keeps the list of them in that topic.

By log once, by metric, and by a record of its own for `seamwatch doctor`. The records themselves are kept by whoever
could not read them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

NAME = "\x00unreadable"
"""The key of the list, or how it ends."""
LISTED = 100
LINES = 20


@dataclass(frozen=True, slots=True)
class Lost:
    """One record: its key, why it could not be read, and the ids of violations that are open in it."""

    key: str
    why: str
    episodes: tuple[str, ...] = ()


class UnreadableList:
    """The list of one partition of a state topic, as its record ``key``."""

    def __init__(self, key: str = NAME) -> None:
        self._key = key
        self._kept: bytes | None = None

    def restore(self, key: str, value: bytes) -> bool:
        """Take note of what the topic has; False when it is another's record."""
        if key != self._key:
            return False
        self._kept = value
        return True

    def saved(self, lost: Iterable[Lost]) -> dict[str, bytes | None]:
        """What is to be written of the list as it is now; nothing when the topic says so already."""
        listed = list(lost)
        value = None
        if listed:
            rows = [[one.key, one.why, one.episodes] for one in listed[:LISTED]]
            value = json.dumps({"records": len(listed), "listed": rows}).encode()
        if value == self._kept:
            return {}
        self._kept = value
        return {self._key: value}


def tell(topic: str, partition: int, found: Collection[Lost]) -> None:
    """Log what has been found, the first twenty by name."""
    for number, one in enumerate(found):
        if number == LINES:
            log.error("records of the state cannot be read", topic=topic, partition=partition, more=len(found) - LINES)
            return
        log.error(
            "a record of the state cannot be read: it is kept, and what it is about is judged anew",
            topic=topic,
            partition=partition,
            key=one.key,
            why=one.why,
            open_violations=list(one.episodes),
        )


def unreadable_in(tables: Mapping[int, Mapping[str, bytes]]) -> tuple[int, list[Lost]]:
    """How many records of a state topic could not be read, and the first of them."""
    count = 0
    listed: list[Lost] = []
    for table in tables.values():
        for key, value in table.items():
            if not key.endswith(NAME):
                continue
            try:
                kept = json.loads(value)
                lost = [Lost(str(name), str(why), tuple(episodes)) for name, why, episodes in kept["listed"]]
                number = int(kept["records"])
            except (ValueError, TypeError, KeyError):
                number, lost = 1, [Lost(key, "the list of them cannot be read")]
            count += number
            listed += lost
    return count, listed
