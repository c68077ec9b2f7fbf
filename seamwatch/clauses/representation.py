"""Representation: each cohort's share stays within the agreed bounds.

`of: dataset` looks at the rows per cohort that each refresh reports; `of: inference` at the cohorts of the decisions
in each window, when it is complete. The share is of all rows (decisions) that name a cohort, also one that is not
listed. A listed cohort that is absent has share 0. Refreshes that report no cohorts, and windows (refreshes) with
fewer than `min_count`, are not judged: they neither open nor end anything.

Each cohort has its own episode (slice: the cohort). It begins with the first window or refresh outside the bounds.
Over windows it ends with the first judged one within, or, where it flaps or `quiet` is agreed, when none was outside
for so long ([episodes](../episodes.md#the-end)); over refreshes with the first within. The sentence gives the share
with a 95 % interval (Wilson's), since a share of few is a guess.

State: one for the system, for good: the windows that are not yet complete, with the number of all decisions and of
each listed cohort, each of which counts as a window of the 1,440 at most (but 24 may wait however many cohorts there
are), and what is open; of refreshes only when the newest was and what is open. Cohorts that are not listed cost
nothing. At its largest it takes 2.1 MB (of 20 cohorts).

What its violation says: the cohort, its share (`observed`) with a 95 % interval, and the bounds; `limit` is the bound
that it breaks.

What it cannot see: a cohort that is named wrongly, or not at all. Shares are of the rows and decisions that name one;
the sentence says how many more do not. Where for a day no decision names one, the clause says that it has [nothing to
judge](../episodes.md#nothing-to-judge); a refresh of which fewer than `min_count` rows name one says nothing.

```yaml
- id: who
  kind: representation
  of: inference
  shares:
    north: [0.3, 0.7]
    south: [0.3, 0.7]
  window: 1d
  min_count: 500
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T00:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "cohort": "north", "times": 450, "every": "3m"}
{"type": "inference", "event_time": "2026-03-02T00:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "cohort": "south", "times": 100, "every": "14m"}
```

Replayed to 2026-03-03T00:00:00Z, this gives:

```text
breach open, opened 2026-03-03T00:00:00Z, slice south
  scorer: cohort 'south' makes up 18 % (95 % sure: 15 % to 22 %) of 550 decisions in the 24 h from 2026-03-02
  00:00:00 UTC; agreed 30 % to 70 %
breach open, opened 2026-03-03T00:00:00Z, slice north
  scorer: cohort 'north' makes up 82 % (95 % sure: 78 % to 85 %) of 550 decisions in the 24 h from 2026-03-02
  00:00:00 UTC; agreed 30 % to 70 %
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Selecting
from seamwatch.durations import DAY, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, equals, is_null, negate
from seamwatch.expressions.closure import closure
from seamwatch.judging.calm import WHEN_ABSENT, Stretch, went_outside
from seamwatch.judging.facts import Evidence, Fact, ForwardedEvent
from seamwatch.judging.faults import Fault, follow, told_by
from seamwatch.judging.intervals import interval_text
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import Measure, Source
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import MOST_WINDOWS, Windows
from seamwatch.judging.wording import left_out_text, moment_text, share_text
from seamwatch.values import value

Share = Annotated[float, Field(ge=0, le=1)]
_COHORT = "cohort/"
_LEAST_WINDOWS = 24


@value()
class RepresentationState:
    """Windows of all decisions that name a cohort and of each listed cohort, and the last episode of each cohort.

    ``newest`` and ``faults`` serve refreshes instead. ``outside`` is what was open as an earlier release kept it.
    """

    whole: Windows = field(default_factory=Windows)
    cohorts: tuple[tuple[str, Windows], ...] = ()
    outside: tuple[tuple[str, int], ...] = ()
    newest: int | None = None
    faults: tuple[Fault, ...] = ()
    stretches: tuple[tuple[str, Stretch], ...] = ()


class Representation(Selecting, kind="representation"):
    """Each cohort's share stays within [min, max]."""

    state_type = RepresentationState
    wants = frozenset({"dataset_refresh"})

    kind: Literal["representation"]
    shares: dict[str, tuple[Share, Share]] = Field(
        min_length=1, description="lowest and highest share of each cohort: {cohort: [min, max]}"
    )
    of: Literal["dataset", "inference"] = Field("dataset", description="the data, or the decisions")
    window: Duration = Field(DAY, description="`of: inference`: over which shares are judged")
    min_count: int = Field(30, ge=1, description="fewest rows or decisions on which shares are judged")
    quiet: Duration | None = Field(
        None,
        description="`of: inference`: a breach is over after so long without a window outside the bounds; "
        f"{WHEN_ABSENT}",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for cohort, (low, high) in self.shares.items():
            if low > high:
                raise ValueError(f"cohort {cohort!r}: min {low:g} is above max {high:g}: turn them round")
        least = sum(low for low, _ in self.shares.values())
        if least > 1 + 1e-9:
            raise ValueError(f"the lowest shares add up to {least:g}, which is more than the whole: lower some")
        return self

    def sources(self) -> tuple[str, ...]:
        """Refreshes of the dataset, or decisions."""
        return ("dataset_refresh",) if self.of == "dataset" else ("inference",)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """`of: inference`: decisions that name a cohort, and those of each listed cohort."""
        if self.of == "dataset":
            return ()
        named = negate(is_null("cohort"))
        select = named if self.where is None else all_of(self.where, named)
        return (
            Measure("inference", None, self.window, select=select, left_out=(self._nameless,)),
            *(
                Measure(
                    "inference",
                    equals("cohort", cohort),
                    self.window,
                    select=select,
                    only_breaches=True,
                    name=_COHORT + cohort,
                )
                for cohort in self.shares
            ),
        )

    @property
    def _nameless(self) -> Expression:
        unknown = is_null("cohort")
        return unknown if self.where is None else all_of(self.where, unknown)

    def left_out(self) -> Mapping[Source, Expression]:
        """`of: inference`: decisions that name no cohort."""
        return {"inference": is_null("cohort")} if self.of == "inference" else {}

    def gives(self, source: str) -> str:
        """A cohort."""
        return "names a cohort"

    def part_of(self, happening: Happening) -> str | None:
        """One state a system: the cohorts are shares of one whole."""
        if isinstance(happening, ForwardedEvent):
            if self.of != "dataset":
                return None
            chosen = self.where is None or closure(self.where, "dataset_refresh")(happening.record) is True
            return "" if chosen else None
        return ""

    def judge(self, seam: Seam, state: RepresentationState | None, happening: Happening, moment: Moment) -> Judgement:
        """Each refresh, or each complete window."""
        state = self._kept(state or RepresentationState())
        if isinstance(happening, ForwardedEvent):
            return self._refresh(seam, state, happening)
        late = 0
        if isinstance(happening, Fact):
            state, late = _added(state, happening, moment)
        findings: tuple[Finding, ...] = ()
        most = max(_LEAST_WINDOWS, MOST_WINDOWS // (1 + len(self.shares)))
        complete, whole = state.whole.take_complete(moment, most)
        for window in complete:
            state, told = self._window(seam, state, window)
            findings += told
        # What came for a window of the whole came for its cohorts in the same flush: they are complete together.
        cohorts = state.cohorts
        if complete:
            left = [(cohort, tuple([w for w in mine.filling if w.end > whole.done])) for cohort, mine in cohorts]
            cohorts = tuple([(cohort, Windows(filling, whole.done)) for cohort, filling in left if filling])
        state = RepresentationState(whole, cohorts, (), state.newest, state.faults, state.stretches)
        return Judgement(state, findings, whole.deadline(moment), whole.wake(moment), late)

    def _kept(self, state: RepresentationState) -> RepresentationState:
        if not state.outside:
            return state
        known = (
            (cohort, Stretch(start, max(start + self.window, state.whole.done))) for cohort, start in state.outside
        )
        return replace(state, outside=(), stretches=tuple(known))

    def _refresh(self, seam: Seam, state: RepresentationState, event: ForwardedEvent) -> Judgement:
        evidence = told_by(event)
        at = evidence.event_time
        counts: dict[str, int] = {}
        for entry in event.record["cohorts"]:
            counts[entry["cohort"]] = counts.get(entry["cohort"], 0) + int(entry["count"])
        total = sum(counts.values())
        if total < self.min_count:
            return Judgement(state)
        shown = []
        for cohort in self.shares:
            hits = counts.get(cohort, 0)
            limit = self._broken(cohort, hits, total)
            if limit is not None:
                beside = left_out_text((max(0, int(event.record["row_count"]) - total),), ("rows of no cohort",))
                where = f"rows{beside} of the refresh of {moment_text(at)}"
                summary = self._sentence(seam, cohort, hits, total, where)
                what = "few" if hits / total < limit else "many"
                shown.append(Fault(summary, (evidence,), cohort, what, hits / total, limit, "share"))
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=state.newest)
        newest = at if state.newest is None else max(at, state.newest)
        return Judgement(replace(state, faults=faults, newest=newest), findings)

    def _window(
        self, seam: Seam, state: RepresentationState, whole: Fact
    ) -> tuple[RepresentationState, tuple[Finding, ...]]:
        if whole.count < self.min_count:
            return state, ()
        stretches = dict(state.stretches)
        findings: list[Finding] = []
        for cohort in self.shares:
            part = _fact_of(state, cohort, whole)
            hits = 0 if part is None else part.breaches
            limit = self._broken(cohort, hits, whole.count)
            before = stretches.get(cohort)
            if limit is None:
                if before is not None and before.open:
                    stretches[cohort] = after = before.within(whole.window_start, whole.window, self.quiet)
                    if after.over is not None:
                        findings.append(Resolve(self.severity, str(before.start), after.over, slice=cohort))
                continue
            stretches[cohort] = went_outside(before, whole.window_start, whole.window_end, whole.window, self.quiet)
            if before is None or not before.open:
                evidence = part.evidence if part is not None and hits / whole.count > limit else ()
                findings.append(self._opened(seam, cohort, hits, whole, limit, evidence))
        return replace(state, stretches=tuple(stretches.items())), tuple(findings)

    def _broken(self, cohort: str, hits: int, total: int) -> float | None:
        # The bound that the share breaks; compared as numbers of rows, since shares of whole numbers round.
        low, high = self.shares[cohort]
        if hits < low * total - 1e-9 * total:
            return low
        return high if hits > high * total + 1e-9 * total else None

    def _sentence(self, seam: Seam, cohort: str, hits: int, total: int, where: str) -> str:
        low, high = self.shares[cohort]
        return (
            f"{seam.system}: cohort {cohort!r} makes up {interval_text(hits, total)} {where}; agreed "
            f"{share_text(low)} to {share_text(high)}"
        )

    def _opened(
        self, seam: Seam, cohort: str, hits: int, whole: Fact, limit: float, evidence: tuple[Evidence, ...]
    ) -> Open:
        beside = left_out_text(whole.missing, ("without a cohort",))
        where = f"decisions{beside} in the {format_duration(self.window)} from {moment_text(whole.window_start)}"
        return Open(
            self.severity,
            str(whole.window_start),
            whole.window_end,
            self._sentence(seam, cohort, hits, whole.count, where),
            slice=cohort,
            since=whole.window_start,
            observed=hits / whole.count,
            limit=limit,
            unit="share",
            evidence=evidence,
        )


def _added(state: RepresentationState, fact: Fact, moment: Moment) -> tuple[RepresentationState, int]:
    if not fact.measure:
        added = state.whole.add(fact, moment)
        return (state, 1) if added is None else (replace(state, whole=added), 0)
    cohort = fact.measure.removeprefix(_COHORT)
    cohorts = dict(state.cohorts)
    before = cohorts.get(cohort, Windows(done=state.whole.done))
    added = before.add(fact, moment)
    # Late is counted once, by the whole.
    return (state, 0) if added is None else (replace(state, cohorts=tuple((cohorts | {cohort: added}).items())), 0)


def _fact_of(state: RepresentationState, cohort: str, whole: Fact) -> Fact | None:
    windows = dict(state.cohorts).get(cohort, Windows())
    same = (w.fact for w in windows.filling if (w.start, w.fact.window) == (whole.window_start, whole.window))
    return next(same, None)
