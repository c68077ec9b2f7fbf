"""Change notice: changes are announced ahead, and the people they concern acknowledge them in time.

Each announced change of an agreed kind starts one clock for each acknowledger. An acceptance stops that person's
clock; without one the clock runs out and is a breach of its own, with the acknowledger as the person who must act.
A late answer resolves it. An objection stops the clock and is a breach at its own time, until the same person
accepts. Answers by anybody else, or to anything else, have no effect; a person whose document lists keys must sign.
Reminders (`remind_at`, shares of the clock) go to the acknowledger and are no violations.

A `change_id` that is announced again with other content (another value, time of effect, summary, environment, ...) is
another change: it asks for answers of its own, and for its notice. Its slice is `<change_id>@<digest>/<person>`, with
the first twelve digits of the announcement's [digest](../signatures.md#what-an-announcement-says). One that is only
repeated changes nothing. An answer is to all that was announced under the id until then, an objection to the newest of
it; so a yes from before does not cover what came after.

With `notice_before`, a change announced less than that before it takes effect is a breach. With `unannounced`,
traffic with a version or configuration digest that neither the System document nor any announcement names is a
breach, from its first event.

State: one for the system. The clocks that run or ran out, one a change and acknowledger (the newest 500; answered ones
for 90 days), the ids and digests of the newest 1,000 changes and their new versions and digests (of 256 characters at
most), the last 100 answers to what is not announced yet; with `unannounced`, the offending windows of the 500 values
seen last that nobody announced, 1,440 of them at most. A clock takes about 400 bytes. What was open of a clock or value
that makes room for newer ones is over, and says so. At its largest it takes 5.2 MB.

What its violation says: which person has not answered which change, or objects to it; how much ahead a change was
announced (`observed`, seconds) and what was agreed (`limit`); or the version or digest that nobody announced.

What it cannot see: a change that alters neither version nor digest (see `distribution`).

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

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY, HOUR, SECOND, Duration, format_duration
from seamwatch.expressions.build import all_of, equals_any, is_null, negate, not_true
from seamwatch.judging.announcements import Announced, announced, words
from seamwatch.judging.facts import Evidence, Fact, ForwardedEvent
from seamwatch.judging.hearing import heard, unknown_text
from seamwatch.judging.judgement import Finding, Happening, Heard, Judgement, Moment, Open, Remind, Resolve
from seamwatch.judging.measure import Measure, Source
from seamwatch.judging.runs import Change, bundle
from seamwatch.judging.seam import Seam
from seamwatch.judging.unannounced import VALUES_KEPT, Seen, Traffic, followed
from seamwatch.judging.windows import earliest
from seamwatch.judging.wording import moment_text
from seamwatch.signatures import acknowledgement_fault

ChangeKind = Literal[
    "model", "prompt", "retrieval", "tools", "threshold", "data_source", "schema", "provider", "policy"
]
_EARLY_ANSWERS = 100
_CHANGES_KEPT = 1_000
_CLOCKS_KEPT = 500
_ANNOUNCED_KEPT = 1_000
_LONGEST_VALUE = 256
_CLOCK_KEPT = 90 * DAY


@dataclass(frozen=True, slots=True)
class Clock:
    """One person's clock on one change; ``reminded`` counts the reminders sent."""

    change_id: str
    name: str
    kind: str
    person: str
    started: int
    due: int
    evidence: Evidence
    reminded: int = 0
    stopped: bool = False
    missed: bool = False
    objected: int | None = None

    @property
    def slice(self) -> str:
        """Names the clock's episodes."""
        return f"{self.name}/{self.person}"

    @property
    def change(self) -> str:
        """The change, for a sentence."""
        return words(self.change_id, self.name)


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement that came before the change it answers."""

    change_id: str
    person: str
    answer: str
    at: int
    event_id: str


@dataclass(frozen=True, slots=True)
class ChangeNoticeState:
    """Clocks by start, values announced and when, answers without a change yet, unannounced traffic by value.

    ``short`` holds the changes announced at too short notice, and when that episode is over.
    """

    clocks: tuple[Clock, ...] = ()
    changes: Announced = ()
    announced: tuple[tuple[str, int], ...] = ()
    early: tuple[Answer, ...] = ()
    traffic: Traffic = ()
    short: tuple[tuple[str, int], ...] = ()


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
    unannounced: bool = Field(False, description="whether traffic with an unannounced version or digest is a breach")
    quiet: Duration = Field(DAY, description="unannounced traffic is over after so long without an event of it")

    def sources(self) -> tuple[str, ...]:
        """Decisions and tool calls."""
        return ("inference", "tool_call")

    def people(self) -> tuple[str, ...]:
        """The acknowledgers."""
        return self.acknowledgers

    def concerns(self, kind: str) -> bool:
        """Whether a change of this kind starts clocks."""
        return not self.kinds or kind in self.kinds

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Traffic whose version or digest the System document does not name; announcements are known to the judge."""
        if not self.unannounced:
            return ()
        versions = [v.version for v in seam.versions]
        digests = [v.config_digest for v in seam.versions if v.config_digest is not None]
        strange_version = not_true(equals_any("version", versions))
        strange_digest = all_of(negate(is_null("config_digest")), not_true(equals_any("config_digest", digests)))
        sources: tuple[Source, ...] = ("inference", "tool_call")
        return tuple(
            Measure(
                source,
                breach,
                bundle(self.quiet),
                select=self.where,
                slice=(field,),
                only_breaches=True,
                name=f"{field}/{source}",
                agreed=HOUR,
            )
            for source in sources
            for field, breach in (("version", strange_version), ("config_digest", strange_digest))
        )

    def part_of(self, happening: Happening) -> str | None:
        """One state a system: announcements, clocks and traffic belong together."""
        if isinstance(happening, ForwardedEvent) and happening.type == "acknowledgement":
            return "" if happening.record["of"] == "change" else None
        return ""

    def judge(self, seam: Seam, state: ChangeNoticeState | None, happening: Happening, moment: Moment) -> Judgement:
        """Clocks, announcements and unannounced traffic of one system."""
        state = state or ChangeNoticeState()
        findings: tuple[Finding, ...] = ()
        fact: Fact | None = None
        if isinstance(happening, Fact):
            fact = happening
        elif isinstance(happening, ForwardedEvent) and happening.type == "config_change":
            state, findings = self._announce(seam, state, happening, moment)
        elif isinstance(happening, ForwardedEvent):
            state, findings = self._answer(seam, state, happening)
        state, run_out = self._run_out(seam, state, moment.watermark)
        traffic = followed(state.traffic, dict(state.announced), fact, moment, quiet=self.quiet)
        state = replace(state, traffic=traffic.traffic)
        findings += run_out + tuple(self._words(seam, seen) for seen in traffic.seen)
        times = [t for clock in state.clocks for t in self._times(clock)]
        deadline = earliest(traffic.deadline, *times, *(at for _, at in state.short))
        return Judgement(state, findings, deadline, traffic.wake, traffic.late)

    # Clocks

    def _announce(
        self, seam: Seam, state: ChangeNoticeState, event: ForwardedEvent, moment: Moment
    ) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        record = event.record
        change_id, at = record["change_id"], int(record["event_time"])
        # A version or a digest is short; what a prompt was changed to is neither.
        given = (record.get("to_value"), record.get("config_digest"))
        values = [value for value in given if value and len(value) <= _LONGEST_VALUE]
        values_told = dict.fromkeys(values, at) | dict(state.announced)
        newest = sorted(values_told.items(), key=lambda entry: (entry[1], entry[0]))[-_ANNOUNCED_KEPT:]
        state = replace(state, announced=tuple(newest))
        if not self.concerns(record["kind"]) or at < moment.horizon:
            return state, ()
        changes, name = announced(state.changes, record)
        if name is None:
            return state, ()
        evidence = Evidence(at, record["event_id"], event.topic, event.partition, event.offset)
        clocks = tuple(
            Clock(change_id, name, record["kind"], person, at, at + self.acknowledge_within, evidence)
            for person in self.acknowledgers
        )
        state, findings = self._let_go(seam, replace(state, clocks=state.clocks + clocks, changes=changes))
        state, more = self._short_notice(seam, state, record, name, evidence)
        findings += more
        for answer in state.early:
            if answer.change_id == change_id and answer.at >= at:
                state, more = self._apply(seam, state, answer)
                findings += more
        return replace(state, early=tuple(a for a in state.early if a.change_id != change_id)), findings

    def _short_notice(
        self, seam: Seam, state: ChangeNoticeState, record: dict[str, Any], change: str, evidence: Evidence
    ) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        at, effective = int(record["event_time"]), int(record["effective_at"])
        if self.notice_before is None or effective - at >= self.notice_before:
            return state, ()
        ahead = f"{format_duration(effective - at)} ahead" if effective > at else "after it took effect"
        summary = (
            f"{seam.system}: {record['kind']} change {words(record['change_id'], change)} was announced {ahead}, "
            f"agreed {format_duration(self.notice_before)}"
        )
        opened = Open(
            self.severity,
            "notice",
            at,
            summary,
            slice=change,
            evidence=(evidence,),
            observed=(effective - at) / SECOND,
            limit=self.notice_before / SECOND,
            unit="s",
        )
        short = (*state.short, (change, max(at, effective) + self.quiet))
        gone = tuple(Resolve(self.severity, "notice", at, slice=change) for change, _ in short[:-_CHANGES_KEPT])
        return replace(state, short=short[-_CHANGES_KEPT:]), (opened, *gone)

    def _let_go(self, seam: Seam, state: ChangeNoticeState) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        """Without the oldest clocks beyond what is kept; what was open of them is over, and says why."""
        clocks = sorted(state.clocks, key=lambda clock: (clock.started, clock.slice))
        findings = []
        for clock in clocks[:-_CLOCKS_KEPT]:
            text = f"{seam.system}: change {clock.change} is followed no longer, {_CLOCKS_KEPT:,} came after it"
            for key, is_open in (("missed", clock.missed), ("objection", clock.objected is not None)):
                if is_open:
                    at = clocks[-1].started
                    findings.append(Resolve(self.severity, key, at, slice=clock.slice, summary=text))
        kept = set(clocks[-_CLOCKS_KEPT:])
        return replace(state, clocks=tuple(clock for clock in state.clocks if clock in kept)), tuple(findings)

    def _answer(
        self, seam: Seam, state: ChangeNoticeState, event: ForwardedEvent
    ) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        record = event.record
        person = record["person"]
        if person not in self.acknowledgers:
            return state, (heard(record, "not_asked", f"{person} is no acknowledger of changes of {seam.system}"),)
        fault = acknowledgement_fault(record, seam.keys.get(person, ()))
        if fault is not None:
            return state, (heard(record, *fault),)
        answer = Answer(record["reference"], person, record["answer"], int(record["event_time"]), record["event_id"])
        if all(change_id != answer.change_id for change_id, _ in state.changes):
            early = (*state.early, answer)[-_EARLY_ANSWERS:]
            return replace(state, early=early), (heard(record, "unknown", unknown_text(record)),)
        return self._apply(seam, state, answer)

    def _apply(
        self, seam: Seam, state: ChangeNoticeState, answer: Answer
    ) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        findings: list[Finding] = []
        clocks = []
        told = ("over", f"change {answer.change_id} is followed no longer")
        mine = [
            (clock.started, place)
            for place, clock in enumerate(state.clocks)
            if (clock.change_id, clock.person) == (answer.change_id, answer.person)
        ]
        asked = [(started, place) for started, place in mine if started <= answer.at]
        if mine and not asked:
            told = ("too_early", f"it was given before change {answer.change_id} was announced")
        for place, clock in enumerate(state.clocks):
            if (clock.started, place) not in asked:
                clocks.append(clock)
                continue
            newest = (clock.started, place) == max(asked)
            after, more = self._stop(seam, clock, answer, objects=newest and answer.answer == "object")
            if newest:
                told = self._effect(clock, answer, changed=after != clock)
            findings.extend(more)
            clocks.append(after)
        findings.append(_heard(answer, *told))
        return replace(state, clocks=tuple(clocks)), tuple(findings)

    def _effect(self, clock: Clock, answer: Answer, *, changed: bool) -> tuple[str, str]:
        """What an answer to a clock came to, as a word and a sentence."""
        if not changed:
            return "taken", f"{answer.person} has answered change {clock.change} before"
        verb = "objects to" if answer.answer == "object" else "acknowledges"
        return "counts", f"{answer.person} {verb} {clock.kind} change {clock.change}"

    def _stop(self, seam: Seam, clock: Clock, answer: Answer, *, objects: bool) -> tuple[Clock, list[Finding]]:
        findings: list[Finding] = []
        if not clock.stopped and answer.at > clock.due and not clock.missed:
            # The clock ran out before this answer was given, whether or not anybody had asked.
            clock, opened = self._miss(seam, clock)
            findings.append(opened)
        if clock.missed:
            took = format_duration(answer.at - clock.started)
            text = f"{seam.system}: {clock.person} answered change {clock.change} after {took}"
            ended = max(answer.at, clock.due)
            findings.append(Resolve(self.severity, "missed", ended, slice=clock.slice, summary=text))
        clock = replace(clock, stopped=True, missed=False)
        if objects and clock.objected is None:
            summary = f"{seam.system}: {clock.person} objects to {clock.kind} change {clock.change}"
            evidence = (Evidence(answer.at, answer.event_id), clock.evidence)
            findings.append(
                Open(
                    self.severity,
                    "objection",
                    answer.at,
                    summary,
                    slice=clock.slice,
                    since=clock.started,
                    person=clock.person,
                    evidence=tuple(sorted(evidence)),
                )
            )
            clock = replace(clock, objected=answer.at)
        elif answer.answer == "accept" and clock.objected is not None:
            findings.append(Resolve(self.severity, "objection", answer.at, slice=clock.slice))
            clock = replace(clock, objected=None)
        return clock, findings

    def _miss(self, seam: Seam, clock: Clock) -> tuple[Clock, Open]:
        allowed = format_duration(self.acknowledge_within)
        summary = (
            f"{seam.system}: {clock.person} has not acknowledged {clock.kind} change {clock.change} within "
            f"{allowed} (announced {moment_text(clock.started)})"
        )
        seconds = self.acknowledge_within / SECOND
        opened = Open(
            self.severity,
            "missed",
            clock.due,
            summary,
            slice=clock.slice,
            since=clock.started,
            observed=seconds,
            limit=seconds,
            unit="s",
            person=clock.person,
            evidence=(clock.evidence,),
        )
        return replace(clock, missed=True), opened

    def _times(self, clock: Clock) -> tuple[int, ...]:
        # The event times at which this clock has something to say.
        if clock.stopped or clock.missed:
            return ()
        return (*self._reminders(clock)[clock.reminded : clock.reminded + 1], clock.due)

    def _reminders(self, clock: Clock) -> list[int]:
        return [clock.started + round(share * (clock.due - clock.started)) for share in sorted(self.remind_at)]

    def _run_out(
        self, seam: Seam, state: ChangeNoticeState, until: int
    ) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        findings: list[Finding] = []
        clocks = []
        for before in state.clocks:
            clock, reminders = self._remind(seam, before, until)
            findings.extend(reminders)
            if not clock.stopped and not clock.missed and clock.due <= until:
                clock, opened = self._miss(seam, clock)
                findings.append(opened)
            if not (clock.stopped and clock.objected is None and clock.due + _CLOCK_KEPT < until):
                clocks.append(clock)
        findings.extend(Resolve(self.severity, "notice", at, slice=c) for c, at in state.short if at <= until)
        short = tuple(entry for entry in state.short if entry[1] > until)
        return replace(state, clocks=tuple(clocks), short=short), tuple(findings)

    def _remind(self, seam: Seam, clock: Clock, until: int) -> tuple[Clock, list[Remind]]:
        due = [] if clock.stopped else [at for at in self._reminders(clock)[clock.reminded :] if at <= until]
        told = []
        for number, at in enumerate(due, clock.reminded + 1):
            left = format_duration(clock.due - at)
            text = f"{seam.system}: {clock.kind} change {clock.change} waits for you; {left} left to acknowledge"
            told.append(Remind("reminder", f"{clock.slice}/{number}", clock.person, text, clock.due, slice=clock.slice))
        return replace(clock, reminded=clock.reminded + len(due)), told

    # Unannounced traffic

    def _words(self, seam: Seam, seen: Seen) -> Finding:
        finding = self._unannounced(seam, seen.value, seen.change)
        if isinstance(finding, Resolve) and seen.crowded:
            text = f"{seam.system}: {seen.value!r} is followed no longer, {VALUES_KEPT:,} others came after it"
            return replace(finding, summary=text)
        return finding

    def _unannounced(self, seam: Seam, value: str, change: Change) -> Finding:
        key = str(change.run.first)
        if change.what == "off":
            return Resolve(self.severity, key, change.at, slice=value)
        first = change.run.evidence[0]
        summary = (
            f"{seam.system} serves {value!r} since {moment_text(first.event_time)}, a version or configuration that "
            f"nobody announced"
        )
        return Open(
            self.severity, key, change.at, summary, slice=value, since=first.event_time, evidence=change.run.evidence
        )


def _heard(answer: Answer, reason: str, summary: str) -> Heard:
    return Heard(
        acknowledgement_id=answer.event_id,
        of="change",
        reference=answer.change_id,
        person=answer.person,
        answer=answer.answer,
        at=answer.at,
        counted=reason == "counts",
        reason=reason,
        summary=summary,
    )
