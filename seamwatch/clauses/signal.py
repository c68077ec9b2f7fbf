"""Signal: one of the five signals stays within its bounds.

| `signal` | what is judged in each window | unit of `max` and `min` |
|---|---|---|
| `latency` | the `quantile` of `latency_ms`, of decisions that give one | milliseconds |
| `accuracy` | share of outcomes for which `correct` holds | share |
| `drift` | share of the scores that lie elsewhere than they did in the reference | share |
| `abuse` | share of decisions recognised as abuse | share |
| `fallback` | share of decisions that a fallback answered | share |

A window is judged when it is complete and holds at least `min_count` events; smaller ones neither open nor end
anything. A breach begins with the first window outside the bounds, and is over with the first judged one that is not
outside on that side, or, where it flaps from window to window or `quiet` is agreed, when there was none outside for so
long ([episodes](../episodes.md#the-end)). Shares are told with a 95 % interval (Wilson's). A quantile breaks its bound
exactly when more events lie beyond the bound than the quantile leaves; only `observed` is read from a histogram (to
1.6 % of the bound).

`drift` compares histograms of scores over `range`. Its reference is the first complete windows that together hold
`reference_count` scores. What is judged against `max` is the distance (half the sum of the differences of the
shares) less what chance alone would give so few scores in 99.9 % of windows, so small samples never alarm. For a
bound on false alarms over the lifetime of a model use `distribution`.

With `by: cohort` each cohort is judged by itself (slice: the cohort), and events without one as one more: windows,
`min_count`, episodes and the reference of `drift` are its own. The sentence then gives a 95 % interval for every
signal: for a quantile between two of the measured values (order statistics), for `drift` the distance with what
chance may have added or taken (McDiarmid's bound).

State: the windows that are not yet complete (1,440 at most), what is open, and for `drift` one histogram of 20 bins;
with `by: cohort` that for each of 10,000 cohorts at most. Of a cohort from which nothing comes, all is forgotten after
a day, and what is open or its reference after 30 days, which ends the episode. At its largest it takes 4.4 MB.

What a window does not rest on is in the sentence: decisions without a latency or a score, outcomes for which `correct`
is not known. By the `correct` that holds by default an outcome whose label is outside 0 to 1, beside a score that is a
probability, is left out as well (labels of another convention: -1 and 1, 1 and 2), and the bound counts as broken only
if it were so whatever these outcomes were; otherwise the window says nothing. Where for a day all is left out, the
clause says that it has [nothing to judge](../episodes.md#nothing-to-judge).

`accuracy`: an outcome that carries no score, or no cohort where that is needed, takes them from the decision it names
(`inference_id`), in a replay from the history, live from the store. Meanwhile it waits, and this clause with it; one
whose decision the store does not have, 15 minutes after the outcome came, counts with what it carries
([time](../time.md#outcomes-that-wait-for-their-decisions)).

What its violation says: the value of the first window outside the bounds (`observed`), how many events it is of, which
window, and the bound (`limit`).

What it cannot see: what the latencies, scores and labels would be that are not given (it says how many; that they
went missing `completeness` tells); a drift that was there when the
reference was taken; with `by: cohort`, that of many cohorts each judged by itself some break a tight bound
by chance alone.

```yaml
- id: fast
  kind: signal
  signal: latency
  quantile: 0.95
  max: 800
  window: 15m
  min_count: 200
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "latency_ms": 200, "times": 190, "every": "4s"}
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "latency_ms": 1200, "times": 20, "every": "40s"}
```

Replayed to 2026-03-02T09:15:00Z, this gives:

```text
breach open, opened 2026-03-02T09:15:00Z
  scorer: latency at the quantile 0.95 is 1200 ms, of 210 decisions in the 15 m from 2026-03-02 09:00:00 UTC; agreed
  at most 800 ms
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil, log, sqrt
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import BEGINNING, Selecting
from seamwatch.durations import DAY, HOUR, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import above, all_of, any_of, equals, is_null, negate, not_true, outside
from seamwatch.judging.calm import WHEN_ABSENT, Stretch, went_outside
from seamwatch.judging.facts import Evidence, Fact
from seamwatch.judging.intervals import interval_text, quantile_ranks
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Histogram, Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import Windows, earliest
from seamwatch.judging.wording import left_out_text, moment_text, number_text, share_text
from seamwatch.values import value

Side = Literal["above", "below"]
_LATENCY_BINS = 256
_DRIFT_BINS = 20
_FORGOTTEN_AFTER = 30 * DAY
_CHANCE = 0.001
_UNSURE = 0.05
_RIGHT = Expression.parse("abs(score - label) < 0.5")
_ODD = "with a label outside 0 to 1"
_ODD_LABEL = all_of(negate(outside("score", 0, 1)), outside("label", 0, 1))
"""A label of another convention (-1 and 1, 1 and 2), beside a score that is a probability."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What was open, as an earlier release kept it: the start of its first window outside, and on which side."""

    start: int
    side: Side


@value()
class SignalState:
    """Windows that are not yet complete, the last episode on each side, and the reference of `drift` over its range.

    ``last`` is the end of the last window judged. ``broken`` is what was open as an earlier release kept it.
    """

    windows: Windows = field(default_factory=Windows)
    broken: Broken | None = None
    reference: tuple[int, ...] = ()
    over: tuple[float, float] | None = None
    last: int | None = None
    sides: tuple[tuple[Side, Stretch], ...] = ()


@value()
class _Reading:
    """What one window says: the value, how it is told, and the bound it breaks."""

    value: float
    text: Callable[[], str]
    side: Side | None = None


class Signal(Selecting, kind="signal"):
    """One of the five signals within [min, max]."""

    state_type = SignalState
    most_parts: ClassVar[int] = 10_000

    kind: Literal["signal"]
    signal: Literal["latency", "accuracy", "drift", "abuse", "fallback"] = Field(description="which of the five")
    max: float | None = Field(None, ge=0, description="highest value: milliseconds for `latency`, else a share")
    min: float | None = Field(None, ge=0, description="lowest value")
    quantile: float = Field(0.95, gt=0, le=1, description="`latency`: which quantile is judged")
    correct: Expression = Field(_RIGHT, description="`accuracy`: what makes an outcome right; NULL is not counted")
    range: tuple[float, float] = Field((0.0, 1.0), description="`drift`: the range of scores that is compared")
    reference_count: int = Field(1000, ge=100, description="`drift`: fewest scores of the reference")
    window: Duration = Field(HOUR, description="over which the signal is judged")
    min_count: int = Field(30, ge=1, description="fewest events on which a window (of a cohort) is judged")
    by: Literal["cohort"] | None = Field(None, description="each cohort is judged by itself; otherwise all together")
    quiet: Duration | None = Field(
        None, description=f"a breach is over after so long without a window outside the bounds; {WHEN_ABSENT}"
    )

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("signal needs max, min or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: turn them round")
        if self.signal != "latency" and any(b is not None and b > 1 for b in (self.min, self.max)):
            raise ValueError(f"{self.signal} is a share: its bounds lie between 0 and 1, such as 0.05 for 5 %")
        if self.signal in ("drift", "latency") and (not self.max or self.min is not None):
            raise ValueError(f"{self.signal} is bounded by max alone, which must be above 0")
        if self.range[0] >= self.range[1]:
            raise ValueError("range has its lower end first and has a width, such as [0, 1]")
        self.correct.check("outcome")
        return self

    def sources(self) -> tuple[str, ...]:
        """Outcomes for `accuracy`, else decisions."""
        return (self._source,)

    @property
    def _source(self) -> Source:
        return "outcome" if self.signal == "accuracy" else "inference"

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """The events that count; those beyond the bound offend."""
        value: Expression | None = None
        histogram: Histogram | None = None
        if self.signal == "latency":
            value, breach = Expression.parse("latency_ms"), above("latency_ms", self.max or 0)
            histogram = Histogram(0, 4 * (self.max or 1), _LATENCY_BINS)
        elif self.signal == "drift":
            value, histogram, breach = Expression.parse("score"), Histogram(*self.range, _DRIFT_BINS), None
        elif self.signal == "accuracy":
            breach = negate(self.correct)
        else:
            breach = equals(self.signal, value=True)
        chosen = [] if self.where is None else [self.where]
        left_out = tuple(self._left_out().values())
        counts = [*chosen, *map(not_true, left_out)]
        return (
            Measure(
                self._source,
                breach,
                self.window,
                select=all_of(*counts) if counts else None,
                value=value,
                slice=("cohort",) if self.by else (),
                histogram=histogram,
                # Nobody is told of what is left out where that is agreed to be of no matter.
                left_out=() if self.unjudged is None else tuple(all_of(*chosen, condition) for condition in left_out),
            ),
        )

    def left_out(self) -> Mapping[Source, Expression]:
        """Decisions without the latency or score, and outcomes that are neither right nor wrong."""
        left_out = self._left_out().values()
        return {self._source: any_of(*left_out)} if left_out else {}

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """A label of another convention is odd."""
        for why, condition in self._left_out().items():
            yield self._source, condition, "odd" if why == _ODD else "absent"

    def gives(self, source: str) -> str:
        """The latency, a score, or what makes it right or wrong."""
        gives = {"latency": "gives latency_ms", "drift": "gives a score"}
        return gives.get(self.signal, "gives a score and a label that tell whether it was right")

    def _left_out(self) -> dict[str, Expression]:
        """What is left out, by why in the words of the sentence."""
        if self.signal == "latency":
            return {"without latency_ms": is_null("latency_ms")}
        if self.signal == "drift":
            return {"without a score": is_null("score")}
        if self.signal != "accuracy":
            return {}
        unknown = not_true(any_of(self.correct, negate(self.correct)))
        if self.correct != _RIGHT:
            return {"for which `correct` is not known": unknown}
        return {_ODD: _ODD_LABEL, "without a score": unknown}

    def counts_from(self, seam: Seam) -> int | None:
        """`drift`: the first scores are its reference."""
        return BEGINNING if self.signal == "drift" else None

    def judge(self, seam: Seam, state: SignalState | None, happening: Happening, moment: Moment) -> Judgement:
        """Each complete window that holds enough."""
        state = self._kept(state or SignalState())
        windows, late = state.windows, 0
        if isinstance(happening, Fact):
            added = windows.add(happening, moment)
            late, windows = (1, windows) if added is None else (0, added)
        complete, windows = windows.take_complete(moment)
        findings: tuple[Finding, ...] = ()
        for fact in complete:
            state, told = self._forgotten(seam, state, fact.window_start, moment.slice)
            findings += told
            if self.signal == "drift" and not self._compares(state):
                # Histograms of another range, from an earlier version of the contract, say nothing here.
                before = state.reference if state.over == self.range else ()
                nothing = (0,) * _DRIFT_BINS
                grown = tuple(map(sum, zip(before or nothing, fact.histogram or nothing, strict=True)))
                state = replace(state, reference=grown, over=self.range, last=fact.window_end)
                continue
            sides = state.sides
            if fact.count >= self.min_count:
                sides, told = self._window(seam, state, fact, moment.slice)
                findings += told
            state = SignalState(state.windows, None, state.reference, state.over, fact.window_end, sides)
        if not windows.filling:
            state, told = self._forgotten(seam, state, moment.watermark, moment.slice)
            findings += told
        state = SignalState(windows, None, state.reference, state.over, state.last, state.sides)
        until = self._remembered_until(state)
        if until is not None and until <= moment.watermark and not windows.filling:
            return Judgement(None, findings, late=late)
        deadline = windows.deadline(moment) if until is None else earliest(windows.deadline(moment), until)
        return Judgement(state, findings, deadline, windows.wake(moment), late)

    def _kept(self, state: SignalState) -> SignalState:
        if state.broken is None:
            return state
        broken = Stretch(state.broken.start, state.last or state.broken.start + self.window)
        return replace(state, broken=None, sides=((state.broken.side, broken),))

    def _remembered_until(self, state: SignalState) -> int | None:
        """When a cohort of which nothing came is forgotten; None for never, and for all decisions together."""
        if not self.by or state.last is None:
            return None
        is_open = any(broken.open for _, broken in state.sides)
        return state.last + max(self.window, _FORGOTTEN_AFTER if is_open or state.reference else DAY)

    def _forgotten(
        self, seam: Seam, state: SignalState, at: int, cohort: str | None
    ) -> tuple[SignalState, tuple[Finding, ...]]:
        # The cohort begins anew after so long, live as well as in a history that is read at once.
        until = self._remembered_until(state)
        if until is None or at < until:
            return state, ()
        text = f"{seam.system}: nothing came of cohort {cohort} for {format_duration(until - (state.last or 0))}"
        over = tuple(
            Resolve(self.severity, str(broken.start), until, slice=cohort, summary=f"{text}; it is judged no longer")
            for _, broken in state.sides
            if broken.open
        )
        return SignalState(last=state.last), over

    def _compares(self, state: SignalState) -> bool:
        return state.over == self.range and sum(state.reference) >= self.reference_count

    def _window(
        self, seam: Seam, state: SignalState, fact: Fact, cohort: str | None
    ) -> tuple[tuple[tuple[Side, Stretch], ...], tuple[Finding, ...]]:
        reading, sides = self._reading(state, fact), dict(state.sides)
        findings: tuple[Finding, ...] = ()
        if reading is None:
            return state.sides, findings
        for side, broken in state.sides:
            if side != reading.side and broken.open:
                sides[side] = after = broken.within(fact.window_start, fact.window, self.quiet)
                if after.over is not None:
                    findings += (Resolve(self.severity, str(broken.start), after.over, slice=cohort),)
        if reading.side is not None:
            before = sides.get(reading.side)
            sides[reading.side] = went_outside(before, fact.window_start, fact.window_end, fact.window, self.quiet)
            if before is None or not before.open:
                findings += (self._opened(seam, reading, reading.side, fact, cohort),)
        return tuple(sides.items()), findings

    def _opened(self, seam: Seam, reading: _Reading, side: Side, fact: Fact, cohort: str | None) -> Open:
        latency = self.signal == "latency"
        limit = self.max if side == "above" else self.min
        agreed = f"{number_text(limit)} ms" if latency else share_text(limit or 0)
        who = f"{seam.system} ({'cohort ' + cohort if cohort else 'no cohort'})" if self.by else seam.system
        beside = left_out_text(fact.missing, tuple(self._left_out()))
        summary = (
            f"{who}: {reading.text()}{beside} in the {format_duration(self.window)} from "
            f"{moment_text(fact.window_start)}; agreed at {'most' if side == 'above' else 'least'} {agreed}"
        )
        return Open(
            self.severity,
            str(fact.window_start),
            fact.window_end,
            summary,
            slice=cohort,
            since=fact.window_start,
            observed=reading.value,
            limit=limit,
            unit="ms" if latency else "share",
            evidence=self._evidence(fact, side),
        )

    def _evidence(self, fact: Fact, side: Side) -> tuple[Evidence, ...]:
        # Too few of something cannot be shown by those that there are; wrong outcomes show too little accuracy.
        return fact.evidence if (side == "below") == (self.signal == "accuracy") else ()

    def _reading(self, state: SignalState, fact: Fact) -> _Reading | None:
        """What a window says; None where that depends on outcomes whose label is of another convention."""
        if self.signal == "latency":
            return self._latency(fact)
        if self.signal == "drift":
            return self._drift(state, fact)
        hits = fact.count - fact.breaches if self.signal == "accuracy" else fact.breaches
        share = hits / fact.count
        side: Side | None = None
        if self.max is not None and hits > (self.max + 1e-9) * fact.count:
            side = "above"
        elif self.min is not None and hits < (self.min - 1e-9) * fact.count:
            side = "below"
        if side is not None and self.signal == "accuracy" and not self._certain(side, hits, fact):
            return None
        things = {"accuracy": "outcomes right", "abuse": "decisions abuse", "fallback": "decisions fallback"}
        return _Reading(share, lambda: f"{self.signal} {interval_text(hits, fact.count)} ({things[self.signal]})", side)

    def _certain(self, side: Side, hits: int, fact: Fact) -> bool:
        """Whether the bound is broken, whatever the outcomes are whose label says nothing."""
        odd = fact.missing[0] if fact.missing and self.correct == _RIGHT else 0
        if side == "above":
            return hits > ((self.max or 0) + 1e-9) * (fact.count + odd)
        return hits + odd < ((self.min or 0) - 1e-9) * (fact.count + odd)

    def _latency(self, fact: Fact) -> _Reading:
        assert self.max is not None
        rank = max(1, ceil(self.quantile * fact.count - 1e-9))
        side: Side | None = "above" if fact.count - fact.breaches < rank else None
        value = self._ranked(fact, rank)
        value = max(value, self.max) if side else min(value, self.max)

        def text() -> str:
            sure = self._between(fact) if self.by else ""
            at = f"latency at the quantile {self.quantile:g} is {number_text(value)} ms"
            return f"{at}{sure}, of {fact.count:,} decisions"

        return _Reading(value, text, side)

    def _ranked(self, fact: Fact, rank: int) -> float:
        """The latency of this rank, to a bin's width."""
        assert self.max is not None
        width, passed, value = 4 * self.max / _LATENCY_BINS, 0, 0.0
        for number, held in enumerate(fact.histogram):
            if passed + held >= rank:
                last = number == _LATENCY_BINS - 1
                value = (fact.maximum or 0.0) if last else (number + (rank - passed) / held) * width
                break
            passed += held
        return min(max(value, fact.minimum or 0.0), value if fact.maximum is None else fact.maximum)

    def _between(self, fact: Fact) -> str:
        low, high = quantile_ranks(self.quantile, fact.count)
        lowest = "0" if low is None else number_text(self._ranked(fact, low))
        highest = "no bound" if high is None else f"{number_text(self._ranked(fact, high))} ms"
        return f" (95 % sure: {lowest} to {highest})"

    def _drift(self, state: SignalState, fact: Fact) -> _Reading:
        assert self.max is not None
        count, reference = sum(fact.histogram), sum(state.reference)
        pairs = list(zip(fact.histogram, state.reference, strict=True))
        moved = sum(abs(now / count - then / reference) for now, then in pairs) / 2
        thin = 1 / count + 1 / reference
        pooled = [(now + then) / (count + reference) for now, then in pairs]
        # What chance alone moves: its expectation (by Jensen) and how far it strays from it (by McDiarmid).
        chance = sum(sqrt(p * (1 - p) * thin) for p in pooled) / 2 + sqrt(log(1 / _CHANCE) / 2 * thin)
        sure = max(0.0, moved - chance)
        between = ""
        if self.by:
            # The distance strays from the true one by no more than the two histograms do from what they sample.
            spread = (
                sqrt(log(1 / _UNSURE) / 2 * thin)
                + sum(
                    sqrt(
                        now / count * (1 - now / count) / count + then / reference * (1 - then / reference) / reference
                    )
                    for now, then in pairs
                )
                / 2
            )
            between = f"95 % sure: {share_text(max(0, moved - spread))} to {share_text(min(1, moved + spread))}; "
        beyond = f"({between}{share_text(sure)} beyond what chance would move)"
        text = f"{share_text(moved)} of {count:,} scores have moved {beyond}"
        return _Reading(moved, lambda: text, "above" if sure > self.max else None)
