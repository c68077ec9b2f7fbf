"""Suspension: what is suspended does nothing until it is resumed.

A person with authority suspends a system, one of its versions or one of its tools (`seamwatch suspend`), and one with
authority resumes it (`seamwatch resume`); who has it says the System document's `authority`, by default the owner. A
clause that agrees `on_breach: suspend` suspends its system by itself. See [suspension](../suspension.md).

This clause holds for every system by the built-in contract `suspensions`, whether or not a contract covers it, unless a
contract in force has a clause of this kind. Each suspension and resumption is judged by it as soon as it is heard of:
whether it counts, which is told as a verdict, and what is suspended then, which guards and the gate follow.

**Traffic that goes on is a breach at once**: decisions, and tool calls that were not denied, of what is suspended, from
one second after the suspension arrived (what is under way may still come, and a guard hears of it within a second);
where a contract suspends, from one minute after the breach for which it does. Traffic is told by windows of two
seconds, each by its first event; a window in which the suspension began is let go. The breach is over when the
suspension is, or when nothing has come for `quiet`; what then comes again is another.

Traffic is measured for this of systems alone that somebody has said to suspend, that a contract may suspend by itself
(`on_breach: suspend`), or of whose contract this is a clause: all others cost nothing. What came of them before was not
measured. So of a history that is put in afterwards, a suspension more than five minutes after its time, traffic that
came before it is found by `seamwatch replay` alone; that is counted among what came late.

State: one for the system: what was said of it (100 suspensions and resumptions, until a day after it was resumed), the
windows of traffic of the last seconds (2,000 of all versions and tools), and the first five events of a breach. A
system that was never suspended has none; one that a contract may suspend has those windows, about 300 bytes each. At
its largest it takes 1.0 MB.

What its violation says: what goes on since when, who suspended it and why; the first five events are its evidence.

What it cannot see: what a system does without an event. A system that no document declares has no owner, so that nobody
may suspend it; only a contract can.

```yaml
- id: suspended
  kind: suspension
  quiet: 1d
```

Beside this document:

```yaml
kind: System
id: agent
type: agent
owner: owner@example.org
authority: {suspend: [owner@example.org], resume: [owner@example.org]}
```

and with these events:

```json
{"type": "tool_call", "event_time": "2026-03-02T09:00:00Z", "system": "agent", "version": "v1", "tool": "refund"}
{"type": "suspension", "event_time": "2026-03-02T09:01:00Z", "system": "agent", "state": "suspended",
 "person": "owner@example.org", "reason": "it refunds twice"}
{"type": "tool_call", "event_time": "2026-03-02T09:05:00Z", "system": "agent", "version": "v1", "tool": "refund"}
{"type": "suspension", "event_time": "2026-03-02T09:30:00Z", "system": "agent", "state": "resumed",
 "person": "owner@example.org", "reason": "mended in 7.1"}
{"type": "tool_call", "event_time": "2026-03-02T09:31:00Z", "system": "agent", "version": "v1", "tool": "refund"}
```

Replayed, this gives:

```text
breach resolved, opened 2026-03-02T09:05:00Z, resolved 2026-03-02T09:30:00Z
  agent was resumed by owner@example.org at 2026-03-02 09:30:00 UTC: “mended in 7.1”
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field

from seamwatch.clauses.clause import Clause
from seamwatch.clauses.suspension.state import WINDOW, Named, SuspensionState
from seamwatch.clauses.suspension.traffic import Went, look_again, looked, with_traffic
from seamwatch.clauses.suspension.words import over, went_on
from seamwatch.durations import DAY, Duration
from seamwatch.expressions.build import always
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Answered, Finding, Input, Judgement, Moment, Open, Resolve, Suspend
from seamwatch.judging.model.measure import Measure
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import split
from seamwatch.judging.patterns.suspensions import (
    MADE,
    Claim,
    claim_of,
    effect_of,
    pruned,
    standing,
    targets,
    why_void,
    with_claim,
)
from seamwatch.judging.patterns.windows import earliest

_TOOLS: Final = "tools"


class Suspension(Clause, kind="suspension"):
    """What is suspended stays so."""

    state_type = SuspensionState
    wants = frozenset({"suspension", MADE})
    at_once = wants

    kind: Literal["suspension"]
    quiet: Duration = Field(
        DAY, ge=WINDOW, description="a breach is over after so long without traffic; what comes then is another"
    )

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls."""
        return ("inference", "tool_call")

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Of a system that may be suspended, all that it does: by version, and calls by tool as well."""
        if not (seam.held or seam.always_held):
            return ()
        made = split(self.where).made
        decisions = Measure("inference", always(), WINDOW, self.where, slice=("version",), evidence=1, name="decisions")
        calls = replace(decisions, source="tool_call", select=made, name="calls")
        return (decisions, calls, replace(calls, slice=("tool",), name=_TOOLS))

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        return ""

    def judge(self, seam: Seam, state: SuspensionState | None, received: Input, moment: Moment) -> Judgement:
        """What was said, and whether traffic goes on in spite of it."""
        state = state or SuspensionState()
        said: tuple[Finding, ...] = ()
        unmeasured = False
        if isinstance(received, ForwardedEvent):
            before = state
            state, said = self._claimed(seam, before, received)
            unmeasured = state is not before and _is_unmeasured(seam, claim_of(received.record, received.arrived))
        elif isinstance(received, Fact):
            of: Named = "tool" if received.measure == _TOOLS else "version"
            state = replace(state, passed=with_traffic(state.passed, received, of, moment.now))
            if moment.settle == 0 and seam.contract_suspends:
                # In a history it is held to what was said when time has passed: a breach within it may say more.
                return Judgement(state, (), self._again(state, look_again(state.passed, moment, waiting=True)))
        now = looked(
            seam, self.id, state.claims, state.passed, state.going_on, moment, quiet=self.quiet,
            by_contract=seam.contract_suspends,
        )  # fmt: skip
        state = SuspensionState(pruned(state.claims, moment.watermark), now.passed, now.going_on)
        findings = (*said, *(self._finding(seam, went) for went in now.went))
        kept = None if state == SuspensionState() else state
        return Judgement(kept, findings, self._again(state, now.deadline), now.wake, now.late + unmeasured)

    def _again(self, state: SuspensionState, deadline: int | None) -> int | None:
        """When to look again; also to forget what was said when it has long been resumed."""
        ends = (standing(state.claims, target) for target in targets(state.claims))
        forgotten = [span.end + DAY for span in ends if span is not None and span.end is not None]
        lone = [claim.at + DAY for claim in state.claims if standing(state.claims, claim.target) is None]
        return earliest(deadline, *forgotten, *lone)

    def _claimed(
        self, seam: Seam, state: SuspensionState, event: ForwardedEvent
    ) -> tuple[SuspensionState, tuple[Finding, ...]]:
        """The state with what was said, if it counts; and what is told of it."""
        record, made = event.record, event.type == MADE
        void = None if made else why_void(seam, record, event.arrived)
        if void is not None:
            return state, (_answered(record, *void),)
        claim = claim_of(record, None if made else event.arrived)
        state = replace(state, claims=with_claim(state.claims, claim))
        reason, summary = effect_of(state.claims, claim)
        findings: list[Finding] = [] if made else [_answered(record, reason, summary)]
        if reason == "counts":
            findings.append(_concluded(state.claims, claim))
        return state, tuple(findings)

    def _finding(self, seam: Seam, went: Went) -> Finding:
        span, change = went.span, went.change
        key = f"{went.name}/{change.run.first}"
        part = span.by.tool or span.by.version
        if change.what == "off":
            return Resolve(self.severity, key, change.at, slice=part, summary=over(seam, span, change.at))
        return Open(
            self.severity,
            key,
            change.at,
            went_on(seam, span, change.run),
            slice=part,
            since=span.by.at,
            evidence=change.run.evidence,
        )


def _is_unmeasured(seam: Seam, claim: Claim) -> bool:
    """Whether traffic to which it would be held may not have been measured, because it was heard of afterwards."""
    return claim.state == "suspended" and claim.put_in_later and not seam.always_held


def _answered(record: Mapping[str, Any], reason: str, summary: str) -> Answered:
    what = record.get("tool") or record.get("version") or record["system"]
    answer = "suspend" if record["state"] == "suspended" else "resume"
    return Answered(
        record["event_id"], "suspension", what, record["person"], answer, int(record["event_time"]),
        reason == "counts", reason, summary,
    )  # fmt: skip


def _concluded(claims: tuple[Claim, ...], claim: Claim) -> Suspend:
    """What holds of a target from now on."""
    span = standing(claims, claim.target)
    since = claim.at if claim.state == "resumed" or span is None else span.by.at
    return Suspend(
        claim.suspension_id, claim.version, claim.tool, claim.state, claim.person, claim.reason, claim.evidence_uri,
        since, claim.until, claim.contract, claim.violation_id,
    )  # fmt: skip
