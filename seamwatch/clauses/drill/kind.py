r"""Drill: the people who would be paged are paged for practice, so often, and what that came to is on record.

A drill is an episode of severity `drill`: it pages whom the contract's escalation list names, by their channels, and
climbs as a breach does, and everywhere it says that it is none. It is no warning and no breach: nothing that counts
those counts it, it is followed up by nobody, and it stops no deployment.

It is begun, and ended, by an `attestation` of kind `drill` whose `subject` is `<contract>#<clause>/<drill>`, by a
person in `by`; without `by` by the owner of the system or who signs for a party. Whoever has published keys must have
signed it, so that nobody else can page by it. Its `statement` is JSON: that it has `begun`, was `held` and what that
came to, or was `called_off` ([`seamwatch drill`](../drills.md) writes them). What an attestation came to is told, in
the [words for answers](../paging.md#acknowledging). One drill runs at a time. It is over when its end is attested or
after `limit_seconds` of its beginning.

**Every contract has such a clause**, without writing it, under the id `drill`: any system can be drilled, and nobody
must.

With `every` a drill must be held: a clock that each drill that was held restarts, whatever it came to, and that runs
out in silence. Before the first drill it runs from the system's first event (a decision, a tool call, a refresh). One
that was called off, or ended by itself, restarts nothing. The breach is over with the next drill; who must act is `by`.
Before the clock runs out they are reminded, once, as of a [review](review.md).

State: one for a system of which a drill runs or is demanded, under 3 kB. At its largest it takes 4.5 kB.

What its violation says: of a drill its scenario and who runs it; its slice is the drill's id. Else who has not drilled
the system since when, and how often it was agreed (`observed` and `limit` in seconds).

What it cannot see: whether people acted as they would have, had it not been a drill.

```yaml
- id: rehearsed
  kind: drill
  every: 90d
  by: owner@example.org
```

With these events:

```json
{"type": "inference", "event_time": "2026-01-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1"}
{"type": "attestation", "event_time": "2026-01-10T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "kind": "drill", "subject": "example#rehearsed/leak-1",
 "statement": "{\"state\":\"begun\",\"scenario\":\"leak\",\"title\":\"Leaked data\",\"limit_seconds\":14400}"}
{"type": "attestation", "event_time": "2026-01-10T09:20:00Z", "system": "scorer", "person": "owner@example.org",
 "kind": "drill", "subject": "example#rehearsed/leak-1",
 "statement": "{\"state\":\"held\",\"scenario\":\"leak\",\"passed\":false,
 \"report\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"}
```

Replayed to 2026-04-11T00:00:00Z, this gives:

```text
drill resolved, opened 2026-01-10T09:00:00Z, resolved 2026-01-10T09:20:00Z, slice leak-1
  DRILL, nothing has happened to scorer: “Leaked data”, run by owner@example.org, is over after 20 m: nobody took it
  on, and it did not pass
breach open, opened 2026-04-10T09:20:00Z
  scorer: owner@example.org has not held a drill of it since 2026-01-10 09:20:00 UTC; agreed every 90 d
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import Persons, first_asked
from seamwatch.clauses.clause import Clause
from seamwatch.clauses.drill.state import DrillState
from seamwatch.clauses.drill.words import ended_itself, fault_of, said_of
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

IMPLIED = "drill"
"""The id of the clause that every contract has without writing it."""


class Drill(Clause, kind="drill"):
    """People are paged for practice, and so often they must be."""

    state_type = DrillState
    wants = frozenset({"attestation", "dataset_refresh"})
    answers = frozenset({"drill"})

    kind: Literal["drill"]
    every: Duration | None = Field(
        None, gt=0, description="longest time between two drills; none is demanded when absent"
    )
    by: Persons = Field(
        (), description="the person who runs it, or several, any of whom may; when absent the owner or who signs for "
        "a party",
    )  # fmt: skip
    remind_before: Duration | Literal["never"] | None = Field(
        None, description=f"how long before `every` is over they are reminded, or `never`; {WHEN_NOT_AGREED}"
    )

    @model_validator(mode="after")
    def _no_events(self) -> Self:
        if self.where is not None:
            raise ValueError("it looks at no events: leave out 'where'")
        return self

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls, the first of which starts the clock."""
        return ("inference", "tool_call") if self.every is not None else ()

    def people(self) -> tuple[str, ...]:
        """Who runs it."""
        return self.by

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Whether the system runs at all, where a drill is demanded."""
        of: tuple[Source, ...] = ("inference", "tool_call") if self.every is not None else ()
        return tuple(Measure(source, None, DAY, name=source) for source in of)

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent) and received.type == "attestation":
            return "" if received.record["kind"] == "drill" else None
        return None if isinstance(received, ForwardedEvent) and self.every is None else ""

    def who(self, seam: Seam) -> tuple[str, ...]:
        """Who may run a drill: those who are named, or else the owner and who signs for the parties."""
        owners = () if seam.owner is None else (seam.owner,)
        return self.by or tuple(dict.fromkeys((*owners, *seam.signatories)))

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Drills count by who may run one."""
        fault = fault_of(seam, self.id, self.who(seam), record)
        return None if fault is None else fault[1]

    def judge(self, seam: Seam, state: DrillState | None, received: Input, moment: Moment) -> Judgement:
        """The drill that runs, begun and ended by words; and the clock, restarted by each, run out in silence."""
        state = state or DrillState()
        findings: tuple[Finding, ...] = ()
        if isinstance(received, Fact):
            state = self._begun(state, received.first_time)
        elif isinstance(received, ForwardedEvent) and received.type == "dataset_refresh":
            state = self._begun(state, int(received.record["event_time"]))
        elif isinstance(received, ForwardedEvent):
            state, findings = self._attested(seam, state, received)
        state, more = ended_itself(seam, state, moment.watermark)
        findings += more
        until = None if state.running is None else state.running.until
        if self.every is None:
            return Judgement(None if state == DrillState() else state, findings, until)
        clock, ticks = run_out(state.clock, self.every, moment.watermark)
        state = replace(state, clock=clock)
        findings += tuple(self._finding_of(seam, self.every, tick) for tick in ticks)
        state, reminders = self._reminded(seam, self.every, state, moment.watermark)
        due = clock.due(self.every)
        lead = ahead(self.every, self.remind_before)
        early = None if due is None or state.reminded == clock.started or not lead else due - lead
        return Judgement(state, findings + reminders, earliest(early, due, until))

    def _attested(self, seam: Seam, state: DrillState, event: ForwardedEvent) -> tuple[DrillState, tuple[Finding, ...]]:
        state, findings, held = said_of(seam, self.id, self.who(seam), state, event)
        if held is None or self.every is None:
            return state, findings
        clock, ticks = restart(state.clock, held, evidence_of(event), self.every)
        findings += tuple(self._finding_of(seam, self.every, tick) for tick in ticks)
        return replace(state, clock=clock, drilled=True), findings

    def _begun(self, state: DrillState, at: int) -> DrillState:
        # The earliest event begins it, whichever of them is heard of first.
        started = state.clock.started
        if state.drilled or state.clock.out or (started is not None and started <= at):
            return state
        return replace(state, clock=Countdown(at))

    def _reminded(
        self, seam: Seam, every: int, state: DrillState, until: int
    ) -> tuple[DrillState, tuple[Finding, ...]]:
        """With the reminder that is due, once for each time that the clock runs."""
        due, since = state.clock.due(every), state.clock.started
        lead = ahead(every, self.remind_before)
        if due is None or since is None or not lead or state.reminded == since or not due - lead <= until < due:
            return state, ()
        last = f", the last was at {moment_text(since)}" if state.drilled else ", the first"
        text = f"{seam.system}: a drill ({seam.contract}#{self.id}) is due by {moment_text(due)}{last}"
        people = self.by or self.who(seam)[:1]
        reminders = tuple(Remind("reminder", f"{since}/{person}", person, text, due) for person in people)
        return replace(state, reminded=since), reminders

    def _finding_of(self, seam: Seam, every: int, tick: Tick) -> Finding:
        key = str(tick.started)
        if tick.what == "over":
            took = format_duration(tick.at - tick.started)
            text = f"{seam.system}: a drill was held at {moment_text(tick.at)}, {took} after the clock began"
            return Resolve(self.severity, key, tick.at, summary=text)
        who, since, agreed = self.who(seam), moment_text(tick.started), f"agreed every {format_duration(every)}"
        summary = (
            f"{seam.system}: {' or '.join(who)} has not held a drill of it since {since}; {agreed}"
            if who
            else f"{seam.system}: no drill of it was held since {since}, and nobody is named who may; {agreed}"
        )
        return Open(
            self.severity, key, tick.at, summary, since=tick.started, observed=every / SECOND, limit=every / SECOND,
            unit="s", person=first_asked(seam, who, tick.at), evidence=tick.evidence,
        )  # fmt: skip
