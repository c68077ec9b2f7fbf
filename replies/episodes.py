"""Episodes: which violations there are, of which system, and who took each on. Values and merging only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_OVER_KEPT: Final = 50_000
"""So many that are over are remembered: an answer to one is published too, and the judge says that it is over."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A violation as it stands: its system, its state, who must act, who took it on, and when (micros)."""

    system: str
    state: str
    person: str | None
    acknowledged_by: str | None
    acknowledged_at: int | None


class Episodes:
    """The violations by id: all that are open, and the last ones that are over."""

    def __init__(self) -> None:
        self._open: dict[str, Episode] = {}
        self._over: dict[str, Episode] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        """Take in a state of a violation, which comes after those that were taken in before."""
        name = record["violation_id"]
        names = ("system", "state", "person", "acknowledged_by", "acknowledged_at")
        now = Episode(**{each: record[each] for each in names})
        self._open.pop(name, None)
        self._over.pop(name, None)
        if now.state != "resolved":
            self._open[name] = now
            return
        self._over[name] = now
        while len(self._over) > _OVER_KEPT:
            del self._over[next(iter(self._over))]

    def get(self, violation_id: str) -> Episode | None:
        """The violation of an id; None for one that is not known, or was over long ago."""
        return self._open.get(violation_id) or self._over.get(violation_id)
