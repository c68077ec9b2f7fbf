"""Volume: rows or events stay within the agreed numbers, and silence counts as none.

Events are counted in windows of `per`, aligned to the UTC epoch. A window is judged when it is complete, also one in
which nothing came: once the stream has begun, an empty window counts 0. The first window counts from its start, so a
system that goes live in the middle of one may open below `min`. Too few and too many are two breaches. Each ends with
the first window that is not outside on its side, or, where it flaps (as what comes by fits and starts does) or `quiet`
is agreed, when none was for so long ([episodes](../episodes.md#the-end)).

`of: dataset` looks at refreshes: with `per` the rows of all refreshes in a window together (for feeds that deliver what
is new), without it the rows of each refresh on its own (for those that deliver everything), where silence is left to
`freshness`. A refresh may not say how many rows it has. Then it, or the window it is in, is held to no bound that its
rows could decide, what is open goes on, and a **warning** (slice: the dataset) says so, which ends with the first
refresh that has a number. Without `of` both are looked at: the refreshes, and all decisions and tool calls together.

State: one for the events and one for the refreshes, for good: the windows that are not yet complete, 1,440 at most
(about 500 bytes each), the end of the last one judged, and the breaches that are open, whose `observed` is the number
in their first window. At its largest it takes 2.1 MB.

What its violation says: the number counted (`observed`), in which window or refresh, and the bound that it breaks
(`limit`).

What it cannot see: the right number of wrong rows; the number of rows that no refresh says.

```yaml
- id: enough
  kind: volume
  of: inference
  min: 1000
  max: 50000
  per: 1h
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "times": 600, "every": "6s"}
```

Replayed to 2026-03-02T10:00:00Z, this gives:

```text
breach open, opened 2026-03-02T10:00:00Z
  scorer: 600 events in the 1 h from 2026-03-02 09:00:00 UTC; agreed at least 1,000
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause
from seamwatch.durations import HOUR, Duration, format_duration
from seamwatch.errors import ExpressionError
from seamwatch.expressions.build import always
from seamwatch.expressions.closure import closure
from seamwatch.judging.calm import WHEN_ABSENT, Stretch, went_outside
from seamwatch.judging.facts import Evidence, Fact, ForwardedEvent
from seamwatch.judging.faults import Fault, counted, follow, told_by
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import MOST_WINDOWS, Windows, earliest
from seamwatch.judging.wording import moment_text

_REFRESHES = "\x00refreshes"
_NEVER = Windows().done


@dataclass(frozen=True, slots=True)
class Outside:
    """What was open, as an earlier release kept it: the first window's start and its number."""

    start: int
    number: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """So many equal windows, one after the other from ``start`` on, and the number in each."""

    start: int
    number: int
    times: int = 1
    unknown: int = 0
    """Refreshes in it of which nobody knows how many rows they have."""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeState:
    """Windows not yet complete, the end of the last one judged, what is open; ``faults`` of single refreshes.

    ``unknown``: that refreshes do not say how many rows they have. ``sides``: the last episode below the bounds (-1)
    and above (1). ``outside``: what an earlier release kept of it.
    """

    windows: Windows = field(default_factory=Windows)
    outside: Outside | None = None
    newest: int | None = None
    faults: tuple[Fault, ...] = ()
    sides: tuple[tuple[int, Stretch], ...] = ()
    unknown: tuple[Fault, ...] = ()


class Volume(Clause, kind="volume"):
    """Rows or events stay within [min, max]."""

    state_type = VolumeState
    wants = frozenset({"dataset_refresh"})

    kind: Literal["volume"]
    min: int | None = Field(None, ge=0, description="fewest rows or events")
    max: int | None = Field(None, ge=0, description="most rows or events")
    per: Duration | None = Field(
        None, description="the window they are counted in; without it 1h for events, and each refresh on its own"
    )
    of: Literal["dataset", "inference", "tool_call"] | None = Field(
        None, description="what is counted: rows of refreshes, decisions, or tool calls; all that comes when absent"
    )
    quiet: Duration | None = Field(
        None, description=f"a breach is over after so long without a window outside the bounds; {WHEN_ABSENT}"
    )

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("volume needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}: turn them round")
        return self

    def sources(self) -> tuple[str, ...]:
        """What it is `of`; without that, all events for which `where` has a meaning."""
        if self.of is not None:
            return ("dataset_refresh",) if self.of == "dataset" else (self.of,)
        every = ("inference", "tool_call", "dataset_refresh")
        return tuple(source for source in every if self._meant(source)) or every

    def _meant(self, source: str) -> bool:
        try:
            if self.where is not None:
                self.where.check(source)
        except ExpressionError:
            return False
        return True

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """All selected events; for an agreed maximum the earliest of them are the evidence."""
        breach = None if self.max is None else always()
        of: tuple[Source, ...] = ("inference", "tool_call")
        return tuple(
            Measure(source, breach, self._per, select=self.where, name=source)
            for source in of
            if source in self.sources()
        )

    def part_of(self, happening: Happening) -> str | None:
        """One state for events and one for refreshes."""
        if isinstance(happening, ForwardedEvent):
            wanted = "dataset_refresh" in self.sources()
            if wanted and self.where is not None:
                wanted = closure(self.where, "dataset_refresh")(happening.record) is True
            return _REFRESHES if wanted else None
        return ""

    def judge(self, seam: Seam, state: VolumeState | None, happening: Happening, moment: Moment) -> Judgement:
        """Windows of events or of rows, or each refresh on its own."""
        state = state or VolumeState()
        fact: Fact | None = None
        told: tuple[Finding, ...] = ()
        if isinstance(happening, ForwardedEvent):
            if self.per is None:
                return self._single(seam, state, happening)
            rows = happening.record["row_count"]
            state, told = self._not_said(seam, state, happening)
            fact = counted(seam, self.id, happening, self.per, rows or 0, breaches=int(rows is None))
        elif moment.slice == _REFRESHES and self.per is None:
            return Judgement(state)
        elif isinstance(happening, Fact):
            fact = replace(happening, measure="")
        windows, late = state.windows, 0
        if fact is not None:
            added = windows.add(fact, moment)
            late, windows = (1, windows) if added is None else (0, added)
        judged = self._windows(seam, replace(state, windows=windows), moment, late)
        return replace(judged, findings=told + judged.findings)

    def _windows(self, seam: Seam, state: VolumeState, moment: Moment, late: int) -> Judgement:
        per, windows, sides = self._per, state.windows, self._kept(state)
        findings: tuple[Finding, ...] = ()
        while True:
            first = windows.filling[0] if windows.filling else None
            crowded = len(windows.filling) > MOST_WINDOWS
            start = windows.done if windows.done > _NEVER else first.start if first is not None else None
            if start is None:
                return Judgement(None, late=late)
            if first is not None and first.start < start + per:
                if not crowded and not first.complete(moment):
                    break
                # Of refreshes those breach that do not say how many rows they have.
                unknown = first.fact.breaches if moment.slice == _REFRESHES else 0
                now = _Counted(first.start, first.fact.count, unknown=unknown, evidence=first.fact.evidence)
                windows = Windows(windows.filling[1:], first.end)
            else:
                # Nothing came from ``start`` on; all empty windows in a row say the same as the first of them.
                until = moment.watermark if first is None else min(moment.watermark, first.start)
                until = first.start if first is not None and crowded else until
                if until < start + per:
                    break
                now = _Counted(start, 0, (until - start) // per)
                windows = replace(windows, done=start + now.times * per)
            sides, told = self._judged(seam, sides, now, moment.slice)
            findings += told
        silent = self._side(0)
        begins = silent != 0 and (silent not in sides or not sides[silent].open)
        changes = begins or any(stretch.open and side != silent for side, stretch in sides.items())
        silence = start + per if changes else None
        ends = (first.end if first is not None else None, silence)
        deadline = earliest(*(end for end in ends if end is not None and end > moment.watermark))
        state = replace(state, windows=windows, outside=None, sides=tuple(sides.items()))
        return Judgement(state, findings, deadline, windows.wake(moment), late)

    def _side(self, number: int) -> int:
        if self.min is not None and number < self.min:
            return -1
        return 1 if self.max is not None and number > self.max else 0

    @property
    def _per(self) -> int:
        return HOUR if self.per is None else self.per

    def _kept(self, state: VolumeState) -> dict[int, Stretch]:
        if state.outside is None:
            return dict(state.sides)
        start = state.outside.start
        return {self._side(state.outside.number): Stretch(start, max(start + self._per, state.windows.done))}

    def _judged(
        self, seam: Seam, before: Mapping[int, Stretch], now: _Counted, part: str | None
    ) -> tuple[dict[int, Stretch], tuple[Finding, ...]]:
        named = seam.system if part == _REFRESHES else None
        per, here, sides = self._per, self._side(now.number), dict(before)
        if now.unknown and here != 1 and (here == -1 or self.max is not None):
            return sides, ()  # there are that many at least
        findings: tuple[Finding, ...] = ()
        for side, stretch in before.items():
            if side != here and stretch.open:
                sides[side] = after = stretch.within(now.start, per, self.quiet, now.times)
                if after.over is not None:
                    findings += (Resolve(self.severity, str(stretch.start), after.over, slice=named),)
        if here:
            known = sides.get(here)
            sides[here] = went_outside(known, now.start, now.start + now.times * per, per, self.quiet)
            if known is None or not known.open:
                findings += (self._outside(seam, now, part),)
        return sides, findings

    def _outside(self, seam: Seam, now: _Counted, part: str | None) -> Open:
        per = self._per
        limit, word = self._limit(now.number)
        things = "rows" if part == _REFRESHES else "events"
        summary = (
            f"{seam.system}: {now.number:,} {things} in the {format_duration(per)} from {moment_text(now.start)}; "
            f"agreed at {word} {limit:,}"
        )
        return Open(
            self.severity,
            str(now.start),
            now.start + per,
            summary,
            slice=seam.system if part == _REFRESHES else None,
            since=now.start,
            observed=now.number,
            limit=limit,
            unit=things,
            evidence=now.evidence,
        )

    def _limit(self, number: int) -> tuple[int, str]:
        if self.min is not None and number < self.min:
            return self.min, "least"
        assert self.max is not None
        return self.max, "most"

    def _single(self, seam: Seam, state: VolumeState, event: ForwardedEvent) -> Judgement:
        evidence, rows = told_by(event), event.record["row_count"]
        at, newest = evidence.event_time, state.newest
        state, told = self._not_said(seam, state, event)
        if rows is None:
            return Judgement(state, told)
        side = self._side(rows)
        shown: list[Fault] = []
        if side:
            limit, word = self._limit(rows)
            text = f"{seam.system}: the refresh of {moment_text(at)} has {rows:,} rows; agreed at {word} {limit:,}"
            what = "few" if side < 0 else "many"
            shown = [Fault(text, (evidence,), seam.system, what, observed=rows, limit=limit, unit="rows")]
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=newest)
        return Judgement(replace(state, faults=faults), told + findings)

    def _not_said(
        self, seam: Seam, state: VolumeState, event: ForwardedEvent
    ) -> tuple[VolumeState, tuple[Finding, ...]]:
        """Told when a refresh does not say how many rows it has, until one does."""
        evidence = told_by(event)
        at, shown = evidence.event_time, []
        if event.record["row_count"] is None:
            text = f"{seam.system}: the refresh of {moment_text(at)} does not say how many rows it has: not judged"
            shown = [Fault(text, (evidence,), seam.system, "unknown")]
        unknown, findings = follow(state.unknown, at, shown, severity="warning", newest=state.newest)
        newest = at if state.newest is None else max(at, state.newest)
        return replace(state, unknown=unknown, newest=newest), findings
