"""Review: a scheduled review happens, and its absence is noticed.

A clock that each review restarts and that runs out in silence. A review is an `attestation` of kind `review` whose
`subject` is this clause (`<contract>#<clause>`) or `review`, the point of the handoff, by the person in `by`; without
`by` by who signs for one of the parties. A person who has published keys must have signed it (what is signed is
`seamwatch.signatures.attestation_bytes`). Attestations by others, of another kind or subject, have no effect.

Where `by` names **several** persons, all of them must attest: the review is done, and the clock restarts, when the last
of them has, and each counts from when the clock began. The breach is one, and says who is missing.

With `of` it is not the system that is reviewed but its `runbook`, its `permissions` or another point, each by a clause
of its own; the point is the subject then (`runbook` for `review`).

Without `every` it is how often, and by whom, the System document's `review` says, of a runbook its `runbook_review`;
where that says nothing no clock runs.

Before the first review the clock runs from `review.last` of the System document or, without that, from the system's
first event (a decision, a tool call, a refresh). The breach is over with the next review; who must act is `by`.

Before the clock runs out whoever is missing is reminded, once: `remind_before` the end, a tenth of `every` and 7 days
at most unless agreed otherwise. Without `by` each signatory is. A reminder is a notice and no violation.

State: one for the system, for good, under 2 kB: since when the clock runs, by whose word, and who has attested since.
The system's events are counted by day, which costs next to nothing. At its largest it takes 2 kB.

A System document's own `review` runs without any contract: `every` so often, `by` that person or all of those, from
`last` or the first event on, by the built-in contract `schedule` (`schedule#review`), unless a contract in force for
the system has a clause of this kind. So does its `runbook_review`, by `runbook-schedule#runbook`.

What its violation says: who has not reviewed the system, or what of it, since when, and how often it was agreed
(`observed` and `limit` in seconds).

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
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import Persons, first_asked, why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Remind, Resolve
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Scheduled, Seam
from seamwatch.judging.patterns.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.patterns.due import WHEN_NOT_AGREED, ahead
from seamwatch.judging.patterns.faults import evidence_of
from seamwatch.judging.patterns.rounds import Given, has_not_text, has_text, missing, with_word
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The clock; ``reviewed`` once a review, rather than the system's first event, has started it.

    ``reminded``: since when the clock ran of whose end the reviewer was reminded. ``given``: who has attested since the
    clock began, where several must.
    """

    clock: Countdown = field(default_factory=Countdown)
    reviewed: bool = False
    reminded: int | None = None
    given: Given = ()


class Review(Clause, kind="review"):
    """A review at least this often."""

    state_type = ReviewState
    wants = frozenset({"attestation", "dataset_refresh"})

    kind: Literal["review"]
    every: Duration | None = Field(
        None, description="longest time between two reviews; that of the System document's `review` when absent"
    )
    by: Persons = Field(
        (),
        description="the person who reviews, or several, who all must; when absent who signs for a party, and without "
        "`every` whom the System document names",
    )
    of: Literal["system", "runbook", "monitoring_agreement", "registry_entry", "permissions", "contract"] = Field(
        "system", description="what is reviewed"
    )
    remind_before: Duration | Literal["never"] | None = Field(
        None, description=f"how long before `every` is over the reviewer is reminded, or `never`; {WHEN_NOT_AGREED}"
    )

    @model_validator(mode="after")
    def _often_enough(self) -> Self:
        if self.every is None and self.of not in ("system", "runbook"):
            raise ValueError(f"say how often the {self.of} is reviewed: give every")
        return self

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls, the first of which starts the clock."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """Who reviews."""
        return self.by

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
        every, agreed = self.period(seam), self.document_says(seam)
        if every is None:
            return Judgement(None)
        state = state or ReviewState()
        findings: tuple[Finding, ...] = ()
        last = None if agreed is None else agreed.last
        if last is not None and (not state.reviewed or (state.clock.started or 0) < last):
            before = Countdown() if not state.reviewed and not state.clock.out else state.clock
            clock, ticks = restart(before, last, None, every)
            findings = tuple(self._finding_of(seam, every, state, tick) for tick in ticks)
            given = tuple(word for word in state.given if word[1] > last)
            state = replace(state, clock=clock, reviewed=True, given=given)
        if isinstance(received, Fact):
            state = self._begun(state, received.first_time)
        elif isinstance(received, ForwardedEvent) and received.type == "dataset_refresh":
            state = self._begun(state, int(received.record["event_time"]))
        elif isinstance(received, ForwardedEvent) and self.why_void(seam, received.record) is None:
            state, more = self._attested(seam, every, state, received)
            findings += more
        clock, ticks = run_out(state.clock, every, moment.watermark)
        state = replace(state, clock=clock)
        findings += tuple(self._finding_of(seam, every, state, tick) for tick in ticks)
        state, reminders = self._reminded(seam, every, state, moment.watermark)
        due = clock.due(every)
        lead = ahead(every, self.remind_before)
        early = None if due is None or state.reminded == clock.started or not lead else due - lead
        return Judgement(state, findings + reminders, earliest(early, due))

    def _attested(
        self, seam: Seam, every: int, state: ReviewState, event: ForwardedEvent
    ) -> tuple[ReviewState, tuple[Finding, ...]]:
        """One person's word: the review is done with that of the last who is missing."""
        at, by = int(event.record["event_time"]), self.named(seam)
        clock, ticks = run_out(state.clock, every, at - 1)
        state = replace(state, clock=clock)
        findings = [self._finding_of(seam, every, state, tick) for tick in ticks]
        given, whole = with_word(state.given, event.record["person"], at, by, clock.started)
        if whole is None:
            told = given != state.given and clock.out and clock.started is not None and clock.out_at is not None
            state = replace(state, given=given)
            if told and clock.started is not None and clock.out_at is not None:
                tick = Tick("out", clock.started, clock.out_at, clock.told_by)
                findings.append(self._finding_of(seam, every, state, tick))
            return state, tuple(findings)
        clock, ticks = restart(clock, whole, evidence_of(event), every)
        findings += [self._finding_of(seam, every, state, tick) for tick in ticks]
        return replace(state, clock=clock, reviewed=True, given=given), tuple(findings)

    def _reminded(
        self, seam: Seam, every: int, state: ReviewState, until: int
    ) -> tuple[ReviewState, tuple[Finding, ...]]:
        """With the reminder that is due, once for each time that the clock runs."""
        due, since = state.clock.due(every), state.clock.started
        lead = ahead(every, self.remind_before)
        if due is None or since is None or not lead or state.reminded == since or not due - lead <= until < due:
            return state, ()
        named = f"({seam.contract}#{self.id}) is due by {moment_text(due)}"
        text = (
            f"{seam.system}: a review{self._of_what()} {named}, the last was at {moment_text(since)}"
            if state.reviewed
            else f"{seam.system}: its first review{self._of_what()} {named}"
        )
        people = missing(state.given, self.named(seam)) or tuple(dict.fromkeys(seam.signatories))
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
        return why_attestation_void(seam, self.id, "review", record, self.named(seam), self.point)

    @property
    def point(self) -> str:
        """The point of the hand-over that attestations of it may name."""
        return "review" if self.of == "system" else self.of

    def document_says(self, seam: Seam) -> Scheduled | None:
        """What the System document says of such reviews."""
        return {"system": seam.review, "runbook": seam.runbook_review}.get(self.of)

    def period(self, seam: Seam) -> int | None:
        """How often, in micros; None where nothing says it, and no clock runs."""
        agreed = self.document_says(seam)
        return (None if agreed is None else agreed.every) if self.every is None else self.every

    def named(self, seam: Seam) -> tuple[str, ...]:
        """Who reviews, all of them; nobody where who signs for a party may."""
        agreed = self.document_says(seam)
        return agreed.by if not self.by and self.every is None and agreed is not None else self.by

    def _of_what(self) -> str:
        return "" if self.of == "system" else f" of its {self.of.replace('_', ' ')}"

    def _finding_of(self, seam: Seam, every: int, state: ReviewState, tick: Tick) -> Finding:
        key = str(tick.started)
        what = "it" if self.of == "system" else f"its {self.of.replace('_', ' ')}"
        if tick.what == "over":
            text = f"{seam.system}: {'' if self.of == 'system' else f'{what} '}reviewed at {moment_text(tick.at)}"
            took = format_duration(tick.at - tick.started)
            return Resolve(self.severity, key, tick.at, summary=f"{text}, {took} after the clock began")
        by = self.named(seam)
        summary = (
            f"{seam.system}: {has_not_text(state.given, by)} reviewed {what} since {moment_text(tick.started)}; agreed "
            f"every {format_duration(every)}{has_text(state.given)}"
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
            person=first_asked(seam, missing(state.given, by), tick.at),
            evidence=tick.evidence,
        )
