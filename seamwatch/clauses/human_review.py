"""Human review: a decision of low confidence goes to a person.

A decision (`inference`) whose `confidence` is under `below` must have had human review (`human_review: true`); a
tool call of such confidence must not simply have been allowed (its `decision` is denied or escalated). A confidence
that is not reported (NULL) is not below: that it is reported can be agreed by an `assertion`. A `where` that names
fields of only one of the two record types looks at that one alone.

An episode begins at once with the first such event. For tool calls there is one per conversation (`trace_id`), over
when no other has followed for half an hour; for decisions one per system, over after a day (`quiet`) without another.

State: one for the system's decisions and one for each conversation with an offending call, about 3 kB: the half
hours with such events that are not yet complete, 1,440 at most, and the first five of them. That of decisions is kept
until `quiet` has passed without another, that of a conversation until a day after its episode is over. At its largest
it takes 2.3 MB.

What its violation says: the first event, its confidence (`observed`) and the one under which a person was agreed
(`limit`); the first five such events are its evidence.

What it cannot see: whether the person who was asked took the time to look, and whether the confidence is honest
(see `calibration`).

```yaml
- id: unsure-goes-to-a-person
  kind: human_review
  below: 0.6
  where: use_case = 'credit'
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "confidence": 0.4, "human_review": true}
{"type": "inference", "event_time": "2026-03-02T09:05:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "confidence": 0.55}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:05:00Z
  scorer: a decision with confidence 0.55 at 2026-03-02 09:05:00 UTC did not go to a person; agreed below 0.6
```
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, Duration
from seamwatch.errors import SeamwatchError
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, below, equals
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure
from seamwatch.judging.runs import TRACE_IDLE, Change, Runs, bundle, occurrences
from seamwatch.judging.seam import Seam
from seamwatch.judging.wording import moment_text, number_text

# What says of an event of either type that it did not go to a person.
_UNREVIEWED = {"inference": equals("human_review", False), "tool_call": equals("decision", "allowed")}


class HumanReview(Clause, kind="human_review"):
    """Low confidence goes to a person."""

    state_type = Runs

    kind: Literal["human_review"]
    below: float = Field(gt=0, description="a confidence under this needs a person; NULL is not under it")
    quiet: Duration = Field(DAY, description="decisions: a breach is over after so long without another")

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls; of these, the ones whose fields `where` names."""
        both = ("inference", "tool_call")
        if self.where is None:
            return both
        # With none left, the check against both says which field is unknown.
        return tuple(source for source in both if _fits(self.where, source)) or both

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Events of low confidence that did not go to a person: calls by conversation, decisions together."""
        unsure, confidence = below("confidence", self.below), Expression.parse("confidence")
        sources = self.sources()
        inference = Measure(
            "inference",
            all_of(unsure, _UNREVIEWED["inference"]),
            bundle(self.quiet, TRACE_IDLE),
            select=self.where,
            value=confidence,
            only_breaches=True,
            agreed=TRACE_IDLE,
        )
        tool_call = Measure(
            "tool_call",
            all_of(unsure, _UNREVIEWED["tool_call"]),
            TRACE_IDLE,
            select=self.where,
            value=confidence,
            slice=("trace_id",),
            only_breaches=True,
            label="tool",
        )
        return tuple(measure for measure in (inference, tool_call) if measure.source in sources)

    def judge(self, seam: Seam, state: Runs | None, happening: Happening, moment: Moment) -> Judgement:
        """The occurrence rule, once a conversation."""
        fact = happening if isinstance(happening, Fact) else None
        talk = moment.slice is not None
        quiet = TRACE_IDLE if talk else self.quiet
        return occurrences(state, fact, moment, quiet=quiet, once=talk).judgement(
            lambda c: self._finding(seam, moment.slice, c)
        )

    def _finding(self, seam: Seam, trace: str | None, change: Change) -> Finding:
        run = change.run
        key = "" if trace else str(run.first)
        if change.what == "off":
            return Resolve(self.severity, key, change.at, slice=trace)
        first = run.evidence[0]
        what = f"a call of tool {first.label!r}" if first.label else "a decision"
        where = f" in conversation {trace}" if trace else ""
        summary = (
            f"{seam.system}: {what} with confidence {number_text(first.value)}{where} at "
            f"{moment_text(first.event_time)} did not go to a person; agreed below {number_text(self.below)}"
        )
        return Open(
            self.severity,
            key,
            change.at,
            summary,
            slice=trace,
            since=first.event_time,
            observed=first.value,
            limit=self.below,
            evidence=run.evidence,
        )


def _fits(where: Expression, source: str) -> bool:
    try:
        where.check(source)
    except SeamwatchError:
        return False
    return True
