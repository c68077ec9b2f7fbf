"""Representation: each cohort's share stays within the agreed bounds.

`of: dataset` looks at the rows per cohort that each refresh reports; `of: inference` at the cohorts of the decisions
in each window, when it is complete. The share is of all rows (decisions) that name a cohort, also one that is not
listed. A listed cohort that is absent has share 0. Refreshes that report no cohorts, and windows (refreshes) with
fewer than `min_count`, are not judged: they neither open nor end a breach.

A bound that cannot be checked is a **warning** of its own, until it can be again:

- a refresh of `min_count` rows or more (or of a number that it does not say) of which fewer name a cohort (slice: the
  dataset);
- a cohort of a refresh, or of decisions, that differs from a listed one by its spelling alone: blanks, capitals, or
  another form of the same characters (slice: the cohort as it was spelt);
- a listed cohort that came and no longer does, where its share of 0 is within the bounds (slice: the cohort): when ten
  rows (decisions) of it would have been expected since, by the share that it had, and of decisions none came for
  `unjudged` (a day). A refresh that reports it with a count of 0 reports it.

With `unjudged: null` none of these is told.

Each cohort has its own episode (slice: the cohort). It begins with the first window or refresh outside the bounds.
Over windows it ends with the first judged one within, or, where it flaps or `quiet` is agreed, when none was outside
for so long ([episodes](../episodes.md#the-end)); over refreshes with the first within. The sentence gives the share
with a 95 % interval (Wilson's), since a share of few is a guess.

State: one for the system, for good: the windows that are not yet complete, with the number of all decisions and of
each listed cohort, each of which counts as a window of the 1,440 at most (but 24 may wait however many cohorts there
are), and what is open; of refreshes only when the newest was and what is open. Cohorts that are not listed cost
nothing unless they are spelt like one that is, and of each listed one it is remembered how often it came. At its
largest it takes 2.1 MB (of 20 cohorts).

What its violation says: the cohort, its share (`observed`) with a 95 % interval, and the bounds; `limit` is the bound
that it breaks.

What it cannot see: a cohort that is named wrongly (it tells of one that is spelt otherwise), or not at all. Shares are
of the rows and decisions that name one; the sentence says how many more do not. Where for a day no decision names one,
the clause says that it has [nothing to judge](../episodes.md#nothing-to-judge).

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
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Cohorts, Selecting
from seamwatch.clauses.representation.looking import Looking
from seamwatch.clauses.representation.refreshes import Refreshes
from seamwatch.clauses.representation.shares import Shares
from seamwatch.clauses.representation.state import COHORT, RepresentationState
from seamwatch.durations import DAY, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, below, equals, equals_any, is_null, negate
from seamwatch.expressions.closure import closure
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import WHEN_ABSENT
from seamwatch.judging.patterns.windows import MOST_WINDOWS, Windows

Share = Annotated[float, Field(ge=0, le=1)]
_LEAST_WINDOWS = 24
_BLANKS = 16
"""A cohort is spelt otherwise by so many blanks at most, and by twice as many characters."""


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
                    name=COHORT + cohort,
                )
                for cohort in self.shares
            ),
        )

    @property
    def _nameless(self) -> Expression:
        unknown = is_null("cohort")
        return unknown if self.where is None else all_of(self.where, unknown)

    def cohorts(self) -> Cohorts | None:
        """`of: inference`: cohorts of decisions that are not listed, and no longer than one that is spelt otherwise."""
        if self.of == "dataset":
            return None
        longest = max(map(len, self.shares))
        like_one = below("length(cohort)", 2 * longest + _BLANKS)
        others = all_of(negate(equals_any("cohort", tuple(self.shares))), like_one)
        select = others if self.where is None else all_of(self.where, others)
        return Cohorts("inference", select, tuple(self.shares), followed=False)

    def left_out(self) -> Mapping[Source, Expression]:
        """`of: inference`: decisions that name no cohort."""
        return {"inference": is_null("cohort")} if self.of == "inference" else {}

    def gives(self, source: str) -> str:
        """A cohort."""
        return "names a cohort"

    def part_of(self, received: Input) -> str | None:
        """One state a system: the cohorts are shares of one whole."""
        if isinstance(received, ForwardedEvent):
            if self.of != "dataset":
                return None
            chosen = self.where is None or closure(self.where, "dataset_refresh")(received.record) is True
            return "" if chosen else None
        return ""

    def judge(self, seam: Seam, state: RepresentationState | None, received: Input, moment: Moment) -> Judgement:
        """Each refresh, or each complete window."""
        state = (state or RepresentationState()).without_outside(self.window)
        if isinstance(received, ForwardedEvent):
            return self._refreshes.judge(seam, state, received)
        late = 0
        if isinstance(received, Fact):
            state, late = state.added(received, moment)
        findings: tuple[Finding, ...] = ()
        most = max(_LEAST_WINDOWS, MOST_WINDOWS // (1 + len(self.shares)))
        complete, whole = state.whole.take_complete(moment, most)
        for window in complete:
            state, more = self._looking.look(seam, state, window)
            findings += more
        # What came for a window of the whole came for its cohorts in the same flush: they are complete together.
        cohorts = state.cohorts
        if complete:
            left = [(cohort, tuple([w for w in mine.filling if w.end > whole.done])) for cohort, mine in cohorts]
            cohorts = tuple([(cohort, Windows(filling, whole.done)) for cohort, filling in left if filling])
        state = replace(state, whole=whole, cohorts=cohorts, outside=())
        return Judgement(state, findings, whole.deadline(moment), whole.wake(moment), late)

    @property
    def _shares(self) -> Shares:
        things: Literal["rows", "decisions"] = "rows" if self.of == "dataset" else "decisions"
        quiet = 0 if self.of == "dataset" else max(self.unjudged or 0, self.window)
        return Shares(self.shares, things, None if self.unjudged is None else quiet)

    @cached_property
    def _refreshes(self) -> Refreshes:
        return Refreshes(self.severity, self._shares, self.min_count, self.unjudged is not None)

    @cached_property
    def _looking(self) -> Looking:
        return Looking(self.severity, self._shares, self.min_count, self.window, self.quiet)
