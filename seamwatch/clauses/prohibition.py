r"""Prohibition: what the agent never does.

There is one episode per conversation (`trace_id`), which opens at once with its first such call, and is over when
none has followed for half an hour.

Of a rule that forbids, what cannot be told is not what did not happen ([expressions](../expressions.md#null)):

- `unknown` says what a call is in which something *odd* is given, so that `never` cannot be told: text for a number, a
  list, arguments that cannot be read. Models write `"5000"` for 5000 daily, and a value of another kind is the
  simplest way round a rule. So it is a **breach** like the prohibited call, which says why it could not be told;
  `ignore` counts it only.
- `missing` says the same of a call in which an argument that `never` asks for is not given. Often that is as it should
  be, for an optional argument, and sometimes it is the way round (a deny rule that compares a hash, and no hash). So it
  is a **warning** where `never` names the tool, once a conversation; where it names none it is counted only, since most
  calls of most tools lack any one argument. `breach` and `ignore` say otherwise. `IS NULL` in `never` is better: it
  says what is meant.
- A field or attribute without a value (no `confidence`, no `resource`) is no offence; it is counted.

All of them are counted and told ([operations](../operations.md#lag-and-metrics)). Only `scope` bounds how a call may be
made: to `never`, `{"Amount": 5000}` is a call without `amount`.

A call that was denied, by a guard or anybody else, was not made: it is told as an attempt, a warning of its own with
its own words, one episode a conversation. So many attempts of one conversation as `attempts` says (10) are a finding of
the clause's severity, which opens with the last of them. A `never` or `where` that names denied calls says itself which
calls are meant: then none are told apart. An escalated call counts as made: no person's word lifts a clause.

State: one for each conversation with an offending call, about 3 kB, one for each with a call that lacks an argument,
and one for each with an attempt, about 16 kB at its 100th: the half hours with such calls that are not yet complete,
1,440 at most, and the first five of them, until a day after its episode is over. Others cost nothing. At its largest
it takes 2.3 MB.

What its violation says: what must never be done, the tool of the first call that did it or of which that cannot be
told, and why, in which conversation and when; the first five such calls are its evidence.

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
{"type": "tool_call", "event_time": "2026-03-02T09:02:00Z", "system": "agent", "version": "v1", "trace_id": "t2",
 "tool": "refund", "arguments": "{\"segments_flown\": \"two\"}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:03:00Z", "system": "agent", "version": "v1", "trace_id": "t3",
 "tool": "refund", "arguments": "{}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:04:00Z", "system": "agent", "version": "v1", "trace_id": "t4",
 "tool": "refund", "arguments": "{\"segments_flown\": 1}", "decision": "denied"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:01:00Z, slice t1
  agent did what it must never do (tool = 'refund' AND arguments.segments_flown > 0): it called tool 'refund', in
  conversation t1 at 2026-03-02 09:01:00 UTC
breach open, opened 2026-03-02T09:02:00Z, slice t2
  agent called tool 'refund', and whether that is what it must never do (tool = 'refund' AND arguments.segments_flown >
  0) cannot be told: arguments.segments_flown is text, not a number; in conversation t2 at 2026-03-02 09:02:00 UTC
warning open, opened 2026-03-02T09:03:00Z, slice t3
  agent called tool 'refund', and whether that is what it must never do (tool = 'refund' AND arguments.segments_flown >
  0) cannot be told: arguments.segments_flown is absent; in conversation t3 at 2026-03-02 09:03:00 UTC
warning open, opened 2026-03-02T09:04:00Z, slice t4
  agent tried to do what it must never do (tool = 'refund' AND arguments.segments_flown > 0): it tried to call tool
  'refund', denied by the guard, in conversation t4 at 2026-03-02 09:04:00 UTC
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause, Condition
from seamwatch.expressions import Expression
from seamwatch.expressions.build import names
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Input, Judgement, Moment
from seamwatch.judging.model.measure import HOLDS, Answer, Measure, Watch, label_of
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import (
    ATTEMPT,
    ATTEMPTS,
    MISSING,
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


class Prohibition(Clause, kind="prohibition"):
    """Never this."""

    state_type = Conduct

    kind: Literal["prohibition"]
    never: Expression = Field(description="what must not happen, over the fields of a tool call")
    unknown: Literal["breach", "ignore"] = Field(
        "breach", description="what a call is of which `never` cannot be told for what is given in it"
    )
    missing: Literal["breach", "warning", "ignore"] | None = Field(
        None,
        description="what a call is that lacks an argument `never` asks for; by default a warning where `never` names "
        "the tool, else counted only",
    )
    attempts: int = Field(
        ATTEMPTS, ge=1, le=MOST_ATTEMPTS, description="so many denied calls of a conversation are more than attempts"
    )

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        self.never.check("tool_call")
        return self

    def sources(self) -> tuple[str, ...]:
        """Tool calls."""
        return ("tool_call",)

    @property
    def _missing(self) -> Literal["breach", "warning", "ignore"]:
        if self.missing is not None:
            return self.missing
        return "warning" if names(self.never, "tool") else "ignore"

    @property
    def _offends(self) -> frozenset[Answer]:
        odd: frozenset[Answer] = frozenset({"odd"} if self.unknown == "breach" else ())
        missing: frozenset[Answer] = frozenset({"missing"} if self._missing == "breach" else ())
        return HOLDS | odd | missing

    def conditions(self) -> Iterator[Condition]:
        """And `never`."""
        yield from super().conditions()
        yield Condition(
            ("never",), self.never, self.sources(), "offends", within=self.where, lenient=self.missing is not None
        )

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Prohibited calls, by conversation: those made, those of which it cannot be told, and attempts."""
        calls = split(self.where, self.never)
        made = Measure(
            "tool_call",
            self.never,
            TRACE_IDLE,
            select=calls.made,
            slice=("trace_id",),
            only_breaches=True,
            label="tool",
            offends=self._offends,
        )
        lacking: frozenset[Answer] = frozenset({"missing"} if self._missing == "warning" else ())
        return (made, replace(made, name=MISSING, offends=lacking), attempted(made, calls))

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And `never`."""
        return (*super().watches(seam), Watch("tool_call", self.never, self.where))

    def part_of(self, received: Input) -> str | None:
        """The conversation; what lacks an argument, and attempts, are parts of their own."""
        return part_of(received) if isinstance(received, Fact) else ""

    def judge(self, seam: Seam, state: Conduct | None, received: Input, moment: Moment) -> Judgement:
        """One episode a conversation, by the occurrence rule."""
        fact = received if isinstance(received, Fact) else None
        rule = ConductRule(self.severity, attempts=self.attempts)
        return conducted(state, fact, moment, rule, partial(self._said, seam))

    def _said(self, seam: Seam, aspect: Aspect, trace: str | None, run: Run) -> Said:
        first = run.evidence[0]
        tool, why = label_of(first.label)
        called = f"tried to call tool {tool!r}, denied by the guard" if aspect == ATTEMPT else f"called tool {tool!r}"
        where = f"in conversation {trace}" if trace else "outside any conversation"
        when = f"{where} at {moment_text(first.event_time)}"
        if why:
            doubt = f"whether that is what it must never do ({self.never}) cannot be told: {why}"
            return Said(f"{seam.system} {called}, and {doubt}; {when}")
        did = "tried to do" if aspect == ATTEMPT else "did"
        return Said(f"{seam.system} {did} what it must never do ({self.never}): it {called}, {when}")
