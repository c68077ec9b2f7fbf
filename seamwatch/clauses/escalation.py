r"""Escalation: when this holds, a person takes over.

After a call for which `when` holds, the conversation (`trace_id`) must be handed to a person within `within` calls: by
a call of the tool `to`, unless that was denied, or by a call with the decision `to` (`escalated` unless given). A call
that is itself such a hand-over is handed over. One hand-over serves all calls that wait for it. A conversation that
ends without it, after half an hour without a call or with the end of a replay's history, is a miss. `where` and `when`
are one condition; all calls that were made are counted.

When it cannot be told whether a person is needed, one is ([expressions](../expressions.md#null)): a call in which
something *odd* is given, such as text for a number or arguments that cannot be read, counts as one for which `when`
holds, unless `unknown: ignore`. A call that lacks an argument `when` asks for does not (`missing: ignore`), since an
optional argument that is left out is mostly as it should be; `missing: breach` has it count too. Both are counted and
told ([operations](../operations.md#lag-and-metrics)).

A call that was denied was not made: it is none of the calls counted, and with `to: denied` alone a hand-over. If `when`
holds for it, that was an attempt, and a miss of its hand-over is a warning with words of its own; it is in neither
recall nor precision nor the summary. A `when` or `where` that names denied calls says itself which calls are meant:
then none are told apart.

The breach opens at the time of the call for which `when` held (`opened_at`); there is one episode a conversation,
over when the conversation is. Its sentence says, for the conversation so far, how many of the hand-overs that were
due were made (recall, which is the number observed), and how many of those made were due (precision).

The order is that of (event_time, event_id). Calls are judged when what came before them has had time to arrive: the
allowed lateness and the settling time (seconds) after they were made. What comes later is counted as late, and not
judged.

With `summary` a named person is sent, on schedule, how many hand-overs of all conversations of the system were due,
made, missed and made needlessly in the period, with precision and recall and their 95 % intervals (Wilson's). A
hand-over that was due counts in the period of the call for which `when` held. A period in which no call came has no
summary.

State: one for each conversation, for a day after its last call: the calls that wait for what may come before them
(seconds; 5,000 at most), the calls whose hand-over is due (`within` at most), four numbers and the first five misses,
about 3 kB in all. Every call of the agent travels one by one (twice with `summary`). With `summary` one more for the
system, of the conversations of the last half hour: the calls that wait (5,000 at most) and those whose hand-over is
due (2,000 at most: the conversation that has been silent for longest is given up, and the summary says how many of the
misses that makes). At its largest it takes 3.2 MB.

What its violation says: the call for which `when` held, what was to follow it, and recall and precision so far; the
first five calls that were missed are its evidence.

What it cannot see: whether the person was there to take over, and calls outside any conversation; such a call for which
`when` holds is counted as unknown and told.

```yaml
- id: large-refunds-go-to-a-person
  kind: escalation
  when: tool = 'refund' AND arguments.amount > 1000
  to: transfer_to_human
  within: 2
  summary: {every: 7d, to: owner@example.org}
```

With these events:

```json
{"type": "tool_call", "event_time": "2026-03-02T09:00:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"amount\": 1500}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:01:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "find_user", "arguments": "{}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:02:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "refund", "arguments": "{\"amount\": 20}", "decision": "allowed"}
{"type": "tool_call", "event_time": "2026-03-02T09:03:00Z", "system": "agent", "version": "v1", "trace_id": "t1",
 "tool": "transfer_to_human", "arguments": "{}", "decision": "allowed"}
```

Replayed, this gives:

```text
breach open, opened 2026-03-02T09:00:00Z, slice t1
  agent: tool = 'refund' AND arguments.amount > 1000 held in conversation t1 at 2026-03-02 09:00:00 UTC, and it was
  not handed to a person (transfer_to_human) within 2 calls; so far 0 of 1 hand-overs due were made (recall 0 %),
  and no other was made
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.assertion import Summary
from seamwatch.clauses.clause import Clause, Condition
from seamwatch.durations import DAY
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, equals, given, is_in, is_null, negate
from seamwatch.judging.attempts import ATTEMPT, Split, split
from seamwatch.judging.calls import Call, Calls
from seamwatch.judging.facts import EVIDENCE_LIMIT, Evidence, Fact, merge_evidence
from seamwatch.judging.handovers import Handovers, Owed, Period
from seamwatch.judging.intervals import interval_text
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Remind, Resolve, TimePassed
from seamwatch.judging.measure import HOLDS, NULL, Answer, Measure, Watch
from seamwatch.judging.runs import TRACE_IDLE
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import earliest
from seamwatch.judging.wording import moment_text, share_text
from seamwatch.values import value

_LONG_AGO = -(2**62)
_SUMMARY = "summary/"
_SUMMARISED = "\x00summary"
_DOUBTED = "due, doubted"
_TRIED = "tried"


@value()
class EscalationState:
    """One conversation: what waits, and what has been found; or (in the state named "summary") all together.

    ``due`` were to be handed over, ``met`` of them were; of ``made`` hand-overs ``wanted`` were due. ``tried`` were
    denied calls that nobody took over from, of those that ``asked`` for it.
    ``last`` is the time of the last call judged; ``over`` says that its episode has ended, and it has no second.
    """

    calls: Calls = field(default_factory=Calls)
    owed: tuple[Owed, ...] = ()
    missed: tuple[Evidence, ...] = ()
    due: int = 0
    met: int = 0
    made: int = 0
    wanted: int = 0
    last: int = _LONG_AGO
    over: bool = False
    handovers: Handovers = field(default_factory=Handovers)
    asked: tuple[Owed, ...] = ()
    tried: tuple[Evidence, ...] = ()


class Escalation(Clause, kind="escalation"):
    """When this, a person."""

    state_type = EscalationState
    ends_with_input: ClassVar[bool] = True

    kind: Literal["escalation"]
    when: Expression = Field(description="over the fields of a tool call")
    unknown: Literal["breach", "ignore"] = Field(
        "breach", description="whether a call counts of which `when` cannot be told for what is given in it"
    )
    missing: Literal["breach", "ignore"] = Field(
        "ignore", description="whether a call counts that lacks an argument `when` asks for"
    )
    to: str = Field("escalated", min_length=1, description="the tool, or the decision, that hands over to a person")
    within: int = Field(1, ge=1, le=1_000, description="calls of the same conversation in which it must be handed over")
    summary: Summary | None = Field(None, description="a scheduled summary: {every, to}")

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        self.when.check("tool_call")
        return self

    def sources(self) -> tuple[str, ...]:
        """Tool calls."""
        return ("tool_call",)

    def people(self) -> tuple[str, ...]:
        """Who is sent the summary."""
        return (self.summary.to,) if self.summary else ()

    def conditions(self) -> Iterator[Condition]:
        """And `when`."""
        yield from super().conditions()
        given = "missing" in self.model_fields_set
        yield Condition(("when",), self.when, self.sources(), "offends", within=self.where, lenient=given)

    def measures(self, seam: Seam) -> tuple[Measure, ...]:
        """Every call of a conversation, one by one, by what it is: due, a hand-over, both or neither."""
        made = all_of(equals("tool", self.to), is_in("decision", ["allowed", "escalated"]))
        if self.to in {"allowed", "denied", "escalated"}:
            made = any_of(made, equals("decision", self.to))
        due = self.when if self.where is None else all_of(self.where, self.when)
        talks = negate(is_null("trace_id"))
        calls = split(talks, self.where, self.when) if self.to != "denied" else Split(talks, None)
        doubted = self._doubted
        held, otherwise = HOLDS | doubted, HOLDS | (NULL - doubted)
        roles = {
            "due": (all_of(due, negate(made)), HOLDS),
            _DOUBTED: (all_of(due, negate(made)), doubted),
            "made": (all_of(made, negate(due)), otherwise),
            "due and made": (all_of(due, made), held),
            "other": (all_of(negate(due), negate(made)), otherwise),
        }
        each = [
            self._measure(prefix + role, expression, offends, calls.made)
            for prefix in (("", _SUMMARY) if self.summary else ("",))
            for role, (expression, offends) in roles.items()
        ]
        nothing: frozenset[Answer] = frozenset()
        tried = self._measure(_TRIED, due, held if calls.denied is not None else nothing, calls.denied)
        return (*each, tried)

    @property
    def _doubted(self) -> frozenset[Answer]:
        odd: frozenset[Answer] = frozenset({"odd"} if self.unknown == "breach" else ())
        missing: frozenset[Answer] = frozenset({"missing"} if self.missing == "breach" else ())
        return odd | missing

    def _measure(
        self, name: str, expression: Expression, offends: frozenset[Answer], select: Expression | None
    ) -> Measure:
        return Measure(
            "tool_call",
            expression,
            TRACE_IDLE,
            select=select,
            slice=("trace_id",),
            only_breaches=True,
            name=name,
            evidence=None,
            offends=offends,
        )

    def watches(self, seam: Seam) -> tuple[Watch, ...]:
        """And `when`; and, where it holds, whether the call is of a conversation that could be handed over."""
        due = self.when if self.where is None else all_of(self.where, self.when)
        asked = (Watch("tool_call", self.when, self.where), Watch("tool_call", given("trace_id"), due))
        return (*super().watches(seam), *asked)

    def part_of(self, happening: Happening) -> str | None:
        """The conversation; what the summary counts is a part of its own."""
        if isinstance(happening, Fact) and happening.measure.startswith(_SUMMARY):
            return _SUMMARISED
        return super().part_of(happening)

    def judge(self, seam: Seam, state: EscalationState | None, happening: Happening, moment: Moment) -> Judgement:
        """Takes calls in when they come, and judges them in order when their time has come."""
        state = state or EscalationState()
        if moment.slice == _SUMMARISED:
            return self._summarise(seam, state, happening, moment)
        if isinstance(happening, Fact):
            # Judged in the next turn: facts of the same flush may be of calls before these.
            calls, missed = state.calls.add(happening, moment)
            state = _going_on(state, calls, state.last)
            return Judgement(state, (), _deadline(state), calls.wake(moment), len(missed))
        ended = isinstance(happening, TimePassed) and happening.ended
        findings: list[Finding] = []
        ready, calls = state.calls.take(moment, all_of_them=ended)
        last = state.last
        for call in ready:
            time = call.event.event_time
            if call.role == "other" and not state.owed and not state.asked and time < last + TRACE_IDLE:
                # Most calls by far: they only show that the conversation goes on.
                last = time
                continue
            state = self._idle(seam, _going_on(state, calls, last), time, moment, findings)
            state = self._judged(seam, state, call, moment, findings)
            last = state.last
        state = _going_on(state, calls, last)
        if not state.calls.waiting:
            state = self._idle(seam, state, moment.watermark, moment, findings)
        if ended:
            state = self._given_up(seam, state, moment, findings)
        forgotten = not state.calls.waiting and moment.watermark >= state.last + DAY
        return Judgement(None if forgotten else state, tuple(findings), _deadline(state), state.calls.wake(moment))

    def _summarise(self, seam: Seam, state: EscalationState, happening: Happening, moment: Moment) -> Judgement:
        if self.summary is None:
            return Judgement(None)
        handovers, late = state.handovers, 0
        told: tuple[Finding, ...] = ()
        if isinstance(happening, Fact):
            role = happening.measure.removeprefix(_SUMMARY)
            handovers, late = handovers.add(happening, role, moment, self.summary.every)
        else:
            ended = isinstance(happening, TimePassed) and happening.ended
            periods, handovers = handovers.advance(moment, within=self.within, ended=ended)
            told = tuple(self._told(seam, self.summary.to, period) for period in periods)
        state = EscalationState(handovers=handovers)
        return Judgement(state, told, handovers.deadline(moment), handovers.wake(moment), late)

    def _told(self, seam: Seam, to: str, period: Period) -> Remind:
        recall = f"; recall {interval_text(period.met, period.due)}" if period.due else ""
        precision = f"; precision {interval_text(period.wanted, period.made)}" if period.made else ""
        given_up = f"; {period.given_up:,} of those missed were waited for no longer" if period.given_up else ""
        text = (
            f"{seam.system}: {self.id!r} ({self.when}) from {moment_text(period.start)} to {moment_text(period.end)}: "
            f"hand-overs due {period.due:,}, missed {period.due - period.met:,}, made {period.made:,}, "
            f"needlessly {period.made - period.wanted:,}{recall}{precision}{given_up}"
        )
        return Remind("summary", str(period.start), to, text, period.end)

    def _idle(
        self, seam: Seam, state: EscalationState, now: int, moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        """Ends the conversation when it has been idle for long enough at event time ``now``."""
        if state.last == _LONG_AGO or now < state.last + TRACE_IDLE:
            return state
        state = self._given_up(seam, state, moment, findings)
        if (state.missed or state.tried) and not state.over:
            state, at = replace(state, over=True), state.last + TRACE_IDLE
            if state.missed:
                summary = self._sentence(seam, state, moment.slice)
                findings.append(Resolve(self.severity, "", at, slice=moment.slice, summary=summary))
            if state.tried:
                findings.append(Resolve("warning", ATTEMPT, at, slice=moment.slice))
        return state

    def _given_up(self, seam: Seam, state: EscalationState, moment: Moment, findings: list[Finding]) -> EscalationState:
        """Nothing of the conversation can follow: what waits for a person waits in vain."""
        state = self._missed(seam, state, state.owed, moment, findings)
        return self._untaken(seam, state, state.asked, moment, findings)

    def _judged(
        self, seam: Seam, state: EscalationState, call: Call, moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        time = call.event.event_time
        if time >= state.last + DAY:
            # What a silent day has ended is forgotten, live as well as in a history that is read at once.
            state = EscalationState(state.calls)
        if call.role == _TRIED:
            # The first are told, so that no more need to be remembered.
            asked = (*state.asked, Owed(call.event, self.within))[:EVIDENCE_LIMIT]
            return replace(state, last=time, asked=asked)
        due, made = call.role.startswith("due"), call.role.endswith("made")
        owed = tuple([Owed(one.event, one.left - 1) for one in state.owed])
        asked = tuple([Owed(one.event, one.left - 1) for one in state.asked])
        met, wanted = (len(owed) + due, bool(owed) or due) if made else (0, False)
        state = EscalationState(
            state.calls, () if made else owed, state.missed, state.due + due, state.met + met, state.made + made,
            state.wanted + wanted, time, state.over, state.handovers, () if made else asked, state.tried,
        )  # fmt: skip
        if made:
            return state
        state = self._missed(seam, state, tuple(one for one in owed if one.left == 0), moment, findings)
        state = self._untaken(seam, state, tuple(one for one in asked if one.left == 0), moment, findings)
        if not due:
            return state
        event = replace(call.event, label=_DOUBTED) if call.role == _DOUBTED else call.event
        return replace(state, owed=(*state.owed, Owed(event, self.within)))

    def _missed(
        self, seam: Seam, state: EscalationState, owed: tuple[Owed, ...], moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        if not owed:
            return state
        missed = merge_evidence(state.missed, tuple(one.event for one in owed))
        state = replace(state, missed=missed, owed=tuple(one for one in state.owed if one not in owed))
        if not state.over:
            findings.append(self._open(seam, state, moment.slice))
        return state

    def _untaken(
        self, seam: Seam, state: EscalationState, asked: tuple[Owed, ...], moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        """Denied calls that nobody took over from."""
        if not asked:
            return state
        tried = merge_evidence(state.tried, tuple(one.event for one in asked))
        state = replace(state, tried=tried, asked=tuple(one for one in state.asked if one not in asked))
        if not state.over:
            first = tried[0].event_time
            summary = (
                f"{seam.system}: {self.when} held for a call that was denied by the guard, in conversation "
                f"{moment.slice} at {moment_text(first)}, and nobody ({self.to}) took over within {self._calls}"
            )
            found = Open("warning", ATTEMPT, first, summary, slice=moment.slice, since=first, evidence=tried)
            findings.append(found)
        return state

    def _open(self, seam: Seam, state: EscalationState, trace: str | None) -> Open:
        first = state.missed[0]
        return Open(
            self.severity,
            "",
            first.event_time,
            self._sentence(seam, state, trace),
            slice=trace,
            since=first.event_time,
            observed=state.met / state.due,
            limit=1,
            unit="recall",
            evidence=state.missed,
        )

    @property
    def _calls(self) -> str:
        return "the next call" if self.within == 1 else f"{self.within} calls"

    def _sentence(self, seam: Seam, state: EscalationState, trace: str | None) -> str:
        first = state.missed[0]
        held = f"{self.when} held in conversation {trace} at {moment_text(first.event_time)}, and"
        if first.label == _DOUBTED:
            held = (
                f"whether {self.when} held in conversation {trace} at {moment_text(first.event_time)} cannot be told "
                "for what the call gives, so that a person was needed, and"
            )
        recall = f"{state.met} of {state.due} hand-overs due were made (recall {share_text(state.met / state.due)})"
        precision = "and no other was made"
        if state.made:
            share = share_text(state.wanted / state.made)
            precision = f"{state.wanted} of {state.made} made were due (precision {share})"
        return (
            f"{seam.system}: {held} it was not handed to a person ({self.to}) within {self._calls}; so far {recall}, "
            f"{precision}"
        )


def _going_on(state: EscalationState, calls: Calls, last: int) -> EscalationState:
    if state.calls is calls and state.last == last:
        return state
    # Written out: `replace` takes three times as long, and this is done for each fact.
    return EscalationState(
        calls, state.owed, state.missed, state.due, state.met, state.made, state.wanted, last, state.over,
        state.handovers, state.asked, state.tried,
    )  # fmt: skip


def _deadline(state: EscalationState) -> int | None:
    if state.last == _LONG_AGO:
        return state.calls.deadline()
    running = bool(state.owed or state.missed or state.asked or state.tried) and not state.over
    return earliest(state.calls.deadline(), state.last + (TRACE_IDLE if running else DAY))
