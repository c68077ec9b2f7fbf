"""Approval: only what was approved serves.

Every event is checked against the versions that the System document declares: its version, its configuration
digest and (for decisions) its use case must have an approval that is in force at the event's time. A version whose
document names no digest is approved with any; where one is named, an event without a digest is not. A system that
nobody declared has no approval at all. There is one episode for each unapproved version, digest and use case (one
for the whole of an undeclared system). With `datasets` a refresh of a data set that nobody declared is a breach too.

A decision that names an approval (`approval_id`) which no version in the System document has is a **warning** of its
own, one for each such name, whatever else allows the decision: somebody relies on what nobody can look up.

A tool call that was denied was not made: under nothing approved it is an attempt, a warning of its own. A `where` that
names denied calls says itself which calls are meant: then none are told apart.

State: one for each version, digest and use case without approval (one for an undeclared system), and for each unknown
approval that is named: the windows (of an hour, or of `quiet` where that is shorter) with such events that are not yet
complete, 1,440 at most, and the first five events, about 3 kB, until `quiet` has passed without another. What is
approved for good costs nothing; of approvals that expire there is one for the system, about 250 bytes for each of them
that is in use (1,000 at most). At its largest it takes 2.3 MB.

An approval counts when somebody with authority gave it, and signed it where they have published keys: a person in the
System's `approvers`, and where there are none any person of the documents but its owner. Others are none.

Where a [risk policy](../risk-policy.md) is in force at the event's time, the approval must have all whom the system's
tier asks for, its `co_approvers` included; before the policy was in force it counts without them. In a tier that is
prohibited none counts.

From `revoked_at` on an approval is in force no more, whenever it expires. `seamwatch why`, `seamwatch approvals` and
the gate go by the same rule; what is on record they judge by the documents that were published when it came.

**Before an approval expires** the system's owner and who approved it are reminded, each once (`remind_before`: 14 days
ahead, half of how long the approval is in force at most), if they are persons of the documents. The reminder is no
violation: it says until when the approval holds, for which version and use case, and what to do. Reminded is only of
what is needed: of an approval that allowed something in the 35 days before its reminder is due, or allows something
after that; then they are told at once. Of one that does not count, that is revoked, or in whose place another allows
the same when it expires, nobody is. With another `expires` it is another approval, of which is told again. Of
several clauses of this kind over one system a person is reminded by one, whichever is first.

What its violation says: the version, digest and use case without approval, or that nobody declared the system, since
when, and what is wrong of the first such event: a version that is not declared, another digest (and which parts of the
configuration changed, where [digests say so](../configuration.md)), another use case, or when the approval ended; the
first five events are its evidence.

What it cannot see: a model swapped behind the same version name (see `distribution`).

```yaml
- id: approved-only
  kind: approval
  grace: 15m
```

Beside this document:

```yaml
kind: System
id: scorer
type: model
owner: owner@example.org
approvers: [owner@example.org]
versions:
  - version: v1
    approvals:
      - {id: A1, use_case: credit, approved_by: owner@example.org, approved_at: 2026-03-01}
```

and with these events:

```json
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1"}
{"type": "inference", "event_time": "2026-03-02T09:01:00Z", "system": "scorer", "version": "v2", "use_case": "credit",
 "subject": "s1"}
{"type": "inference", "event_time": "2026-03-02T09:20:00Z", "system": "scorer", "version": "v2", "use_case": "credit",
 "subject": "s1"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:16:00Z, slice v2//credit
  scorer serves version v2 for credit since 2026-03-02 09:01:00 UTC without an approval in force: version v2 is not
  declared (grace of 15 m is over)
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final, Literal

from pydantic import Field

from seamwatch.clauses.approval.state import ApprovalState
from seamwatch.clauses.approval.words import unapproved
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, Duration
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, always, any_of, equals, is_null, not_true
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Input, Judgement, Moment, Remind
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.approved import conditions
from seamwatch.judging.patterns.attempts import (
    MISSING,
    ConductRule,
    attempted,
    conducted,
    part_of,
    split,
)
from seamwatch.judging.patterns.expiring import WHEN_NOT_AGREED, Ending, Expiring, ending, expiring, in_use, used
from seamwatch.judging.patterns.faults import counted
from seamwatch.judging.patterns.runs import bundle
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.remedies import sign_command

_EXPIRING: Final = "expiring"
_ENDING: Final = "\0expiring"
"""The part of a clause that follows which approvals are in use."""


class Approval(Clause, kind="approval"):
    """Only approved version, configuration digest and use case serve."""

    state_type = ApprovalState
    wants = frozenset({"dataset_refresh"})

    kind: Literal["approval"]
    grace: Duration | None = Field(None, description="how long something new may serve before it needs approval")
    datasets: bool = Field(False, description="whether a refresh of a data set that nobody declared is a breach")
    quiet: Duration = Field(DAY, description="a breach is over after so long without an unapproved event")
    remind_before: Duration | Literal["never"] | None = Field(
        None,
        description=f"how long before an approval expires its approver and the owner are reminded, or `never`; "
        f"{WHEN_NOT_AGREED}",
    )

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls."""
        return ("inference", "tool_call")

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Decisions and tool calls under nothing approved, attempts at such calls, and claims of unknown approvals.

        And what comes under approvals that expire.
        """
        calls = split(self.where)
        decisions, made = self._measure(seam, "inference", self.where), self._measure(seam, "tool_call", calls.made)
        claimed = (self._claimed(seam),) if seam.declared else ()
        ending = (*self._in_use(seam, "inference", self.where), *self._in_use(seam, "tool_call", calls.made))
        return (decisions, made, attempted(made, calls), *claimed, *ending)

    def _in_use(self, seam: Seam, source: Source, select: Expression | None) -> Iterator[Measure]:
        """Whether anything comes that needs an approval that expires; also where nobody is reminded of it.

        What is measured is the same whatever is agreed of reminders, so that another lead ends no open episode.
        """
        for fields, allowed in in_use(expiring(seam.versions), source):
            these = any_of(*allowed)
            yield Measure(
                source,
                None,
                DAY,
                select=these if select is None else all_of(select, these),
                slice=fields,
                name=f"{_EXPIRING}/{'/'.join(fields)}",
            )

    def _claimed(self, seam: Seam) -> Measure:
        """Decisions that name an approval which the System document does not have, whatever allows them."""
        every = (a for v in seam.versions for a in (*v.approvals, *(void.approval for void in v.void)))
        known = [equals("approval_id", approval.approval_id) for approval in every]
        breach = not_true(any_of(is_null("approval_id"), *known))
        return Measure(
            "inference",
            breach,
            bundle(self.quiet),
            select=self.where,
            slice=("approval_id",),
            only_breaches=True,
            name=MISSING,
            agreed=HOUR,
        )

    def _measure(self, seam: Seam, source: Source, select: Expression | None) -> Measure:
        permitted = conditions(seam.versions, source)
        breach = not_true(any_of(*permitted)) if permitted else always()
        fields = ("version", "config_digest") + (("use_case",) if source == "inference" else ())
        return Measure(
            source,
            breach,
            bundle(self.quiet),
            select=select,
            slice=fields if seam.declared else (),
            only_breaches=True,
            name=source,
            agreed=HOUR,
        )

    def part_of(self, received: Input) -> str | None:
        """Its slice; refreshes belong to the whole of a system, and attempts are a part of their own."""
        if isinstance(received, ForwardedEvent) and not self.datasets:
            return None
        if not isinstance(received, Fact):
            return ""
        return _ENDING if received.measure.startswith(f"{_EXPIRING}/") else part_of(received)

    def judge(self, seam: Seam, state: ApprovalState | None, received: Input, moment: Moment) -> Judgement:
        """The occurrence rule, after the grace; and who is told that an approval ends."""
        fact = received if isinstance(received, Fact) else None
        if moment.slice == _ENDING:
            return self._ending(seam, (state or ApprovalState()).expiring or Expiring(), fact, moment)
        if isinstance(received, ForwardedEvent) and not seam.declared:
            fact = counted(seam, self.id, received, bundle(self.quiet), 1, breaches=1)
        rule = ConductRule(self.severity, self.quiet, talks=False, grace=self.grace or 0)
        judged = conducted(state, fact, moment, rule, partial(unapproved, self.grace, seam))
        left = judged.state
        if left is not None:
            judged = replace(judged, state=ApprovalState(left.windows, left.run, left.piled, left.stretch))
        return judged

    def _ending(self, seam: Seam, state: Expiring, fact: Fact | None, moment: Moment) -> Judgement:
        if fact is not None:
            source: Source = "inference" if fact.measure.endswith("/use_case") else "tool_call"
            terms = expiring(seam.versions)
            state = used(state, terms, source, fact.slice or "", fact.first_time, fact.last_time)
        state, ends, deadline = ending(state, seam.versions, self.remind_before, moment)
        reminders = tuple(reminder for end in ends for reminder in self._reminders(seam, end))
        return Judgement(ApprovalState(expiring=state) if state.in_use or state.told else None, reminders, deadline)

    def _reminders(self, seam: Seam, end: Ending) -> Iterator[Remind]:
        term, approver = end.term, end.approval.approved_by
        then = "enter a new approval in the System document"
        if approver is not None and seam.keys.get(approver):
            command = sign_command("FILE", approver, approval="NEW_APPROVAL_ID")
            then += f" and let {approver} sign it (`{command}`)"
        text = (
            f"{seam.system}: approval {term.approval_id} of version {term.version} for {term.use_case} holds until "
            f"{moment_text(term.expires)}; what serves under it from then on is not approved. To go on, {then}"
        )
        name = "/".join((term.version, term.config_digest, term.use_case, term.approval_id, str(term.expires)))
        for person in dict.fromkeys((seam.owner, approver)):
            if person is not None and person in seam.keys:
                key = f"{_EXPIRING}/{name}/{person}"
                yield Remind("reminder", key, person, text, term.expires, of_system=True)
