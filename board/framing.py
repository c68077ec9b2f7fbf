"""The frame of a plot: of which system it is, over which time, and in how wide parts. Pure.

What is drawn in it, `board.measuring` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from board.plots import Bound, Line, Mark, Plot, Point
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, MINUTE, format_duration
from sinks.store.questions.measured import Span

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation

BEFORE: Final = DAY
"""So much is drawn of the time before an episode, and a quarter of it after."""
LONGEST: Final = 14 * DAY
_PARTS: Final = 200
_WIDTHS: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY)


@dataclass(frozen=True, slots=True)
class Frame:
    """Of which system and time a plot is; ``name`` makes its ids, ``width`` is that of its parts."""

    name: str
    system: str
    since: int
    until: int
    width: int
    marks: tuple[Mark, ...] = ()
    cohort: str | None = None

    @property
    def span(self) -> Span:
        """The same as what the store is asked for: whole parts."""
        return Span(self.system, self.since - self.since % self.width, self.until, self.width)

    def plot(self, title: str, unit: str, lines: Iterable[Line], bounds: Iterable[Bound] = (), note: str = "") -> Plot:
        """A plot of it."""
        of = self.system if self.cohort is None else f"{self.system}, cohort {self.cohort}"
        whole = f"{title} of {of}"
        span = self.span
        return Plot(
            self.name, whole, unit, tuple(lines), span.since, span.until, tuple(bounds), self.marks, note.strip()
        )

    def line(self, name: str, values: Mapping[int, float | None], missing: float | None = None) -> Line:
        """A line with a value for each part; ``missing`` for those in which there was nothing."""
        span = self.span
        return Line(name, tuple(Point(at, values.get(at, missing)) for at in range(span.since, span.until, self.width)))

    @property
    def parts(self) -> str:
        """What a point stands for, in words."""
        return f"Each point is the {format_duration(self.width)} that begin there."


def around(violation: Violation, clause: Clause | None, now: int) -> Frame:
    """The frame of an episode: from a day before it to a quarter of a day after it, two weeks at most."""
    since = (violation.since if violation.since is not None else violation.opened_at) - BEFORE
    until = min(max(now, violation.opened_at), (violation.resolved_at or now) + BEFORE // 4)
    since = max(since, violation.opened_at - LONGEST // 2)
    until = max(min(until, since + LONGEST), since + HOUR)
    marks = [Mark("opened", violation.opened_at)]
    if violation.resolved_at is not None:
        marks.append(Mark("over", violation.resolved_at))
    cohort = violation.slice if clause is not None and clause.cohorts() is not None else None
    width = width_of(since, until, window(clause))
    return Frame("measured", violation.system, since, until, width, tuple(marks), cohort or None)


def width_of(since: int, until: int, wanted: int | None = None) -> int:
    """The width of the parts of a time: what is wanted, if that makes 200 at most, else the next that does."""
    widths = (*((wanted,) if wanted else ()), *(each for each in _WIDTHS if each >= (wanted or HOUR)))
    return next((each for each in widths if (until - since) / each <= _PARTS), -(-(until - since) // _PARTS))


def window(clause: Any) -> int | None:
    """The window in which a clause is judged, where it is not too small to be seen."""
    for name in ("window", "per"):
        found = getattr(clause, name, None)
        if isinstance(found, int) and found >= MINUTE:
            return found
    return None
