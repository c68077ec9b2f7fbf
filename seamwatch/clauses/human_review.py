"""Human review: a decision of low confidence goes to a person.

A decision (`inference`) whose `confidence` is under `below` must have had human review (`human_review: true`); a
tool call of such confidence must not simply have been allowed: an escalated one has gone to a person, and one that was
denied was not made and needs nobody. A `where` that names fields of only one of the two record types looks at that one
alone.

An event that states no confidence is counted only (`unknown: ignore`): many agents have none to state, and their every
call would be a breach. Where confidence is agreed on, `unknown: breach` has such an event go to a person too.

An episode begins at once with the first such event. For tool calls there is one per conversation (`trace_id`), over
when no other has followed for half an hour; for decisions one per system, over after a day (`quiet`) without another.

State: one for the system's decisions and one for each conversation with an offending call, about 3 kB: the half
hours with such events that are not yet complete, 1,440 at most, and the first five of them. That of decisions is kept
until `quiet` has passed without another, that of a conversation until a day after its episode is over. At its largest
it takes 2.3 MB.

What its violation says: the first event, its confidence (`observed`) and the one under which a person was agreed
(`limit`); the first five such events are its evidence.

What it cannot see: whether the person who was asked took the time to look, whether the confidence is honest (see
`calibration`), and events without one. Where for a day no decision, or no call, gives one, the clause says that it has
[nothing to judge](../episodes.md#nothing-to-judge).

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
  scorer: a decision with confidence 0.55 at 2026-03-02 09:05:00 UTC did not go to a person; agreed for a confidence
  below 0.6
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from seamwatch.clauses.clause import Selecting
from seamwatch.durations import DAY, Duration
from seamwatch.errors import SeamwatchError
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, below, equals, is_null
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import HOLDS, NULL, Measure, Source, Watch, label_of
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.runs import TRACE_IDLE, Change, Runs, bundle, occurrences
from seamwatch.judging.patterns.wording import moment_text, number_text

# What says of an event of either type that it did not go to a person.
_UNREVIEWED = {"inference": equals("human_review", False), "tool_call": equals("decision", "allowed")}


class HumanReview(Selecting, kind="human_review"):
    """Low confidence goes to a person."""

    state_type = Runs

    kind: Literal["human_review"]
    below: float = Field(gt=0, description="a confidence under this needs a person")
    unknown: Literal["breach", "ignore"] = Field(
        "ignore", description="what an event is that states no confidence: `breach` has it need a person too"
    )
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
        offends = HOLDS | NULL if self.unknown == "breach" else HOLDS
        inference = Measure(
            "inference",
            all_of(unsure, _UNREVIEWED["inference"]),
            bundle(self.quiet, TRACE_IDLE),
            select=self.where,
            value=confidence,
            only_breaches=True,
            offends=offends,
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
            offends=offends,
        )
        return tuple(measure for measure in (inference, tool_call) if measure.source in sources)

    def left_out(self) -> Mapping[Source, Expression]:
        """Those without a confidence, unless they need a person for that."""
        if self.unknown == "breach":
            return {}
        unknown, of = is_null("confidence"), self.sources()
        sources: tuple[Source, ...] = ("inference", "tool_call")
        return {source: unknown for source in sources if source in of}

    def gives(self, source: str) -> str:
        """A confidence."""
        return "gives a confidence"

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """None besides: the condition itself is watched."""
        return iter(())

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And whether the confidence is low."""
        unsure = below("confidence", self.below)
        asked = (Watch(measure.source, unsure, self.where) for measure in self.measures(seam))
        return (*super().watches(seam), *asked)

    def judge(self, seam: Seam, state: Runs | None, received: Input, moment: Moment) -> Judgement:
        """The occurrence rule, once a conversation."""
        fact = received if isinstance(received, Fact) else None
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
        tool, _ = label_of(first.label)
        what = f"a call of tool {tool!r}" if tool else "a decision"
        confidence = "without a confidence"
        if first.value is not None:
            confidence = f"with confidence {number_text(first.value, self.below)}"
        where = f" in conversation {trace}" if trace else ""
        summary = (
            f"{seam.system}: {what} {confidence}{where} at {moment_text(first.event_time)} did not go to a person; "
            f"agreed for a confidence below {number_text(self.below, self.below)}"
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
