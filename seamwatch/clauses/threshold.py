"""Threshold: the decision follows from the score as agreed, and nobody moves the line alone.

`decision` is given exactly when `when` holds: a decision without its condition is a breach, and so is the condition
without the decision. A `when` that is NULL does not hold. The first such event opens the breach, which is over after
a day (`quiet`) without another.

With `co_signers`, each announced change of kind `threshold` must bear a valid Ed25519 signature of every one of them
(`signatures` of the `config_change`; what is signed is `seamwatch.signatures.change_bytes`). One that lacks any is a
breach at its own time that names who did not sign (slice: the change), until a threshold change is announced that all
have signed. A `change_id` that is announced again with other content is another change, with a slice of its own
(`<change_id>@<digest>`, as [change_notice](change_notice.md) has it); one that is only repeated, with fewer signatures,
changes nothing, and one that is withdrawn, as that page has it, needs none. A co-signer whose document lists no key
cannot sign. Co-signers sign each version of the contract as well, since a version can move the line: `seamwatch
contracts verify` looks for it ([signatures](../signatures.md)).

State: one for the decisions, about 3 kB: the windows (of an hour, or of `quiet` where that is shorter) with offending
ones that are not yet complete, 1,440 at most, and the first five of them, until `quiet` has passed without another.
With `co_signers` one for the changes, for good: those that lack a signature, and the ids and digests of all, of which
the newest 1,000. At its largest it takes 2.3 MB.

What its violation says: the decision, the agreed condition it goes against and when; or the change and who of the co-
signers has not signed it.

What it cannot see: a threshold that was moved without an announcement and without a decision on the wrong side of the
agreed one (see `change_notice` with `unannounced`); whether a decision should have been given for which the condition
is not known. Where for a day it is known of none, the clause says that it has [nothing to
judge](../episodes.md#nothing-to-judge).

```yaml
- id: line
  kind: threshold
  decision: approve
  when: score >= 0.62
  co_signers: [lead@example.org]
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 0.7, "decision": "approve"}
{"type": "inference", "event_time": "2026-03-02T09:01:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 0.6, "decision": "approve"}
{"type": "config_change", "event_time": "2026-03-02T11:00:00Z", "system": "scorer", "change_id": "CR-7",
 "kind": "threshold", "effective_at": "2026-03-02T11:00:00Z", "summary": "-", "announced_by": "owner@example.org",
 "to_value": "0.58"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:01:00Z
  scorer: the decision 'approve' was given, against the agreed condition score >= 0.62 at 2026-03-02 09:01:00 UTC
breach open, opened 2026-03-02T11:00:00Z, slice CR-7
  scorer: threshold change CR-7 by owner@example.org lacks a valid signature of lead@example.org
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Condition, Selecting
from seamwatch.durations import DAY, HOUR, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, equals, negate, not_true
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import Measure, Source, Watch
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.announcements import Announced, announced, withdrawn, words
from seamwatch.judging.patterns.faults import Fault, evidence_of, follow
from seamwatch.judging.patterns.runs import Change, Runs, bundle, occurrences
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.signatures import change_signed_by

_CHANGES = "\x00changes"
_CHANGES_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """Runs of offending decisions; or, in the state of the changes, the newest and those that lack a signature.

    Of the changes also which were announced, since a repeated announcement changes nothing.
    """

    runs: Runs | None = None
    newest: int | None = None
    faults: tuple[Fault, ...] = ()
    announced: Announced = ()


class Threshold(Selecting, kind="threshold"):
    """The decision is given exactly when the condition holds."""

    state_type = ThresholdState
    wants = frozenset({"config_change"})

    kind: Literal["threshold"]
    decision: str = Field(min_length=1, description="the decision, in the product's own words")
    when: Expression = Field(description="the condition under which it is given, and only then")
    co_signers: tuple[str, ...] = Field((), description="persons who must sign each change of a threshold")
    quiet: Duration = Field(DAY, description="a breach is over after so long without an offending decision")

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        self.when.check("inference")
        return self

    def people(self) -> tuple[str, ...]:
        """The co-signers."""
        return self.co_signers

    def co_signatories(self) -> tuple[str, ...]:
        """The co-signers: a contract version that moves the line is a change of it too."""
        return self.co_signers

    def conditions(self) -> Iterator[Condition]:
        """And `when`."""
        yield from super().conditions()
        yield Condition(("when",), self.when, self.sources(), "meets", within=self.where)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Decisions given without their condition, and conditions without the decision."""
        given = equals("decision", self.decision, free=True)
        breach = any_of(all_of(given, not_true(self.when)), all_of(self.when, not_true(given)))
        score = Expression.parse("score")
        return (
            Measure(
                "inference",
                breach,
                bundle(self.quiet),
                select=self.where,
                value=score,
                only_breaches=True,
                label="decision",
                agreed=HOUR,
            ),
        )

    def left_out(self) -> Mapping[Source, Expression]:
        """Other decisions, where it cannot be told whether the condition held."""
        unknown = not_true(any_of(self.when, negate(self.when)))
        return {"inference": all_of(unknown, not_true(equals("decision", self.decision, free=True)))}

    def gives(self, source: str) -> str:
        """What the condition asks for."""
        return f"gives what {self.when} asks for"

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """None besides: the condition itself is watched."""
        return iter(())

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And `when`."""
        return (*super().watches(seam), Watch("inference", self.when, self.where))

    def part_of(self, received: Input) -> str | None:
        """One state for decisions, one for the changes of thresholds."""
        if isinstance(received, ForwardedEvent):
            return _CHANGES if self.co_signers and received.record["kind"] == "threshold" else None
        return ""

    def judge(self, seam: Seam, state: ThresholdState | None, received: Input, moment: Moment) -> Judgement:
        """The occurrence rule over decisions; the signatures under a change."""
        state = state or ThresholdState()
        if isinstance(received, ForwardedEvent):
            return self._change(seam, state, received, moment)
        if moment.slice == _CHANGES:
            return Judgement(state)
        fact = received if isinstance(received, Fact) else None
        advance = occurrences(state.runs, fact, moment, quiet=self.quiet)
        judged = advance.judgement(lambda change: self._finding(seam, change))
        return replace(judged, state=None if advance.state is None else ThresholdState(advance.state))

    def _finding(self, seam: Seam, change: Change) -> Finding:
        key = str(change.run.first)
        if change.what == "off":
            return Resolve(self.severity, key, change.at)
        first = change.run.evidence[0]
        what = "was given, against" if first.label == self.decision else f"was not given ({first.label}), against"
        summary = (
            f"{seam.system}: the decision {self.decision!r} {what} the agreed condition {self.when} at "
            f"{moment_text(first.event_time)}"
        )
        return Open(
            self.severity,
            key,
            change.at,
            summary,
            since=first.event_time,
            observed=first.value,
            evidence=change.run.evidence,
        )

    def unsigned_by(self, seam: Seam, record: Mapping[str, Any]) -> list[str]:
        """The co-signers whose valid signature a ``config_change`` lacks; none of a change of another kind."""
        if record["kind"] != "threshold":
            return []
        return [p for p in self.co_signers if not change_signed_by(record, p, seam.keys.get(p, ()))]

    def _change(self, seam: Seam, state: ThresholdState, event: ForwardedEvent, moment: Moment) -> Judgement:
        record, evidence = event.record, evidence_of(event)
        at = evidence.event_time
        if at < moment.horizon:
            return Judgement(state)
        if record.get("withdrawn"):
            return self._withdrawn(seam, state, record, at)
        changes, change = announced(state.announced, record)
        lacking = self.unsigned_by(seam, record)
        if lacking and change is None:
            return Judgement(state)
        shown: list[Fault] = []
        if lacking and change is not None:
            called = words(record["change_id"], change)
            summary = (
                f"{seam.system}: threshold change {called} by {record['announced_by']} lacks a valid signature of "
                f"{' and '.join(lacking)}"
            )
            # Another unsigned change does not make good an earlier one.
            others = [fault for fault in state.faults if fault.slice != change][1 - _CHANGES_KEPT :]
            shown = [*others, Fault(summary, (evidence,), change, "signature")]
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=state.newest)
        newest = at if state.newest is None else max(at, state.newest)
        return Judgement(ThresholdState(newest=newest, faults=faults, announced=changes), findings)

    def _withdrawn(self, seam: Seam, state: ThresholdState, record: Mapping[str, Any], at: int) -> Judgement:
        """A change that is withdrawn needs no signature any more."""
        changes, gone = withdrawn(seam, state.announced, record)
        names = {said.called for said in gone}
        left = [fault for fault in state.faults if fault.slice not in names]
        faults, findings = follow(state.faults, at, left, severity=self.severity, newest=state.newest)
        return Judgement(replace(state, faults=faults, announced=changes), findings)
