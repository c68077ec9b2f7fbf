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

While an episode is open the scores are watched on: it is over when at least 1,000 of them in at least ten windows
lie within the approved band again, and the bets then start anew. When the contract changes what is counted or
compared, the bets start anew too.

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
  moved most: 0.88–0.92 from 0 % to 100 %, 0.28–0.32 from 50 % to 0 %, 0.68–0.72 from 50 % to 0 %, 0–0.04 from 0 %
  to 0 %, 0.04–0.08 from 0 % to 0 %
```
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import BEGINNING, Selecting
from seamwatch.durations import DAY, MINUTE, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import is_null
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Histogram, Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.watch import Alarm, Counts, Recent, Rule, Watch, hour_of, look
from seamwatch.judging.windows import Windows
from seamwatch.judging.wording import moment_text, share_text
from seamwatch.statistics.histograms import Reference, ReferenceOf

_RESOLVE_SCORES = 1_000
_FIRST_SCORES = 1_000
_MISSING = (1, 3)
"""The sets of the two bins of absences (with a score, without one) that are of those without."""


@dataclass(frozen=True, slots=True)
class DistributionState:
    """Windows still filling, a period's reference, the bets, the windows they rest on, and the open episode.

    ``counted`` and ``compared`` are digests of what the reference and the bets rest on: where the contract changes
    it, they start anew. ``began`` is the first window of a reference of first scores, which is complete once
    ``pinned``. The rest is a `Watch`, over the scores and, where the reference knows of them, the absences.
    """

    windows: Windows = field(default_factory=Windows)
    counted: str = ""
    compared: str = ""
    reference: Reference | None = None
    began: int | None = None
    pinned: bool = False
    wealth: tuple[float, ...] = ()
    since: tuple[int, ...] = ()
    recent: Recent = ()
    opened: int | None = None
    seen: tuple[tuple[int, Counts], ...] = ()
    seen_windows: int = 0

    @property
    def watch(self) -> Watch:
        """The part of it that is watched."""
        return Watch(self.wealth, self.since, self.recent, self.opened, self.seen, self.seen_windows)

    def watched(self, watch: Watch) -> DistributionState:
        """With what is watched as it is now."""
        return replace(self, **{name: getattr(watch, name) for name in Watch.__slots__})


class Distribution(Selecting, kind="distribution"):
    """Scores are distributed as in the reference, within `floor`."""

    state_type = DistributionState
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

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError("range is [smallest, largest]: turn them round")
        if self.lifetime < 10 * self.window:
            raise ValueError("lifetime must hold at least ten windows")
        held = self.reference.histograms
        for name in ("range", "bins", "window", "by", "distinct", "where") if held is not None else ():
            if (ours := getattr(self, name)) != (theirs := getattr(held, name)):
                raise ValueError(
                    f"{name} is {_told(ours)} here and {_told(theirs)} in the reference's file: count both alike"
                )
        return self

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

    def judge(self, seam: Seam, state: DistributionState | None, happening: Happening, moment: Moment) -> Judgement:
        """Feed each complete window to the reference or to the bets."""
        state = self._agreed(state or DistributionState())
        windows, late = state.windows, 0
        if isinstance(happening, Fact) and self._says(happening):
            added = windows.add(happening, moment)
            late, windows = (1, windows) if added is None else (0, added)
        complete, windows = windows.take_complete(moment)
        if windows is not state.windows:
            state = replace(state, windows=windows)
        findings: tuple[Finding, ...] = ()
        period, end = self.reference.period, self.reference.end
        for window in complete:
            if self.reference.first is not None and not state.pinned:
                state = self._begun(state, self.reference.first, window)
            elif period is not None and period.start <= window.window_start and window.window_end <= period.to:
                state = replace(state, reference=self._grown(state.reference, window))
            elif end is None or window.window_start >= end:
                approved = self._reference(state, moment.slice)
                if approved is not None:
                    state, more = self._look(seam, state, approved, window, moment.slice)
                    findings += more
        return Judgement(state, findings, windows.deadline(moment), windows.wake(moment), late)

    def _says(self, fact: Fact) -> bool:
        if len(fact.histogram) != self.bins:
            return False  # of another version of the contract
        return any(fact.histogram) or (self.missing and fact.count > 0)

    def _grown(self, reference: Reference | None, window: Fact) -> Reference:
        reference = reference or Reference.empty(self.bins, absence=self.missing)
        return reference.with_window(hour_of(window.window_start), window.histogram, _missing(window))

    def _begun(self, state: DistributionState, first: int, window: Fact) -> DistributionState:
        """With the window in a reference of first scores, which it may complete."""
        if state.began is None and not any(window.histogram):
            return state  # the first score is still to come
        began = window.window_start if state.began is None else state.began
        reference = self._grown(state.reference, window)
        enough = sum(map(sum, reference.hours)) >= _FIRST_SCORES
        return replace(state, reference=reference, began=began, pinned=enough and window.window_end - began >= first)

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

    def _agreed(self, state: DistributionState) -> DistributionState:
        """The state as far as it rests on what is agreed now; an open episode stays open either way."""
        counted, compared = self._digests
        if state.compared == compared:
            return state
        same = state.counted == counted
        return DistributionState(
            state.windows if same else Windows(done=state.windows.done),
            counted,
            compared,
            state.reference if same else None,
            state.began if same else None,
            same and state.pinned,
            opened=state.opened,
        )

    def _reference(self, state: DistributionState, part: str | None) -> Reference | None:
        histograms = self.reference.histograms
        return state.reference if histograms is None else histograms.references.get(part)

    def _look(
        self, seam: Seam, state: DistributionState, reference: Reference, window: Fact, part: str | None
    ) -> tuple[DistributionState, tuple[Finding, ...]]:
        references, counts = [reference], [window.histogram]
        if self.missing and reference.absence is not None:
            # A decision without a score is a bin of its own: beside the scores, so that these are compared as before.
            references.append(reference.absence)
            counts.append((sum(window.histogram), _missing(window)))
        elif not any(window.histogram):
            return state, ()
        before = state.watch
        watch, alarm, over = look(before, references, counts, window.window_start, self._rule)
        state = state.watched(watch)
        if alarm is not None:
            return state, (self._found(seam, alarm, window, part),)
        if over:
            return state, (Resolve(self.severity, str(before.opened), window.window_end, slice=part),)
        return state, ()

    @property
    def _rule(self) -> Rule:
        return Rule(
            self.floor,
            self.alpha,
            self.lifetime // self.window,
            self.window,
            "cycle" if self.daily_cycle == "auto" else "none",
            _RESOLVE_SCORES,
        )

    def _found(self, seam: Seam, alarm: Alarm, window: Fact, part: str | None) -> Open:
        who = f"{seam.system} (cohort {part})" if part else seam.system
        words = self._moved if alarm.histogram == 0 else self._absent
        return Open(
            self.severity,
            str(window.window_start),
            window.window_end,
            f"{who}: {words(alarm)}",
            slice=part,
            since=alarm.since,
            observed=alarm.shift.now,
            limit=alarm.shift.limit,
            unit="share",
        )

    def _moved(self, alarm: Alarm) -> str:
        from seamwatch.statistics.ecusum import set_name

        shift, low = alarm.shift, self.range[0]
        width = (self.range[1] - low) / self.bins
        moved = ", ".join(
            f"{low + m.bin * width:.4g}–{low + (m.bin + 1) * width:.4g} from {share_text(m.approved)} to"
            f" {share_text(m.now)}"
            for m in shift.moved
        )
        missing = alarm.counts[1][1] if len(alarm.counts) > 1 else 0
        beside = f" ({missing:,} more decisions had none)" if missing else ""
        return (
            f"the share of scores {set_name(alarm.best, self.bins, *self.range)} was {share_text(shift.approved)} when"
            f" approved and is now {share_text(shift.now)} ({share_text(shift.interval[0])} to"
            f" {share_text(shift.interval[1])}), since {moment_text(alarm.since)}, over {shift.scores}"
            f" scores{beside}; largest move of any pass rate {share_text(shift.distance)} (±"
            f" {share_text(shift.half_width)}), agreed {share_text(self.floor)}; bins that moved most: {moved}"
        )

    def _absent(self, alarm: Alarm) -> str:
        shift = alarm.shift
        return (
            f"the share of decisions {'without' if alarm.best in _MISSING else 'with'} a score was"
            f" {share_text(shift.approved)} when approved and is now {share_text(shift.now)}"
            f" ({share_text(shift.interval[0])} to {share_text(shift.interval[1])}), since {moment_text(alarm.since)},"
            f" over {shift.scores} decisions; agreed {share_text(self.floor)}"
        )


def _missing(window: Fact) -> int:
    """How many decisions of a window had no score."""
    return window.count - sum(window.histogram)


def selection(where: Expression | None, version: str | None) -> Expression | None:
    """Which events are counted: those for which ``where`` holds, of one version if one is named; None for all."""
    if version is None:
        return where
    quoted = version.replace("'", "''")
    named = f"version = '{quoted}'"
    return Expression.parse(named if where is None else f"({where.text}) AND {named}")


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]


def _told(value: object) -> str:
    return "null" if value is None else str(list(value) if isinstance(value, tuple) else value)
