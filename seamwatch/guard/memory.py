"""Memory: what a guard remembers of conversations and of counts, bounded, and for as long as the judge does.

A conversation is forgotten a day after its last act, as the judge forgets it; beyond the bound the one that was
silent longest goes first. Not locked: the guard's own lock is held by whoever asks.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from seamwatch.durations import DAY, SECOND

_log = logging.getLogger("seamwatch.guard")

Key = tuple[str, ...]
K = TypeVar("K")
T = TypeVar("T")

SEEN_KEPT = 100
WINDOWS_KEPT = 8
HELD_BACK = 10 * SECOND
"""A clock that goes back by less than this is held until it has caught up; one that goes back further is believed."""


@dataclass(slots=True)
class Tally:
    """How many were counted, and when the last was."""

    count: int = 0
    last: int = -(2**62)


@dataclass(slots=True)
class Talk:
    """One conversation: what each clause remembers of it, the calls seen by id, and when its last act was."""

    states: dict[Key, Any] = field(default_factory=dict)
    seen: Recent[str, Any] = field(default_factory=lambda: Recent(SEEN_KEPT))
    last: int = -(2**62)


class Recent(Generic[K, T]):
    """The values used last, up to a number of them."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[K, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> T | None:
        """The value of a key, which is then the last used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: T) -> bool:
        """Keep a value; whether another had to go for it."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) <= self._kept:
            return False
        self._values.popitem(last=False)
        return True

    def oldest(self) -> tuple[K, T] | None:
        """What was used longest ago."""
        key = next(iter(self._values), None)
        return None if key is None else (key, self._values[key])

    def drop(self, key: K) -> None:
        """Forget a key."""
        self._values.pop(key, None)


class Memory:
    """All that a guard remembers, for ``conversations`` conversations and as many counts at most."""

    def __init__(self, conversations: int) -> None:
        self._talks: Recent[str, Talk] = Recent(conversations)
        self._counts: Recent[Key, dict[int, int]] = Recent(conversations)
        self._alone = Talk()
        self._last = -(2**62)
        self._forced = 0

    def __len__(self) -> int:
        return len(self._talks)

    def talk(self, trace: str | None) -> Talk:
        """What is remembered of a conversation; what is outside any has one memory of the calls seen."""
        if trace is None:
            return self._alone
        known = self._talks.get(trace)
        if known is None:
            known = Talk()
            if self._talks.put(trace, known):
                self._forced += 1
                if str(self._forced).strip("0") == "1":
                    _log.warning("%d conversations were forgotten early: raise conversations=", self._forced)
        return known

    def stamp(self, talk: Talk, now: int) -> int:
        """The time of an act: later than every act of its conversation, so that order is what it was."""
        if self._last - HELD_BACK <= now <= self._last:
            now = self._last + 1
        self._last = now
        self._forget(now)
        if talk is self._alone:
            return now
        talk.last = max(now, talk.last + 1)
        return talk.last

    def counts(self, key: Key) -> dict[int, int]:
        """The counts of a clause and part, by the start of the window."""
        known = self._counts.get(key)
        if known is None:
            known = {}
            self._counts.put(key, known)
        elif len(known) > WINDOWS_KEPT:
            del known[min(known)]
        return known

    def _forget(self, now: int) -> None:
        # Two at a time keeps up with one that comes.
        for _ in range(2):
            oldest = self._talks.oldest()
            if oldest is None or now < oldest[1].last + DAY or oldest[1].last < 0:
                return
            self._talks.drop(oldest[0])
