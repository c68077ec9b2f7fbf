"""Review: a scheduled review happens, and its absence is noticed.

A clock that each review restarts and that runs out in silence. A review is an `attestation` of kind `review` whose
`subject` is this clause (`<contract>#<clause>`) or `review`, the point of the handoff, by the person in `by`; without
`by` by who signs for one of the parties. A person who has published keys must have signed it (what is signed is
`seamwatch.signatures.attestation_bytes`). Attestations by others, of another kind or subject, have no effect.

Before the first review the clock runs from `review.last` of the System document or, without that, from the system's
first event (a decision, a tool call, a refresh). The breach is over with the next review; who must act is `by`.

State: one for the system, for good, under 2 kB: since when the clock runs, and by whose word. The system's events are
counted by day, which costs next to nothing. At its largest it takes 2 kB.

What its violation says: who has not reviewed the system since when, and how often it was agreed (`observed` and
`limit` in seconds).

What it cannot see: whether whoever attests a review has looked.

```yaml
- id: quarterly
  kind: review
  every: 90d
  by: owner@example.org
```

With these events:

```json
{"type": "inference", "event_time": "2026-01-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1"}
{"type": "attestation", "event_time": "2026-01-10T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "subject": "review", "kind": "review"}
```

Replayed to 2026-04-11T00:00:00Z, this gives:

```text
breach open, opened 2026-04-10T09:00:00Z
  scorer: owner@example.org has not reviewed it since 2026-01-10 09:00:00 UTC; agreed every 90 d
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field

from seamwatch.clauses.attested import why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.facts import Fact, ForwardedEvent
from seamwatch.judging.faults import told_by
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.wording import moment_text


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The clock; ``reviewed`` once a review, rather than the system's first event, has started it."""

    clock: Countdown = field(default_factory=Countdown)
    reviewed: bool = False


class Review(Clause, kind="review"):
    """A review at least this often."""

    state_type = ReviewState
    wants = frozenset({"attestation", "dataset_refresh"})

    kind: Literal["review"]
    every: Duration = Field(description="longest time between two reviews")
    by: str | None = Field(None, description="the person who reviews; who signs for a party when absent")

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls, the first of which starts the clock."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """Who reviews."""
        return () if self.by is None else (self.by,)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Whether the system runs at all."""
        of: tuple[Source, ...] = ("inference", "tool_call")
        return tuple(Measure(source, None, DAY, select=self.where, name=source) for source in of)

    def part_of(self, happening: Happening) -> str | None:
        """One state a system."""
        if isinstance(happening, ForwardedEvent) and happening.type == "attestation":
            return "" if happening.record["kind"] == "review" else None
        return ""

    def judge(self, seam: Seam, state: ReviewState | None, happening: Happening, moment: Moment) -> Judgement:
        """The clock: begun by the document or the first event, restarted by each review, run out in silence."""
        state = state or ReviewState()
        ticks: tuple[Tick, ...] = ()
        if seam.reviewed_at is not None and (not state.reviewed or (state.clock.started or 0) < seam.reviewed_at):
            known = Countdown() if not state.reviewed and not state.clock.out else state.clock
            clock, ticks = restart(known, seam.reviewed_at, None, self.every)
            state = ReviewState(clock, reviewed=True)
        if isinstance(happening, Fact):
            state = self._begun(state, happening.first_time)
        elif isinstance(happening, ForwardedEvent):
            at = int(happening.record["event_time"])
            if happening.type == "dataset_refresh":
                state = self._begun(state, at)
            elif self.why_void(seam, happening.record) is None:
                clock, more = restart(state.clock, at, told_by(happening), self.every)
                state, ticks = ReviewState(clock, reviewed=True), ticks + more
        clock, more = run_out(state.clock, self.every, moment.watermark)
        findings = tuple(self._told(seam, tick) for tick in ticks + more)
        return Judgement(replace(state, clock=clock), findings, clock.due(self.every))

    def _begun(self, state: ReviewState, at: int) -> ReviewState:
        # The earliest event begins it, whichever of them is heard of first.
        started = state.clock.started
        if state.reviewed or state.clock.out or (started is not None and started <= at):
            return state
        return ReviewState(Countdown(at))

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Reviews count by the person in `by`, or who signs for a party."""
        return why_attestation_void(seam, self.id, "review", record, self.people())

    def _told(self, seam: Seam, tick: Tick) -> Finding:
        key = str(tick.started)
        if tick.what == "over":
            text = f"{seam.system}: reviewed at {moment_text(tick.at)}, {format_duration(tick.at - tick.started)} after"
            return Resolve(self.severity, key, tick.at, summary=f"{text} the clock began")
        who = "nobody has" if self.by is None else f"{self.by} has not"
        summary = (
            f"{seam.system}: {who} reviewed it since {moment_text(tick.started)}; agreed every "
            f"{format_duration(self.every)}"
        )
        return Open(
            self.severity,
            key,
            tick.at,
            summary,
            since=tick.started,
            observed=self.every / SECOND,
            limit=self.every / SECOND,
            unit="s",
            person=self.by,
            evidence=tick.evidence,
        )
