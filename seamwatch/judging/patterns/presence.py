"""Presence: whether a name that used to come among others still comes.

Counts only: how often a name came, and how many events have come since without it. It is missed when, at the share
that it had, ten of these would have been expected to have it: by chance that happens once in twenty thousand. What
never came is not missed. Pure; what the names are, and what is told, is the clause's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from seamwatch.values import value

EXPECTED_AT_LEAST: Final = 10


@value()
class Presence:
    """One name: ``hits`` of the ``of`` events up to its ``last`` (event time, micros), and ``since`` events after that.

    ``gone``: the ``last`` with which it was told that it no longer comes; None while nothing is told.
    """

    hits: int
    of: int
    last: int
    since: int = 0
    gone: int | None = None

    def missed(self, at: int, quiet: int) -> bool:
        """Whether it is missed at event time ``at``, after ``quiet`` micros without it at least."""
        return self.since * self.hits >= EXPECTED_AT_LEAST * self.of and at - self.last >= quiet

    def reported(self) -> Presence:
        """Once it is told that it no longer comes."""
        return replace(self, gone=self.last)


def seen(before: Presence | None, hits: int, of: int, at: int, *, named: bool = False) -> Presence | None:
    """With ``of`` more events up to ``at``, of which ``hits`` have the name; None while it has never come.

    ``named``: it was named as one that none of them has, which says as much as that it came.
    """
    if before is None:
        return Presence(hits, of, at) if hits else None
    if hits or named:
        return Presence(before.hits + hits, before.of + before.since + of, at)
    return replace(before, since=before.since + of)
