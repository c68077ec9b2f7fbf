r"""Silence: the pages of a system are held back for a while, by a named person, for a reason that is on record.

A silence holds back pages and nothing else: what is broken meanwhile opens its episode, climbs its list and is on
record as always. It is itself an episode, a warning, which is told to somebody else than who asked for it, stands on
the [board](../board.md) among what is open, and is over at its end, by itself.

It is begun by an `attestation` of kind `silence` whose `subject` is `<contract>#<clause>/<silence>`, by a person in
`by`; without `by` by the owner of the system or who signs for a party; whoever has published keys must have signed it.
Its `statement` is JSON: `{"state":"begun","clause":…,"until":…,"reason":…}`, of one clause of the contract or, where
that is null, of all; at most `longest` ahead. `{"state":"lifted","why":…}` ends it before, by anybody who might begin
one. What an attestation came to is told, in the [words for answers](../paging.md#acknowledging).
[`seamwatch silence`](../silences.md) writes them.

**Every contract has such a clause**, without writing it, under the id `silence`; one that is written says who may, and
for how long.

When it ends, whoever was told of the silence hears that. What is still open is told then to who must act by then; what
opened and ended meanwhile is on record, and `seamwatch silences --over` says how much that is. Notices and drills are
not held back, nor what a pager has told before.

State: one for a system of which pages are held back: the silences in force (20 at most). At its largest it takes 55 kB.

What its violation says: who holds back the pages of which clause until when, and why; its slice is that clause, and
`limit` how long (seconds).

What it cannot see: episodes of other contracts, the built-in ones among them, and of follow-ups.

```yaml
- id: quiet
  kind: silence
  by: owner@example.org
  longest: 3d
- id: valid
  kind: range
  min: 0
  max: 1
  quiet: 1h
```

With these events:

```json
{"type": "attestation", "event_time": "2026-03-02T08:00:00Z", "system": "scorer", "person": "owner@example.org",
 "kind": "silence", "subject": "example#quiet/s1", "statement":
 "{\"state\":\"begun\",\"clause\":\"valid\",\"until\":\"2026-03-02T12:00:00Z\",\"reason\":\"load test\"}"}
{"type": "inference", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1", "score": 1.7}
```

Replayed to 2026-03-03T00:00:00Z, this gives:

```text
warning resolved, opened 2026-03-02T08:00:00Z, resolved 2026-03-02T12:00:00Z, slice valid
  scorer: the pages of clause 'valid' are held back no longer, owner@example.org had asked for that until 2026-03-02
  12:00:00 UTC; what is still open is told now, and `seamwatch silences --over` says what opened meanwhile
breach resolved, opened 2026-03-02T09:00:00Z, resolved 2026-03-02T10:00:00Z
  scorer: score 1.7 at 2026-03-02 09:00:00 UTC is outside the agreed 0 to 1
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field

from seamwatch.clauses.attested import Persons
from seamwatch.clauses.clause import Clause
from seamwatch.clauses.silence.state import MOST, Quiet, SilenceState
from seamwatch.clauses.silence.statement import Begun, Lifted, fault_of, read_statement
from seamwatch.durations import DAY, SECOND, Duration, format_duration
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.answered import answered
from seamwatch.judging.patterns.faults import evidence_of
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text, quoted

IMPLIED: Final = "silence"
"""The id of the clause that every contract has without writing it."""


Found = tuple[SilenceState, tuple[Finding, ...]]


class Silence(Clause, kind="silence"):
    """Pages are held back for a while, for a reason."""

    state_type = SilenceState
    wants = frozenset({"attestation"})
    answers = frozenset({"silence"})

    kind: Literal["silence"]
    severity: Literal["warning", "breach"] = Field("warning", description="how the silence itself is marked")
    by: Persons = Field(
        (), description="the persons who may; when absent the owner or who signs for a party"
    )  # fmt: skip
    longest: Duration = Field(7 * DAY, gt=0, le=30 * DAY, description="how long one may last at most")

    def sources(self) -> tuple[str, ...]:
        """It looks at no events."""
        return ()

    def people(self) -> tuple[str, ...]:
        """Who may."""
        return self.by

    def part_of(self, received: Input) -> str | None:
        """One state a system."""
        if isinstance(received, ForwardedEvent) and received.type == "attestation":
            return "" if received.record["kind"] == "silence" else None
        return ""

    def who(self, seam: Seam) -> tuple[str, ...]:
        """Who may hold back pages: those who are named, or else the owner and who signs for the parties."""
        owners = () if seam.owner is None else (seam.owner,)
        return self.by or tuple(dict.fromkeys((*owners, *seam.signatories)))

    def why_void(self, seam: Seam, record: Mapping[str, Any]) -> str | None:
        """Silences count by who may ask for one, up to the longest that is agreed."""
        fault = fault_of(seam, self.id, self.who(seam), self.longest, record)
        return None if fault is None else fault[1]

    def judge(self, seam: Seam, state: SilenceState | None, received: Input, moment: Moment) -> Judgement:
        """Silences begun and lifted by words, and over in time."""
        state = state or SilenceState()
        findings: tuple[Finding, ...] = ()
        if isinstance(received, ForwardedEvent):
            state, findings = self._attested(seam, state, received)
        state, over = _over(self.severity, seam, state, moment.watermark)
        due = earliest(*(quiet.until for quiet in state.quiet))
        return Judgement(state if state.quiet else None, findings + over, due)

    def _attested(self, seam: Seam, state: SilenceState, event: ForwardedEvent) -> Found:
        record, at = event.record, int(event.record["event_time"])
        fault = fault_of(seam, self.id, self.who(seam), self.longest, record)
        if fault is not None:
            return state, (answered(record, *fault),)
        state, over = _over(self.severity, seam, state, at)
        name, said = str(record["subject"]).rpartition("/")[2], read_statement(record["statement"])
        if isinstance(said, Begun):
            state, more = self._begin(seam, state, event, name, said)
        else:
            state, more = self._lift(seam, state, record, name, said)
        return state, over + more

    def _begin(self, seam: Seam, state: SilenceState, event: ForwardedEvent, name: str, said: Begun) -> Found:
        record, at = event.record, int(event.record["event_time"])
        if any(quiet.name == name for quiet in state.quiet):
            return state, (answered(record, "taken", f"silence {name} is in force"),)
        if len(state.quiet) >= MOST:
            return state, (answered(record, "taken", f"{MOST} silences of {seam.system} are in force"),)
        quiet = Quiet(name, said.clause, record["person"], said.reason, at, said.until_at, evidence_of(event))
        text = (
            f"{seam.system}: {quiet.person} holds back the pages of {_what(quiet)} until {moment_text(quiet.until)}, "
            f"for {format_duration(quiet.until - at)}: {quoted(quiet.reason)}"
        )
        opened = Open(
            self.severity, name, at, text, slice=quiet.clause, since=at, limit=(quiet.until - at) / SECOND, unit="s",
            said_by=quiet.person, evidence=(quiet.evidence,),
        )  # fmt: skip
        counts = answered(
            record, "counts", f"the pages of {_what(quiet)} are held back until {moment_text(quiet.until)}"
        )
        return replace(state, quiet=(*state.quiet, quiet)), (opened, counts)

    def _lift(self, seam: Seam, state: SilenceState, record: Mapping[str, Any], name: str, said: Lifted) -> Found:
        at = int(record["event_time"])
        quiet = next((quiet for quiet in state.quiet if quiet.name == name), None)
        if quiet is None:
            return state, (answered(record, "over", f"no silence {name} of {seam.system} is in force"),)
        if at < quiet.began:
            return state, (answered(record, "too_early", "it was given before the silence began"),)
        left = tuple(one for one in state.quiet if one is not quiet)
        how = f"{record['person']} lifts that: {quoted(said.why)}"
        counts = answered(record, "counts", f"the pages of {_what(quiet)} are held back no longer")
        return replace(state, quiet=left), (_end(self.severity, seam, quiet, at, how), counts)


def _over(severity: Literal["warning", "breach"], seam: Seam, state: SilenceState, until: int) -> Found:
    """The end of the silences that are over by event time ``until``."""
    done = sorted((quiet for quiet in state.quiet if quiet.until <= until), key=lambda one: (one.until, one.name))
    left = tuple(quiet for quiet in state.quiet if quiet not in done)
    ends = [
        _end(severity, seam, quiet, quiet.until, f"{quiet.person} had asked for that until {moment_text(quiet.until)}")
        for quiet in done
    ]
    return SilenceState(left), tuple(ends)


def _end(severity: Literal["warning", "breach"], seam: Seam, quiet: Quiet, at: int, how: str) -> Resolve:
    text = (
        f"{seam.system}: the pages of {_what(quiet)} are held back no longer, {how}; what is still open is told now, "
        "and `seamwatch silences --over` says what opened meanwhile"
    )
    return Resolve(severity, quiet.name, at, slice=quiet.clause, summary=text)


def _what(quiet: Quiet) -> str:
    return "all its clauses" if quiet.clause is None else f"clause {quiet.clause!r}"
