"""Benchmark: the output is as good as it was when approved, measured as often as agreed.

A measurement is an `attestation` of kind `benchmark` with a `value`, whose `metric` is the agreed one (or absent, when
its `subject` is this clause) and whose `subject` is this clause (`<contract>#<clause>`) or `benchmark`, the point of
the handoff. It counts by the persons in `by`, without them by who signs for one of the parties, signed when that person
has published keys. Others have no effect. A value outside the bounds is a breach (slice: the metric) until the first
later value within them.

With `every`, measurements are a clock that runs out in silence; it runs from the newest measurement or, before the
first, from the system's first event. Silence and a bad value are two episodes.

State: one for the system, for good, under 2 kB: the clock, when the newest measurement was, and the breach that is
open. At its largest it takes 4 kB.

What its violation says: the value and the bound it breaks or, of silence, since when nothing was measured (`observed`
and `limit` in seconds).

What it cannot see: a benchmark that no longer resembles what is asked in production; a measurement without a value,
or without a valid signature, which is none: with `every` the clock goes on.

```yaml
- id: as-approved
  kind: benchmark
  metric: auc
  min: 0.82
  every: 30d
```

With these events:

```json
{"type": "attestation", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "subject": "benchmark", "kind": "benchmark", "metric": "auc", "value": 0.84}
{"type": "attestation", "event_time": "2026-03-20T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "subject": "benchmark", "kind": "benchmark", "metric": "auc", "value": 0.79}
```

Replayed to 2026-04-20T00:00:00Z, this gives:

```text
breach open, opened 2026-03-20T09:00:00Z, slice auc
  scorer: benchmark auc is 0.79 at 2026-03-20 09:00:00 UTC; agreed at least 0.82
breach open, opened 2026-04-19T09:00:00Z, slice auc
  scorer: benchmark auc not measured since 2026-03-20 09:00:00 UTC; agreed every 30 d
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import Persons, why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.facts import Fact, ForwardedEvent
from seamwatch.judging.faults import Fault, follow, told_by
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.wording import moment_text, number_text


@dataclass(frozen=True, slots=True)
class BenchmarkState:
    """The clock, the time of the newest measurement (None before the first), and the bad value that is open."""

    clock: Countdown = field(default_factory=Countdown)
    newest: int | None = None
    faults: tuple[Fault, ...] = ()


class Benchmark(Clause, kind="benchmark"):
    """A metric within [min, max], measured this often."""

    state_type = BenchmarkState
    wants = frozenset({"attestation"})

    kind: Literal["benchmark"]
    metric: str = Field(min_length=1, description="the metric, as attestations name it")
    min: float | None = Field(None, description="lowest value")
    max: float | None = Field(None, description="highest value")
    every: Duration | None = Field(None, description="longest time between two measurements; no clock when absent")
    by: Persons = Field((), description="the person or persons who measure; who signs for a party when absent")

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("benchmark needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: turn them round")
        return self

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls, the first of which starts the clock."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """Who measures."""
        return self.by

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """With `every`: whether the system runs at all."""
        of: tuple[Source, ...] = ("inference", "tool_call") if self.every is not None else ()
        return tuple(Measure(source, None, DAY, select=self.where, name=source) for source in of)

    def part_of(self, happening: Happening) -> str | None:
        """One state a system."""
        if isinstance(happening, ForwardedEvent):
            return "" if happening.record["kind"] == "benchmark" else None
        return ""

    def judge(self, seam: Seam, state: BenchmarkState | None, happening: Happening, moment: Moment) -> Judgement:
        """Each measurement's value, and the clock."""
        state = state or BenchmarkState()
        findings: tuple[Finding, ...] = ()
        if isinstance(happening, Fact):
            started = state.clock.started
            if state.newest is None and not state.clock.out and (started is None or happening.first_time < started):
                state = replace(state, clock=Countdown(happening.first_time))
        elif isinstance(happening, ForwardedEvent) and self.why_void(seam, happening.record) is None:
            state, findings = self._measured(seam, state, happening)
        if self.every is None:
            return Judgement(state, findings)
        clock, ticks = run_out(state.clock, self.every, moment.watermark)
        findings += tuple(self._told(seam, tick, self.every) for tick in ticks)
        return Judgement(replace(state, clock=clock), findings, clock.due(self.every))

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Measurements of the agreed metric count by the persons in `by`, or who signs for a party."""
        if record["value"] is None:
            return "it gives no value"
        if record["metric"] not in (self.metric, None):
            return f"its metric is {record['metric']}, not {self.metric}"
        if record["metric"] is None and record["subject"] == "benchmark":
            return f"it does not say that its metric is {self.metric}"
        return why_attestation_void(seam, self.id, "benchmark", record, self.by)

    def _measured(
        self, seam: Seam, state: BenchmarkState, event: ForwardedEvent
    ) -> tuple[BenchmarkState, tuple[Finding, ...]]:
        evidence, value = told_by(event), float(event.record["value"])
        at = evidence.event_time
        shown: list[Fault] = []
        limit = self.min if self.min is not None and value < self.min else None
        limit = self.max if self.max is not None and value > self.max else limit
        if limit is not None:
            word = "least" if value < limit else "most"
            summary = (
                f"{seam.system}: benchmark {self.metric} is {number_text(value)} at {moment_text(at)}; agreed at "
                f"{word} {number_text(limit)}"
            )
            shown = [Fault(summary, (evidence,), self.metric, word, value, limit)]
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=state.newest)
        clock = state.clock
        if self.every is not None:
            clock, ticks = restart(clock, at, evidence, self.every)
            findings += tuple(self._told(seam, tick, self.every) for tick in ticks)
        newest = at if state.newest is None else max(at, state.newest)
        return BenchmarkState(clock, newest, faults), findings

    def _told(self, seam: Seam, tick: Tick, every: int) -> Finding:
        key = f"{tick.started}/silence"
        if tick.what == "over":
            text = f"{seam.system}: benchmark {self.metric} measured at {moment_text(tick.at)}"
            return Resolve(self.severity, key, tick.at, slice=self.metric, summary=text)
        summary = (
            f"{seam.system}: benchmark {self.metric} not measured since {moment_text(tick.started)}; agreed every "
            f"{format_duration(every)}"
        )
        return Open(
            self.severity,
            key,
            tick.at,
            summary,
            slice=self.metric,
            since=tick.started,
            observed=every / SECOND,
            limit=every / SECOND,
            unit="s",
            evidence=tick.evidence,
        )
