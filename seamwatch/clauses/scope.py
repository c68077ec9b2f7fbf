r"""Scope: the agent calls only the tools it was authorised to call, with arguments it was authorised to use.

Every call is checked, allowed or not: a call that a guard refused still shows that the agent left its scope. A
listed tool may carry a condition over its arguments, which must hold; NULL (an absent argument) does not hold.
There is one episode per conversation (`trace_id`), however many calls offend.

State: one for each conversation with an offending call, about 3 kB: its half hours with such calls that are not yet
complete, 1,440 at most, and the first five of them, until a day after its episode is over. Others cost nothing. At its
largest it takes 2.3 MB.

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
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:01:00Z, slice t1
  agent called tool 'refund' with arguments outside what was agreed, in conversation t1 at 2026-03-02 09:01:00 UTC
breach open, opened 2026-03-02T09:02:00Z, slice t2
  agent called tool 'delete_user' which it is not authorised to call, in conversation t2 at 2026-03-02 09:02:00 UTC
```
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.clauses.clause import Clause
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, equals, not_true
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure, Watch
from seamwatch.judging.runs import TRACE_IDLE, Change, Runs, occurrences
from seamwatch.judging.seam import Seam
from seamwatch.judging.wording import moment_text


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

    state_type = Runs

    kind: Literal["scope"]
    tools: tuple[PermittedTool, ...] = Field(min_length=1, description="what the agent may call")

    def sources(self) -> tuple[str, ...]:
        """Tool calls."""
        return ("tool_call",)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Calls that match no permitted tool, by conversation."""
        return (
            Measure(
                "tool_call",
                not_true(self._permitted),
                TRACE_IDLE,
                select=self.where,
                slice=("trace_id",),
                only_breaches=True,
                label="tool",
            ),
        )

    @property
    def _permitted(self) -> Expression:
        return any_of(*(_permits(tool) for tool in self.tools))

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And what is permitted."""
        return (*super().watches(seam), Watch("tool_call", self._permitted, self.where))

    def judge(self, seam: Seam, state: Runs | None, happening: Happening, moment: Moment) -> Judgement:
        """One episode a conversation, by the occurrence rule."""
        fact = happening if isinstance(happening, Fact) else None
        return occurrences(state, fact, moment, quiet=TRACE_IDLE, once=True).judgement(
            lambda c: self._finding(seam, moment.slice, c)
        )

    def _finding(self, seam: Seam, trace: str | None, change: Change) -> Finding:
        if change.what == "off":
            return Resolve(self.severity, "", change.at, slice=trace)
        first = change.run.evidence[0]
        listed = first.label in {tool.tool for tool in self.tools}
        why = "with arguments outside what was agreed" if listed else "which it is not authorised to call"
        where = f"in conversation {trace}" if trace else "outside any conversation"
        summary = f"{seam.system} called tool {first.label!r} {why}, {where} at {moment_text(first.event_time)}"
        return Open(
            self.severity, "", change.at, summary, slice=trace, since=first.event_time, evidence=change.run.evidence
        )


def _permits(tool: PermittedTool) -> Expression:
    named = equals("tool", tool.tool)
    return named if tool.where is None else all_of(named, tool.where)
