"""Freshness: data is no older than agreed, and silence counts.

`of: dataset` is a clock: it runs from the newest `data_as_of` that any refresh of the dataset has ever carried, and
breaches at `max_lag` with no message arriving. `of: inference` checks each decision: how old was the data it was
made on (`event_time` minus `data_as_of`)? A decision that does not say is not judged. `warn_at` gives a warning of
its own before the breach; warning and breach are two episodes.

A dataset that a System document declares (`type: dataset`) is waited for before its first refresh too: the clock then
runs from the first event of the whole stream, whatever it was of, or from when the contract says that it is in force
(`effective_from`), if that is later. Live it runs from a day (`SEAMWATCH_MAX_AGE`) before the contract's publication at
the earliest. Its episodes end with the first refresh, whose own clock runs from its data. A dataset without a document
is waited for from its first refresh on.

State: of a dataset one, for good, under 2 kB: the newest `data_as_of`, who told of it, and what is open. Of decisions
one for each limit: the hours with stale decisions that are not yet complete, 1,440 at most, and the first five such
decisions, about 3 kB, until `quiet` has passed without another. At its largest it takes 2.1 MB.

What its violation says: how old the data is (`observed`, seconds) and the limit that this passes (`limit`, seconds), or
that the dataset was never refreshed for so long.

What it cannot see: a feed that goes on delivering yesterday's rows under today's date; the data of a decision that does
not say `data_as_of`. Where for a day none says it, the clause says that it has [nothing to
judge](../episodes.md#nothing-to-judge).

```yaml
- id: fresh
  kind: freshness
  max_lag: 26h
  warn_at: 25h
  of: dataset
```

With these events:

```json
{"type": "dataset_refresh", "event_time": "2026-03-02T06:00:00Z", "system": "claims",
 "data_as_of": "2026-03-02T00:00:00Z", "row_count": 1000, "sources": ["claims-core"]}
```

Replayed to 2026-03-03T03:00:00Z, this gives:

```text
warning open, opened 2026-03-03T01:00:00Z, slice claims
  claims: no newer data since 2026-03-02 00:00:00 UTC; it is 25 h old and ageing, warning at 25 h
breach open, opened 2026-03-03T02:00:00Z, slice claims
  claims: no newer data since 2026-03-02 00:00:00 UTC; it is 26 h old and ageing, agreed limit 26 h
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Selecting
from seamwatch.durations import DAY, HOUR, SECOND, Duration, format_duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import above, all_of, is_null, negate
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent
from seamwatch.judging.model.judgement import EXPECTED, Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.runs import Change, Runs, bundle, occurrences
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text

Severity = Literal["warning", "breach"]


@dataclass(frozen=True, slots=True)
class FreshnessState:
    """``newest`` data_as_of of the dataset, who told of it, and the episodes open (severity → newest at opening).

    Before the first refresh ``newest`` is when it began to be waited for, and nobody has told of it.

    ``runs`` serves `of: inference` instead, one state for each severity.
    """

    newest: int | None = None
    told_by: Evidence | None = None
    open_warning: int | None = None
    open_breach: int | None = None
    runs: Runs | None = None


class Freshness(Selecting, kind="freshness"):
    """Data is no older than `max_lag`."""

    state_type = FreshnessState
    wants = frozenset({"dataset_refresh", EXPECTED})

    kind: Literal["freshness"]
    max_lag: Duration = Field(description="how old the data may be")
    warn_at: Duration | None = Field(None, description="age at which a warning is given; must be below `max_lag`")
    of: Literal["dataset", "inference"] = Field(
        "dataset", description="a clock on the dataset, or each decision's data"
    )
    quiet: Duration = Field(DAY, description="`of: inference`: a breach is over after so long without a stale decision")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.warn_at is not None and self.warn_at >= self.max_lag:
            raise ValueError("warn_at must be below max_lag: a warning after the breach helps nobody")
        return self

    def sources(self) -> tuple[str, ...]:
        """Refreshes of the dataset, or decisions."""
        return ("dataset_refresh",) if self.of == "dataset" else ("inference",)

    def _limits(self) -> list[tuple[Severity, int]]:
        warning: list[tuple[Severity, int]] = [] if self.warn_at is None else [("warning", self.warn_at)]
        return [*warning, (self.severity, self.max_lag)]

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """`of: inference`: decisions on data older than each limit (those over the breach do not warn as well)."""
        if self.of == "dataset":
            return ()
        lag = Expression.parse("event_time - data_as_of")
        stale = above("event_time - data_as_of", self.max_lag)
        window = bundle(self.quiet)
        breach = Measure("inference", stale, window, select=self.where, value=lag, only_breaches=True, agreed=HOUR)
        if self.warn_at is None:
            return (breach,)
        ageing = all_of(above("event_time - data_as_of", self.warn_at), negate(stale))
        return (breach, replace(breach, breach=ageing, name="warning"))

    def left_out(self) -> Mapping[Source, Expression]:
        """`of: inference`: decisions that do not say how old their data is."""
        return {} if self.of == "dataset" else {"inference": is_null("data_as_of")}

    def gives(self, source: str) -> str:
        """The time of the data."""
        return "gives data_as_of"

    def part_of(self, received: Input) -> str | None:
        """One state a dataset; for decisions one for each measure."""
        if isinstance(received, ForwardedEvent):
            return "" if self.of == "dataset" else None
        return "\x00warning" if isinstance(received, Fact) and received.measure == "warning" else ""

    def judge(self, seam: Seam, state: FreshnessState | None, received: Input, moment: Moment) -> Judgement:
        """The dataset's clock, or the occurrence rule over stale decisions."""
        state = state or FreshnessState()
        if self.of == "inference":
            return self._judge_decisions(seam, state, received, moment)
        if isinstance(received, ForwardedEvent):
            expected = received.type == EXPECTED
            return (self._expected if expected else self._refresh)(seam, state, received, moment)
        state, findings = self._run_out(seam, state, moment.watermark)
        return Judgement(state, findings, self._deadline(state))

    def _expected(self, seam: Seam, state: FreshnessState, event: ForwardedEvent, moment: Moment) -> Judgement:
        """The clock of a data set of which nothing has been heard, until its first refresh."""
        at = int(event.record["event_time"])
        waits = state.told_by is None and state.open_warning is None and state.open_breach is None
        if waits and (state.newest is None or at < state.newest):
            state = replace(state, newest=at)
        state, findings = self._run_out(seam, state, moment.watermark)
        return Judgement(state, findings, self._deadline(state))

    def _refresh(self, seam: Seam, state: FreshnessState, event: ForwardedEvent, moment: Moment) -> Judgement:
        at = int(event.record["event_time"])
        # Data from the future is a skewed clock; taken at its word it would keep the dataset fresh for ever.
        as_of = min(int(event.record["data_as_of"]), at)
        # A clock that ran out before this refresh ran out, whether or not anybody had asked yet.
        state, findings = self._run_out(seam, state, at - 1)
        if state.told_by is None:
            # The first of all: its own clock runs from its data, whatever was waited for until now.
            state, ended = self._first(seam, state, at)
            findings += ended
        if state.newest is not None and as_of <= state.newest:
            return Judgement(state, findings, self._deadline(state))
        told_by = Evidence(at, event.record["event_id"], event.topic, event.partition, event.offset)
        before, state = state, replace(state, newest=as_of, told_by=told_by)
        for severity, limit in self._limits():
            opened = self._opened(before, limit)
            if opened is not None and at < as_of + limit:
                state = self._mark(state, limit, None)
                age = at - (before.newest or as_of)
                text = f"{seam.system}: refreshed at {moment_text(at)}, when its data was {format_duration(age)} old"
                findings += (Resolve(severity, self._key(opened, limit), at, slice=seam.system, summary=text),)
        state, more = self._run_out(seam, state, max(at, moment.watermark))
        return Judgement(state, findings + more, self._deadline(state))

    def _first(self, seam: Seam, state: FreshnessState, at: int) -> tuple[FreshnessState, tuple[Finding, ...]]:
        findings: tuple[Finding, ...] = ()
        for severity, limit in self._limits():
            opened = self._opened(state, limit)
            if opened is not None:
                text = f"{seam.system}: refreshed for the first time at {moment_text(at)}"
                findings += (Resolve(severity, self._key(opened, limit), at, slice=seam.system, summary=text),)
        return FreshnessState(), findings

    def _run_out(self, seam: Seam, state: FreshnessState, until: int) -> tuple[FreshnessState, tuple[Finding, ...]]:
        # Opens what has reached its limit by event time ``until``.
        findings: tuple[Finding, ...] = ()
        if state.newest is None:
            return state, findings
        newest = state.newest
        for severity, limit in self._limits():
            due = newest + limit
            if self._opened(state, limit) is None and due <= until:
                state = self._mark(state, limit, newest)
                evidence = (state.told_by,) if state.told_by else ()
                word = "agreed limit" if limit == self.max_lag else "warning at"
                what = (
                    f"no newer data since {moment_text(newest)}; it is {format_duration(limit)} old and ageing"
                    if state.told_by
                    else f"never refreshed in the {format_duration(limit)} since {moment_text(newest)}"
                )
                summary = f"{seam.system}: {what}, {word} {format_duration(limit)}"
                findings += (
                    Open(
                        severity,
                        self._key(newest, limit),
                        due,
                        summary,
                        slice=seam.system,
                        since=newest,
                        observed=limit / SECOND,
                        limit=limit / SECOND,
                        unit="s",
                        evidence=evidence,
                    ),
                )
        return state, findings

    def _deadline(self, state: FreshnessState) -> int | None:
        if state.newest is None:
            return None
        return earliest(*(state.newest + limit for _, limit in self._limits() if self._opened(state, limit) is None))

    def _opened(self, state: FreshnessState, limit: int) -> int | None:
        return state.open_breach if limit == self.max_lag else state.open_warning

    def _mark(self, state: FreshnessState, limit: int, newest: int | None) -> FreshnessState:
        return replace(state, open_breach=newest) if limit == self.max_lag else replace(state, open_warning=newest)

    def _key(self, newest: int, limit: int) -> str:
        # A clause whose own severity is warning has two warnings; the key tells them apart.
        return str(newest) if limit == self.max_lag else f"{newest}/warn"

    def _judge_decisions(self, seam: Seam, state: FreshnessState, received: Input, moment: Moment) -> Judgement:
        warning = moment.slice == "\x00warning"
        advance = occurrences(state.runs, received if isinstance(received, Fact) else None, moment, quiet=self.quiet)
        judged = advance.judgement(lambda change: self._stale(seam, warning, change))
        return replace(judged, state=None if advance.state is None else FreshnessState(runs=advance.state))

    def _stale(self, seam: Seam, warning: bool, change: Change) -> Finding:
        severity: Severity = "warning" if warning else self.severity
        limit = self.warn_at if warning and self.warn_at is not None else self.max_lag
        key = f"{change.run.first}/warn" if warning else str(change.run.first)
        if change.what == "off":
            return Resolve(severity, key, change.at)
        first = change.run.evidence[0]
        age = int(first.value or 0)
        summary = (
            f"{seam.system}: decisions are made on data that is {format_duration(age, limit)} old at "
            f"{moment_text(first.event_time)}, {'warning at' if warning else 'agreed limit'} {format_duration(limit)}"
        )
        return Open(
            severity,
            key,
            change.at,
            summary,
            since=first.event_time - max(0, age - limit),
            observed=age / SECOND,
            limit=limit / SECOND,
            unit="s",
            evidence=change.run.evidence,
        )
