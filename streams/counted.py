"""Counted: numbers of today and yesterday that outlive the process, as a record of a state topic.

What is counted is a subclass's. The record travels in the transaction that brought what was counted.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from seamwatch.durations import DAY

EVERY_SECONDS = 10.0
KEPT = 100
"""How many of a day are told one by one."""

LINES = 20
"""So many lines of the log tell what was counted, one by one."""

K = TypeVar("K")


class CountedDays(ABC, Generic[K]):
    """Counts of one partition, of today and yesterday (UTC)."""

    key: ClassVar[str]

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._days: dict[int, Counter[K]] = {}
        self._dirty = False
        self._saved = -EVERY_SECONDS

    @abstractmethod
    def _name(self, whose: K) -> tuple[str, ...]:
        """What names it in the record."""

    @abstractmethod
    def _of_name(self, name: Sequence[str]) -> K:
        """The same back."""

    @abstractmethod
    def _others(self, whose: K) -> K:
        """What takes the count of what is beyond `KEPT` of its sort."""

    def add(self, found: Mapping[K, int], now: int) -> None:
        """Count some that were found at ``now`` (micros, by the machine's own clock)."""
        if not found:
            return
        today = now // DAY
        counted = self._days.setdefault(today, Counter())
        for whose, number in found.items():
            counted[whose if whose in counted or self._has_room(counted, whose) else self._others(whose)] += number
        self._days = {day: counts for day, counts in self._days.items() if today - day <= 1}
        self._dirty = True

    def _has_room(self, counted: Counter[K], whose: K) -> bool:
        if len(counted) < KEPT:
            return True
        others = self._others(whose)
        return sum(self._others(known) == others for known in counted) < KEPT

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record of the state topic; False when it is another's. Raises ValueError or TypeError."""
        if key != self.key:
            return False
        self._days = {
            day: Counter({self._of_name(name): number for *name, number in rows}) for day, rows in json.loads(value)
        }
        return True

    def saved(self) -> dict[str, bytes]:
        """What changed, for the state topic; at most every ten seconds."""
        if not self._dirty or self._monotonic() - self._saved < EVERY_SECONDS:
            return {}
        self._dirty, self._saved = False, self._monotonic()
        days = [
            (day, [(*self._name(whose), number) for whose, number in counts.items()])
            for day, counts in self._days.items()
        ]
        return {self.key: json.dumps(days).encode()}

    def of(self, now: int) -> Counter[K]:
        """How many were found today and yesterday."""
        recent = (counts for day, counts in self._days.items() if now // DAY - day <= 1)
        return sum(recent, Counter[K]())


class Rarely(Generic[K]):
    """What is counted between two lines of the log, and told by ``say`` every so often: the most numerous one by one.

    ``say`` is given what a number is of, and the number; ``say_others`` of how many more, and their number together.
    """

    def __init__(
        self,
        say: Callable[[K, int], None],
        say_others: Callable[[int, int], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._say_others = say_others
        self._monotonic = monotonic
        self._unsaid: Counter[K] = Counter()
        self._said_at = -EVERY_SECONDS

    def add(self, whose: K, number: int) -> None:
        """Count some more."""
        self._unsaid[whose] += number

    def tell(self) -> bool:
        """Say what was counted since the last time, if that is long enough ago; whether it was said."""
        if not self._unsaid or self._monotonic() - self._said_at < EVERY_SECONDS:
            return False
        self._said_at = self._monotonic()
        told = self._unsaid.most_common(LINES)
        for whose, number in told:
            self._say(whose, number)
        if len(self._unsaid) > LINES:
            self._say_others(len(self._unsaid) - LINES, self._unsaid.total() - sum(number for _, number in told))
        self._unsaid.clear()
        return True
