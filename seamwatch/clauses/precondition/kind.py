r"""Precondition: before this call, that one, in the same conversation.

A call of `tool` must come after a call of `requires` in the same conversation (`trace_id`), with equal values of the
arguments named in `matching` (a name with dots reaches inside). An argument that is absent or null equals nothing, nor
does one that is not known for sure, such as those of arguments that cannot be read; whole numbers are compared by
their digits ([expressions](../expressions.md#inside-arguments)). What was required holds for the rest of the
conversation, for a day at most. `where` selects among the calls of `tool`. A call outside any conversation has nothing
before it.

What was denied, by a guard or anybody else, did not happen. So a required call that was denied requires nothing, and a
call of `tool` that was denied is told as an attempt, a warning of its own with its own words, one episode a
conversation. So many attempts of one conversation as `attempts` says (10) are a finding of the clause's severity, which
opens with the last of them. A `where` that names denied calls says itself which calls are meant: then none are told
apart. An escalated call counts as made.

The order is that of (event_time, event_id). A call is therefore judged when what came before it has had time to
arrive: the allowed lateness and the settling time (seconds) after it was made. One that comes later than that is
counted as late: as a required call it still holds for calls after it, as a call of `tool` it is not judged. There is
one episode a conversation, over half an hour after its last call of either tool.

State: one for each conversation with a call of either tool, for a day after its last: the calls that wait for what
may come before them (seconds; 5,000 at most), when each of the last 1,000 different values of what is matched was
required (40 bytes each; the oldest makes room), and the first five offending calls. Both tools' calls travel one by
one. At its largest it takes 1.4 MB.

What its violation says: the call that was made and the one that it should have come after, in which conversation and
when; the first five such calls are its evidence.

What it cannot see: whether the required call succeeded, unless its `decision` says so.

```yaml
- id: identity-before-refund
  kind: precondition
  tool: refund
  requires: verify_identity
  matching: [user_id]
```

With these events:

```json
{"type": "tool_call", "event_time": "2026-03-02T09:00:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "verify_identity", "arguments": "{\"user_id\": \"u1\"}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:01:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"user_id\": \"u1\"}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:02:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"user_id\": \"u2\"}", "decision": "allowed"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:02:00Z, slice t1
  agent called tool 'refund' without having called 'verify_identity' with the same user_id before, in conversation
  t1 at 2026-03-02 09:02:00 UTC
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause, Condition
from seamwatch.clauses.precondition.state import REMEMBERED, PreconditionState, Shown
from seamwatch.durations import DAY
from seamwatch.expressions.build import all_of, equals, is_in, is_null, negate
from seamwatch.judging.model.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import Measure
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import ATTEMPT, ATTEMPTS, MOST_ATTEMPTS, PILED, Severity, attempted, split
from seamwatch.judging.patterns.calls import Call, Calls
from seamwatch.judging.patterns.runs import TRACE_IDLE
from seamwatch.judging.patterns.wording import moment_text


class Precondition(Clause, kind="precondition"):
    """Before this, that."""

    state_type = PreconditionState

    kind: Literal["precondition"]
    tool: str = Field(min_length=1, description="the call that has a precondition")
    requires: str = Field(min_length=1, description="the tool that must have been called before")
    matching: tuple[str, ...] = Field((), description="arguments whose values must be equal in both calls")
    attempts: int = Field(
        ATTEMPTS, ge=1, le=MOST_ATTEMPTS, description="so many denied calls of a conversation are more than attempts"
    )

    @model_validator(mode="after")
    def _two_tools(self) -> Self:
        if self.tool == self.requires:
            raise ValueError(f"tool and requires are both {self.tool!r}: a call cannot be its own precondition")
        return self

    def sources(self) -> tuple[str, ...]:
        """Tool calls."""
        return ("tool_call",)

    def conditions(self) -> Iterator[Condition]:
        """`where`, of calls of the tool."""
        yield from (replace(each, within=equals("tool", self.tool)) for each in super().conditions())

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """The calls of both tools, one by one; those of the tool that were denied apart."""
        calls = split(self.where)
        happened = all_of(is_in("decision", ["allowed", "escalated"]), negate(is_null("trace_id")))
        tool, requires = equals("tool", self.tool), all_of(equals("tool", self.requires), happened)
        made = Measure(
            "tool_call",
            tool,
            TRACE_IDLE,
            select=calls.made,
            slice=("trace_id",),
            only_breaches=True,
            name="tool",
            evidence=None,
            matching=self.matching,
        )
        return (
            made,
            replace(attempted(made, calls), name="tried", evidence=None),
            Measure(
                "tool_call",
                requires,
                TRACE_IDLE,
                slice=("trace_id",),
                only_breaches=True,
                name="requires",
                evidence=None,
                matching=self.matching,
            ),
        )

    def judge(self, seam: Seam, state: PreconditionState | None, received: Input, moment: Moment) -> Judgement:
        """Takes calls in when they come, and judges them in order when their time has come."""
        state = state or PreconditionState()
        if isinstance(received, Fact):
            # Judged in the next turn: facts of the same flush may be of calls before these.
            calls, missed = state.calls.add(received, moment)
            required = state.required
            if missed:
                required = dict(required)
                for call in missed:
                    if call.role == "requires":
                        self._require(required, call)
            late = sum(call.role != "requires" for call in missed)
            state = PreconditionState(
                calls, required, state.offending, state.last, state.over, state.tried, state.denied, state.piled
            )
            return Judgement(state, (), state.deadline(), calls.wake(moment), late)
        findings: list[Finding] = []
        ready, calls = state.calls.take(moment)
        state = self._judged(seam, state, ready, calls, moment, findings)
        forgotten = not calls.waiting and moment.watermark >= state.last + DAY
        kept = None if forgotten else state
        return Judgement(kept, tuple(findings), state.deadline(), calls.wake(moment))

    def _judged(
        self,
        seam: Seam,
        state: PreconditionState,
        ready: Sequence[Call],
        calls: Calls,
        moment: Moment,
        findings: list[Finding],
    ) -> PreconditionState:
        # One state for all of the calls, since there are many.
        required, last, over = dict(state.required), state.last, state.over
        shown = Shown(state.offending, state.tried, state.denied, state.piled)
        for call in ready:
            time = call.event.event_time
            over = self._ended(shown, last, time, moment, findings, over=over)
            if time >= last + DAY:
                # What a silent day has ended is forgotten, live as well as in a history that is read at once.
                required, shown, over = {}, Shown(), False
            last = time
            if call.role == "requires":
                self._require(required, call)
                continue
            value = self._value(call)
            before = None if value is None else required.get(value)
            if over or (before is not None and time < before + DAY):
                continue
            event = replace(call.event, label=None)
            if call.role == "tried":
                self._tried(seam, shown, event, moment.slice, findings)
                continue
            offending = merge_evidence(shown.offending, (event,))
            if offending != shown.offending:
                shown.offending = offending
                findings.append(self._open(seam, offending, moment.slice))
        if not calls.waiting:
            over = self._ended(shown, last, moment.watermark, moment, findings, over=over)
        return PreconditionState(
            calls, required, shown.offending, last, over, shown.tried, shown.denied, shown.piled
        )  # fmt: skip

    def _tried(self, seam: Seam, shown: Shown, event: Evidence, trace: str | None, findings: list[Finding]) -> None:
        shown.denied += 1
        tried = merge_evidence(shown.tried, (event,))
        if tried != shown.tried:
            shown.tried = tried
            findings.append(self._open(seam, tried, trace, ATTEMPT))
        if shown.denied == self.attempts:
            shown.piled = event.event_time
            findings.append(self._open(seam, tried, trace, PILED, shown.piled))

    def _ended(self, shown: Shown, last: int, now: int, moment: Moment, findings: list[Finding], *, over: bool) -> bool:
        if not (shown.offending or shown.tried) or over or now < last + TRACE_IDLE:
            return over
        episodes: list[tuple[Severity, str, object]] = [
            (self.severity, "", shown.offending),
            ("warning", ATTEMPT, shown.tried),
            (self.severity, PILED, shown.piled is not None),
        ]
        findings.extend(
            Resolve(severity, key, last + TRACE_IDLE, slice=moment.slice)
            for severity, key, opened in episodes
            if opened
        )
        return True

    def _require(self, required: dict[str, int], call: Call) -> None:
        value = self._value(call)
        if value is None:
            return
        required[value] = max(call.event.event_time, required.get(value, call.event.event_time))
        if len(required) > REMEMBERED:
            del required[min(required, key=lambda each: (required[each], each))]

    def _value(self, call: Call) -> str | None:
        return call.event.label if self.matching else ""

    def _open(
        self, seam: Seam, shown: tuple[Evidence, ...], trace: str | None, key: str = "", at: int | None = None
    ) -> Open:
        first = shown[0]
        same = f" with the same {' and '.join(self.matching)}" if self.matching else ""
        where = f"in conversation {trace}" if trace else "outside any conversation"
        called, denied = ("tried to call", ", denied by the guard") if key else ("called", "")
        summary = (
            f"{seam.system} {called} tool {self.tool!r} without having called {self.requires!r}{same} before{denied}, "
            f"{where} at {moment_text(first.event_time)}"
        )
        many = key == PILED
        return Open(
            "warning" if key == ATTEMPT else self.severity,
            key,
            first.event_time if at is None else at,
            f"{summary}; {self.attempts} attempts in one conversation are too many" if many else summary,
            slice=trace,
            since=first.event_time,
            observed=self.attempts if many else None,
            limit=self.attempts - 1 if many else None,
            unit="attempts" if many else None,
            evidence=shown,
        )
