"""What the clause `silence` remembers: the silences in force, and how many may be. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seamwatch.judging.model.facts import Evidence

MOST: Final = 20
"""So many silences of a system may be in force by one clause."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence in force: of which clause (None: all), by whom, why, and from when until when."""

    name: str
    clause: str | None
    person: str
    reason: str
    began: int
    until: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SilenceState:
    """The silences in force."""

    quiet: tuple[Quiet, ...] = ()
