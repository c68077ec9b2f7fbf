"""Assertion: a behaviour that must hold, checked on every event.

`must` is an expression over the event; an event for which it is false or cannot be told fails, and the reason is said
([expressions](../expressions.md#null)). By default every selected event must pass, and the first failure is a breach,
which is over after a day (`quiet`) without another. With `at_least` below 1 the share of passing events is judged over
each window that holds at least `min_count` events, and a breach begins and ends with windows
([episodes](../episodes.md#the-end)).

Assertions over tool calls that every call must pass have one episode per conversation. A call that was denied was not
made: where it fails, that is an attempt, a warning of its own, and so many of one conversation as `attempts` says (10)
are a finding of the clause's severity. A share and a summary count the calls that were made. A `must` or `where` that
names denied calls says itself which calls are meant: then none are told apart.

With `summary` a named reviewer is sent, on schedule, how many events passed and failed, of how many that cannot be
told, and how it was in the periods before. Its receipt is confirmed in time, or the next person must act
([summaries](../paging.md#summaries)).

State: the windows that are not yet complete, 1,440 at most, and the first five failing events of what is open, about
2 kB. Where every event must pass, only windows with a failure, until `quiet` has passed without another; of tool
calls one for each conversation with a failure, until a day after its episode is over. With `at_least`, one for the
system, for good. With `summary` one more, of the periods not yet summarised. At its largest it takes 2.1 MB.

What its violation says: the behaviour and the first event for which it did not hold or, with `at_least`, the share for
which it did (`observed`) and the one agreed (`limit`); the first five failing events are its evidence.

What it cannot see: a behaviour that the event's fields do not show. Nothing is left out: what is not known does not
hold.

```yaml
- id: polite-refusal
  kind: assertion
  must: decision IN ('approve', 'refer') OR attributes.reason IS NOT NULL
  at_least: 0.99
  window: 1h
  min_count: 50
  summary: {every: 7d, to: reviewer@example.org}
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "decision": "approve", "times": 58, "every": "1m"}
{"type": "inference", "event_time": "2026-03-02T09:58:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "decision": "refuse"}
{"type": "inference", "event_time": "2026-03-02T09:59:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "decision": "refuse"}
```

Replayed to 2026-03-02T10:00:00Z, this gives:

```text
breach open, opened 2026-03-02T10:00:00Z
  scorer: the agreed behaviour 'polite-refusal' (decision IN ('approve', 'refer') OR attributes.reason IS NOT NULL)
  held for 96.7 % of the events in the 1 h from 2026-03-02 09:00:00 UTC; agreed at least 99 %
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Clause, Condition
from seamwatch.clauses.summaries import SUMMARISED, Confirming, Receipts, Summary
from seamwatch.durations import DAY, HOUR, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, negate, not_true
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Remind, Resolve
from seamwatch.judging.model.measure import FAILS, Measure, Watch, label_of
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.model.tolerance import Tolerance, rest
from seamwatch.judging.patterns.attempts import (
    ATTEMPT,
    ATTEMPTS,
    MOST_ATTEMPTS,
    Aspect,
    Conduct,
    ConductRule,
    Said,
    Split,
    attempted,
    conducted,
    part_of,
    split,
)
from seamwatch.judging.patterns.calm import WHEN_ABSENT
from seamwatch.judging.patterns.runs import TRACE_IDLE, Change, Run, Runs, bundle, shares
from seamwatch.judging.patterns.windows import Windows, earliest
from seamwatch.judging.patterns.wording import moment_text, share_text

TREND: Final = 7
"""Of so many periods before a summary tells how they were."""


@dataclass(frozen=True, slots=True)
class AssertionState:
    """Runs of one slice, or (in the state named "summary") the counts of the periods not yet summarised.

    ``told`` are how many passed, of how many, in the last periods that were, the oldest first.
    """

    runs: Conduct | None = None
    periods: Windows = field(default_factory=Windows)
    receipts: Receipts = field(default_factory=Receipts)
    told: tuple[tuple[int, int], ...] = ()


class Assertion(Clause, kind="assertion"):
    """Every event, or an agreed share of them, satisfies an expression."""

    state_type = AssertionState
    wants = frozenset({"acknowledgement"})

    kind: Literal["assertion"]
    must: Expression = Field(description="what must hold for each event; NULL counts as not holding")
    on: Literal["inference", "tool_call"] = Field("inference", description="the events that are checked")
    at_least: float = Field(1.0, gt=0, le=1, description="share of a window's events that must pass")
    window: Duration = Field(HOUR, description="over which `at_least` is judged")
    quiet: Duration | None = Field(
        None,
        description="a breach is over after so long without a failure, a day when absent; with `at_least` without a "
        f"window below it, or {WHEN_ABSENT}",
    )
    min_count: int = Field(1, ge=1, description="smallest number of events on which a share is judged")
    summary: Summary | None = Field(None, description="a scheduled summary: {every, to, receipt_within}")
    attempts: int = Field(
        ATTEMPTS, ge=1, le=MOST_ATTEMPTS, description="so many denied calls of a conversation are more than attempts"
    )

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        self.must.check(self.on)
        return self

    def sources(self) -> tuple[str, ...]:
        """The events it is `on`."""
        return (self.on,)

    def people(self) -> tuple[str, ...]:
        """Who is sent the summary."""
        return (self.summary.to,) if self.summary else ()

    @property
    def _each(self) -> bool:
        return self.at_least == 1

    @property
    def _quiet(self) -> int:
        if self.on == "tool_call":
            return TRACE_IDLE
        return DAY if self.quiet is None else self.quiet

    @property
    def _calls(self) -> Split:
        return split(self.where, self.must) if self.on == "tool_call" else Split(self.where, None)

    def conditions(self) -> Iterator[Condition]:
        """And `must`."""
        yield from super().conditions()
        yield Condition(("must",), self.must, self.sources(), "meets", within=self.where)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Events that do not satisfy `must`; and, for a summary, how many do."""
        calls = self._calls
        sliced = ("trace_id",) if self._each and self.on == "tool_call" else ()
        agreed = TRACE_IDLE if sliced else self.window
        window = bundle(self._quiet, agreed) if self._each else agreed
        measure = Measure(
            self.on,
            self.must,
            window,
            select=calls.made,
            slice=sliced,
            only_breaches=self._each,
            offends=FAILS,
            agreed=agreed,
        )
        measures = (measure, attempted(measure, calls)) if sliced else (measure,)
        if self.summary is None:
            return measures
        untold = all_of(not_true(self.must), not_true(negate(self.must)))
        counted = Measure(
            self.on, self.must, self.summary.every, select=calls.made, name="summary", offends=FAILS, missing=(untold,)
        )
        return (*measures, counted)

    def tolerance(self) -> Tolerance | None:
        """What `at_least` leaves."""
        if self._each:
            return None
        select, window = self._calls.made, self.window
        measure = Measure(self.on, self.must, window, select=select, offends=FAILS, agreed=window)
        return Tolerance(rest(self.at_least), measure, self.min_count)

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And `must`."""
        return (*super().watches(seam), Watch(self.on, self.must, self.where))

    def part_of(self, received: Input) -> str | None:
        """The slice; attempts, and the summary's counts, are parts of their own."""
        if isinstance(received, ForwardedEvent):
            return SUMMARISED if self.summary is not None and received.record["of"] == "summary" else None
        if not isinstance(received, Fact):
            return ""
        return SUMMARISED if received.measure == "summary" else part_of(received)

    def judge(self, seam: Seam, state: AssertionState | None, received: Input, moment: Moment) -> Judgement:
        """The occurrence rule when all must pass, else the share rule; summaries when their period is complete."""
        state = state or AssertionState()
        fact = received if isinstance(received, Fact) else None
        if moment.slice == SUMMARISED:
            return self._summarise(seam, state, received, moment)
        if self._each:
            talks = self.on == "tool_call"
            rule = ConductRule(self.severity, self._quiet, self.attempts, talks)
            judged = conducted(state.runs, fact, moment, rule, partial(self._said, seam))
        else:
            kept = state.runs
            runs = None if kept is None else Runs(kept.windows, kept.run, kept.stretch)
            tolerate = 1 - self.at_least
            advance = shares(runs, fact, moment, tolerate=tolerate, min_count=self.min_count, quiet=self.quiet)
            judged = advance.judgement(lambda change: self._finding(seam, moment.slice, change))
            left = advance.state
            judged = replace(
                judged, state=None if left is None else Conduct(left.windows, left.run, stretch=left.stretch)
            )
        return replace(judged, state=None if judged.state is None else AssertionState(judged.state))

    def _said(self, seam: Seam, aspect: Aspect, part: str | None, run: Run) -> Said:
        first = run.evidence[0]
        _, why = label_of(first.label)
        agreed = f"the agreed behaviour {self.id!r} ({self.must}) did not hold"
        tried = f"a call was denied by the guard for which {agreed}"
        where = f" in conversation {part}" if part else ""
        doubt = f": {why}" if why else ""
        said = tried if aspect == ATTEMPT else agreed
        return Said(f"{seam.system}: {said}{where} at {moment_text(first.event_time)}{doubt}")

    def _finding(self, seam: Seam, part: str | None, change: Change) -> Finding:
        run, key = change.run, str(change.run.first)
        if change.what == "off":
            return Resolve(self.severity, key, change.at, slice=part)
        first = run.evidence[0]
        held, agreed = (share_text(share, self.at_least) for share in (1 - (run.share or 0), self.at_least))
        summary = (
            f"{seam.system}: the agreed behaviour {self.id!r} ({self.must}) held for {held} of the "
            f"events in the {format_duration(self.window)} from {moment_text(run.first)}; agreed at least {agreed}"
        )
        return Open(
            self.severity,
            key,
            change.at,
            summary,
            slice=part,
            since=first.event_time,
            observed=1 - (run.share or 0),
            limit=self.at_least,
            unit="share",
            evidence=run.evidence,
        )

    def _summarise(self, seam: Seam, state: AssertionState, received: Input, moment: Moment) -> Judgement:
        if self.summary is None:
            return Judgement(None)
        confirming = Confirming(seam, self.id, self.summary, self.severity)
        periods, receipts, late = state.periods, state.receipts, 0
        findings: tuple[Finding, ...] = ()
        if isinstance(received, ForwardedEvent):
            receipts, findings = confirming.answer(receipts, received)
        elif isinstance(received, Fact):
            added = periods.add(received, moment)
            late, periods = (1, periods) if added is None else (0, added)
        complete, periods = periods.take_complete(moment)
        made, told = [], state.told
        for period in complete:
            made.append((period.window_start, self._sentence(seam, period, told)))
            told = (*told, (period.count - period.breaches, period.count))[-TREND:]
        until = min(moment.watermark, periods.filling[0].start if periods.filling else moment.watermark)
        receipts, emitted, end = confirming.turn(receipts, made, until, moment.watermark)
        # What comes of a period that was summed up as silent is too late.
        periods = Windows(periods.filling, max(periods.done, end))
        deadline = earliest(periods.deadline(moment), confirming.deadline(receipts))
        left = AssertionState(periods=periods, receipts=receipts, told=told)
        return Judgement(left, (*findings, *emitted), deadline, periods.wake(moment), late)

    def _sentence(self, seam: Seam, period: Fact, told: Sequence[tuple[int, int]]) -> Remind:
        assert self.summary is not None
        passed = period.count - period.breaches
        text = (
            f"{seam.system}: {self.id!r} ({self.must}) held for {passed} of {period.count} events "
            f"({share_text(passed / period.count)}) from {moment_text(period.window_start)} to "
            f"{moment_text(period.window_end)}{_untold(period)}{_before(told)}"
        )
        return Remind("summary", str(period.window_start), self.summary.to, text, period.window_end)


def _untold(period: Fact) -> str:
    """Of how many it could not be told, which count as not holding."""
    untold = sum(period.missing)
    return f"; of {untold} of them it cannot be told, they do not give what it asks for" if untold else ""


def _before(told: Sequence[tuple[int, int]]) -> str:
    """The trend: how it held in the periods before in which anything was seen, the latest first."""
    shares = [share_text(passed / count) for passed, count in reversed(told)]
    return f"; before that {', '.join(shares)}" if shares else ""
