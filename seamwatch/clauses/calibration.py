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

Outcomes without a score, with a score outside `range`, or with a label outside 0 to 1 are left out, and the sentence
says how many of each. Those with such a label (of another convention: -1 and 1, 1 and 2) may change what the others
say: a breach begins only where the error would be above `max_error` whatever they mean. Where for a day all is left
out, or no outcome has come for thirty times as long, the clause says that it has [nothing to
judge](../episodes.md#nothing-to-judge).

State: one for each cohort (10,000 at most), about 1 kB: for each version three whole numbers a bin, and the minutes
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
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import ClassVar, Literal, Self
from urllib.parse import unquote

from pydantic import Field, model_validator

from seamwatch.clauses.clause import BEGINNING, Selecting
from seamwatch.durations import DAY, MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, is_null, negate, not_true, outside
from seamwatch.judging.calm import Stretch, went_outside
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve, TimePassed
from seamwatch.judging.measure import DECIDED_BY, Histogram, Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import MOST_WINDOWS, Windows, earliest
from seamwatch.judging.wording import left_out_text, moment_text, number_text, share_text
from seamwatch.statistics.reliability import Reliability

LOOK_EVERY = MINUTE
FORGOTTEN_AFTER = 7 * DAY
_OVERALL = "overall"
_EVER = 2**62
_MOST_VERSIONS = 16


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcomes of one version ("" for one that is not known), and the look at which its episode opened.

    ``stretch``: the last episode as looks, which are its windows, have found it. ``left_out``: how many more outcomes
    were left out, by why.
    """

    version: str
    range: tuple[float, float]
    reliability: Reliability = field(default_factory=Reliability)
    windows: Windows = field(default_factory=Windows)
    first: int | None = None
    last: int = -_EVER
    opened: int | None = None
    told: float = 0.0
    stretch: Stretch | None = None
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """One cohort: a tally a version, in the order in which they were first met."""

    tallies: tuple[Tally, ...] = ()


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
                LOOK_EVERY,
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
        together = measure(_OVERALL, (DECIDED_BY,))
        if self.by == "none":
            return (together,)
        return (together, measure("", ("cohort", DECIDED_BY), negate(is_null("cohort"))))

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
        approvals = (_approved_at(seam, declared.version) for declared in seam.versions)
        return min((at for at in approvals if at is not None), default=BEGINNING)

    def part_of(self, happening: Happening) -> str | None:
        """The cohort; "" for all together, and for those without one."""
        return _cohort_and_version(happening)[0] if isinstance(happening, Fact) else None

    def judge(self, seam: Seam, state: CalibrationState | None, happening: Happening, moment: Moment) -> Judgement:
        """After each minute that is complete, or at the end of the input."""
        tallies = {tally.version: tally for tally in (state or CalibrationState()).tallies}
        late = 0
        if isinstance(happening, Fact) and (len(happening.histogram) == self.bins or not happening.count):
            version = _version(seam, _cohort_and_version(happening)[1], happening.window_start)
            tally = tallies.get(version)
            if tally is None or tally.range != self.range or len(tally.reliability.counts) not in (0, self.bins):
                # Bins of another range, from an earlier version of the contract, say nothing here.
                tally = Tally(version, self.range, opened=None if tally is None else tally.opened)
            added = tally.windows.add(replace(happening, slice=version), moment)
            if added is None:
                # Its minute has been judged; it counts at the next look, which is the only one it could change.
                late, tally = 1, self._counted(tally, happening)
            tallies[version] = tally if added is None else replace(tally, windows=added)
        if isinstance(happening, TimePassed) and happening.ended:
            moment = replace(moment, watermark=_EVER, settle=0)
        findings: list[Finding] = []
        most = MOST_WINDOWS // max(1, len(tallies))
        looked = [self._looked(seam, tally, moment, most, findings) for tally in tallies.values()]
        kept = tuple(self._remembered(seam, looked, moment, findings))
        deadlines = (earliest(t.windows.deadline(moment), _forgotten_at(seam, t)) for t in kept)
        deadline = earliest(*(d for d in deadlines if d is not None and d > moment.watermark))
        wake = earliest(*(t.windows.wake(moment) for t in kept))
        return Judgement(CalibrationState(kept) if kept else None, tuple(findings), deadline, wake, late)

    def _looked(self, seam: Seam, tally: Tally, moment: Moment, most: int, findings: list[Finding]) -> Tally:
        complete, windows = tally.windows.take_complete(moment, most)
        tally = replace(tally, windows=windows)
        for window in complete:
            tally = self._look(seam, tally, window, moment.slice, findings)
        return tally

    def _look(self, seam: Seam, tally: Tally, window: Fact, cohort: str | None, findings: list[Finding]) -> Tally:
        tally = self._counted(tally, window)
        if tally.reliability.size < self.min_outcomes:
            return tally
        error = tally.reliability.error()
        if error <= self.max_error + 1e-12:
            return self._within(tally, window, cohort, findings)
        odd = tally.left_out[0] if tally.left_out else 0
        size = tally.reliability.size
        if (error * size - odd) / (size + odd) <= self.max_error + 1e-12:
            # Of those with a label of another convention none could add more than one to the sum of errors, nor take
            # more away: whether the error is above what was agreed depends on what they mean.
            return tally
        stretch = went_outside(tally.stretch, window.window_start, window.window_end, window.window, self.quiet)
        tally = replace(tally, stretch=stretch)
        if tally.opened is not None and abs(error - tally.told) < 0.001:
            return tally
        opened = window.last_time if tally.opened is None else tally.opened
        tally = replace(tally, opened=opened, told=error)
        findings.append(
            Open(
                self.severity,
                _key(tally.version, opened),
                opened,
                self._sentence(seam, tally, cohort),
                slice=cohort,
                since=tally.first,
                observed=error,
                limit=self.max_error,
                unit="probability",
            )
        )
        return tally

    def _within(self, tally: Tally, window: Fact, cohort: str | None, findings: list[Finding]) -> Tally:
        if tally.opened is None:
            return tally
        known = tally.stretch or Stretch(window.window_start, window.window_start)
        stretch = known.within(window.window_start, window.window, self.quiet)
        if stretch.open:
            return replace(tally, stretch=stretch)
        findings.append(Resolve(self.severity, _key(tally.version, tally.opened), window.last_time, slice=cohort))
        return replace(tally, opened=None, stretch=stretch)

    def _counted(self, tally: Tally, fact: Fact) -> Tally:
        left_out = tuple(map(sum, zip_longest(tally.left_out, fact.missing, fillvalue=0)))
        tally = replace(tally, left_out=left_out, last=max(tally.last, fact.last_time))
        if not fact.count:
            return tally
        reliability = tally.reliability.plus(fact.histogram, fact.sums[: self.bins], fact.sums[self.bins :])
        first = fact.first_time if tally.first is None else min(tally.first, fact.first_time)
        return replace(tally, reliability=reliability, first=first)

    def _sentence(self, seam: Seam, tally: Tally, cohort: str | None) -> str:
        reliability = tally.reliability
        worst = reliability.worst()
        score, share = reliability.of_bin(worst)
        low, high = reliability.interval()
        width = (self.range[1] - self.range[0]) / self.bins
        start, end = self.range[0] + worst * width, self.range[0] + (worst + 1) * width
        said = self.range[0] + score * (self.range[1] - self.range[0])
        who = f"{seam.system} (cohort {cohort})" if cohort else seam.system
        approved = _approved_at(seam, tally.version)
        since = f"since {moment_text(tally.first or 0)}"
        if tally.version and approved is not None and approved > -_EVER:
            since = f"since version {tally.version} was approved at {moment_text(approved)}"
        elif tally.version:
            since = f"of version {tally.version}"
        beside = left_out_text(tally.left_out, tuple(self._left_out()))
        return (
            f"{who}: scores are off by {share_text(reliability.error())} (95 % sure: {share_text(low)} to "
            f"{share_text(high)}; chance alone would show {share_text(reliability.chance())}) over "
            f"{reliability.size:,} outcomes{beside} {since}; agreed at most {share_text(self.max_error)}; worst "
            f"between {number_text(start)} and {number_text(end)}: said {said:.2f}, happened {share:.2f}, "
            f"{reliability.counts[worst]:,} outcomes"
        )

    def _remembered(self, seam: Seam, tallies: list[Tally], moment: Moment, findings: list[Finding]) -> Iterator[Tally]:
        # Versions that others followed are forgotten in time; the oldest at once when there are too many.
        for number, tally in enumerate(tallies):
            end = _forgotten_at(seam, tally)
            over = end is not None and moment.watermark >= end and not tally.windows.filling
            if moment.watermark == _EVER or not (over or number < len(tallies) - _MOST_VERSIONS):
                yield tally
            elif tally.opened is not None:
                at = end if end is not None and over else tally.last
                summary = f"{seam.system}: version {tally.version} was followed by another and is no longer judged"
                key = _key(tally.version, tally.opened)
                findings.append(Resolve(self.severity, key, at, slice=moment.slice, summary=summary))


def _cohort_and_version(fact: Fact) -> tuple[str, str]:
    if fact.measure == _OVERALL:
        return "", unquote(fact.slice or "")
    # The version is quoted, so that the last stroke is the one between the two.
    cohort, _, version = (fact.slice or "").rpartition("/")
    return cohort, unquote(version)


def _approved_at(seam: Seam, version: str) -> int | None:
    """When a version was first approved, as far back as can be for one without a date; None for never."""
    approvals = [a for declared in seam.versions if declared.version == version for a in declared.approvals]
    return min((-_EVER if a.approved_at is None else a.approved_at for a in approvals), default=None)


def _version(seam: Seam, decided_by: str, at: int) -> str:
    """The version that an outcome at ``at`` counts for: that which decided, if it was approved, else the newest."""
    approved = [(_approved_at(seam, v.version), n, v.version) for n, v in enumerate(seam.versions)]
    in_force = [(since, number, version) for since, number, version in approved if since is not None and since <= at]
    if any(version == decided_by for _, _, version in in_force):
        return decided_by
    return max(in_force)[2] if in_force else ""


def _forgotten_at(seam: Seam, tally: Tally) -> int | None:
    own = _approved_at(seam, tally.version)
    approvals = [_approved_at(seam, v.version) for v in seam.versions if v.version != tally.version]
    later = [since for since in approvals if since is not None and (own is None or since > own)]
    return max(tally.last + FORGOTTEN_AFTER, min(later)) if later and tally.last > -_EVER else None


def _key(version: str, opened: int) -> str:
    return f"{version}/{opened}"
