"""Approval: only what was approved serves.

Every event is checked against the versions that the System document declares: its version, its configuration
digest and (for decisions) its use case must have an approval that is in force at the event's time. A version whose
document names no digest is approved with any; where one is named, an event without a digest is not. A system that
nobody declared has no approval at all. There is one episode for each unapproved version, digest and use case (one
for the whole of an undeclared system). With `datasets` a refresh of a data set that nobody declared is a breach too.

A tool call that was denied was not made: under nothing approved it is an attempt, a warning of its own. A `where` that
names denied calls says itself which calls are meant: then none are told apart.

State: one for each version, digest and use case without approval (one for an undeclared system): the windows (of an
hour, or of `quiet` where that is shorter) with such events that are not yet complete, 1,440 at most, and the first five
events, about 3 kB, until `quiet` has passed without another. What is approved costs nothing. At its largest it takes
2.3 MB.

What its violation says: the version, digest and use case without approval, or that nobody declared the system, and
since when; the first five events are its evidence.

What it cannot see: a model swapped behind the same version name (see `distribution`).

```yaml
- id: approved-only
  kind: approval
  grace: 15m
```

Beside this document:

```yaml
kind: System
id: scorer
type: model
owner: owner@example.org
versions:
  - version: v1
    approvals:
      - {id: A1, use_case: credit, approved_by: owner@example.org, approved_at: 2026-03-01}
```

and with these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1"}
{"type": "inference", "event_time": "2026-03-02T09:01:00Z", "system": "scorer", "version": "v2", "use_case": "credit",
 "subject": "s1"}
{"type": "inference", "event_time": "2026-03-02T09:20:00Z", "system": "scorer", "version": "v2", "use_case": "credit",
 "subject": "s1"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:16:00Z, slice v2//credit
  scorer serves v2//credit since 2026-03-02 09:01:00 UTC without an approval in force (grace of 15 m is over)
```
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field

from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, always, any_of, at_or_after, before, equals, not_true
from seamwatch.judging.attempts import (
    ATTEMPT,
    Aspect,
    Conduct,
    Said,
    Terms,
    attempted,
    conducted,
    part_of,
    split,
)
from seamwatch.judging.facts import Fact, ForwardedEvent
from seamwatch.judging.faults import counted
from seamwatch.judging.judgement import Happening, Judgement, Moment
from seamwatch.judging.measure import Measure, Source
from seamwatch.judging.runs import Run, bundle
from seamwatch.judging.seam import OTHERS, DeclaredVersion, Seam
from seamwatch.judging.wording import moment_text


class Approval(Clause, kind="approval"):
    """Only approved version, configuration digest and use case serve."""

    state_type = Conduct
    wants = frozenset({"dataset_refresh"})

    kind: Literal["approval"]
    grace: Duration | None = Field(None, description="how long something new may serve before it needs approval")
    datasets: bool = Field(False, description="whether a refresh of a data set that nobody declared is a breach")
    quiet: Duration = Field(DAY, description="a breach is over after so long without an unapproved event")

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls."""
        return ("inference", "tool_call")

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Decisions and tool calls under nothing approved, and attempts at such calls."""
        calls = split(self.where)
        decisions, made = self._measure(seam, "inference", self.where), self._measure(seam, "tool_call", calls.made)
        return (decisions, made, attempted(made, calls))

    def _measure(self, seam: Seam, source: Source, select: Expression | None) -> Measure:
        permitted = [e for version in seam.versions for e in _approved(version, source)]
        breach = not_true(any_of(*permitted)) if permitted else always()
        fields = ("version", "config_digest") + (("use_case",) if source == "inference" else ())
        return Measure(
            source,
            breach,
            bundle(self.quiet),
            select=select,
            slice=fields if seam.declared else (),
            only_breaches=True,
            name=source,
            agreed=HOUR,
        )

    def part_of(self, happening: Happening) -> str | None:
        """Its slice; refreshes belong to the whole of a system, and attempts are a part of their own."""
        if isinstance(happening, ForwardedEvent) and not self.datasets:
            return None
        return part_of(happening) if isinstance(happening, Fact) else ""

    def judge(self, seam: Seam, state: Conduct | None, happening: Happening, moment: Moment) -> Judgement:
        """The occurrence rule, after the grace."""
        fact = happening if isinstance(happening, Fact) else None
        if isinstance(happening, ForwardedEvent) and not seam.declared:
            fact = counted(seam, self.id, happening, bundle(self.quiet), 1, breaches=1)
        terms = Terms(self.severity, self.quiet, talks=False, grace=self.grace or 0)
        return conducted(state, fact, moment, terms, partial(self._said, seam))

    def _said(self, seam: Seam, aspect: Aspect, part: str | None, run: Run) -> Said:
        when = moment_text(run.evidence[0].event_time)
        if aspect == ATTEMPT:
            served = f"under {(part or '').rstrip('/')} without" if seam.declared else "but is unregistered, without"
            return Said(
                f"{seam.system} tries to call tools since {when}, denied by the guard, {served} an approval in force"
            )
        if seam.system == OTHERS:
            summary = (
                f"more systems than are told one by one are running unregistered since {when}: nobody declared, owns "
                "or approved them"
            )
        elif not seam.declared:
            summary = f"{seam.system} is running unregistered since {when}: nobody declared, owns or approved it"
        else:
            served = (part or "").rstrip("/")  # a call has no use case, and not everything has a digest
            summary = f"{seam.system} serves {served} since {when} without an approval in force"
        if self.grace:
            summary += f" (grace of {format_duration(self.grace)} is over)"
        return Said(summary)


def _approved(version: DeclaredVersion, source: Source) -> list[Expression]:
    # One condition an approval; for tool calls, which have no use case, any approval of the version serves.
    build = [equals("version", version.version)]
    if version.config_digest is not None:
        build.append(equals("config_digest", version.config_digest))
    found = []
    for approval in version.approvals:
        conditions = list(build)
        if source == "inference":
            conditions.append(equals("use_case", approval.use_case))
        if approval.approved_at is not None:
            conditions.append(at_or_after("event_time", approval.approved_at))
        if approval.expires is not None:
            conditions.append(before("event_time", approval.expires))
        found.append(all_of(*conditions))
    return found
