r"""Follow-up: what was broken and is over is reviewed in time, by a named person, and what the review lists is done.

When an episode of another clause of the contract over the system is over, a clock starts at that time (event time): a
review is due `within`, by the person in `by`. By default of breaches; `severities`, `kinds` and `clauses` say of which,
and an episode that meets all of them is followed up. Episodes of this kind ask for none, and neither does what ended
while no version with the clause was in force.

A **review** is an `attestation` of kind `follow_up` with the subject `<contract>#<clause>/<violation_id>`. Its
`statement` is JSON, signed with the rest: what the contract `implied`, where behaviour `diverged` from it, the `cause`,
and `actions`, each with an `id`, one `person` of the documents, `what` they do and `due`, a date (until its end, UTC)
or a time, after the review. `seamwatch review` and the board write it. The first that counts holds. One that was given
before the episode was over counts for nothing.

An **action** is a clock of its own, from the review to its date. It is closed by an `attestation` of kind `action` with
the subject `<contract>#<clause>/<violation_id>/<action id>`, of its person or of the reviewer. What is not given or
done in time is a breach that its person must act on, and then the escalation list; what is done late ends it. Reminders
(`remind_at`, shares of the clock) go to that person and are no violations. Whoever has published keys must sign. What
an attestation came to is told, in the [words for answers](../paging.md#acknowledging): one that does not count says
why.

A **digest** (`digest`) is a notice to who signs for the parties (to `by` where nobody does), once a calendar quarter or
month, a day after its end, UTC: which episodes ended, their causes, the reviews and actions that were done and that are
open, and what recurs: a clause of which more than one episode over the system ended in the period. Of a period in which
nothing ended, was done or was owed there is none.

State: one for the system. The reviews and actions that are owed, or done and not summed up yet (the newest 500 and
1,000), the ids of the last 500 episodes that need nothing more, and the last 20 attestations of what is not known yet,
for 30 days. What was open of one that makes room for newer ones is over, and says so. At its largest it takes 3.9 MB.

What its violation says: who has not reviewed which violation, of which clause, over since when; or who has not done
what by when; and the time that was agreed (`observed` and `limit`, seconds). Its slice is `<violation_id>`, or
`<violation_id>/<action id>`.

What it cannot see: whether a review is any good, and an action done; episodes of other contracts, the built-in ones
among them.

```yaml
- id: learn
  kind: follow_up
  by: reviewer@example.org
- id: valid
  kind: range
  min: 0
  max: 1
  quiet: 1h
```

With these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 1.7}
{"type": "attestation", "event_time": "2026-03-03T09:00:00Z", "system": "scorer", "person": "reviewer@example.org",
 "kind": "follow_up", "subject": "example#learn/a3506823-6d7d-8db3-b87e-d32a654ea33f",
 "statement": "{\"implied\":\"scores are probabilities\",\"diverged\":\"a score of 1.7 was served\",
 \"cause\":\"an input in cents\",\"actions\":[{\"id\":\"1\",\"person\":\"lead@example.org\",
 \"due\":\"2026-03-05\",\"what\":\"refuse inputs without a unit\"}]}"}
{"type": "inference", "event_time": "2026-03-04T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s2", "score": -3}
```

Replayed to 2026-03-10T00:00:00Z, this gives:

```text
breach resolved, opened 2026-03-02T09:00:00Z, resolved 2026-03-02T10:00:00Z
  scorer: score 1.7 at 2026-03-02 09:00:00 UTC is outside the agreed 0 to 1
breach resolved, opened 2026-03-04T09:00:00Z, resolved 2026-03-04T10:00:00Z
  scorer: score -3 at 2026-03-04 09:00:00 UTC is outside the agreed 0 to 1
breach open, opened 2026-03-06T00:00:00Z, slice a3506823-6d7d-8db3-b87e-d32a654ea33f/1
  scorer: lead@example.org has not done “refuse inputs without a unit” by 2026-03-06 00:00:00 UTC (action 1 of the
  review of violation a3506823… of clause 'valid')
breach open, opened 2026-03-09T10:00:00Z, slice 67b8f915-3a7a-832c-b0f3-a2127e2a9ed2
  scorer: reviewer@example.org has not reviewed violation 67b8f915… of clause 'valid', which is over since 2026-03-04
  10:00:00 UTC; agreed within 5 d
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from seamwatch.clauses.clause import Clause
from seamwatch.clauses.follow_up import state as limits
from seamwatch.clauses.follow_up.clocks import Clocks
from seamwatch.clauses.follow_up.digest import GRACE, Period, begun, summed_up
from seamwatch.clauses.follow_up.state import FollowUpState, Review
from seamwatch.clauses.follow_up.words import attested, evicted, fault_of, heard
from seamwatch.durations import DAY, Duration
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import ENDED, Finding, Input, Judgement, Moment, TimePassed
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.windows import earliest


class FollowUp(Clause, kind="follow_up"):
    """What was broken and is over is reviewed in time, and what comes of that is done."""

    state_type = FollowUpState
    wants = frozenset({"attestation", ENDED})
    answers = frozenset({"follow_up", "action"})

    kind: Literal["follow_up"]
    by: str = Field(min_length=1, description="the person who reviews")
    within: Duration = Field(5 * DAY, gt=0, description="how long that person has, from when the episode was over")
    severities: tuple[Literal["warning", "breach"], ...] = Field(
        ("breach",), min_length=1, description="the severities of episodes that are followed up"
    )
    kinds: tuple[str, ...] = Field((), description="the clause kinds whose episodes are; all when absent")
    clauses: tuple[str, ...] = Field((), description="the ids of the clauses whose episodes are; all when absent")
    remind_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.8,), description="shares of a clock at which its person is reminded"
    )
    digest: Period = Field(
        "quarterly", description="how often the parties are told what it comes to: `quarterly`, `monthly` or `never`"
    )

    def sources(self) -> tuple[str, ...]:
        """It looks at episodes only."""
        return ()

    def people(self) -> tuple[str, ...]:
        """Who reviews."""
        return (self.by,)

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent) and received.type == "attestation":
            return "" if received.record["kind"] in self.answers else None
        return ""

    @property
    def attested_as(self) -> str | None:
        """Actions are attested beside the reviews that have its own kind."""
        return "action"

    def follows(self, record: Mapping[str, Any]) -> bool:
        """Whether an episode of the contract that is over is followed up."""
        return (
            record["kind"] != self.kind_name
            and record["severity"] in self.severities
            and (not self.kinds or record["kind"] in self.kinds)
            and (not self.clauses or record["clause"] in self.clauses)
        )

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Reviews count by the person in `by`; who may close an action is known once it is owed."""
        if record["kind"] not in self.answers:
            return f"{seam.contract}#{self.id} is attested by kinds follow_up and action, not {record['kind']}"
        fault = fault_of(self._clocks, seam, record)
        return None if fault is None else fault[1]

    def judge(self, seam: Seam, state: FollowUpState | None, received: Input, moment: Moment) -> Judgement:
        """Clocks begun by the end of episodes and by reviews, stopped by words, run out in silence; and digests."""
        state, clocks = state or FollowUpState(), self._clocks
        findings: tuple[Finding, ...] = ()
        if isinstance(received, ForwardedEvent) and received.type == ENDED:
            state, findings = self._ended(seam, state, received)
        elif isinstance(received, ForwardedEvent):
            state, findings = attested(clocks, seam, state, received)
        state, more = clocks.run_out(seam, state, moment.watermark)
        findings += more
        if isinstance(received, TimePassed):
            # Not with an input: of what ended by now, more may be on its way.
            state, more = summed_up(seam, self.id, self._parties(seam), state, self.digest, moment.watermark)
            findings += more
        digest = None if state.digest_due is None else state.digest_due + GRACE
        kept = None if state == FollowUpState() else state
        return Judgement(kept, findings, earliest(clocks.deadline(state), digest))

    @property
    def _clocks(self) -> Clocks:
        return Clocks(self.severity, self.id, self.by, self.within, self.remind_at)

    def _parties(self, seam: Seam) -> tuple[str, ...]:
        return tuple(dict.fromkeys(seam.signatories)) or (self.by,)

    def _ended(
        self, seam: Seam, state: FollowUpState, event: ForwardedEvent
    ) -> tuple[FollowUpState, tuple[Finding, ...]]:
        record, at = event.record, int(event.record["event_time"])
        violation_id = record["event_id"]
        known = violation_id in state.done or any(one.violation_id == violation_id for one in state.reviews)
        if known or not self.follows(record):
            return state, ()
        review = Review(violation_id, record["clause"], at, at + self.within)
        state = begun(limits.with_review(state, review), at, self.digest)
        state, findings = evicted(self._clocks, seam, state, at)
        state, more = heard(self._clocks, seam, state, violation_id)
        return state, findings + more
