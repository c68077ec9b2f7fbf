"""Calibration: a score means a probability, in every cohort.

Each outcome brings the score that was given and the label that turned out to be true. Scores fall into `bins` equal
bins of `range`; the expected calibration error is the mean, over the outcomes, of the distance between a bin's mean
score and the share that came true in it. It is cumulative since the version was approved, and looked at after every
minute of event time that brought an outcome, from `min_outcomes` on. A breach opens when the error is above
`max_error`, at the time of the last outcome of that minute, is told again when the error has moved by a tenth of a
percent, and is over when the error is within `max_error` again; where it hovers about it, or `quiet` is agreed, when
no look has found it above for so long ([episodes](../episodes.md#the-end)).

By default the clause judges each cohort (slice: the cohort) and all outcomes together (no slice); with `by: cohort`
cohorts alone, those without a cohort as one (no slice); with `by: none` all together alone.

An outcome that carries no score, or no cohort where that is needed, takes them from the decision it names
(`inference_id`), and counts for the version that decided: in a replay wherever that stands in the history, live as soon
as the store has it. Meanwhile the outcome waits, and this clause with it. One whose decision the store does not have,
15 minutes after the outcome came, counts with what it carries: without a score it is left out
([time](../time.md#outcomes-that-wait-for-their-decisions)). One that carries both says nothing of the version: it
counts for the version whose approval is the newest at the outcome's time; so does one of a version that is not
approved. Where the system declares no version that is approved, everything counts together.

The sentence gives the error with a 95 % interval, the error that chance alone would show, and the bin that adds most
to it. The judgement is on the error itself, as signed, not on the interval: a model that is calibrated perfectly shows
by chance an error of about 0.3·√(`bins`/outcomes): 3 % for 10 bins and 1,000 outcomes, 10 % for 100. Choose
`min_outcomes` such that chance stays well below `max_error`, else a small sample alarms.

**The newest beside all.** Ten thousand good outcomes would hide a thousand bad ones for long. So the newest `recent`
outcomes of each version and cohort (as many as `min_outcomes`, unless agreed otherwise; `none` for never) are judged
by themselves, whenever half of them are new. Such looks are many and of few outcomes: a breach of its own opens when
the lower end of their interval is above `max_error`, unless one over all is open, and is over when they are off by no
more than `max_error` and what chance alone would show.

A cohort of which no outcome comes while others have some, and one that is spelt otherwise, are [warnings of their
own](../episodes.md#nothing-to-judge); so are outcomes of a system from which no decision ever came.

Outcomes without a score, with a score outside `range`, or with a label outside 0 to 1 are left out, and the sentence
says how many of each. Those with such a label (of another convention: -1 and 1, 1 and 2) may change what the others
say: a breach begins only where the error would be above `max_error` whatever they mean. Where for a day all is left
out, or outcomes have stopped or never came for a multiple of that, the clause says that it has [nothing to
judge](../episodes.md#nothing-to-judge).

State: one for each cohort (10,000 at most), about 2 kB: for each version nine whole numbers a bin, and the minutes
that are not yet complete, 1,440 at most of all versions together. A version that another one was approved after is
forgotten, and its breach is over, seven days after its last outcome; the oldest at once when there are more than 16.
At its largest it takes 6.2 MB.

What its violation says: the error (`observed`) with its interval, what chance alone would show, what was agreed
(`limit`), and the bin that is worst.

What it cannot see: which of two versions that serve at once decided, of outcomes that carry score and cohort;
decisions whose outcome never comes, which is rarely chance (nobody observes the loan that was refused); what the
outcomes that are left out would say (it tells how many); errors that cancel within a bin.

```yaml
- id: means-what-it-says
  kind: calibration
  bins: 10
  max_error: 0.05
  min_outcomes: 1000
  by: cohort
```

With these events:

```json
{"type": "outcome", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "inference_id": "-",
 "observed_at": "2026-03-02T09:00:00Z", "cohort": "north", "score": 0.7, "label": 1.0, "times": 500, "every": "1s"}
{"type": "outcome", "event_time": "2026-03-02T10:00:00Z", "system": "scorer", "inference_id": "-",
 "observed_at": "2026-03-02T10:00:00Z", "cohort": "north", "score": 0.7, "label": 0.0, "times": 500, "every": "1s"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T10:08:19Z, slice north
  scorer (cohort north): scores are off by 20 % (95 % sure: 17 % to 23 %; chance alone would show 1.2 %) over 1,000
  outcomes since 2026-03-02 09:00:00 UTC; agreed at most 5 %; worst between 0.7 and 0.8: said 0.70, happened 0.50,
  1,000 outcomes
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.calibration.looking import Looking
from seamwatch.clauses.calibration.state import EVER, CalibrationState, Tally
from seamwatch.clauses.calibration.versions import (
    OVERALL,
    approved_at,
    cohort_and_version,
    counts_for,
    forgotten_at,
    remembered,
)
from seamwatch.clauses.calibration.words import Words
from seamwatch.clauses.clause import BEGINNING, Cohorts, Selecting
from seamwatch.durations import MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, is_null, negate, not_true, outside
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, TimePassed
from seamwatch.judging.model.measure import DECIDED_BY, Histogram, Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.newest import Newest
from seamwatch.judging.patterns.windows import MOST_WINDOWS, earliest
from seamwatch.judging.patterns.wording import number_text

LOOKEVERY = MINUTE


class Calibration(Selecting, kind="calibration"):
    """The expected calibration error is at most what was agreed."""

    state_type = CalibrationState
    most_parts: ClassVar[int] = 10_000
    ends_with_input: ClassVar[bool] = True

    kind: Literal["calibration"]
    max_error: float = Field(gt=0, lt=1, description="largest expected calibration error, a probability")
    bins: int = Field(10, ge=1, le=100, description="equal bins of `range`")
    range: tuple[float, float] = Field((0.0, 1.0), description="the scores that mean never and always")
    min_outcomes: int = Field(500, ge=1, description="fewest outcomes on which the error is judged")
    by: Literal["cohort", "none"] | None = Field(
        None, description="`cohort`: each cohort alone; `none`: all together alone; otherwise both"
    )
    recent: Annotated[int, Field(ge=2)] | Literal["none"] | None = Field(
        None, description="how many of the newest outcomes are judged beside all; `min_outcomes` when absent"
    )
    quiet: Duration | None = Field(
        None,
        description="a breach is over after so long without a look that finds the error above `max_error`; when "
        "absent, with the first that finds it within, unless it flaps",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError("range is [never, always]: turn them round")
        return self

    def sources(self) -> tuple[str, ...]:
        """Outcomes."""
        return ("outcome",)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Outcomes with score and label per bin of the score; by cohort, together, or both."""
        low, high = self.range
        score = Expression.parse("score" if self.range == (0, 1) else f"(score - {low!r}) / {high - low!r}")
        label = Expression.parse("label")
        left_out = tuple(self._left_out().values())
        chosen = [] if self.where is None else [self.where]

        def measure(name: str, slice_: tuple[str, ...], *more: Expression) -> Measure:
            return Measure(
                "outcome",
                None,
                LOOKEVERY,
                select=all_of(*map(not_true, left_out), *chosen, *more),
                value=score,
                weigh=(score, label),
                slice=slice_,
                histogram=Histogram(0, 1, self.bins),
                name=name,
                left_out=tuple(all_of(condition, *chosen, *more) for condition in left_out),
            )

        if self.by == "cohort":
            return (measure("", ("cohort", DECIDED_BY)),)
        together = measure(OVERALL, (DECIDED_BY,))
        if self.by == "none":
            return (together,)
        return (together, measure("", ("cohort", DECIDED_BY), negate(is_null("cohort"))))

    def cohorts(self) -> Cohorts | None:
        """Those of the outcomes that it judges, unless it judges all together alone."""
        if self.by == "none":
            return None
        chosen = [] if self.where is None else [self.where]
        return Cohorts("outcome", all_of(*map(not_true, self._left_out().values()), *chosen))

    def left_out(self) -> Mapping[Source, Expression]:
        """Outcomes whose score and label say nothing of a probability."""
        return {"outcome": any_of(*self._left_out().values())}

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """A label or score that is no probability is odd."""
        for condition in self._left_out().values():
            yield "outcome", condition, "absent" if condition == is_null("score") else "odd"

    def gives(self, source: str) -> str:
        """A score and a label."""
        low, high = (number_text(end) for end in self.range)
        return f"gives a score of {low} to {high} and a label of 0 to 1"

    def _left_out(self) -> dict[str, Expression]:
        """What is left out, by why in the words of the sentence."""
        low, high = self.range
        outer = f"with a score outside {number_text(low)} to {number_text(high)}"
        return {
            "with a label outside 0 to 1": outside("label", 0, 1),
            "without a score": is_null("score"),
            outer: outside("score", low, high),
        }

    def counts_from(self, seam: Seam) -> int | None:
        """The first approval; where none is known, all there is."""
        approvals = (approved_at(seam, declared.version) for declared in seam.versions)
        return min((at for at in approvals if at is not None), default=BEGINNING)

    def part_of(self, received: Input) -> str | None:
        """The cohort; "" for all together, and for those without one."""
        return cohort_and_version(received)[0] if isinstance(received, Fact) else None

    def judge(self, seam: Seam, state: CalibrationState | None, received: Input, moment: Moment) -> Judgement:
        """After each minute that is complete, or at the end of the input."""
        tallies = {tally.version: tally for tally in (state or CalibrationState()).tallies}
        late = 0
        if isinstance(received, Fact) and (len(received.histogram) == self.bins or not received.count):
            version = counts_for(seam, cohort_and_version(received)[1], received.window_start)
            tally = tallies.get(version)
            if tally is None or tally.range != self.range or len(tally.reliability.counts) not in (0, self.bins):
                # Bins of another range, from an earlier version of the contract, say nothing here.
                opened = (None, None) if tally is None else (tally.opened, tally.newest.opened)
                tally = Tally(version, self.range, opened=opened[0], newest=Newest(opened=opened[1]))
            added = tally.windows.add(replace(received, slice=version), moment)
            if added is None:
                # Its minute has been judged; it counts at the next look, which is the only one it could change.
                late, tally = 1, self._looking.counted(tally, received)
            tallies[version] = tally if added is None else replace(tally, windows=added)
        if isinstance(received, TimePassed) and received.ended:
            moment = replace(moment, watermark=EVER, settle=0)
        findings: list[Finding] = []
        most = MOST_WINDOWS // max(1, len(tallies))
        looked = [self._looking.looked(seam, tally, moment, most, findings) for tally in tallies.values()]
        kept = tuple(remembered(seam, looked, moment, self.severity, findings))
        deadlines = (earliest(t.windows.deadline(moment), forgotten_at(seam, t)) for t in kept)
        deadline = earliest(*(d for d in deadlines if d is not None and d > moment.watermark))
        wake = earliest(*(t.windows.wake(moment) for t in kept))
        return Judgement(CalibrationState(kept) if kept else None, tuple(findings), deadline, wake, late)

    @cached_property
    def _looking(self) -> Looking:
        recent = self.min_outcomes if self.recent is None else self.recent
        words = Words(self.max_error, self.range, self.bins, tuple(self._left_out()))
        return Looking(self.severity, self.min_outcomes, recent, self.quiet, words)
