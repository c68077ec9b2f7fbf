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

With `by: cohort` a cohort that comes no longer while others do, or is spelt otherwise, is a [warning of its
own](../episodes.md#nothing-to-judge).

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
  scorer: the slowest 5 % of 210 decisions took 1200 ms or more in the 15 m from 2026-03-02 09:00:00 UTC; agreed at
  most 800 ms
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import BEGINNING, Cohorts, Selecting
from seamwatch.clauses.signal.looking import Looking
from seamwatch.clauses.signal.readings import DRIFT_BINS, LATENCY_BINS, Bounds
from seamwatch.clauses.signal.state import SignalState
from seamwatch.durations import DAY, HOUR, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import above, all_of, any_of, equals, is_null, negate, not_true, outside
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Resolve
from seamwatch.judging.model.measure import Histogram, Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.model.tolerance import Tolerance, rest
from seamwatch.judging.patterns.calm import WHEN_ABSENT
from seamwatch.judging.patterns.windows import earliest

_FORGOTTEN_AFTER = 30 * DAY
_RIGHT = Expression.parse("abs(score - label) < 0.5")
_ODD = "with a label outside 0 to 1"
_ODD_LABEL = all_of(negate(outside("score", 0, 1)), outside("label", 0, 1))
"""A label of another convention (-1 and 1, 1 and 2), beside a score that is a probability."""


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
        return self._measured()

    def _measured(self) -> tuple[Measure]:
        value: Expression | None = None
        histogram: Histogram | None = None
        if self.signal == "latency":
            value, breach = Expression.parse("latency_ms"), above("latency_ms", self.max or 0)
            histogram = Histogram(0, 4 * (self.max or 1), LATENCY_BINS)
        elif self.signal == "drift":
            value, histogram, breach = Expression.parse("score"), Histogram(*self.range, DRIFT_BINS), None
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

    def tolerance(self) -> Tolerance | None:
        """What the quantile, the lowest accuracy or the highest share leaves; None of drift, and of a lower bound."""
        share: float | None = self.max
        if self.signal == "latency":
            share = rest(self.quantile)
        elif self.signal == "accuracy":
            share = None if self.min is None else rest(self.min)
        elif self.signal == "drift":
            share = None
        if not share or share >= 1:
            return None
        (measure,) = self._measured()
        left_out = self._left_out().values()
        return Tolerance(share, measure, self.min_count, any_of(*left_out) if left_out else None)

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

    def cohorts(self) -> Cohorts | None:
        """With `by: cohort` those of the events that it judges."""
        if self.by is None:
            return None
        (measure,) = self._measured()
        return Cohorts(measure.source, measure.select)

    def counts_from(self, seam: Seam) -> int | None:
        """`drift`: the first scores are its reference."""
        return BEGINNING if self.signal == "drift" else None

    def judge(self, seam: Seam, state: SignalState | None, received: Input, moment: Moment) -> Judgement:
        """Each complete window that holds enough."""
        state = (state or SignalState()).without_broken(self.window)
        windows, late = state.windows, 0
        if isinstance(received, Fact):
            added = windows.add(received, moment)
            late, windows = (1, windows) if added is None else (0, added)
        complete, windows = windows.take_complete(moment)
        findings: tuple[Finding, ...] = ()
        for fact in complete:
            state, more = self._forgotten(seam, state, fact.window_start, moment.slice)
            findings += more
            if self.signal == "drift" and not self._compares(state):
                # Histograms of another range, from an earlier version of the contract, say nothing here.
                before = state.reference if state.over == self.range else ()
                nothing = (0,) * DRIFT_BINS
                grown = tuple(map(sum, zip(before or nothing, fact.histogram or nothing, strict=True)))
                state = replace(state, reference=grown, over=self.range, last=fact.window_end)
                continue
            sides = state.sides
            if fact.count >= self.min_count:
                sides, more = self._looking.look(seam, state, fact, moment.slice)
                findings += more
            state = SignalState(state.windows, None, state.reference, state.over, fact.window_end, sides)
        if not windows.filling:
            state, more = self._forgotten(seam, state, moment.watermark, moment.slice)
            findings += more
        state = SignalState(windows, None, state.reference, state.over, state.last, state.sides)
        until = self._remembered_until(state)
        if until is not None and until <= moment.watermark and not windows.filling:
            return Judgement(None, findings, late=late)
        deadline = windows.deadline(moment) if until is None else earliest(windows.deadline(moment), until)
        return Judgement(state, findings, deadline, windows.wake(moment), late)

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

    @cached_property
    def _looking(self) -> Looking:
        bounds = Bounds(self.signal, self.max, self.min, self.quantile, self.by, self.correct == _RIGHT)
        return Looking(self.severity, bounds, self.window, self.quiet, tuple(self._left_out()))
