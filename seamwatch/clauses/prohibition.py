r"""Prohibition: what the agent never does.

Every call is checked, allowed or not: a call that a guard refused still shows that the agent tried. A call for
which `never` is NULL (an absent argument) is not the prohibited one. There is one episode per conversation
(`trace_id`), which opens at once with its first such call, and is over when none has followed for half an hour.

State: one for each conversation with an offending call, about 3 kB: its half hours with such calls that are not yet
complete, 1,440 at most, and the first five of them, until a day after its episode is over. Others cost nothing. At its
largest it takes 2.3 MB.

What its violation says: what must never be done, the tool of the first call that did it, in which conversation and
when; the first five such calls are its evidence.

What it cannot see: calls that the agent does not report, and what a call leads to elsewhere.

```yaml
- id: no-refund-of-used-tickets
  kind: prohibition
  never: tool = 'refund' AND arguments.segments_flown > 0
```

With these events:

```json
{"type": "tool_call", "event_time": "2026-03-02T09:00:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"segments_flown\": 0}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:01:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"segments_flown\": 2}", "decision": "allowed"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:01:00Z, slice t1
  agent did what it must never do (tool = 'refund' AND arguments.segments_flown > 0): it called tool 'refund', in
  conversation t1 at 2026-03-02 09:01:00 UTC
```
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause
from seamwatch.expressions import Expression
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure, Watch
from seamwatch.judging.runs import TRACE_IDLE, Change, Runs, occurrences
from seamwatch.judging.seam import Seam
from seamwatch.judging.wording import moment_text


class Prohibition(Clause, kind="prohibition"):
    """Never this."""

    state_type = Runs

    kind: Literal["prohibition"]
    never: Expression = Field(description="what must not happen, over the fields of a tool call; NULL does not happen")

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        self.never.check("tool_call")
        return self

    def sources(self) -> tuple[str, ...]:
        """Tool calls."""
        return ("tool_call",)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Prohibited calls, by conversation."""
        return (
            Measure(
                "tool_call",
                self.never,
                TRACE_IDLE,
                select=self.where,
                slice=("trace_id",),
                only_breaches=True,
                label="tool",
            ),
        )

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And `never`."""
        return (*super().watches(seam), Watch("tool_call", self.never, self.where))

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
        where = f"in conversation {trace}" if trace else "outside any conversation"
        summary = (
            f"{seam.system} did what it must never do ({self.never}): it called tool {first.label!r}, {where} at "
            f"{moment_text(first.event_time)}"
        )
        return Open(
            self.severity, "", change.at, summary, slice=trace, since=first.event_time, evidence=change.run.evidence
        )
