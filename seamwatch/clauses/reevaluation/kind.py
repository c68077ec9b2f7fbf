r"""Re-evaluation: what an approval rests on is evaluated again when it changes, and still holds.

A clock by which a new evaluation must be attested. What opens it (`after`): that a change of one of these kinds is
announced (a `model`, `prompt`, `retrieval` or `tools` change, a `provider`'s notice), that an episode of a clause of
kind `distribution` of the contract opens (`distribution`), or one of its `change_notice`, which saw a change in service
that was not announced or not accepted (`unannounced`). It is due `within` after a change takes effect, or after it
was announced if that is later; of an episode, after it opened. With `every` one is due so long after the last, too,
and before the first after the system's first event. Of several reasons **the earliest deadline holds**. What is
withdrawn asks for none any more.

An evaluation is an `attestation` of kind `reevaluation`, whose `subject` is this clause (`<contract>#<clause>`) or
`reevaluation`, by one of the persons in `by`, without it by who signs for one of the parties, and signed when they have
published keys. It covers every reason of its time or before; one that was made before the change was announced does
not. It says what was measured: `metric` and `value`, or several in its `statement`, `{"metrics": {"gini": 0.61}}`. One
that lacks a metric of `metrics` counts for nothing. `seamwatch attest reevaluation` writes it.

So does a **baseline**, for the time at which it says that it was evaluated: what an approval in the System document was
pinned on, `baseline: {evaluated_at, metrics, reference, config_digest}`, signed with the approval.

A value worse than agreed is a breach of its own (slice: the metric), until the next evaluation that has it in bounds:
under `min`, over `max`, or by more than `tolerance` worse than the baseline (`better` says which way is worse), that of
the approval in force at that time which was given last of those with such a metric. Where none has it, that is a
**warning**: nothing can be said of the value.

Before the deadline those who evaluate are reminded, once (`remind_before`). Silence ends with the next evaluation.

State: one for the system, for good: up to 100 reasons and 1,000 evaluations and announcements that event time has not
reached, and the names of the last 1,000 changes. At its largest it takes 700 kB.

What its violation says: who has not re-evaluated it since what, and by when it was agreed (`observed` and `limit` in
seconds); or the value, its bound, and by which approval's baseline.

What it cannot see: a change that nobody announces, where the contract has no `change_notice` with `unannounced` or
traffic does not show it (`approval` refuses a configuration that was not approved); whether an evaluation was made with
care; episodes of other contracts.

```yaml
- id: as-approved
  kind: reevaluation
  after: [model, prompt]
  within: 14d
  metrics:
    - {metric: gini, tolerance: 0.02}
```

Beside this document:

```yaml
kind: System
id: scorer
type: model
owner: owner@example.org
approvers: [owner@example.org]
versions:
  - version: v1
    approvals:
      - id: A1
        use_case: credit
        approved_by: owner@example.org
        approved_at: 2026-03-01
        baseline: {evaluated_at: 2026-02-20, metrics: {gini: 0.61}}
```

and with these events:

```json
{"type": "config_change", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "change_id": "P-7",
 "kind": "prompt", "announced_by": "owner@example.org", "effective_at": "2026-03-03T09:00:00Z", "summary": "shorter"}
{"type": "attestation", "event_time": "2026-03-20T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "subject": "reevaluation", "kind": "reevaluation", "statement": "{\"metrics\":{\"gini\":0.58}}"}
```

Replayed to 2026-03-21T00:00:00Z, this gives:

```text
breach resolved, opened 2026-03-17T09:00:00Z, resolved 2026-03-20T09:00:00Z
  scorer: re-evaluated at 2026-03-20 09:00:00 UTC
breach open, opened 2026-03-20T09:00:00Z, slice gini
  scorer: gini is 0.58 when re-evaluated at 2026-03-20 09:00:00 UTC; agreed at least 0.59, by the baseline of approval
  A1
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import Persons, attesters, why_attestation_void
from seamwatch.clauses.clause import Clause
from seamwatch.clauses.reevaluation.clock import EVALUATED, REASON, WITHDRAWN, Clock
from seamwatch.clauses.reevaluation.metrics import Metric, compared
from seamwatch.clauses.reevaluation.state import Noted, Reason, ReevaluationState
from seamwatch.clauses.reevaluation.statement import metrics_of
from seamwatch.durations import DAY, Duration
from seamwatch.judging.model.facts import UNANNOUNCED, Fact, ForwardedEvent
from seamwatch.judging.model.judgement import OPENED, Finding, Input, Judgement, Moment, TimePassed
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.announcements import announced, withdrawn, withdrawn_text
from seamwatch.judging.patterns.due import WHEN_NOT_AGREED
from seamwatch.judging.patterns.faults import evidence_of, follow

What = Literal[
    "model", "prompt", "retrieval", "tools", "provider", "threshold", "data_source", "schema", "policy",
    "distribution", "unannounced",
]  # fmt: skip
_BY_DEFAULT: Final[tuple[What, ...]] = (
    "model", "prompt", "retrieval", "tools", "provider", "distribution", "unannounced"
)  # fmt: skip


class Reevaluation(Clause, kind="reevaluation"):
    """What an approval rests on is evaluated again when it changes."""

    state_type = ReevaluationState
    wants = frozenset({"attestation", "config_change", OPENED})

    kind: Literal["reevaluation"]
    after: tuple[What, ...] = Field(
        _BY_DEFAULT, description="what asks for one: kinds of changes, `distribution` for shifts of scores, and "
        "`unannounced` for changes in service that were not announced or not accepted"
    )  # fmt: skip
    within: Duration = Field(14 * DAY, description="by how long after that it must be attested")
    every: Duration | None = Field(None, description="longest time between two evaluations; no period when absent")
    by: Persons = Field((), description="the person or persons who evaluate; who signs for a party when absent")
    metrics: tuple[Metric, ...] = Field(
        (), description="what must be measured, each {metric, min, max, tolerance, better}: bounds, or how much worse "
        "than the baseline it may be"
    )  # fmt: skip
    remind_before: Duration | Literal["never"] | None = Field(
        None, description=f"how long before the deadline those who evaluate are reminded, or `never`; {WHEN_NOT_AGREED}"
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.after and self.every is None:
            raise ValueError("nothing asks for an evaluation: give after, every or both")
        if self.where is not None and self.every is None:
            raise ValueError("without every it looks at no events: leave out 'where'")
        names = [each.metric for each in self.metrics]
        if len(set(names)) != len(names):
            raise ValueError("metrics: one is given twice")
        return self

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls, the first of which starts the clock of `every`."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """Who evaluates."""
        return self.by

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """With `every`: whether the system runs at all."""
        of: tuple[Source, ...] = ("inference", "tool_call") if self.every is not None else ()
        return tuple(Measure(source, None, DAY, select=self.where, name=source) for source in of)

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent):
            record = received.record
            if received.type == "attestation":
                return "" if record["kind"] == self.kind_name else None
            if received.type == OPENED:
                return "" if _episode_of(record) in self.after else None
            return "" if record["kind"] in self.after else None
        return ""

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Evaluations count by the persons in `by`, or who signs for a party, with each metric that is agreed."""
        why = why_attestation_void(seam, self.id, self.kind_name, record, self.by)
        if why is not None:
            return why
        try:
            given = metrics_of(record)
        except ValueError as error:
            return str(error)
        lacking = [each.metric for each in self.metrics if each.metric not in given]
        return f"it gives no value of {', '.join(lacking)}" if lacking else None

    def judge(self, seam: Seam, state: ReevaluationState | None, received: Input, moment: Moment) -> Judgement:
        """What asks for an evaluation and what was evaluated is noted, and counts as event time gets there."""
        clock, state = self._clock(seam), state or ReevaluationState()
        findings: tuple[Finding, ...] = ()
        for pinned in _pinned(seam):
            if state.evaluated is None or pinned > state.evaluated:
                state = clock.noted(state, Noted(pinned, EVALUATED, "baseline"))
        if isinstance(received, Fact):
            first = received.first_time
            state = replace(state, started=first if state.started is None else min(first, state.started))
        elif isinstance(received, TimePassed):
            # What was heard of may have neighbours on their way, and so may what asks the clause that tells of shifts.
            settled = moment.now if state.heard is None else state.heard + 2 * moment.settle
            if moment.now < settled:
                return Judgement(state, (), clock.deadline(state), settled)
            state, findings = clock.passed(state, moment.watermark)
        elif received.type == "config_change":
            state = self._changed(clock, state, received, moment)
        elif received.type == OPENED:
            at, name = int(received.record["event_time"]), received.record["event_id"]
            reason = Reason(str(_episode_of(received.record)), name, at, at + self.within)
            state = clock.noted(state, Noted(at, REASON, name, reason))
        elif self.why_void(seam, received.record) is None:
            state, findings = self._evaluated(clock, state, received)
        if isinstance(received, ForwardedEvent):
            state = replace(state, heard=moment.now)
        return Judgement(state, findings, clock.deadline(state))

    def _clock(self, seam: Seam) -> Clock:
        people = tuple(dict.fromkeys(attesters(seam, self.by)))
        return Clock(seam, self.id, self.severity, people, self.by, self.every, self.remind_before)

    def _changed(
        self, clock: Clock, state: ReevaluationState, event: ForwardedEvent, moment: Moment
    ) -> ReevaluationState:
        record, evidence = event.record, evidence_of(event)
        at = evidence.event_time
        if at < moment.horizon:
            return state
        if record.get("withdrawn"):
            changes, gone = withdrawn(clock.seam, state.announced, record)
            state = replace(state, announced=changes)
            for said in gone:
                text = withdrawn_text(record, said)
                state = clock.noted(state, Noted(at, WITHDRAWN, said.called, why=text))
            return state
        changes, name = announced(state.announced, record)
        state = replace(state, announced=changes)
        if name is None:
            return state
        due = max(at, int(record["effective_at"])) + self.within
        reason = Reason(record["kind"], name, at, due, evidence)
        return clock.noted(state, Noted(at, REASON, name, reason))

    def _evaluated(
        self, clock: Clock, state: ReevaluationState, event: ForwardedEvent
    ) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        evidence = evidence_of(event)
        at, given = evidence.event_time, metrics_of(event.record)
        worse, unknown = compared(clock.seam, self.metrics, given, evidence)
        faults, findings = follow(state.faults, at, worse, severity=self.severity, newest=state.newest)
        doubts, more = follow(state.unknown, at, unknown, severity="warning", newest=state.newest)
        newest = at if state.newest is None else max(at, state.newest)
        state, over = clock.evaluated(replace(state, faults=faults, unknown=doubts, newest=newest), at)
        return state, findings + more + over


def _pinned(seam: Seam) -> tuple[int, ...]:
    """When what approvals were pinned on was evaluated; of approvals that count."""
    return tuple(
        sorted(
            {
                approval.baseline.evaluated_at
                for version in seam.versions
                for approval in version.approvals
                if approval.baseline is not None
            }
        )
    )


def _episode_of(record: Mapping[str, Any]) -> What | None:
    """What an episode asks for an evaluation as: that scores shifted, or that a change was served unannounced.

    None where it asks for none, as a review that is late, what cannot be judged, or an objection.
    """
    if record["kind"] == "distribution" and record["unit"] not in (None, "s"):
        return "distribution"
    return "unannounced" if record["kind"] == "change_notice" and record["unit"] == UNANNOUNCED else None
