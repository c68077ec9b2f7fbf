"""Distribution: scores still look like those that were approved.

A sequential test with a promise in its owner's words: *no cut-off's pass rate has moved more than `floor` from
what was approved, and a false page in the `lifetime` of the system has probability at most `alpha`.* The system's
own scores of a reference period are pinned when the period ends. From then on each window's histogram feeds a bank
of small bets (see `seamwatch.statistics.ecusum`); the alarm names the cut-off or bin that moved, from what to what,
and since when. A reference that is itself a small sample widens its own band, so it cannot cause alarms. A daily
cycle in the reference gives each part of the day its own band.

While an episode is open the scores are watched on: it is over when at least 1,000 of them in at least ten windows
lie within the approved band again, and the bets then start anew.

What it cannot see: shifts below `floor`, shifts that leave the scores as they are, and anything during the
reference period itself. That scores within a window are independent up to an estimated design effect is an
approximation.

```yaml
- id: scores-as-approved
  kind: distribution
  reference: {period: {from: 2026-10-01, to: 2026-10-15}}
  floor: 0.02
  alpha: 0.01
  by: cohort
```
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.instants import Instant
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Histogram, Measure
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import Windows
from seamwatch.judging.wording import moment_text, share_text

if TYPE_CHECKING:
    from seamwatch.statistics.ecusum import Band

RECENT_WINDOWS = 64
_RESOLVE_SCORES = 1_000
_RESOLVE_WINDOWS = 10

T = TypeVar("T")


class Period(BaseModel):
    """A span of event time, ``from`` included and ``to`` excluded."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: Instant = Field(alias="from", description="first instant of the reference")
    to: Instant = Field(description="first instant after the reference")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.to:
            raise ValueError("the reference period ends before it begins: turn from and to round")
        return self


class ReferenceOf(BaseModel):
    """What the scores are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: Period = Field(description="the system's own scores of this period: {from, to}")


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference scores by hour of day: histograms (24 × bins), and sums over windows for the design effect."""

    hours: tuple[tuple[int, ...], ...]
    windows: tuple[int, ...] = (0,) * 24
    means: tuple[float, ...] = (0.0,) * 24
    squares: tuple[float, ...] = (0.0,) * 24


@dataclass(frozen=True, slots=True)
class DistributionState:
    """Windows still filling, the reference, the bets, recent histograms, and the open episode if there is one."""

    windows: Windows = field(default_factory=Windows)
    reference: Reference | None = None
    wealth: tuple[float, ...] = ()
    since: tuple[int, ...] = ()
    recent: tuple[tuple[int, tuple[int, ...]], ...] = ()
    opened: int | None = None
    seen: tuple[int, ...] = ()
    seen_windows: int = 0


class Distribution(Clause, kind="distribution"):
    """Scores are distributed as in the reference, within `floor`."""

    state_type = DistributionState

    kind: Literal["distribution"]
    reference: ReferenceOf = Field(description="the approved scores")
    range: tuple[float, float] = Field((0.0, 1.0), description="smallest and largest score")
    bins: int = Field(25, ge=2, le=200, description="equal bins over `range`")
    window: Duration = Field(MINUTE, description="over which scores are counted before each look")
    floor: float = Field(0.02, gt=0, lt=1, description="smallest move of a pass rate worth waking someone for")
    alpha: float = Field(0.01, gt=0, lt=0.5, description="probability of a false page in a `lifetime`")
    lifetime: Duration = Field(30 * DAY, description="over which `alpha` holds")
    by: Literal["cohort"] | None = Field(None, description="look at each cohort by itself")
    daily_cycle: Literal["auto", "none"] = Field("auto", description="whether parts of the day may differ")
    distinct: bool = Field(False, description="count equal scores once a window (retried requests)")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError("range is [smallest, largest]: turn them round")
        if self.lifetime < 10 * self.window:
            raise ValueError("lifetime must hold at least ten windows")
        return self

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """A histogram of the scores of each window."""
        histogram = Histogram(*self.range, self.bins)
        return (
            Measure(
                "inference",
                None,
                self.window,
                select=self.where,
                value=Expression.parse("score"),
                slice=(self.by,) if self.by else (),
                histogram=histogram,
                distinct=self.distinct,
            ),
        )

    def judge(self, seam: Seam, state: DistributionState | None, happening: Happening, moment: Moment) -> Judgement:
        """Feed each complete window to the reference or to the bets."""
        state = state or DistributionState()
        windows, late = state.windows, 0
        if isinstance(happening, Fact) and any(happening.histogram):
            added = windows.add(happening, moment)
            late, windows = (1, windows) if added is None else (0, added)
        complete, windows = windows.take_complete(moment)
        state = replace(state, windows=windows)
        findings: tuple[Finding, ...] = ()
        period = self.reference.period
        for window in complete:
            if period.start <= window.window_start and window.window_end <= period.to:
                state = replace(state, reference=self._learn(state.reference, window))
            elif window.window_start >= period.to and state.reference is not None:
                state, more = self._look(seam, state, state.reference, window, moment.slice)
                findings += more
        return Judgement(state, findings, windows.deadline(moment), windows.wake(moment), late)

    def _learn(self, reference: Reference | None, window: Fact) -> Reference:
        reference = reference or Reference(((0,) * self.bins,) * 24)
        hour, counts = _hour(window), window.histogram
        size = sum(counts)
        mean = sum(i * n for i, n in enumerate(counts)) / size
        return Reference(
            _put(reference.hours, hour, tuple(a + b for a, b in zip(reference.hours[hour], counts, strict=True))),
            _put(reference.windows, hour, reference.windows[hour] + 1),
            _put(reference.means, hour, reference.means[hour] + size * mean),
            _put(reference.squares, hour, reference.squares[hour] + size * mean * mean),
        )

    def _look(
        self, seam: Seam, state: DistributionState, reference: Reference, window: Fact, part: str | None
    ) -> tuple[DistributionState, tuple[Finding, ...]]:
        import numpy as np

        from seamwatch.statistics import ecusum

        bands = _bands(reference, self.floor, self.alpha, self.daily_cycle == "auto")
        band = bands[_hour(window) * len(bands) // 24]
        counts = np.array(window.histogram, dtype=np.float64)
        index = window.window_start // self.window
        state = replace(state, recent=(*state.recent, (index, window.histogram))[-RECENT_WINDOWS:])
        if state.opened is not None:
            return self._watch(state, band, window, part)
        lifetime = self.lifetime // self.window
        sets, bets = len(band.hi), len(ecusum.BETS)
        bank = ecusum.Bank.fresh(sets, lifetime)
        if state.wealth:
            bank = ecusum.Bank(
                np.array(state.wealth).reshape(sets, bets), np.array(state.since, dtype=np.int64).reshape(sets, bets)
            )
        bank = ecusum.update(bank, band, counts, index, alpha=self.alpha, lifetime=lifetime)
        wealth, since = tuple(bank.wealth.ravel().tolist()), tuple(int(i) for i in bank.since.ravel())
        state = replace(state, wealth=wealth, since=since)
        if not ecusum.alarmed(bank, self.alpha):
            return state, ()
        best, began = ecusum.winner(bank)
        finding = self._found(seam, state, reference, band, best, began, window, part)
        return replace(state, opened=window.window_start, seen=(), seen_windows=0), (finding,)

    def _found(
        self,
        seam: Seam,
        state: DistributionState,
        reference: Reference,
        band: Band,
        best: int,
        began: int,
        window: Fact,
        part: str | None,
    ) -> Open:
        import numpy as np

        from seamwatch.statistics import ecusum

        recent = np.array([c for i, c in state.recent if i >= began], dtype=np.float64).sum(axis=0)
        total = float(recent.sum())
        now = float(ecusum.set_counts(recent)[best] / total)
        margin = 1.96 * (now * (1 - now) * band.deff / total) ** 0.5
        pooled = np.array(reference.hours, dtype=np.float64).sum(axis=0)
        apart, half = ecusum.distance(pooled, recent, band.deff)
        name = ecusum.set_name(best, self.bins, *self.range)
        who = f"{seam.system} (cohort {part})" if part else seam.system
        since = began * self.window
        summary = (
            f"{who}: the share of scores {name} was {share_text(float(band.share[best]))} when approved and is now "
            f"{share_text(now)} (± {share_text(margin)}), since {moment_text(since)}, over {int(total)} scores; "
            f"largest move of any pass rate {share_text(apart)} (± {share_text(half)}), agreed {share_text(self.floor)}"
        )
        return Open(
            self.severity,
            str(window.window_start),
            window.window_end,
            summary,
            slice=part,
            since=since,
            observed=now,
            limit=float(band.hi[best]),
            unit="share",
        )

    def _watch(
        self, state: DistributionState, band: Band, window: Fact, part: str | None
    ) -> tuple[DistributionState, tuple[Finding, ...]]:
        import numpy as np

        from seamwatch.statistics import ecusum

        seen = tuple(a + b for a, b in zip(state.seen or (0,) * self.bins, window.histogram, strict=True))
        state = replace(state, seen=seen, seen_windows=state.seen_windows + 1)
        if sum(seen) < _RESOLVE_SCORES * band.deff or state.seen_windows < _RESOLVE_WINDOWS:
            return state, ()
        if not ecusum.within(band, np.array(seen, dtype=np.float64)):
            return replace(state, seen=(), seen_windows=0), ()
        over = Resolve(self.severity, str(state.opened), window.window_end, slice=part)
        return replace(state, opened=None, wealth=(), since=(), seen=(), seen_windows=0), (over,)


def _hour(window: Fact) -> int:
    return window.window_start % DAY // HOUR


def _put(values: tuple[T, ...], index: int, value: T) -> tuple[T, ...]:
    return (*values[:index], value, *values[index + 1 :])


@lru_cache(maxsize=1024)
def _bands(reference: Reference, floor: float, alpha: float, daily_cycle: bool) -> tuple[Band, ...]:
    # Pure and costly (hundreds of beta quantiles): kept for as long as the reference stays the same.
    import numpy as np

    from seamwatch.statistics import ecusum

    hours = np.array(reference.hours, dtype=np.float64)
    phases = ecusum.phases_of(hours, daily_cycle)
    counts = hours.reshape(phases, 24 // phases, -1).sum(axis=1)

    def by_phase(values: tuple[float, ...]) -> ecusum.Floats:
        summed: ecusum.Floats = np.array(values, dtype=np.float64).reshape(phases, -1).sum(axis=1)
        return summed

    sizes = counts.sum(axis=1)
    positions = np.arange(hours.shape[1])
    held = np.maximum(sizes, 1.0)
    variances = (counts * positions**2).sum(axis=1) / held - ((counts * positions).sum(axis=1) / held) ** 2
    deff = ecusum.design_effect(
        by_phase(reference.windows), sizes, by_phase(reference.means), by_phase(reference.squares), variances
    )
    return tuple(ecusum.band_of(c, floor=floor, alpha=alpha, phases=phases, deff=deff) for c in counts)
