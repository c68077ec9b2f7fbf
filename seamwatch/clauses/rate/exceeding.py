"""What is told of a conversation or window in which more was counted than agreed, and how many events that takes.

One part of the clause `rate`. Pure.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import EVIDENCE_LIMIT
from seamwatch.judging.model.judgement import Open
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.tallies import Tally
from seamwatch.judging.patterns.wording import moment_text

KEPT: Final = 1_000
"""Of how many events of a conversation or window the times are kept."""


class Exceeding(NamedTuple):
    """What is agreed; fields as in the clause."""

    severity: Literal["warning", "breach"]
    max: int
    per: Literal["trace", "subject"] | int
    tool: str | None

    @property
    def kept(self) -> int:
        """How many events are kept of each."""
        return min(self.max + EVIDENCE_LIMIT, KEPT)

    @property
    def exact(self) -> bool:
        """Whether those suffice to say which event was the first beyond."""
        return self.max + EVIDENCE_LIMIT <= KEPT

    def found(self, seam: Seam, key: str, tally: Tally, part: str | None, *, exact: bool) -> Open:
        """The breach; with ``exact`` at the first event beyond, of which more may come."""
        beyond = (tally.beyond(self.max) if self.per == "trace" else tally.events[self.max :]) if self.exact else ()
        opened_at = beyond[0].event_time if beyond else tally.end
        observed = self.max + 1 if exact else tally.count
        what = "decisions" if self.per == "subject" else f"calls of tool {self.tool!r}" if self.tool else "tool calls"
        where = {"trace": f"in conversation {part}", "subject": f"about {part}"}.get(str(self.per), "")
        if self.per != "trace":
            stretch = f"in the {format_duration(tally.window)} from {moment_text(tally.start)}"
            where = f"{where} {stretch}".strip()
        number = f"more than {self.max}" if exact else str(observed)
        return Open(
            self.severity,
            key,
            opened_at,
            f"{seam.system} made {number} {what} {where}; agreed at most {self.max}",
            slice=part,
            since=tally.events[0].event_time,
            observed=observed,
            limit=self.max,
            unit="events",
            evidence=(beyond or tally.events)[:EVIDENCE_LIMIT],
        )
