"""Change notice: changes are announced ahead, and the people they concern acknowledge them in time.

Each announced change of an agreed kind starts one clock for each acknowledger. An acceptance stops that person's
clock; without one the clock runs out and is a breach of its own, with the acknowledger as the person who must act.
A late answer resolves it. An objection stops the clock and is a breach at its own time, until the same person
accepts. It asks whoever announced the change to act, if that is a person of the documents, else the escalation list;
never the objector, whose note it gives. Answers by anybody else, or to anything else, have no effect; a person whose
document lists keys must sign.
Reminders (`remind_at`, shares of the clock) go to the acknowledger and are no violations.

A `change_id` that is announced again with other content (another value, time of effect, summary, environment, ...) is
another change: it asks for answers of its own, and for its notice. Its slice is `<change_id>@<digest>/<person>`, with
the first twelve digits of the announcement's [digest](../signatures.md#what-an-announcement-says). One that is only
repeated changes nothing. An answer is to all that was announced under the id until then, an objection to the newest of
it; so a yes from before does not cover what came after. An answer can say which announcement it answers, by its digest
(`change_digest`, which `seamwatch ack` fills in and signs): then it counts only if that is the newest until then.

A change is **withdrawn** by a `config_change` with its `change_id` and `withdrawn: true`, which `seamwatch withdraw`
sends; `announced_by` is who withdraws it. It counts from whoever announced the change, and from who signs for a party
of the contract, if they are persons of the documents, signed where they have published keys. It takes back what was
announced under the id until then: the clocks end, and so do open violations, objections too, with a sentence that says
who withdrew it. What it announced is announced no longer; announced again, it asks again. A withdrawal that does not
count changes nothing, and is a warning that says why, until `quiet` has passed. It can be answered no more.

With `notice_before`, a change announced less than that before it takes effect is a breach. With `unannounced`,
traffic with a version or configuration digest that neither the System document nor any announcement names is a
breach, from its first event; it is over when the value may serve, or after `quiet`. A version is announced by the
`to_value` of a change of kind `model`, a digest by the `config_digest` of a change of any kind; neither announces the
other, and what a threshold or a prompt is changed to announces nothing that serves. What serves **before its
`effective_at`** is a breach until then, also where the System document names it already. So is, with
`answered_before_effect`, what serves before all acknowledgers have accepted its change. A declared value that has
served before it was announced goes on serving. Where the same change is announced again with another time, that holds,
unless it had taken effect by then. After a withdrawal the traffic of the window in which it came is let pass (an hour,
or `quiet` where that is shorter), and a value that the System document names may serve as if nobody had announced it.

State: one for the system. The clocks that run or ran out, one a change and acknowledger (the newest 500; answered ones
for 90 days), the newest 1,000 changes and 1,000 announcements of versions and digests (of 256 characters at most), the
last 100 answers to what is not announced yet and the last 100 withdrawals; with `unannounced`, the declared values that
have served, 1,000 at most, and the offending windows of the 500 values seen last that may not serve, 1,440 of them at
most. A clock takes about 450 bytes. What was open of a clock or value that makes room for newer ones is over, and says
so. At its largest it takes 6.3 MB.

What its violation says: which person has not answered which change, or objects to it; how much ahead a change was
announced (`observed`, seconds) and what was agreed (`limit`); or the version or digest that serves, since when, and
that nobody announced it, for when it was announced, whose answer is missing, or that it was withdrawn.

What it cannot see: a change that alters neither version nor digest (see `distribution`); a declared version that serves
before its time for the second time, after it was taken out of service.

```yaml
- id: tell-product
  kind: change_notice
  kinds: [model, threshold]
  acknowledgers: [owner@example.org]
  acknowledge_within: 48h
  remind_at: [0.5, 0.9]
  unannounced: true
```

With these events:

```json
{"type": "config_change", "event_time": "2026-03-02T09:00:00Z", "system": "scorer", "change_id": "CR-7",
 "kind": "threshold", "effective_at": "2026-03-02T09:00:00Z", "summary": "-", "announced_by": "owner@example.org",
 "to_value": "0.64"}
```

Replayed to 2026-03-05T00:00:00Z, this gives:

```text
breach open, opened 2026-03-04T09:00:00Z, slice CR-7/owner@example.org
  scorer: owner@example.org has not acknowledged threshold change CR-7 within 48 h (announced 2026-03-02 09:00:00
  UTC)
```
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from seamwatch.clauses.change_notice.announcements import announce
from seamwatch.clauses.change_notice.answers import answer
from seamwatch.clauses.change_notice.clocks import Clocks
from seamwatch.clauses.change_notice.state import ChangeNoticeState
from seamwatch.clauses.change_notice.traffic import Serving
from seamwatch.clauses.change_notice.withdrawals import withdraw
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, Duration
from seamwatch.expressions.build import all_of, equals_any, is_null, negate, not_true
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment
from seamwatch.judging.model.measure import Measure, Source
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.runs import bundle
from seamwatch.judging.patterns.serving import DECLARED
from seamwatch.judging.patterns.unannounced import followed
from seamwatch.judging.patterns.windows import earliest

ChangeKind = Literal[
    "model", "prompt", "retrieval", "tools", "threshold", "data_source", "schema", "provider", "policy"
]


class ChangeNotice(Clause, kind="change_notice"):
    """Changes are announced, and acknowledged in time by those they concern."""

    state_type = ChangeNoticeState
    wants = frozenset({"config_change", "acknowledgement"})

    kind: Literal["change_notice"]
    kinds: tuple[ChangeKind, ...] = Field((), description="kinds of change that start a clock; all when absent")
    acknowledgers: tuple[str, ...] = Field((), description="persons who must acknowledge, one clock each")
    acknowledge_within: Duration = Field(48 * HOUR, description="how long an acknowledger has")
    remind_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (), description="shares of the clock at which the acknowledger is reminded"
    )
    notice_before: Duration | None = Field(None, description="how long before it takes effect a change is announced")
    unannounced: bool = Field(
        False,
        description="whether traffic with an unannounced version or digest, or before it takes effect, is a breach",
    )
    answered_before_effect: bool = Field(
        False, description="whether a version or digest may serve only when all acknowledgers have accepted its change"
    )
    quiet: Duration = Field(DAY, description="unannounced traffic is over after so long without an event of it")

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """The acknowledgers."""
        return self.acknowledgers

    def concerns(self, kind: str) -> bool:
        """Whether a change of this kind starts clocks."""
        return self._clocks.concerns(kind)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Traffic whose version or digest the System document does not name; announcements are known to the judge."""
        if not self.unannounced:
            return ()
        versions = [v.version for v in seam.versions]
        digests = [v.config_digest for v in seam.versions if v.config_digest is not None]
        strange_version = not_true(equals_any("version", versions))
        strange_digest = all_of(negate(is_null("config_digest")), not_true(equals_any("config_digest", digests)))
        sources: tuple[Source, ...] = ("inference", "tool_call")
        strange = (("version", strange_version, ""), ("config_digest", strange_digest, ""))
        # What a document declares is looked at as well: it may have been announced for later.
        declared = (
            ("version", equals_any("version", versions), f"/{DECLARED}"),
            ("config_digest", equals_any("config_digest", digests), f"/{DECLARED}"),
        )
        looked_at = strange + tuple(entry for entry, known in zip(declared, (versions, digests), strict=True) if known)
        return tuple(
            Measure(
                source,
                breach,
                bundle(self.quiet),
                select=self.where,
                slice=(field,),
                only_breaches=True,
                name=f"{field}/{source}{name}",
                agreed=HOUR,
            )
            for source in sources
            for field, breach, name in looked_at
        )

    def part_of(self, received: Input) -> str | None:
        """One state a system: announcements, clocks and traffic belong together."""
        if isinstance(received, ForwardedEvent) and received.type == "acknowledgement":
            return "" if received.record["of"] == "change" else None
        return ""

    def judge(self, seam: Seam, state: ChangeNoticeState | None, received: Input, moment: Moment) -> Judgement:
        """Clocks, announcements and unannounced traffic of one system."""
        state, clocks = state or ChangeNoticeState(), self._clocks
        serving = Serving(self.severity, self.answered_before_effect)
        findings: tuple[Finding, ...] = ()
        fact: Fact | None = None
        if isinstance(received, Fact):
            fact = received
        elif isinstance(received, ForwardedEvent) and received.type == "config_change":
            change = withdraw if received.record.get("withdrawn") else announce
            state, findings = change(clocks, seam, state, received, moment)
        elif isinstance(received, ForwardedEvent):
            state, findings = answer(clocks, seam, state, received)
        state, run_out = clocks.run_out(seam, state, moment.watermark)
        traffic = followed(state.traffic, state.serving, serving.terms(state), fact, moment, quiet=self.quiet)
        findings += run_out + tuple(serving.finding(seam, state, seen) for seen in traffic.seen)
        state = replace(state, traffic=traffic.traffic, serving=traffic.serving)
        times = [t for clock in state.clocks for t in clocks.times(clock)]
        deadline = earliest(traffic.deadline, *times, *(at for _, at in (*state.short, *state.refused)))
        return Judgement(state, findings, deadline, traffic.wake, traffic.late)

    @property
    def _clocks(self) -> Clocks:
        return Clocks(
            self.severity,
            self.kinds,
            self.acknowledgers,
            self.acknowledge_within,
            self.remind_at,
            self.notice_before,
            self.quiet,
        )
