r"""Incident: an episode that is declared a serious incident is reported in time, by a named person.

Somebody with the authority declares an episode of the system a serious incident, of a `kind` that `within` names. From
then on a report is owed by the person in `by`, so long after one became aware of it. The kinds, unless others are
agreed, are those of Article 73 of the EU AI Act: `serious` 15 days, `death` 10 days, `widespread` (a widespread
infringement) and `infrastructure` (a serious and irreversible disruption of critical infrastructure) 2 days.

A **declaration** is an `attestation` of kind `incident` with the subject `<contract>#<clause>/<violation_id>`, by the
person in `by`, one of `declared_by`, the system's owner, or who signs for a party. Its `statement` is JSON, signed with
the rest: the incident's `kind`, since when one is `aware` of it, when the episode `began`, and a `note`. The clock runs
from `aware`, which is neither after the declaration nor before the episode. A later declaration **revises** it: the
clock ends earlier where the other kind, or time, says so, and never later. With `{"withdrawn": "why"}` it is taken
back, and nothing is owed any more; whoever erred about the kind takes it back and declares it anew.

A **report** is an `attestation` of kind `report` with the same subject, by any of these persons. Its `stage` is
`draft`, `initial` or `complete`; one that was sent names its receipt in `evidence_uri`. The initial report, which need
not be complete (Article 73(5)), stops the clock; then the complete one is owed `complete_within`. The complete one
stops both. `seamwatch incident` and the board write all of these. What is declared again after its complete report
owes another.

What is not on record in time is a breach that `by` must act on, and then the escalation list, until it is. Reminders go
to `by`: at once, when it is declared or the clock becomes shorter, and at `remind_at`, shares of what is left then.
Whoever has published keys must sign. What an attestation came to is told, in the [words for
answers](../paging.md#acknowledging): one that does not count says why.

State: one for the system. What was said of the last 100 violations, 30 words each, those of which nothing is owed
making room first, and what was told of their clocks. A report of what is not declared yet waits for 30 days. At its
largest it takes 1.6 MB.

What its violation says: who has not sent which report of which violation, the kind, who declared it, and the time that
is agreed (`observed` and `limit`, seconds, from `since`). Its slice is `<violation_id>`, its evidence the declaration.

What it cannot see: whether the episode is on record, which `seamwatch incidents` says, and what a report is worth. A
person's word starts the clock, so that it runs for an episode of another contract, or of long ago, as well.

```yaml
- id: serious-incidents
  kind: incident
  by: lead@example.org
```

With these events:

```json
{"type": "attestation", "event_time": "2026-03-03T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "kind": "incident", "subject": "example#serious-incidents/a3506823-6d7d-8db3-b87e-d32a654ea33f",
 "statement": "{\"kind\":\"serious\",\"aware\":\"2026-03-02T12:00:00Z\",\"began\":\"2026-03-02T09:00:00Z\",
 \"note\":\"credit was refused to a whole district\"}"}
{"type": "attestation", "event_time": "2026-03-05T09:00:00Z", "system": "scorer", "person": "owner@example.org",
 "kind": "incident", "subject": "example#serious-incidents/a3506823-6d7d-8db3-b87e-d32a654ea33f",
 "statement": "{\"kind\":\"death\",\"aware\":\"2026-03-02T12:00:00Z\",\"began\":\"2026-03-02T09:00:00Z\",
 \"note\":\"one of those concerned has died\"}"}
```

Replayed to 2026-03-14T00:00:00Z, this gives:

```text
breach open, opened 2026-03-12T12:00:00Z, slice a3506823-6d7d-8db3-b87e-d32a654ea33f
  scorer: lead@example.org has not sent the report of violation a3506823…, which owner@example.org declared an
  incident (death), by 2026-03-12 12:00:00 UTC, 10 d after 2026-03-02 12:00:00 UTC, since when it is known
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from seamwatch.clauses.attested import Persons
from seamwatch.clauses.clause import Clause
from seamwatch.clauses.incident.clocks import Clocks
from seamwatch.clauses.incident.state import IncidentState
from seamwatch.clauses.incident.statement import KIND
from seamwatch.clauses.incident.words import Agreed, attested
from seamwatch.durations import DAY, Duration
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment
from seamwatch.judging.model.seam import Seam

ARTICLE_73: Final = {"serious": 15 * DAY, "death": 10 * DAY, "widespread": 2 * DAY, "infrastructure": 2 * DAY}
"""How soon the EU AI Act has a serious incident reported, by its kind (micros)."""


class Incident(Clause, kind="incident"):
    """What is declared a serious incident is reported in time."""

    state_type = IncidentState
    wants = frozenset({"attestation"})
    answers = frozenset({"incident", "report"})

    kind: Literal["incident"]
    by: str = Field(min_length=1, description="the person who reports")
    declared_by: Persons = Field(
        (), description="who may declare an incident, and report it, beside `by`, the owner and who signs for a party"
    )
    within: dict[Annotated[str, Field(pattern=KIND)], Annotated[Duration, Field(gt=0)]] = Field(
        ARTICLE_73,
        min_length=1,
        max_length=20,
        description="the kinds of incidents, and how long after one is aware of one its report is due; those of "
        "Article 73 of the EU AI Act when absent",
    )
    complete_within: Duration | None = Field(
        30 * DAY, gt=0, description="how long after an initial report the complete one is due; null for whenever"
    )
    remind_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.5, 0.8), max_length=10, description="shares of a clock at which the person who reports is reminded"
    )

    def sources(self) -> tuple[str, ...]:
        """It looks at what people say only."""
        return ()

    def people(self) -> tuple[str, ...]:
        """Who reports, and who may declare."""
        return (self.by, *self.declared_by)

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent) and received.type == "attestation":
            return "" if received.record["kind"] in self.answers else None
        return ""

    @property
    def attested_as(self) -> str | None:
        """Reports are attested beside the declarations that have its own kind."""
        return "report"

    def authorised(self, seam: Seam) -> tuple[str, ...]:
        """Who may declare, withdraw and report."""
        return self.agreed.authorised(seam)

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """What of a declaration or a report counts for nothing, whatever was said before."""
        if record["kind"] not in self.answers:
            return f"{seam.contract}#{self.id} is attested by kinds incident and report, not {record['kind']}"
        fault = self.agreed.fault_of(seam, record)
        return None if fault is None else fault[1]

    def judge(self, seam: Seam, state: IncidentState | None, received: Input, moment: Moment) -> Judgement:
        """Clocks begun, shortened and stopped by words, run out in silence."""
        state = state or IncidentState()
        findings: tuple[Finding, ...] = ()
        if isinstance(received, ForwardedEvent):
            state, findings = attested(self.agreed, self._clocks, seam, state, received)
        state, more = self._clocks.run_out(seam, state, moment.watermark)
        kept = None if state == IncidentState() else state
        return Judgement(kept, findings + more, self._clocks.deadline(state, moment.watermark))

    @property
    def agreed(self) -> Agreed:
        """What is agreed of declarations and reports."""
        return Agreed(self.id, self.by, self.declared_by, self.within, self.complete_within)

    @property
    def _clocks(self) -> Clocks:
        return Clocks(self.severity, self.id, self.by, self.remind_at)
