"""Coverage: after each change the reviewer confirms that what is asserted still covers the product.

With `after: change` (the default) each announced change (`config_change`) of the system starts a clock of its own; a
confirmation stops all clocks that run. With `after: <period>` one clock runs from the last confirmation or, before the
first, from the system's first event: the confirmation is due that period later, and overdue after `within`.

A confirmation is an `attestation` of kind `coverage` whose `subject` is this clause (`<contract>#<clause>`) or
`coverage`, by the `reviewer`, signed when they have published keys. Others have no effect. A clock that runs out is a
breach on which the reviewer must act (slice: the change), and which a late confirmation ends. Before it runs out the
reviewer is reminded, once (a tenth of `within`, 7 days at most). A `change_id` that is
announced again with other content is another change, with a clock of its own; its slice is `<change_id>@<digest>`, as
[change_notice](change_notice.md) has it. One that is only repeated starts none, and one that is withdrawn, as that page
has it, ends its clock and what is open of it.

State: one for the system. The clocks that run or ran out (of the newest 1,000 changes, about 200 bytes each; a breach
that makes room for a newer change is over, and says so), and the ids and digests of the newest 1,000 changes. At its
largest it takes 1.7 MB.

What its violation says: what the reviewer has not confirmed coverage since, and the time agreed (`observed` and
`limit` in seconds).

What it cannot see: a change that nobody announces (see `change_notice` with `unannounced`).

```yaml
- id: still-covered
  kind: coverage
  reviewer: owner@example.org
  within: 48h
  after: change
```

With these events:

```json
{"type": "config_change", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "change_id": "CR-7",
 "kind": "model", "effective_at": "2026-03-02T09:00:00Z", "summary": "-", "announced_by": "owner@example.org",
 "to_value": "v2"}
```

Replayed to 2026-03-05T00:00:00Z, this gives:

```text
breach open, opened 2026-03-04T09:00:00Z, slice CR-7
  scorer: owner@example.org has not confirmed that the assertions still cover the product since change CR-7
  (2026-03-02 09:00:00 UTC); agreed within 48 h
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from seamwatch.clauses.attested import why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, SECOND, Duration, format_duration
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Remind, Resolve
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.announcements import Announced, announced, withdrawn, withdrawn_text
from seamwatch.judging.patterns.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.patterns.due import ahead
from seamwatch.judging.patterns.faults import evidence_of
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text

_CLOCKS_KEPT = 1_000
_PERIOD = ""


@dataclass(frozen=True, slots=True)
class CoverageState:
    """Clocks by change (one named "" for a period), when coverage was last confirmed, and the changes announced.

    ``reminded``: the clocks of whose end the reviewer was reminded, by change and since when they run.
    """

    clocks: tuple[tuple[str, Countdown], ...] = ()
    confirmed: int | None = None
    announced: Announced = ()
    reminded: tuple[tuple[str, int], ...] = ()


class Coverage(Clause, kind="coverage"):
    """Coverage confirmed in time after each change, or each period."""

    state_type = CoverageState
    wants = frozenset({"attestation", "config_change"})

    kind: Literal["coverage"]
    reviewer: str = Field(description="the person who confirms")
    within: Duration = Field(48 * HOUR, description="how long the reviewer has")
    after: Literal["change"] | Duration = Field("change", description="`change`, or a period such as `30d`")

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls, the first of which starts the clock of a period."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """The reviewer."""
        return (self.reviewer,)

    @property
    def _allowed(self) -> int:
        return self.within if self.after == "change" else self.after + self.within

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """For a period: whether the system runs at all."""
        of: tuple[Source, ...] = () if self.after == "change" else ("inference", "tool_call")
        return tuple(Measure(source, None, DAY, select=self.where, name=source) for source in of)

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent):
            changes = received.type == "config_change"
            return "" if (self.after == "change" if changes else received.record["kind"] == "coverage") else None
        return ""

    def judge(self, seam: Seam, state: CoverageState | None, received: Input, moment: Moment) -> Judgement:
        """Clocks begun by changes or the first event, stopped by confirmations, run out in silence."""
        state = state or CoverageState()
        findings: tuple[Finding, ...] = ()
        if isinstance(received, Fact):
            state = self._begun(state, received.first_time)
        elif isinstance(received, ForwardedEvent) and received.type == "config_change":
            state, findings = self._changed(seam, state, received, moment)
        elif isinstance(received, ForwardedEvent) and self.why_void(seam, received.record) is None:
            state, findings = self._confirmed(seam, state, received)
        clocks, deadlines = [], []
        reminded: list[tuple[str, int]] = []
        for change, before in state.clocks:
            clock, ticks = run_out(before, self._allowed, moment.watermark)
            findings += tuple(self._finding_of(seam, change, tick) for tick in ticks)
            clocks.append((change, clock))
            due, since = clock.due(self._allowed), clock.started
            if due is None or since is None:
                continue
            early = due - ahead(self.within, None)
            if (change, since) in state.reminded or early <= moment.watermark:
                reminded.append((change, since))
                if (change, since) not in state.reminded:
                    findings += (self._remind(seam, change, since, due),)
                early = due
            deadlines.append(early)
        state = replace(state, clocks=tuple(clocks), reminded=tuple(reminded))
        return Judgement(state, findings, earliest(*deadlines))

    def _remind(self, seam: Seam, change: str, since: int, due: int) -> Remind:
        of = f"after change {change} of" if change else "since"
        text = (
            f"{seam.system}: coverage {of} {moment_text(since)} is to be confirmed by {moment_text(due)} "
            f"({seam.contract}#{self.id})"
        )
        return Remind("reminder", f"{change}/{since}", self.reviewer, text, due, slice=change or None)

    def _begun(self, state: CoverageState, at: int) -> CoverageState:
        clock = dict(state.clocks).get(_PERIOD, Countdown())
        if state.confirmed is not None or clock.out or (clock.started is not None and clock.started <= at):
            return state
        return replace(state, clocks=((_PERIOD, Countdown(at)),))

    def _changed(
        self, seam: Seam, state: CoverageState, event: ForwardedEvent, moment: Moment
    ) -> tuple[CoverageState, tuple[Finding, ...]]:
        evidence = evidence_of(event)
        at = evidence.event_time
        if at < moment.horizon:
            return state, ()
        if event.record.get("withdrawn"):
            return self._withdrawn(seam, state, event.record, at)
        changes, change = announced(state.announced, event.record)
        state = replace(state, announced=changes)
        if change is None or change in dict(state.clocks) or (state.confirmed is not None and at <= state.confirmed):
            return state, ()
        clocks = sorted((*state.clocks, (change, Countdown(at, evidence))), key=_started)
        gone = tuple(
            Resolve(
                self.severity,
                str(clock.started),
                at,
                slice=change,
                summary=f"{seam.system}: change {change} is followed no longer, {_CLOCKS_KEPT:,} came after it",
            )
            for change, clock in clocks[:-_CLOCKS_KEPT]
            if clock.out
        )
        return replace(state, clocks=tuple(clocks[-_CLOCKS_KEPT:])), gone

    def _withdrawn(
        self, seam: Seam, state: CoverageState, record: Mapping[str, Any], at: int
    ) -> tuple[CoverageState, tuple[Finding, ...]]:
        """Nothing is to be confirmed after a change that is withdrawn."""
        changes, gone = withdrawn(seam, state.announced, record)
        names = {said.called: said for said in gone}
        over: list[Finding] = []
        for name, before in state.clocks:
            if name in names:
                clock, ticks = run_out(before, self._allowed, at - 1)
                over += [self._finding_of(seam, name, tick) for tick in ticks]
                if clock.out:
                    text = withdrawn_text(record, names[name])
                    over.append(Resolve(self.severity, str(clock.started), at, slice=name, summary=text))
        left = tuple((name, clock) for name, clock in state.clocks if name not in names)
        return replace(state, clocks=left, announced=changes), tuple(over)

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Confirmations count by the reviewer."""
        return why_attestation_void(seam, self.id, "coverage", record, self.people())

    def _confirmed(
        self, seam: Seam, state: CoverageState, event: ForwardedEvent
    ) -> tuple[CoverageState, tuple[Finding, ...]]:
        evidence = evidence_of(event)
        at = evidence.event_time
        findings: tuple[Finding, ...] = ()
        kept = []
        clocks = state.clocks if self.after == "change" else state.clocks or ((_PERIOD, Countdown()),)
        for change, clock in clocks:
            if clock.started is not None and at < clock.started:
                kept.append((change, clock))
                continue
            after, ticks = restart(clock, at, evidence, self._allowed)
            findings += tuple(self._finding_of(seam, change, tick) for tick in ticks)
            if self.after != "change":
                kept.append((change, after))
        confirmed = at if state.confirmed is None else max(at, state.confirmed)
        return replace(state, clocks=tuple(kept), confirmed=confirmed), findings

    def _finding_of(self, seam: Seam, change: str, tick: Tick) -> Finding:
        key, part = str(tick.started), change or None
        what = f"change {change}" if change else "the last time"
        if tick.what == "over":
            text = f"{seam.system}: {self.reviewer} confirmed coverage after {what} at {moment_text(tick.at)}"
            return Resolve(self.severity, key, tick.at, slice=part, summary=text)
        summary = (
            f"{seam.system}: {self.reviewer} has not confirmed that the assertions still cover the product since "
            f"{what} ({moment_text(tick.started)}); agreed within {format_duration(self._allowed)}"
        )
        return Open(
            self.severity,
            key,
            tick.at,
            summary,
            slice=part,
            since=tick.started,
            observed=self._allowed / SECOND,
            limit=self._allowed / SECOND,
            unit="s",
            person=self.reviewer,
            evidence=tick.evidence,
        )


def _started(entry: tuple[str, Countdown]) -> tuple[int, str]:
    change, clock = entry
    return clock.started or 0, change
