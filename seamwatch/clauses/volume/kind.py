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
refresh that has a number. With `per` and `min` a data set that a document declares is waited for: its windows count
from the stream's first event on, or from when the contract says it is in force, so that one that never came is found.
Without `of` both are looked at: the refreshes, and all decisions and tool calls together.

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

from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause
from seamwatch.clauses.volume.bounds import Bounds
from seamwatch.clauses.volume.looking import Looking
from seamwatch.clauses.volume.refreshes import Refreshes, not_said
from seamwatch.clauses.volume.state import NEVER, REFRESHES, VolumeState
from seamwatch.durations import HOUR, Duration
from seamwatch.errors import ExpressionError
from seamwatch.expressions.build import always
from seamwatch.expressions.closure import closure
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import EXPECTED, Finding, Input, Judgement, Moment
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import WHEN_ABSENT
from seamwatch.judging.patterns.faults import counted


class Volume(Clause, kind="volume"):
    """Rows or events stay within [min, max]."""

    state_type = VolumeState
    wants = frozenset({"dataset_refresh", EXPECTED})

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
    def _ordered(self) -> Self:
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

    def part_of(self, received: Input) -> str | None:
        """One state for events and one for refreshes."""
        if isinstance(received, ForwardedEvent):
            wanted = "dataset_refresh" in self.sources()
            if received.type == EXPECTED:
                return REFRESHES if wanted and self.per is not None and self.min else None
            if wanted and self.where is not None:
                wanted = closure(self.where, "dataset_refresh")(received.record) is True
            return REFRESHES if wanted else None
        return ""

    def judge(self, seam: Seam, state: VolumeState | None, received: Input, moment: Moment) -> Judgement:
        """Windows of events or of rows, or each refresh on its own."""
        state = state or VolumeState()
        fact: Fact | None = None
        findings: tuple[Finding, ...] = ()
        if isinstance(received, ForwardedEvent) and received.type == EXPECTED:
            state = state.waiting(int(received.record["event_time"]), self._per)
        elif isinstance(received, ForwardedEvent):
            if self.per is None:
                return Refreshes(self.severity, self._bounds).judge(seam, state, received)
            rows = received.record["row_count"]
            if state.expected is not None and state.expected == state.windows.done:
                # What was only waited for makes nothing late.
                early = int(received.record["event_time"]) < state.expected
                state = replace(state, windows=replace(state.windows, done=NEVER)) if early else state
            state, findings = not_said(seam, state, received)
            fact = counted(seam, self.id, received, self.per, rows or 0, breaches=int(rows is None))
        elif moment.slice == REFRESHES and self.per is None:
            return Judgement(state)
        elif isinstance(received, Fact):
            fact = replace(received, measure="")
        windows, late = state.windows, 0
        if fact is not None:
            added = windows.add(fact, moment)
            late, windows = (1, windows) if added is None else (0, added)
        looking = Looking(self.severity, self._bounds, self._per, self.quiet)
        judged = looking.judge(seam, replace(state, windows=windows), moment, late)
        return replace(judged, findings=findings + judged.findings)

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self.min, self.max)

    @property
    def _per(self) -> int:
        return HOUR if self.per is None else self.per
