"""Distribution: scores still look like those that were approved.

A sequential test with a promise in its owner's words: *no cut-off's pass rate has moved more than `floor` from
what was approved, and a false page in the `lifetime` of the system has probability at most `alpha`.* Each window's
histogram feeds a bank of small bets (see `seamwatch.statistics.ecusum`); the alarm names the cut-off or bin that
moved, from what to what, the bins that moved most, and since when. A reference that is itself a small sample widens
its own band, so it cannot cause alarms. A daily cycle in the reference gives each part of the day its own band.
[Drift](../drift.md) says what it finds how fast.

A decision without a score is a bin of its own: that the share of them has moved, either way, is found as any other
shift is, under the same promise, while the scores that there are go on being compared with each other. `missing: false`
leaves such decisions out; so does a `where` that does (`score IS NOT NULL`), and so does a reference of an earlier
release, which did not count them. With `distinct` every one of them counts.

The reference is a `period` of the system's own scores, which the judge counts as they come and pins when the
period ends; or the system's own `first` scores, as in `{first: 14d}`: from the window of the first of them on, for so
long and until there are 1,000; or a `file` of histograms that lies beside the contract, as `seamwatch contracts
reference` writes it. The file's content is part of the contract that is signed and published. A period that is over
before the contract is published has mostly left the topics: then the file is the way. Nothing before the end of the
reference is judged, by any of them. The reference serves every version of the system, so that a silent swap is found;
one that names a `version` looks at the scores of that version alone.

With `by: cohort` a cohort that comes no longer while others do, and one that differs from another (or from one that the
file knows) by its spelling alone, are [warnings of their own](../episodes.md#nothing-to-judge).

While an episode is open the scores are watched on: it is over when at least 1,000 of them in at least ten windows
lie within the approved band again, and the bets then start anew. When the contract changes what is counted or
compared, the bets start anew too.

With `reviewer` a violation names who reviews the threshold that rests on these scores. With `review_within` as well a
shift opens a clock: the reviewer is told at once, reminded before it runs out (a tenth of it, 7 days at most), and
ends it by an attestation of kind `review` of this clause (`seamwatch attest review '<contract>#<clause>'`), or of the
point `review` of the hand-over. One review serves all cohorts. A clock that runs out is a breach of its own (slice: the
cohort), on which the reviewer must act; it is over with a late review, and not with the shift.

What its violation says: the cut-off or bin, or the decisions without a score, with its share when approved and now
(`observed`) and an interval, since when, over how many scores or decisions, and the bins that moved most.

With `missing: false`, or a reference of an earlier release that knows nothing of missing scores, decisions without one
are left out; where for a day there is no other, the clause says that it has [nothing to
judge](../episodes.md#nothing-to-judge).

What it cannot see: shifts below `floor`, shifts that leave the scores as they are, anything during the reference
itself (measured by its `first` scores, a system that was never right is right), a cohort that the reference does not
know (as decisions without a cohort, when all of them had one), and how scores beyond `range` differ from each other
(they lie in the first or last bin). That scores within a window are independent up to an estimated design effect is
an approximation; that days of the week do not differ is assumed. The promise is made for each cohort by itself.

State: one for the system or each cohort (1,000 at most), for good, 10 to 30 kB: 308 bets with the window in which each
last began (for 25 bins), the windows that the leading bets rest on (160 at most, older ones by the hour), and the
reference unless it is a file. At its largest it takes 2.7 MB.

```yaml
- id: scores-as-approved
  kind: distribution
  reference: {period: {from: 2026-10-01, to: 2026-10-15}}
  floor: 0.02
  alpha: 0.01
  by: cohort
```

With these events:

```json
{"type": "inference", "event_time": "2026-10-01T00:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "cohort": "north", "score": 0.3, "times": 1008, "every": "20m"}
{"type": "inference", "event_time": "2026-10-01T00:10:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "cohort": "north", "score": 0.7, "times": 1008, "every": "20m"}
{"type": "inference", "event_time": "2026-10-15T00:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "cohort": "north", "score": 0.9, "times": 120, "every": "10s"}
```

Replayed, this gives:

```text
breach open, opened 2026-10-15T00:05:00Z, slice north
  scorer (cohort north): the share of scores above 0.72 was 0 % when approved and is now 100 % (88 % to 100 %),
  since 2026-10-15 00:00:00 UTC, over 30 scores; largest move of any pass rate 100 % (± 25 %), agreed 2 %; bins that
  moved most: 0.88–0.92 from 0 % to 100 %, 0.28–0.32 from 50 % to 0 %, 0.68–0.72 from 50 % to 0 %
```
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import why_attestation_void
from seamwatch.clauses.clause import BEGINNING, Cohorts, Selecting
from seamwatch.clauses.distribution.looking import Looking
from seamwatch.clauses.distribution.review import Reviewing
from seamwatch.clauses.distribution.state import DistributionState
from seamwatch.durations import DAY, MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, is_null, negate
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment
from seamwatch.judging.model.measure import Histogram, Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.watch import Rule
from seamwatch.judging.patterns.windows import earliest
from seamwatch.statistics.histograms import Reference, ReferenceOf

_RESOLVE_SCORES = 1_000


class Distribution(Selecting, kind="distribution"):
    """Scores are distributed as in the reference, within `floor`."""

    state_type = DistributionState
    wants = frozenset({"attestation"})
    spreads = frozenset({"attestation"})
    most_parts: ClassVar[int] = 1_000

    kind: Literal["distribution"]
    reference: ReferenceOf = Field(description="the approved scores")
    range: tuple[float, float] = Field((0.0, 1.0), description="smallest and largest score")
    bins: int = Field(25, ge=2, le=200, description="equal bins over `range`")
    window: Duration = Field(MINUTE, description="over which scores are counted before each look")
    floor: float = Field(0.02, gt=0, lt=1, description="smallest move of a pass rate worth waking someone for")
    alpha: float = Field(0.01, gt=0, lt=0.5, description="probability of a false page in a `lifetime`")
    lifetime: Duration = Field(30 * DAY, description="over which `alpha` holds")
    by: Literal["cohort"] | None = Field(None, description="look at each cohort by itself")
    daily_cycle: Literal["auto", "none"] = Field("auto", description="whether parts of the day may differ")
    distinct: bool = Field(False, description="count equal scores once a window (retried requests)")
    missing: bool = Field(True, description="whether decisions without a score are a bin of their own")
    reviewer: str | None = Field(None, description="the person who reviews the threshold when scores have shifted")
    review_within: Duration | None = Field(
        None, description="how long the reviewer has after a shift opened; no clock when absent"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError("range is [smallest, largest]: turn them round")
        if self.review_within is not None and self.reviewer is None:
            raise ValueError("review_within needs a reviewer: say who reviews")
        if self.lifetime < 10 * self.window:
            raise ValueError("lifetime must hold at least ten windows")
        held = self.reference.histograms
        for name in ("range", "bins", "window", "by", "distinct", "where") if held is not None else ():
            if (ours := getattr(self, name)) != (theirs := getattr(held, name)):
                raise ValueError(
                    f"{name} is {_shown(ours)} here and {_shown(theirs)} in the reference's file: count both alike"
                )
        return self

    def people(self) -> tuple[str, ...]:
        """Who reviews."""
        return () if self.reviewer is None else (self.reviewer,)

    @property
    def attested_as(self) -> str | None:
        """With `review_within` a review."""
        return None if self.review_within is None else "review"

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """With `review_within` the reviewer attests the review."""
        if self.attested_as is None:
            return super().why_void(seam, record)
        return why_attestation_void(seam, self.id, "review", record, self.people())

    def part_of(self, received: Input) -> str | None:
        """The cohort; a review is of the whole system, and each cohort is told."""
        if not isinstance(received, ForwardedEvent):
            return super().part_of(received)
        return "" if self.attested_as is not None and received.record["kind"] == "review" else None

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """A histogram of the scores of each window; what it counts beside them has none."""
        histogram = Histogram(*self.range, self.bins)
        return (
            Measure(
                "inference",
                None,
                self.window,
                select=selection(self.where, self.reference.of_version),
                value=Expression.parse("score"),
                slice=(self.by,) if self.by else (),
                histogram=histogram,
                distinct=self.distinct,
            ),
        )

    def cohorts(self) -> Cohorts | None:
        """With `by: cohort` those of the decisions that it judges, beside those of a reference in a file."""
        if self.by is None:
            return None
        held = self.reference.histograms
        approved = () if held is None else tuple(name for name in held.references if name)
        select, absent = selection(self.where, self.reference.of_version), self.left_out().get("inference")
        parts = [part for part in (select, None if absent is None else negate(absent)) if part is not None]
        return Cohorts("inference", all_of(*parts) if parts else None, approved)

    def left_out(self) -> Mapping[Source, Expression]:
        """Decisions without a score, where they are no bin of their own: all those of another version are."""
        held = self.reference.histograms
        known = held is None or any(part.missing is not None for part in held.slices)
        return {} if self.missing and known else {"inference": is_null("score")}

    def gives(self, source: str) -> str:
        """A score."""
        return "gives a score"

    def counts_from(self, seam: Seam) -> int | None:
        """The beginning of the reference, as far as scores tell it."""
        if self.reference.period is not None:
            return self.reference.period.start
        return None if self.reference.first is None else BEGINNING

    def judge(self, seam: Seam, state: DistributionState | None, received: Input, moment: Moment) -> Judgement:
        """Feed each complete window to the reference or to the bets."""
        state = (state or DistributionState()).resting_on(*self._digests)
        windows, late = state.windows, 0
        if isinstance(received, Fact) and self._says(received):
            added = windows.add(received, moment)
            late, windows = (1, windows) if added is None else (0, added)
        complete, windows = windows.take_complete(moment)
        if windows is not state.windows:
            state = replace(state, windows=windows)
        findings: tuple[Finding, ...] = ()
        reviewing = self._reviewing(seam, moment.slice)
        if isinstance(received, ForwardedEvent) and self.why_void(seam, received.record) is None:
            clock, findings = reviewing.reviewed(state.review, int(received.record["event_time"]))
            state = replace(state, review=clock)
        period, end = self.reference.period, self.reference.end
        for window in complete:
            if self.reference.first is not None and not state.pinned:
                state = state.begun(self.reference.first, window, absence=self.missing)
            elif period is not None and period.start <= window.window_start and window.window_end <= period.to:
                state = state.grown(window, absence=self.missing)
            elif end is None or window.window_start >= end:
                approved = self._reference(state, moment.slice)
                if approved is not None:
                    state, more = self._looking.look(reviewing, state, approved, window)
                    findings += more
        if state.review.since is None:
            return Judgement(state, findings, windows.deadline(moment), windows.wake(moment), late)
        clock, asked = reviewing.turn(state.review, moment.watermark)
        state = replace(state, review=clock)
        deadline = earliest(windows.deadline(moment), reviewing.deadline(clock))
        return Judgement(state, findings + asked, deadline, windows.wake(moment), late)

    def _says(self, fact: Fact) -> bool:
        if len(fact.histogram) != self.bins:
            return False  # of another version of the contract
        return any(fact.histogram) or (self.missing and fact.count > 0)

    @cached_property
    def _looking(self) -> Looking:
        rule = Rule(
            self.floor,
            self.alpha,
            self.lifetime // self.window,
            self.window,
            "cycle" if self.daily_cycle == "auto" else "none",
            _RESOLVE_SCORES,
        )
        return Looking(self.severity, rule, self.range, self.missing)

    def _reviewing(self, seam: Seam, cohort: str | None) -> Reviewing:
        return Reviewing(seam, self.id, self.severity, self.reviewer, self.review_within, cohort)

    @cached_property
    def _digests(self) -> tuple[str, str]:
        """What the reference rests on, and what the bets do."""
        reference = self.reference
        period = (reference.period.start, reference.period.to) if reference.period is not None else None
        counted = _digest(period or reference.first, reference.of_version, self.range, self.bins, self.window, self.by,
                          self.distinct, self.where)  # fmt: skip
        file = reference.histograms.digest if reference.histograms is not None else None
        # What is left out by default is no part of it, or the bets of all states so far would start anew.
        more = () if self.missing else ("without absences",)
        return counted, _digest(counted, file, self.floor, self.alpha, self.lifetime, self.daily_cycle, *more)

    def _reference(self, state: DistributionState, part: str | None) -> Reference | None:
        histograms = self.reference.histograms
        return state.reference if histograms is None else histograms.references.get(part)


def selection(where: Expression | None, version: str | None) -> Expression | None:
    """Which events are counted: those for which ``where`` holds, of one version if one is named; None for all."""
    if version is None:
        return where
    quoted = version.replace("'", "''")
    named = f"version = '{quoted}'"
    return Expression.parse(named if where is None else f"({where.text}) AND {named}")


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]


def _shown(value: object) -> str:
    return "null" if value is None else str(list(value) if isinstance(value, tuple) else value)
