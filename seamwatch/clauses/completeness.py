"""Completeness: fields that were filled are still filled.

A score, a confidence, a latency or a cohort that is no longer there says that something before it broke (a feature
join, a tracing header, a mapping of names), and makes every other clause on it quiet rather than loud. Of each field
the share of events without it is compared with the system's own, by the sequential test of
[`distribution`](distribution.md), with a promise: *as long as in no part of the day more events lack a field than in
the worst part of the day of the reference and `floor` more, a false alarm in the `lifetime`, by any of the fields,
has probability at most `alpha`.*

The reference is a `period` of the system's own events, or its `first` ones: for so long from the first event on, and
until there are 300. It is counted by parts of three hours; so what is missing every night is the usual, and what is
new to the night is not. Nothing before the end of the reference is judged. How many events say as much as one
independent one (what is missing in bursts says less) is estimated from the reference, separately for each field.

Each field has its own episode (slice: the field). While one is open the field is watched on: it is over when at least
300 events in at least ten windows lack it no more often than was approved. What is missing less often than it was is
no finding.

What its violation says: the field, the share of events without it in the reference and now (`observed`) with an
interval, since when, over how many events, and the share from which on it counts (`limit`).

What it cannot see: a field that was filled with a default value or an empty text instead (see `range`, `distribution`
and `assertion`); that a field was missing all along; shares that differ between days of the week, unless the
reference holds a week; a field of the events that do not come (see `volume`). Outcomes are not looked at:
`calibration` and the `accuracy` of `signal` say how many of them they could not use, and when they have had none.

State: one for the system, for good: the windows that are not yet complete, 1,440 at most, and for each field its
reference and the windows that the bets rest on, 1 to 6 kB. At its largest it takes 1 MB (of 20 fields).

```yaml
- id: filled
  kind: completeness
  fields: [score, cohort]
  reference: {first: 1d}
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T00:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 0.4, "cohort": "north", "times": 1440, "every": "1m"}
{"type": "inference", "event_time": "2026-03-03T00:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 0.4, "times": 60, "every": "1m"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-03T00:25:00Z, slice cohort
  scorer: cohort was missing in 0 % of 1,440 decisions (2026-03-02 00:00:00 UTC to 2026-03-03 00:00:00 UTC) and is now
  in 100 % (86 % to 100 %) of 25, since 2026-03-03 00:00:00 UTC; agreed up to 5 % more
```
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seamwatch.clauses.clause import BEGINNING, Clause
from seamwatch.durations import DAY, MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import is_null
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import Measure
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.watch import Alarm, Rule, Watch, hour_of, look
from seamwatch.judging.patterns.windows import Windows
from seamwatch.judging.patterns.wording import moment_text, share_text
from seamwatch.statistics.histograms import Period, Reference

_FIRST = 300
_FIELDS = {
    "inference": ("score", "confidence", "decision", "latency_ms", "cohort"),
    "tool_call": ("trace_id", "confidence"),
}
_EVENTS = {"inference": "decisions", "tool_call": "calls"}


class UsualOf(BaseModel):
    """The events that the share of missing ones is compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: Period | None = Field(None, description="the system's own events of this period: {from, to}")
    first: Duration | None = Field(None, gt=0, description="the system's own first events: so long from the first on")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.period is None) == (self.first is None):
            raise ValueError("reference is either a period {from, to} or the first events {first: 1d}")
        return self


@dataclass(frozen=True, slots=True)
class FieldState:
    """One field: how often it was filled and missing in the reference, and what is watched."""

    name: str
    reference: Reference
    watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True, slots=True)
class CompletenessState:
    """Windows still filling, and the fields with a reference of the event times from ``began`` to ``ended``.

    ``counted`` and ``compared`` are digests of what the reference and the bets rest on: where the contract changes it,
    they begin anew. ``pinned``: a reference of first events is complete.
    """

    windows: Windows = field(default_factory=Windows)
    counted: str = ""
    compared: str = ""
    began: int | None = None
    ended: int | None = None
    pinned: bool = False
    fields: tuple[FieldState, ...] = ()


class Completeness(Clause, kind="completeness"):
    """Fields are missing no more often than in the reference, within `floor`."""

    state_type = CompletenessState

    kind: Literal["completeness"]
    on: Literal["inference", "tool_call"] = Field("inference", description="the events that are looked at")
    fields: tuple[str, ...] = Field(
        (),
        description="the fields, also `attributes.x` and `arguments.x`; when absent `score`, `confidence`, `decision`, "
        "`latency_ms` and `cohort` of decisions, `trace_id` and `confidence` of calls",
    )
    reference: UsualOf | None = Field(None, description="what is usual; the `first` day's events when absent")
    window: Duration = Field(5 * MINUTE, description="over which events are counted before each look")
    floor: float = Field(0.05, gt=0, lt=1, description="smallest move of a share worth waking someone for")
    alpha: float = Field(0.01, gt=0, lt=0.5, description="probability of a false alarm in a `lifetime`")
    lifetime: Duration = Field(30 * DAY, description="over which `alpha` holds")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.lifetime < 10 * self.window:
            raise ValueError("lifetime must hold at least ten windows")
        if len(set(self.fields)) < len(self.fields):
            raise ValueError("fields names one twice")
        for condition in self._missing:
            condition.check(self.on)
        return self

    def sources(self) -> tuple[str, ...]:
        """The events it is `on`."""
        return (self.on,)

    @cached_property
    def _usually(self) -> UsualOf:
        return UsualOf.model_validate({"first": "1d"}) if self.reference is None else self.reference

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return self.fields or _FIELDS[self.on]

    @cached_property
    def _missing(self) -> tuple[Expression, ...]:
        return tuple(is_null(name) for name in self._names)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """All selected events, and how many of them lack each field."""
        return (Measure(self.on, None, self.window, select=self.where, missing=self._missing),)

    def counts_from(self, seam: Seam) -> int | None:
        """The beginning of the reference, as far as events tell it."""
        return BEGINNING if self._usually.period is None else self._usually.period.start

    def judge(self, seam: Seam, state: CompletenessState | None, received: Input, moment: Moment) -> Judgement:
        """Feed each complete window to the reference or to the bets."""
        state = self._agreed(state or CompletenessState())
        findings: tuple[Finding, ...] = ()
        windows, late = state.windows, 0
        if isinstance(received, Fact) and len(received.missing) == len(self._names):
            added = windows.add(received, moment)
            late, windows = (1, windows) if added is None else (0, added)
        complete, windows = windows.take_complete(moment)
        state = replace(state, windows=windows)
        for window in complete:
            if self._belongs(state, window):
                state = self._usual(state, window)
            elif state.pinned or (self._usually.period is not None and window.window_start >= self._usually.period.to):
                state, more = self._look(seam, state, window)
                findings += more
        return Judgement(state, findings, windows.deadline(moment), windows.wake(moment), late)

    @cached_property
    def _digests(self) -> tuple[str, str]:
        """What the reference rests on, and what the bets do."""
        period = self._usually.period
        counted = _digest(
            period and (period.start, period.to), self._usually.first, self._names, self.window, self.where
        )
        return counted, _digest(counted, self.floor, self.alpha, self.lifetime)

    def _agreed(self, state: CompletenessState) -> CompletenessState:
        """The state as far as it rests on what is agreed now; an open episode stays open either way."""
        counted, compared = self._digests
        if state.compared == compared:
            return state
        same = state.counted == counted
        fields = tuple(
            FieldState(before.name, before.reference if same else Reference.empty(2), Watch(opened=before.watch.opened))
            for before in state.fields
        )
        if same:
            return replace(state, compared=compared, fields=fields)
        return CompletenessState(Windows(done=state.windows.done), counted, compared, fields=fields)

    def _belongs(self, state: CompletenessState, window: Fact) -> bool:
        period = self._usually.period
        if period is None:
            return not state.pinned
        return period.start <= window.window_start and window.window_end <= period.to

    def _usual(self, state: CompletenessState, window: Fact) -> CompletenessState:
        """With the window in the reference, which the first events may complete."""
        hour = hour_of(window.window_start)
        before = state.fields or tuple(FieldState(name, Reference.empty(2)) for name in self._names)
        fields = tuple(
            FieldState(known.name, known.reference.with_window(hour, (window.count - missing, missing)), known.watch)
            for known, missing in zip(before, window.missing, strict=True)
        )
        began = window.window_start if state.began is None else state.began
        first = self._usually.first
        enough = first is not None and window.window_end - began >= first and _size(fields[0].reference) >= _FIRST
        return replace(state, began=began, ended=window.window_end, pinned=enough, fields=fields)

    def _look(
        self, seam: Seam, state: CompletenessState, window: Fact
    ) -> tuple[CompletenessState, tuple[Finding, ...]]:
        findings: list[Finding] = []
        fields = []
        for one, missing in zip(state.fields, window.missing, strict=False):
            if not missing and one.watch == Watch():
                fields.append(one)  # nothing has been missing, and nothing is
                continue
            counts = (window.count - missing, missing)
            watch, alarm, over = look(one.watch, [one.reference], [counts], window.window_start, self._rule)
            if alarm is not None:
                findings.append(self._found(seam, state, one, alarm, window))
            if over:
                findings.append(Resolve(self.severity, str(one.watch.opened), window.window_end, slice=one.name))
            fields.append(replace(one, watch=watch))
        return replace(state, fields=tuple(fields)), tuple(findings)

    @cached_property
    def _rule(self) -> Rule:
        alpha = self.alpha / len(self._names)
        return Rule(self.floor, alpha, self.lifetime // self.window, self.window, "worst", _FIRST)

    def _found(self, seam: Seam, state: CompletenessState, one: FieldState, alarm: Alarm, window: Fact) -> Open:
        shift, events = alarm.shift, _EVENTS[self.on]
        summary = (
            f"{seam.system}: {one.name} was missing in {share_text(shift.approved)} of {_size(one.reference):,} "
            f"{events} ({moment_text(state.began or 0)} to {moment_text(state.ended or 0)}) and is now in "
            f"{share_text(shift.now)} ({share_text(shift.interval[0])} to {share_text(shift.interval[1])}) of "
            f"{shift.scores:,}, since {moment_text(alarm.since)}; agreed up to {share_text(self.floor)} more"
        )
        return Open(
            self.severity,
            str(window.window_start),
            window.window_end,
            summary,
            slice=one.name,
            since=alarm.since,
            observed=shift.now,
            limit=shift.limit,
            unit="share",
        )


def _size(reference: Reference) -> int:
    return sum(map(sum, reference.hours))


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]
