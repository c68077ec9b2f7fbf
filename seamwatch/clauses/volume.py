"""Volume: rows or events stay within the agreed numbers, and silence counts as none.

Events are counted in windows of `per`, aligned to the UTC epoch. A window is judged when it is complete, also one in
which nothing came: once the stream has begun, an empty window counts 0. The first window counts from its start, so a
system that goes live in the middle of one may open below `min`. A breach ends with the first window that is within.

`of: dataset` looks at refreshes: with `per` the rows of all refreshes in a window together (for feeds that deliver
what is new), without it the rows of each refresh on its own (for those that deliver everything), where silence is
left to `freshness`. Without `of` both are looked at: the refreshes, and all decisions and tool calls together.

State: one for the events and one for the refreshes, for good: the windows that are not yet complete, 1,440 at most
(about 500 bytes each), the end of the last one judged, and the breach that is open, whose `observed` is the number in
its first window. At its largest it takes 2.1 MB.

What its violation says: the number counted (`observed`), in which window or refresh, and the bound that it breaks
(`limit`).

What it cannot see: the right number of wrong rows.

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

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause
from seamwatch.durations import HOUR, Duration, format_duration
from seamwatch.errors import ExpressionError
from seamwatch.expressions.build import always
from seamwatch.expressions.closure import closure
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
    """Consecutive windows on one side of the bounds: the first one's start, its number and its evidence."""

    start: int
    number: int
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeState:
    """Windows not yet complete, the end of the last one judged, what is open; ``faults`` of single refreshes."""

    windows: Windows = field(default_factory=Windows)
    outside: Outside | None = None
    newest: int | None = None
    faults: tuple[Fault, ...] = ()


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
            Measure(source, breach, self.per or HOUR, select=self.where, name=source)
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
        if isinstance(happening, ForwardedEvent):
            if self.per is None:
                return self._single(seam, state, happening)
            fact = counted(seam, self.id, happening, self.per, int(happening.record["row_count"]))
        elif moment.slice == _REFRESHES and self.per is None:
            return Judgement(state)
        elif isinstance(happening, Fact):
            fact = replace(happening, measure="")
        windows, late = state.windows, 0
        if fact is not None:
            added = windows.add(fact, moment)
            late, windows = (1, windows) if added is None else (0, added)
        return self._windows(seam, replace(state, windows=windows), moment, late)

    def _windows(self, seam: Seam, state: VolumeState, moment: Moment, late: int) -> Judgement:
        per, windows, outside = self.per or HOUR, state.windows, state.outside
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
                now = Outside(first.start, first.fact.count, first.fact.evidence)
                windows = Windows(windows.filling[1:], first.end)
            else:
                # Nothing came from ``start`` on; all empty windows in a row say the same as the first of them.
                until = moment.watermark if first is None else min(moment.watermark, first.start)
                until = first.start if first is not None and crowded else until
                if until < start + per:
                    break
                now = Outside(start, 0)
                windows = replace(windows, done=start + (until - start) // per * per)
            outside, told = self._judged(seam, outside, now, moment.slice)
            findings += told
        silence = start + per if self._side(0) != (0 if outside is None else self._side(outside.number)) else None
        ends = (first.end if first is not None else None, silence)
        deadline = earliest(*(end for end in ends if end is not None and end > moment.watermark))
        state = replace(state, windows=windows, outside=outside)
        return Judgement(state, findings, deadline, windows.wake(moment), late)

    def _side(self, number: int) -> int:
        if self.min is not None and number < self.min:
            return -1
        return 1 if self.max is not None and number > self.max else 0

    def _judged(
        self, seam: Seam, before: Outside | None, now: Outside, part: str | None
    ) -> tuple[Outside | None, tuple[Finding, ...]]:
        side = self._side(now.number)
        if before is not None and self._side(before.number) == side:
            return before, ()
        findings: tuple[Finding, ...] = ()
        named = seam.system if part == _REFRESHES else None
        per = self.per or HOUR
        if before is not None:
            findings += (Resolve(self.severity, str(before.start), now.start + per, slice=named),)
        if side == 0:
            return None, findings
        limit, word = self._limit(now.number)
        things = "rows" if part == _REFRESHES else "events"
        summary = (
            f"{seam.system}: {now.number:,} {things} in the {format_duration(per)} from {moment_text(now.start)}; "
            f"agreed at {word} {limit:,}"
        )
        opened = Open(
            self.severity,
            str(now.start),
            now.start + per,
            summary,
            slice=named,
            since=now.start,
            observed=now.number,
            limit=limit,
            unit=things,
            evidence=now.evidence,
        )
        return now, (*findings, opened)

    def _limit(self, number: int) -> tuple[int, str]:
        if self.min is not None and number < self.min:
            return self.min, "least"
        assert self.max is not None
        return self.max, "most"

    def _single(self, seam: Seam, state: VolumeState, event: ForwardedEvent) -> Judgement:
        evidence, rows = told_by(event), int(event.record["row_count"])
        at, side = evidence.event_time, self._side(rows)
        shown: list[Fault] = []
        if side:
            limit, word = self._limit(rows)
            text = f"{seam.system}: the refresh of {moment_text(at)} has {rows:,} rows; agreed at {word} {limit:,}"
            what = "few" if side < 0 else "many"
            shown = [Fault(text, (evidence,), seam.system, what, observed=rows, limit=limit, unit="rows")]
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=state.newest)
        newest = at if state.newest is None else max(at, state.newest)
        return Judgement(replace(state, faults=faults, newest=newest), findings)
