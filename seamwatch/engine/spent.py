"""Spent: the names of episodes that are over, so that no two episodes of a clause ever share an id.

An episode's id is made of what it began with: a window, a reading, a change, a conversation. The same may begin a
second one: where a clause was taken out of a contract and put back within the hour, where a person objects, accepts and
objects again, where a conversation goes on after days. The second then bears a number in its id, the first none, so
that live and a replay name both alike. Pure values; the judge keeps them beside the open episodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from seamwatch.durations import DAY

KEPT = 50
"""How many names of one state are remembered: those that were spent last."""
REMEMBERED = 30 * DAY
"""How long those of a slice (a conversation, a cohort) are; those of a whole system are for good."""


@dataclass(frozen=True, slots=True)
class Spent:
    """A name, how many episodes had it, and until which event time it is remembered (None: for good)."""

    severity: str
    slice: str | None
    key: str
    times: int
    until: int | None = None


def times_spent(spent: Iterable[Spent], severity: str, part: str | None, key: str) -> int:
    """How many episodes of that name are over."""
    return next((one.times for one in spent if (one.severity, one.slice, one.key) == (severity, part, key)), 0)


def with_spent(
    spent: tuple[Spent, ...], severity: str, part: str | None, key: str, until: int | None
) -> tuple[Spent, ...]:
    """With one more episode of that name over."""
    one = Spent(severity, part, key, times_spent(spent, severity, part, key) + 1, until)
    return (*(other for other in spent if replace(other, times=one.times, until=until) != one), one)[-KEPT:]


def still_spent(spent: tuple[Spent, ...], reached: int) -> tuple[Spent, ...]:
    """Those that are still remembered at an event time."""
    return tuple(one for one in spent if one.until is None or one.until > reached)
