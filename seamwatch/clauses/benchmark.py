"""Benchmark: the output is as good as it was when approved, measured as often as agreed.

A measurement is an `attestation` of kind `benchmark` with a `value`, whose `metric` is the agreed one (or absent, when
its `subject` is this clause) and whose `subject` is this clause (`<contract>#<clause>`) or `benchmark`, the point of
the handoff. It counts by the persons in `by`, without them by who signs for one of the parties, signed when that
person has published keys. Others have no effect; one that would count if its `metric` did not differ by blanks or
capitals is a **warning**, until the next that counts. A value outside the bounds is a breach (slice: the metric) until
the first later value within them.

With `every`, measurements are a clock that runs out in silence; it runs from the newest measurement or, before the
first, from the system's first event. Silence and a bad value are two episodes. Before it runs out those who measure
are reminded, once (a tenth of `every`, 7 days at most). With `by_all` each person in `by` must measure within it: the
clock restarts when the last of them has, and silence says who is missing.

State: one for the system, for good, under 2 kB: the clock, when the newest measurement was and who measured since it
began, and the breach that is open. At its largest it takes 4 kB.

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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import Persons, attesters, first_asked, why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Remind, Resolve
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.patterns.due import ahead
from seamwatch.judging.patterns.faults import Fault, evidence_of, follow
from seamwatch.judging.patterns.rounds import Given, has_not_text, has_text, missing, with_word
from seamwatch.judging.patterns.spelling import difference, meant
from seamwatch.judging.patterns.wording import moment_text, number_text


@dataclass(frozen=True, slots=True)
class BenchmarkState:
    """The clock, the time of the newest measurement (None before the first), and the bad value that is open.

    ``spelt``: a measurement that is not told of the agreed metric for its spelling alone. ``reminded``: since when the
    clock ran of whose end those who measure were reminded. ``given``: who has measured since the clock began, where
    each must.
    """

    clock: Countdown = field(default_factory=Countdown)
    newest: int | None = None
    faults: tuple[Fault, ...] = ()
    spelt: tuple[Fault, ...] = ()
    reminded: int | None = None
    given: Given = ()


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
    by_all: bool = Field(
        False, description="whether each of these persons must measure within `every`, and not one of them"
    )

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("benchmark needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: turn them round")
        if self.by_all and (not self.by or self.every is None):
            raise ValueError("by_all says that each person in by measures within every: give both")
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

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent):
            return "" if received.record["kind"] == "benchmark" else None
        return ""

    def judge(self, seam: Seam, state: BenchmarkState | None, received: Input, moment: Moment) -> Judgement:
        """Each measurement's value, and the clock."""
        state = state or BenchmarkState()
        findings: tuple[Finding, ...] = ()
        if isinstance(received, Fact):
            started = state.clock.started
            if state.newest is None and not state.clock.out and (started is None or received.first_time < started):
                state = replace(state, clock=Countdown(received.first_time))
        elif isinstance(received, ForwardedEvent) and self.why_void(seam, received.record) is None:
            state, findings = self._measured(seam, state, received)
        elif isinstance(received, ForwardedEvent):
            state, findings = self._spelt(seam, state, received)
        if self.every is None:
            return Judgement(state, findings)
        clock, ticks = run_out(state.clock, self.every, moment.watermark)
        findings += tuple(self._finding_of(seam, state, tick, self.every) for tick in ticks)
        state, due = replace(state, clock=clock), clock.due(self.every)
        if due is None or clock.started is None or state.reminded == clock.started:
            return Judgement(state, findings, due)
        early = due - ahead(self.every, None)
        if moment.watermark < early:
            return Judgement(state, findings, early)
        findings += tuple(self._reminders(seam, state, clock.started, due))
        return Judgement(replace(state, reminded=clock.started), findings, due)

    def _reminders(self, seam: Seam, state: BenchmarkState, since: int, due: int) -> Iterator[Remind]:
        text = f"{seam.system}: benchmark {self.metric} ({seam.contract}#{self.id}) is due by {moment_text(due)}"
        for person in dict.fromkeys(attesters(seam, missing(state.given, self.by))):
            yield Remind("reminder", f"{since}/{person}", person, text, due, slice=self.metric)

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Measurements of the agreed metric count by the persons in `by`, or who signs for a party."""
        if record["metric"] not in (self.metric, None):
            return f"its metric is {record['metric']}, not {self.metric}"
        if record["metric"] is None and record["subject"] == "benchmark":
            return f"it does not say that its metric is {self.metric}"
        return self._void(seam, record)

    def _void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """The same, whatever its metric is."""
        if record["value"] is None:
            return "it gives no value"
        return why_attestation_void(seam, self.id, "benchmark", record, self.by)

    def _measured(
        self, seam: Seam, state: BenchmarkState, event: ForwardedEvent
    ) -> tuple[BenchmarkState, tuple[Finding, ...]]:
        evidence, value = evidence_of(event), float(event.record["value"])
        at = evidence.event_time
        shown: list[Fault] = []
        limit = self.min if self.min is not None and value < self.min else None
        limit = self.max if self.max is not None and value > self.max else limit
        if limit is not None:
            word = "least" if value < limit else "most"
            summary = (
                f"{seam.system}: benchmark {self.metric} is {number_text(value, limit)} at {moment_text(at)}; "
                f"agreed at {word} {number_text(limit, limit)}"
            )
            shown = [Fault(summary, (evidence,), self.metric, word, value, limit)]
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=state.newest)
        if self.every is not None:
            state, in_time = self._timed(seam, state, event, self.every)
            findings += in_time
        spelt, more = follow(state.spelt, at, (), severity="warning", newest=state.newest)
        newest = at if state.newest is None else max(at, state.newest)
        return replace(state, newest=newest, faults=faults, spelt=spelt), findings + more

    def _timed(
        self, seam: Seam, state: BenchmarkState, event: ForwardedEvent, every: int
    ) -> tuple[BenchmarkState, tuple[Finding, ...]]:
        """The clock with one measurement; it begins anew with that of the last who is missing."""
        evidence = evidence_of(event)
        at, named = evidence.event_time, self.by if self.by_all else ()
        clock, ticks = run_out(state.clock, every, at - 1)
        state = replace(state, clock=clock)
        findings = [self._finding_of(seam, state, tick, every) for tick in ticks]
        given, whole = with_word(state.given, event.record["person"], at, named, clock.started)
        told, state = given != state.given, replace(state, given=given)
        if whole is not None:
            clock, ticks = restart(clock, whole, evidence, every)
            findings += [self._finding_of(seam, state, tick, every) for tick in ticks]
        elif told and clock.out and clock.started is not None and clock.out_at is not None:
            tick = Tick("out", clock.started, clock.out_at, clock.told_by)
            findings.append(self._finding_of(seam, state, tick, every))
        return replace(state, clock=clock), tuple(findings)

    def _spelt(
        self, seam: Seam, state: BenchmarkState, event: ForwardedEvent
    ) -> tuple[BenchmarkState, tuple[Finding, ...]]:
        """Told of a measurement that would count if its metric were spelt as agreed."""
        named = event.record["metric"]
        if named is None or meant(named) != meant(self.metric) or self._void(seam, event.record) is not None:
            return state, ()
        evidence = evidence_of(event)
        text = (
            f"{seam.system}: a measurement of {moment_text(evidence.event_time)} is of metric {named!r}, which differs "
            f"from the agreed {self.metric!r} {difference(named, self.metric)}: it does not count"
        )
        shown = [Fault(text, (evidence,), self.metric, "spelt")]
        spelt, findings = follow(state.spelt, evidence.event_time, shown, severity="warning", newest=state.newest)
        return replace(state, spelt=spelt), findings

    def _finding_of(self, seam: Seam, state: BenchmarkState, tick: Tick, every: int) -> Finding:
        key = f"{tick.started}/silence"
        if tick.what == "over":
            text = f"{seam.system}: benchmark {self.metric} measured at {moment_text(tick.at)}"
            return Resolve(self.severity, key, tick.at, slice=self.metric, summary=text)
        summary = (
            f"{seam.system}: {self._who(state)} since {moment_text(tick.started)}; agreed every "
            f"{format_duration(every)}{has_text(state.given)}"
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
            person=first_asked(seam, missing(state.given, self.by), tick.at),
            evidence=tick.evidence,
        )

    def _who(self, state: BenchmarkState) -> str:
        if not self.by_all:
            return f"benchmark {self.metric} not measured"
        return f"{has_not_text(state.given, self.by)} measured benchmark {self.metric}"
