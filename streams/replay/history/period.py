"""Period: which part of a history is judged and which episodes of it are told, when not all of it is asked after.

What is measured is judged from a day earlier on than asked, back to where the longest window begins: windows and
conversations that are under way when the period begins are whole. Rare events (a change, an acknowledgement, a refresh,
an attestation) are judged however old they are, because what was announced or delivered once still holds. An older
decision is not judged, but an outcome may take from it what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from seamwatch.documents import Estate
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.durations import DAY
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.judging.model.facts import Violation
from streams.replay.history.gathering import MEASURED

LONGEST_WINDOW = 31 * DAY
"""Longer ones are no reason to read more: they stand for all of time, or for a conversation."""


@dataclass(frozen=True, slots=True)
class Period:
    """Event times from ``since`` to before ``until`` (micros; None: no bound); ``lead`` is where measuring begins."""

    since: int | None = None
    until: int | None = None
    lead: int | None = None

    @classmethod
    def of(cls, estates: tuple[Estate, ...], since: int | None, until: int | None) -> Period:
        """The period for the clauses of these estates."""
        if since is None:
            return cls(None, until)
        windows = (m.window for bound in _clauses(estates) for m in bound.clause.all_measures(bound.seam))
        longest = max((window for window in windows if window <= LONGEST_WINDOW), default=DAY)
        return cls(since, until, (since - DAY) // max(longest, DAY) * max(longest, DAY))

    def start(self, record_type: str) -> int | None:
        """The first event time of a record type that is judged; None for all."""
        return self.lead if record_type in MEASURED else None

    def within(self, record_type: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The events of a frame that are judged."""
        start = self.start(record_type)
        if start is not None:
            frame = frame.filter(pl.col("event_time") >= start)
        return frame if self.until is None else frame.filter(pl.col("event_time") < self.until)

    def before(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The measured events of a frame that are too old to be judged."""
        return frame.clear() if self.lead is None else frame.filter(pl.col("event_time") < self.lead)

    def tells(self, violation: Violation) -> bool:
        """Whether an episode was not over when the period began."""
        return self.since is None or violation.resolved_at is None or violation.resolved_at >= self.since

    def forgetful(self, estates: tuple[Estate, ...]) -> list[str]:
        """The clauses (``contract#clause``) that rest on measured events from before what is judged.

        Those of the contracts alone; the built-in defaults bind whatever nobody agreed on.
        """
        if self.lead is None:
            return []
        found = (
            f"{bound.seam.contract}#{bound.clause.id}"
            for bound in _clauses(estates)
            if bound.seam.contract != DEFAULTS
            and (start := bound.clause.counts_from(bound.seam)) is not None
            and start < self.lead
        )
        return list(dict.fromkeys(found))


def _clauses(estates: tuple[Estate, ...]) -> Iterator[BoundClause]:
    for estate in estates:
        seams = Seams(estate)
        for contract in estate.all_contracts():
            # How long a window is does not depend on the system that is covered.
            yield from seams.covering(contract, contract.covers[0]).values()
