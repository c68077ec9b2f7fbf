r"""Scope: the agent calls only the tools it was authorised to call, with arguments it was authorised to use.

A listed tool may carry a condition over its arguments, which must hold. What cannot be told does not hold, and its
reason is said: an argument that is absent, text where a number is asked for, arguments that cannot be read
([expressions](../expressions.md#null)). There is one episode per conversation (`trace_id`), however many calls offend.

A call that was denied, by a guard or anybody else, was not made: it is told as an attempt, a warning of its own with
its own words, one episode a conversation. So many attempts of one conversation as `attempts` says (10) are a finding of
the clause's severity, which opens with the last of them. A `where` that names denied calls says itself which
calls are meant: then none are told apart. An escalated call counts as made: no person's word lifts a clause.

State: one for each conversation with an offending call, about 3 kB, and one for each with an attempt, about 16 kB at
its 100th: the half hours with such calls that are not yet complete, 1,440 at most, and the first five of them, until a
day after its episode is over. Others cost nothing. At its largest it takes 2.3 MB.

What its violation says: the tool of the first call outside the scope, whether the tool or its arguments were not
agreed, in which conversation and when; the first five such calls are its evidence.

What it cannot see: calls that the agent does not report, and what a permitted tool does inside.

```yaml
- id: tools
  kind: scope
  tools:
    - tool: find_user
    - tool: refund
      where: arguments.amount <= 100
```

With these events:

```json
{"type": "tool_call", "event_time": "2026-03-02T09:00:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"amount\": 80}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:01:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"amount\": 120}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:02:00Z", "system": "agent", "version": "v1", "trace_id": "t2",
 "tool": "delete_user", "arguments": "{}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:03:00Z", "system": "agent", "version": "v1", "trace_id": "t3",
 "tool": "refund", "arguments": "{\"amount\": \"80\"}", "decision": "denied"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:01:00Z, slice t1
  agent called tool 'refund' with arguments outside what was agreed, in conversation t1 at 2026-03-02 09:01:00 UTC
breach open, opened 2026-03-02T09:02:00Z, slice t2
  agent called tool 'delete_user' which it is not authorised to call, in conversation t2 at 2026-03-02 09:02:00 UTC
warning open, opened 2026-03-02T09:03:00Z, slice t3
  agent tried to call tool 'refund' with arguments outside what was agreed (arguments.amount is text, not a number),
  denied by the guard, in conversation t3 at 2026-03-02 09:03:00 UTC
```
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.clauses.clause import Clause, Condition
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, equals
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Input, Judgement, Moment
from seamwatch.judging.model.measure import FAILS, Measure, Watch, label_of
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import (
    ATTEMPT,
    ATTEMPTS,
    MOST_ATTEMPTS,
    Aspect,
    Conduct,
    ConductRule,
    Said,
    attempted,
    conducted,
    part_of,
    split,
)
from seamwatch.judging.patterns.runs import TRACE_IDLE, Run
from seamwatch.judging.patterns.wording import moment_text


class PermittedTool(BaseModel):
    """One tool the agent may call, and the condition its arguments must meet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str = Field(min_length=1, description="the tool's name")
    where: Expression | None = Field(None, description="must hold for the call; NULL does not hold")

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        if self.where is not None:
            self.where.check("tool_call")
        return self


class Scope(Clause, kind="scope"):
    """Only these tools, only so."""

    state_type = Conduct

    kind: Literal["scope"]
    tools: tuple[PermittedTool, ...] = Field(min_length=1, description="what the agent may call")
    attempts: int = Field(
        ATTEMPTS, ge=1, le=MOST_ATTEMPTS, description="so many denied calls of a conversation are more than attempts"
    )

    def sources(self) -> tuple[str, ...]:
        """Tool calls."""
        return ("tool_call",)

    def conditions(self) -> Iterator[Condition]:
        """And that of each tool."""
        yield from super().conditions()
        for number, tool in enumerate(self.tools):
            if tool.where is not None:
                within = equals("tool", tool.tool)
                within = within if self.where is None else all_of(self.where, within)
                yield Condition(("tools", number, "where"), tool.where, self.sources(), "meets", within=within)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Calls that match no permitted tool, by conversation: those made, and attempts."""
        calls = split(self.where, *(tool.where for tool in self.tools))
        made = Measure(
            "tool_call",
            self._permitted,
            TRACE_IDLE,
            select=calls.made,
            slice=("trace_id",),
            only_breaches=True,
            label="tool",
            offends=FAILS,
        )
        return (made, attempted(made, calls))

    @property
    def _permitted(self) -> Expression:
        return any_of(*(_permits(tool) for tool in self.tools))

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And what is permitted."""
        return (*super().watches(seam), Watch("tool_call", self._permitted, self.where))

    def part_of(self, received: Input) -> str | None:
        """The conversation; attempts are a part of their own."""
        return part_of(received) if isinstance(received, Fact) else ""

    def judge(self, seam: Seam, state: Conduct | None, received: Input, moment: Moment) -> Judgement:
        """One episode a conversation, by the occurrence rule."""
        fact = received if isinstance(received, Fact) else None
        rule = ConductRule(self.severity, attempts=self.attempts)
        return conducted(state, fact, moment, rule, partial(self._said, seam))

    def _said(self, seam: Seam, aspect: Aspect, trace: str | None, run: Run) -> Said:
        first = run.evidence[0]
        tool, why = label_of(first.label)
        listed = tool in {permitted.tool for permitted in self.tools}
        doubt = f" ({why})" if why else ""
        outside = f"with arguments outside what was agreed{doubt}" if listed else "which it is not authorised to call"
        where = f"in conversation {trace}" if trace else "outside any conversation"
        when = moment_text(first.event_time)
        if aspect == ATTEMPT:
            return Said(f"{seam.system} tried to call tool {tool!r} {outside}, denied by the guard, {where} at {when}")
        return Said(f"{seam.system} called tool {tool!r} {outside}, {where} at {when}")


def _permits(tool: PermittedTool) -> Expression:
    named = equals("tool", tool.tool)
    return named if tool.where is None else all_of(named, tool.where)
