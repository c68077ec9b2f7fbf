"""Review: a scheduled review happens, and its absence is noticed.

A clock that each review restarts and that runs out in silence. A review is an `attestation` of kind `review` whose
`subject` is this clause (`<contract>#<clause>`) or `review`, the point of the handoff, by the person in `by`; without
`by` by who signs for one of the parties. A person who has published keys must have signed it (what is signed is
`seamwatch.signatures.attestation_bytes`). Attestations by others, of another kind or subject, have no effect.

Without `every` it is how often, and by whom, the System document's `review` says; where that says nothing no clock
runs.

Before the first review the clock runs from `review.last` of the System document or, without that, from the system's
first event (a decision, a tool call, a refresh). The breach is over with the next review; who must act is `by`.

Before the clock runs out the reviewer is reminded, once: `remind_before` the end, a tenth of `every` and 7 days at
most unless agreed otherwise. Without `by` each signatory is. A reminder is a notice and no violation.

State: one for the system, for good, under 2 kB: since when the clock runs, and by whose word. The system's events are
counted by day, which costs next to nothing. At its largest it takes 2 kB.

A System document's own `review` runs without any contract: `every` so often, `by` that person, from `last` or the
first event on, by the built-in contract `schedule` (`schedule#review`), unless a contract in force for the system has a
clause of this kind.

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

from seamwatch.clauses.attested import first_asked, why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Remind, Resolve
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.patterns.due import WHEN_NOT_AGREED, ahead
from seamwatch.judging.patterns.faults import evidence_of
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The clock; ``reviewed`` once a review, rather than the system's first event, has started it.

    ``reminded``: since when the clock ran of whose end the reviewer was reminded.
    """

    clock: Countdown = field(default_factory=Countdown)
    reviewed: bool = False
    reminded: int | None = None


class Review(Clause, kind="review"):
    """A review at least this often."""

    state_type = ReviewState
    wants = frozenset({"attestation", "dataset_refresh"})

    kind: Literal["review"]
    every: Duration | None = Field(
        None, description="longest time between two reviews; that of the System document's `review` when absent"
    )
    by: str | None = Field(
        None,
        description="the person who reviews; when absent who signs for a party, and without `every` whom the System "
        "document's `review` names",
    )
    remind_before: Duration | Literal["never"] | None = Field(
        None, description=f"how long before `every` is over the reviewer is reminded, or `never`; {WHEN_NOT_AGREED}"
    )

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

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent) and received.type == "attestation":
            return "" if received.record["kind"] == "review" else None
        return ""

    def judge(self, seam: Seam, state: ReviewState | None, received: Input, moment: Moment) -> Judgement:
        """The clock: begun by the document or the first event, restarted by each review, run out in silence."""
        every = self._every(seam)
        if every is None:
            return Judgement(None)
        state = state or ReviewState()
        ticks: tuple[Tick, ...] = ()
        if seam.reviewed_at is not None and (not state.reviewed or (state.clock.started or 0) < seam.reviewed_at):
            clock_before = Countdown() if not state.reviewed and not state.clock.out else state.clock
            clock, ticks = restart(clock_before, seam.reviewed_at, None, every)
            state = replace(state, clock=clock, reviewed=True)
        if isinstance(received, Fact):
            state = self._begun(state, received.first_time)
        elif isinstance(received, ForwardedEvent):
            at = int(received.record["event_time"])
            if received.type == "dataset_refresh":
                state = self._begun(state, at)
            elif self.why_void(seam, received.record) is None:
                clock, more = restart(state.clock, at, evidence_of(received), every)
                state, ticks = replace(state, clock=clock, reviewed=True), ticks + more
        clock, more = run_out(state.clock, every, moment.watermark)
        findings = tuple(self._finding_of(seam, every, tick) for tick in ticks + more)
        state, reminders = self._reminded(seam, every, replace(state, clock=clock), moment.watermark)
        due = clock.due(every)
        lead = ahead(every, self.remind_before)
        early = None if due is None or state.reminded == clock.started or not lead else due - lead
        return Judgement(state, findings + reminders, earliest(early, due))

    def _reminded(
        self, seam: Seam, every: int, state: ReviewState, until: int
    ) -> tuple[ReviewState, tuple[Finding, ...]]:
        """With the reminder that is due, once for each time that the clock runs."""
        due, since = state.clock.due(every), state.clock.started
        lead = ahead(every, self.remind_before)
        if due is None or since is None or not lead or state.reminded == since or not due - lead <= until < due:
            return state, ()
        text = (
            f"{seam.system}: a review ({seam.contract}#{self.id}) is due by {moment_text(due)}, the last was at "
            f"{moment_text(since)}"
            if state.reviewed
            else f"{seam.system}: its first review ({seam.contract}#{self.id}) is due by {moment_text(due)}"
        )
        by = self._by(seam)
        people = (by,) if by is not None else tuple(dict.fromkeys(seam.signatories))
        reminders = tuple(Remind("reminder", f"{since}/{person}", person, text, due) for person in people)
        return replace(state, reminded=since), reminders

    def _begun(self, state: ReviewState, at: int) -> ReviewState:
        # The earliest event begins it, whichever of them is heard of first.
        started = state.clock.started
        if state.reviewed or state.clock.out or (started is not None and started <= at):
            return state
        return replace(state, clock=Countdown(at), reviewed=False)

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Reviews count by the person in `by`, or who signs for a party."""
        by = self._by(seam)
        return why_attestation_void(seam, self.id, "review", record, () if by is None else (by,))

    def _every(self, seam: Seam) -> int | None:
        return seam.review_every if self.every is None else self.every

    def _by(self, seam: Seam) -> str | None:
        return seam.reviewer if self.by is None and self.every is None else self.by

    def _finding_of(self, seam: Seam, every: int, tick: Tick) -> Finding:
        key = str(tick.started)
        if tick.what == "over":
            text = f"{seam.system}: reviewed at {moment_text(tick.at)}, {format_duration(tick.at - tick.started)} after"
            return Resolve(self.severity, key, tick.at, summary=f"{text} the clock began")
        by = self._by(seam)
        who = "nobody has" if by is None else f"{by} has not"
        summary = (
            f"{seam.system}: {who} reviewed it since {moment_text(tick.started)}; agreed every {format_duration(every)}"
        )
        return Open(
            self.severity,
            key,
            tick.at,
            summary,
            since=tick.started,
            observed=every / SECOND,
            limit=every / SECOND,
            unit="s",
            person=first_asked(seam, () if by is None else (by,)),
            evidence=tick.evidence,
        )
