"""Rate: no more than an agreed number, in a conversation, for one person, or in a stretch of time.

- `per: trace` counts the tool calls of a conversation (`trace_id`). It begins anew when nothing was counted for a day.
  One episode a conversation, over when nothing was counted for half an hour. A call without one is of no conversation:
  all such calls together would be no number that anybody agreed on, so it is counted as unknown and told
  ([operations](../operations.md#lag-and-metrics)); a guard, which can still say no, denies it. Where for a day all
  calls are such, the clause says that it has [nothing to judge](../episodes.md#nothing-to-judge).
- `per: subject` counts the decisions about one person in each `window`.
- `per: 1h` (any duration) counts the tool calls of the system in each hour.

Windows tumble, aligned to the UTC epoch. An episode begins with the first window that exceeds, and is over with the
first that does not, or, where it flaps from window to window or `quiet` is agreed, when none has for so long
([episodes](../episodes.md#the-end)).

Calls that were made are counted, escalated ones among them; one that was denied was not made. A call that a guard
denied by this very clause (its `authorisation` says so) is told as an attempt to go beyond, a warning of its own with
its own words, one episode a conversation. So many of one conversation as `attempts` says (10) are a finding of the
clause's severity. A `where` that names denied calls says itself which calls are meant: then all that it selects count.

A breach is told with the first event beyond `max`, which is when it opens (`opened_at`); its evidence are the
first five beyond. Both are exact whatever the batches and whatever the order of arrival, for a `max` up to 995;
above, a breach is told when its window is complete, opens at the window's end and shows the window's first events.
Until the window is complete the number observed is `max` + 1, then the window's own.

State: of each conversation with an attempt about 16 kB at its 100th. Of each conversation its number and its earliest
`max` + 5 events, until a day without one; of each window that is not yet complete the same, 1,440 windows or 10,000
events at most (of each person with `per: subject`): the oldest window beyond is judged as it is, and what still comes
for it is counted as late. An event takes about 150 bytes. At its largest it takes 1.9 MB.

What its violation says: the number counted (`observed`) and the number agreed (`limit`), in which conversation or
window or about whom.

What it cannot see: a burst across the border of two windows, each of them within bounds.

```yaml
- id: one-refund
  kind: rate
  max: 1
  per: trace
  tool: refund
```

With these events:

```json
{"type": "tool_call", "event_time": "2026-03-02T09:00:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:01:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{}", "decision": "allowed"}
```

Replayed to 2026-03-02T10:00:00Z, this gives:

```text
breach resolved, opened 2026-03-02T09:01:00Z, resolved 2026-03-02T09:31:00Z, slice t1
  agent made more than 1 calls of tool 'refund' in conversation t1; agreed at most 1
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Condition, Selecting
from seamwatch.clauses.rate.exceeding import KEPT, Exceeding
from seamwatch.clauses.rate.looking import Looking
from seamwatch.clauses.rate.state import RateState
from seamwatch.durations import DAY, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, always, equals, given, is_null, negate
from seamwatch.judging.model.facts import EVIDENCE_LIMIT, Fact
from seamwatch.judging.model.judgement import Input, Judgement, Moment, Resolve
from seamwatch.judging.model.measure import Measure, Source, Watch, label_of
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import (
    ATTEMPT,
    ATTEMPTS,
    MOST_ATTEMPTS,
    Aspect,
    ConductRule,
    Said,
    attempted,
    conducted,
    part_of,
    place_of,
    split,
)
from seamwatch.judging.patterns.calm import WHEN_ABSENT
from seamwatch.judging.patterns.runs import TRACE_IDLE, Run
from seamwatch.judging.patterns.tallies import Tallies, talked
from seamwatch.judging.patterns.wording import moment_text


class Rate(Selecting, kind="rate"):
    """No more than so many."""

    state_type = RateState

    kind: Literal["rate"]
    max: int = Field(ge=0, description="the largest number that is agreed")
    per: Literal["trace", "subject"] | Duration = Field(
        description="what is counted: calls of a conversation (`trace`), decisions about a person (`subject`), or "
        "calls in a stretch of time (a duration)"
    )
    tool: str | None = Field(None, min_length=1, description="only calls of this tool; not with `per: subject`")
    window: Duration = Field(DAY, description="`per: subject`: the window in which decisions are counted")
    quiet: Duration | None = Field(
        None,
        description="not `per: trace`: a breach is over after so long, in whole windows, without one that exceeds; "
        f"{WHEN_ABSENT}",
    )
    attempts: int = Field(
        ATTEMPTS, ge=1, le=MOST_ATTEMPTS, description="so many denied calls of a conversation are more than attempts"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.per == "subject" and self.tool is not None:
            raise ValueError("per: subject counts decisions, which have no tool: leave tool out, or count per: trace")
        if self.per == "trace" and self.max > KEPT - EVIDENCE_LIMIT:
            raise ValueError(f"per: trace counts up to {KEPT - EVIDENCE_LIMIT} calls: lower max, or count per: 1h")
        return self

    def sources(self) -> tuple[str, ...]:
        """Decisions for `per: subject`, tool calls otherwise."""
        return ("inference",) if self.per == "subject" else ("tool_call",)

    def conditions(self) -> Iterator[Condition]:
        """`where`, of what is counted."""
        yield from (replace(each, within=self.counted) for each in super().conditions())

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Events that count, by conversation, subject or window."""
        counted = self.counted
        if self.per == "trace":
            counted = all_of(counted, negate(is_null("trace_id")))
        sliced = {"trace": ("trace_id",), "subject": ("subject",)}.get(str(self.per), ())
        if self.per == "subject":
            return (self._counting("inference", counted, self.where, sliced),)
        calls = split(self.where)
        made = self._counting("tool_call", counted, calls.made, sliced)
        denied_by = f"{seam.contract}@{seam.contract_version}#{self.id}"
        beyond = replace(
            made, breach=equals("authorisation", denied_by), window=TRACE_IDLE, slice=("trace_id",), label="tool"
        )
        return (made, attempted(beyond, calls))

    def _counting(
        self, source: Source, counted: Expression, select: Expression | None, sliced: tuple[str, ...]
    ) -> Measure:
        return Measure(
            source,
            counted,
            self._window,
            select=select,
            slice=sliced,
            only_breaches=True,
            evidence=self._exceeding.kept,
        )

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And, of calls that are counted in a conversation, whether they are of one."""
        if self.per != "trace":
            return super().watches(seam)
        made = split(self.where).made
        select = self.counted if made is None else all_of(made, self.counted)
        return (*super().watches(seam), Watch("tool_call", given("trace_id"), select))

    def left_out(self) -> Mapping[Source, Expression]:
        """`per: trace`: calls outside any conversation."""
        return {"tool_call": is_null("trace_id")} if self.per == "trace" else {}

    def asked_of(self, source: Source) -> Expression | None:
        """Calls that would count in a conversation."""
        return self.counted if self.where is None else all_of(self.where, self.counted)

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """None: such calls are counted by what is watched already."""
        yield from ()

    def gives(self, source: str) -> str:
        """A conversation."""
        return "is of a conversation (trace_id)"

    def part_of(self, received: Input) -> str | None:
        """What is counted together; attempts are a part of their own."""
        return part_of(received) if isinstance(received, Fact) else ""

    @property
    def counted(self) -> Expression:
        """What counts of the events that `where` selects, within a conversation or outside any."""
        return always() if self.tool is None else equals("tool", self.tool)

    @property
    def _exceeding(self) -> Exceeding:
        return Exceeding(self.severity, self.max, self.per, self.tool)

    @property
    def _window(self) -> int:
        if isinstance(self.per, int):
            return self.per
        return self.window if self.per == "subject" else TRACE_IDLE

    def judge(self, seam: Seam, state: RateState | None, received: Input, moment: Moment) -> Judgement:
        """Counts what came, and says when it is more than was agreed."""
        fact = received if isinstance(received, Fact) else None
        state = state or RateState()
        if place_of(moment.slice)[0] == ATTEMPT:
            rule = ConductRule(self.severity, attempts=self.attempts)
            judged = conducted(state.tried, fact, moment, rule, partial(self._said, seam))
            return replace(judged, state=None if judged.state is None else RateState(tried=judged.state))
        judge = self._conversation if self.per == "trace" else Looking(self._exceeding, self._window, self.quiet).judge
        judged = judge(seam, state.counted, fact, moment)
        left = judged.state
        if left is None:
            return judged
        kept = RateState(left.tallies, left.done, left.first, left.until, left.over, stretch=left.stretch)
        return Judgement(kept, judged.findings, judged.deadline, judged.wake, judged.late)

    def _said(self, seam: Seam, _aspect: Aspect, trace: str | None, run: Run) -> Said:
        first = run.evidence[0]
        tool, _ = label_of(first.label)
        where = f"in conversation {trace}" if trace else "outside any conversation"
        most = f"{self.max} {'call' if self.max == 1 else 'calls'}"
        each = f"in {format_duration(self.per)}" if isinstance(self.per, int) else "in a conversation"
        return Said(
            f"{seam.system} tried to call tool {tool!r} beyond the {most} agreed {each}, denied by the guard, {where} "
            f"at {moment_text(first.event_time)}"
        )

    def _conversation(self, seam: Seam, state: Tallies, fact: Fact | None, moment: Moment) -> Judgement:
        found = talked(state, fact, moment, most=self.max, kept=self._exceeding.kept)
        findings = (
            Resolve(self.severity, "", change, slice=moment.slice)
            if isinstance(change, int)
            else self._exceeding.found(seam, "", change, moment.slice, exact=True)
            for change in found.changes
        )
        return Judgement(found.state, tuple(findings), found.deadline)
