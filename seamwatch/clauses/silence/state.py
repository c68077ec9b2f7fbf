"""What the clause `silence` remembers: the silences in force, and how many may be. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seamwatch.judging.model.facts import Evidence

MOST: Final = 20
"""So many silences of a system may be in force by one clause."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence in force: of which clause (None: all), by whom, why, from when until when, and what ended meanwhile."""

    name: str
    clause: str | None
    person: str
    reason: str
    began: int
    until: int
    evidence: Evidence
    ended: tuple[tuple[str, int], ...] = ()

    def covers(self, clause: str, opened: int, at: int) -> bool:
        """Whether an episode of a clause opened and ended while it was in force."""
        return self.clause in (None, clause) and self.began <= opened and at <= self.until


@dataclass(frozen=True, slots=True)
class SilenceState:
    """The silences in force."""

    quiet: tuple[Quiet, ...] = ()
