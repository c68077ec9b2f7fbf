"""Range: every score is valid.

A score outside the agreed bounds means that the number no longer says what its readers take it to say: another
unit, another model, a default value. Each score is checked. With `tolerate` the share of bad scores in each window
is judged when the window is complete, and a breach begins and ends with windows ([episodes](../episodes.md#the-end));
without it the first bad score is a breach, which is over after a day (`quiet`) without another.

State: one for the system, about 3 kB: the windows that are not yet complete, 1,440 at most, and the first five bad
scores of what is open. Without `tolerate` only windows with a bad score, until `quiet` has passed without another. At
its largest it takes 2.1 MB.

What its violation says: the first score outside the bounds (`observed`) and the bounds or, with `tolerate`, the share
of such scores and the share agreed (`limit`); the first five are its evidence.

What it cannot see: a score that is wrong but in range (see `distribution` and `calibration`); that more scores are
missing than were, unless `nullable: false` is agreed (see `completeness`). Decisions without a score count as in range;
where for a day there is no other, the clause says that it has [nothing to judge](../episodes.md#nothing-to-judge).

```yaml
- id: score-valid
  kind: range
  min: 0
  max: 1
  nullable: false
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 0.4}
{"type": "inference", "event_time": "2026-03-02T09:01:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 40}
{"type": "inference", "event_time": "2026-03-02T09:02:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:01:00Z
  scorer: score 40 at 2026-03-02 09:01:00 UTC is outside the agreed 0 to 1
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Selecting
from seamwatch.durations import DAY, HOUR, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import any_of, is_null, outside
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.model.tolerance import Tolerance
from seamwatch.judging.patterns.calm import WHEN_ABSENT
from seamwatch.judging.patterns.runs import Change, Runs, bundle, occurrences, shares
from seamwatch.judging.patterns.wording import moment_text, number_text, share_text


class Range(Selecting, kind="range"):
    """Scores stay within [min, max]."""

    state_type = Runs

    kind: Literal["range"]
    min: float | None = Field(None, description="smallest valid score")
    max: float | None = Field(None, description="largest valid score")
    nullable: bool = Field(True, description="whether an event without a score is fine")
    tolerate: float = Field(0.0, ge=0, lt=1, description="share of a window's events that may be out of range")
    window: Duration = Field(HOUR, description="over which `tolerate` is judged")
    quiet: Duration | None = Field(
        None,
        description="a breach is over after so long without a bad score, a day when absent; with `tolerate` without a "
        f"window over it, or {WHEN_ABSENT}",
    )

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("range needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: turn them round")
        return self

    @property
    def _quiet(self) -> int:
        return DAY if self.quiet is None else self.quiet

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Scores out of range, over all selected decisions."""
        measure = self._measured()
        if self.tolerate:
            return (measure,)
        window = bundle(self._quiet, self.window)
        return (replace(measure, window=window, only_breaches=True, agreed=self.window),)

    def _measured(self) -> Measure:
        breach = outside("score", self.min, self.max)
        if not self.nullable:
            breach = any_of(breach, is_null("score"))
        return Measure("inference", breach, self.window, select=self.where, value=Expression.parse("score"))

    def tolerance(self) -> Tolerance | None:
        """`tolerate`."""
        return Tolerance(self.tolerate, self._measured()) if self.tolerate else None

    def left_out(self) -> Mapping[Source, Expression]:
        """Decisions without a score, unless that is a bad score."""
        return {"inference": is_null("score")} if self.nullable else {}

    def gives(self, source: str) -> str:
        """A score."""
        return "gives a score"

    def judge(self, seam: Seam, state: Runs | None, received: Input, moment: Moment) -> Judgement:
        """The occurrence rule without `tolerate`, the share rule with it."""
        fact = received if isinstance(received, Fact) else None
        if self.tolerate == 0:
            advance = occurrences(state, fact, moment, quiet=self._quiet)
        else:
            advance = shares(state, fact, moment, tolerate=self.tolerate, min_count=1, quiet=self.quiet)
        return advance.judgement(lambda change: self._finding(seam, change))

    def _finding(self, seam: Seam, change: Change) -> Finding:
        run, key = change.run, str(change.run.first)
        if change.what == "off":
            return Resolve(self.severity, key, change.at)
        agreed = self._agreed()
        first = run.evidence[0]
        if self.tolerate:
            share, most = (share_text(share, self.tolerate) for share in (run.share or 0, self.tolerate))
            summary = (
                f"{seam.system}: {share} of the scores in the {format_duration(self.window)} from "
                f"{moment_text(run.first)} were outside {agreed}; agreed at most {most}"
            )
            return Open(
                self.severity,
                key,
                change.at,
                summary,
                since=first.event_time,
                observed=run.share,
                limit=self.tolerate,
                unit="share",
                evidence=run.evidence,
            )
        limit = self.min if first.value is not None and self.min is not None and first.value < self.min else self.max
        at = moment_text(first.event_time)
        if first.value is None:
            summary = f"{seam.system}: score is missing at {at}; agreed {agreed}"
        else:
            score = number_text(first.value, self.min, self.max)
            summary = f"{seam.system}: score {score} at {at} is outside the agreed {agreed}"
        return Open(
            self.severity,
            key,
            change.at,
            summary,
            since=first.event_time,
            observed=first.value,
            limit=limit,
            evidence=run.evidence,
        )

    def _agreed(self) -> str:
        low, high = number_text(self.min, self.min), number_text(self.max, self.max)
        if self.min is None or self.max is None:
            return f"at most {high}" if self.min is None else f"at least {low}"
        return f"{low} to {high}"
