"""Lineage: data comes only from the agreed sources, attested, and as often as agreed.

Each refresh of the dataset is checked. A source that `include` does not list, or that `exclude` does, is a breach with
an episode of its own (slice: the source), from the first refresh that names it to the first that does not. With
`include`, a refresh that names no source at all is a breach too. With `attested` a refresh must name who attests its
lineage (`attested_by`): one of the persons in `by`, without them who signs for one of the parties; who has published
keys must have signed it. `refresh_every` is a clock from the newest refresh, which runs out in silence; of a data set
that a document declares it runs from when the contract is in force, so that one that never came is found. `*` and `?`
in a source stand for any characters and any one character. Blanks at its ends and capitals make no other source of an
excluded one; where sources are agreed in `include`, a refresh names them exactly so.

State: one for the dataset, for good: the clock, when the newest refresh was, and the faults that it showed, about
1 kB each: of strange sources the first 500 by name, more are not told. Nothing is kept of a refresh that shows none.
At its largest it takes 1.6 MB.

What its violation says: the refresh, and the source that was not agreed or why its lineage is not attested; of
silence, since when there was no refresh (`observed` and `limit` in seconds).

What it cannot see: a source that the refresh does not name.

```yaml
- id: sources
  kind: lineage
  include: [claims-core, "partner-*"]
  exclude: [partner-legacy]
  refresh_every: 26h
  attested: true
```

With these events:

```json
{"type": "dataset_refresh", "event_time": "2026-03-02T09:00:00Z", "system": "claims",
 "data_as_of": "2026-03-02T09:00:00Z", "row_count": 1000, "sources": ["claims-core", "partner-legacy"],
 "attested_by": "owner@example.org"}
```

Replayed to 2026-03-03T12:00:00Z, this gives:

```text
breach open, opened 2026-03-02T09:00:00Z, slice partner-legacy
  claims: the refresh of 2026-03-02 09:00:00 UTC took data from 'partner-legacy', which was agreed to be left out
breach open, opened 2026-03-03T11:00:00Z, slice claims
  claims: not refreshed since 2026-03-02 09:00:00 UTC; agreed every 26 h
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.attested import Persons, why_void
from seamwatch.clauses.clause import Clause
from seamwatch.durations import SECOND, Duration, format_duration
from seamwatch.expressions.closure import closure
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import EXPECTED, Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.countdown import Countdown, Tick, restart, run_out
from seamwatch.judging.patterns.faults import Fault, evidence_of, follow
from seamwatch.judging.patterns.spelling import difference, meant
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.signatures import refresh_counts

_FAULTS_KEPT = 500


@dataclass(frozen=True, slots=True)
class LineageState:
    """The refresh clock, the time of the newest refresh, and the faults that it or earlier ones began."""

    clock: Countdown = field(default_factory=Countdown)
    newest: int | None = None
    faults: tuple[Fault, ...] = ()


class Lineage(Clause, kind="lineage"):
    """Only these sources, attested, this often."""

    state_type = LineageState
    wants = frozenset({"dataset_refresh", EXPECTED})

    kind: Literal["lineage"]
    include: tuple[str, ...] = Field((), description="the sources that are allowed; all when absent")
    exclude: tuple[str, ...] = Field((), description="sources that are not allowed, even when `include` matches them")
    refresh_every: Duration | None = Field(None, description="longest time between two refreshes")
    attested: bool = Field(False, description="whether each refresh must name, and bind, who attests it")
    by: Persons = Field((), description="the person or persons who attest; who signs for a party when absent")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.include or self.exclude or self.refresh_every or self.attested):
            raise ValueError("lineage needs include, exclude, refresh_every or attested: it agrees nothing so far")
        both = sorted(set(self.include) & set(self.exclude))
        if both:
            raise ValueError(f"{both[0]!r} is both included and excluded: leave it in one of the two")
        return self

    def people(self) -> tuple[str, ...]:
        """Who attests."""
        return self.by

    def sources(self) -> tuple[str, ...]:
        """Refreshes of the dataset."""
        return ("dataset_refresh",)

    def part_of(self, received: Input) -> str | None:
        """One state a dataset; refreshes that `where` does not select are not judged."""
        if isinstance(received, ForwardedEvent) and received.type != EXPECTED and self.where is not None:
            return "" if closure(self.where, "dataset_refresh")(received.record) is True else None
        return ""

    def judge(self, seam: Seam, state: LineageState | None, received: Input, moment: Moment) -> Judgement:
        """The clock, and each refresh's sources and attestation."""
        state = state or LineageState()
        findings: tuple[Finding, ...] = ()
        if isinstance(received, ForwardedEvent) and received.type == EXPECTED:
            state = self._expected(state, int(received.record["event_time"]))
        elif isinstance(received, ForwardedEvent):
            state, findings = self._refresh(seam, state, received)
        if self.refresh_every is None:
            return Judgement(state, findings)
        clock, ticks = run_out(state.clock, self.refresh_every, moment.watermark)
        findings += tuple(self._finding_of(seam, tick, self.refresh_every) for tick in ticks)
        return Judgement(replace(state, clock=clock), findings, clock.due(self.refresh_every))

    def _expected(self, state: LineageState, at: int) -> LineageState:
        """The clock of a data set of which nothing has been heard, until its first refresh."""
        waits = state.newest is None and not state.clock.out
        if not waits or (state.clock.started is not None and state.clock.started <= at):
            return state
        return replace(state, clock=Countdown(at))

    def _refresh(
        self, seam: Seam, state: LineageState, event: ForwardedEvent
    ) -> tuple[LineageState, tuple[Finding, ...]]:
        at = int(event.record["event_time"])
        faults, findings = follow(
            state.faults, at, self._faults(seam, event), severity=self.severity, newest=state.newest
        )
        newest = at if state.newest is None else max(at, state.newest)
        state = replace(state, faults=faults, newest=newest)
        if self.refresh_every is not None:
            clock, ticks = restart(state.clock, at, evidence_of(event), self.refresh_every)
            findings += tuple(self._finding_of(seam, tick, self.refresh_every) for tick in ticks)
            state = replace(state, clock=clock)
        return state, findings

    def _faults(self, seam: Seam, event: ForwardedEvent) -> list[Fault]:
        record, evidence = event.record, (evidence_of(event),)
        when = moment_text(evidence[0].event_time)
        faults: list[Fault] = []
        for source in sorted(set(record["sources"])):
            why = self._against(source)
            if why is not None and len(faults) < _FAULTS_KEPT:
                text = f"{seam.system}: the refresh of {when} took data from {source!r}, {why}"
                faults.append(Fault(text, evidence, source, "source"))
        if self.include and not record["sources"]:
            text = f"{seam.system}: the refresh of {when} does not say where its data came from"
            faults.append(Fault(text, evidence, seam.system, "unnamed"))
        why = self.why_void(seam, record) if self.attested else None
        if why is not None:
            text = f"{seam.system}: the lineage of the refresh of {when} is not attested: {why}"
            faults.append(Fault(text, evidence, seam.system, "unattested"))
        return faults

    def _against(self, source: str) -> str | None:
        spelt = meant(source)
        if any(fnmatchcase(spelt, meant(pattern)) for pattern in self.exclude):
            return "which was agreed to be left out"
        if not self.include or any(fnmatchcase(source, pattern) for pattern in self.include):
            return None
        near = next((pattern for pattern in self.include if fnmatchcase(spelt, meant(pattern))), None)
        if near is not None:
            return f"which differs from the agreed {near!r} {difference(source, near, fnmatchcase)}"
        return "which is not among the agreed sources"

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """A refresh is attested by the persons in `by`, or who signs for a party."""
        return why_void(seam, record, record.get("attested_by"), self.by, refresh_counts)

    def _finding_of(self, seam: Seam, tick: Tick, every: int) -> Finding:
        key = f"{tick.started}/refresh"
        never = tick.told_by is None
        if tick.what == "over":
            text = f"{seam.system}: refreshed {'for the first time' if never else 'again'} at {moment_text(tick.at)}"
            return Resolve(self.severity, key, tick.at, slice=seam.system, summary=text)
        refreshed = f"never refreshed in the {format_duration(every)}" if never else "not refreshed"
        agreed = f"agreed every {format_duration(every)}"
        summary = f"{seam.system}: {refreshed} since {moment_text(tick.started)}; {agreed}"
        return Open(
            self.severity,
            key,
            tick.at,
            summary,
            slice=seam.system,
            since=tick.started,
            observed=every / SECOND,
            limit=every / SECOND,
            unit="s",
            evidence=tick.evidence,
        )
