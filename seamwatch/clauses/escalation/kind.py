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
hand-over that was due counts in the period of the call for which `when` held. Its
receipt is confirmed in time, or the next person must act ([summaries](../paging.md#summaries)).

State: one for each conversation, for a day after its last call: the calls that wait for what may come before them
(seconds; 5,000 at most), the calls whose hand-over is due (`within` at most), four numbers and the first five misses,
about 3 kB in all. Every call of the agent travels one by one (twice with `summary`). With `summary` one more for the
system, of the conversations of the last half hour: the calls that wait (5,000 at most) and those whose hand-over is
due (2,000 at most: the conversation that has been silent for longest is given up, and the summary says how many of the
misses that makes). At its largest it takes 3.2 MB.

What its violation says: the call for which `when` held, what was to follow it, and recall and precision so far; the
first five calls that were missed are its evidence.

What it cannot see: whether the person was there to take over, and calls outside any conversation; such a call for which
`when` holds is counted as unknown and told, and where for a day all calls are such, the clause says that it has
[nothing to judge](../episodes.md#nothing-to-judge).

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

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from seamwatch.clauses.clause import Condition, Selecting
from seamwatch.clauses.escalation.looking import DOUBTED, TRIED, Conversation
from seamwatch.clauses.escalation.state import EscalationState
from seamwatch.clauses.escalation.words import Words
from seamwatch.clauses.summaries import SUMMARISED, Confirming, Summary
from seamwatch.durations import DAY
from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, any_of, equals, given, is_in, is_null, negate
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Remind, TimePassed
from seamwatch.judging.model.measure import HOLDS, NULL, Answer, Measure, Source, Watch
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import Split, split
from seamwatch.judging.patterns.handovers import Period
from seamwatch.judging.patterns.runs import TRACE_IDLE
from seamwatch.judging.patterns.windows import earliest

_SUMMARY = "summary/"


class Escalation(Selecting, kind="escalation"):
    """When this, a person."""

    state_type = EscalationState
    wants = frozenset({"acknowledgement"})
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
    summary: Summary | None = Field(None, description="a scheduled summary: {every, to, receipt_within}")

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
            DOUBTED: (all_of(due, negate(made)), doubted),
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
        tried = self._measure(TRIED, due, held if calls.denied is not None else nothing, calls.denied)
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

    def left_out(self) -> Mapping[Source, Expression]:
        """Calls outside any conversation."""
        return {"tool_call": is_null("trace_id")}

    def doubts(self) -> Iterator[tuple[Source, Expression, Literal["odd", "absent"]]]:
        """None: such calls are counted by what is watched already."""
        yield from ()

    def gives(self, source: str) -> str:
        """A conversation."""
        return "is of a conversation (trace_id)"

    def part_of(self, received: Input) -> str | None:
        """The conversation; what the summary counts is a part of its own."""
        if isinstance(received, ForwardedEvent):
            return SUMMARISED if self.summary is not None and received.record["of"] == "summary" else None
        if isinstance(received, Fact) and received.measure.startswith(_SUMMARY):
            return SUMMARISED
        return super().part_of(received)

    def judge(self, seam: Seam, state: EscalationState | None, received: Input, moment: Moment) -> Judgement:
        """Takes calls in when they come, and judges them in order when their time has come."""
        state = state or EscalationState()
        if moment.slice == SUMMARISED:
            return self._summarise(seam, state, received, moment)
        if isinstance(received, Fact):
            # Judged in the next turn: facts of the same flush may be of calls before these.
            calls, missed = state.calls.add(received, moment)
            state = state.going_on(calls, state.last)
            return Judgement(state, (), state.deadline(), calls.wake(moment), len(missed))
        ended = isinstance(received, TimePassed) and received.ended
        findings: list[Finding] = []
        conversation = self._conversation
        ready, calls = state.calls.take(moment, all_of_them=ended)
        last = state.last
        for call in ready:
            time = call.event.event_time
            if call.role == "other" and not state.owed and not state.asked and time < last + TRACE_IDLE:
                # Most calls by far: they only show that the conversation goes on.
                last = time
                continue
            state = conversation.idle(seam, state.going_on(calls, last), time, moment, findings)
            state = conversation.judged(seam, state, call, moment, findings)
            last = state.last
        state = state.going_on(calls, last)
        if not state.calls.waiting:
            state = conversation.idle(seam, state, moment.watermark, moment, findings)
        if ended:
            state = conversation.given_up(seam, state, moment, findings)
        forgotten = not state.calls.waiting and moment.watermark >= state.last + DAY
        return Judgement(None if forgotten else state, tuple(findings), state.deadline(), state.calls.wake(moment))

    def _summarise(self, seam: Seam, state: EscalationState, received: Input, moment: Moment) -> Judgement:
        if self.summary is None:
            return Judgement(None)
        confirming = Confirming(seam, self.id, self.summary, self.severity)
        handovers, receipts, late = state.handovers, state.receipts, 0
        findings: tuple[Finding, ...] = ()
        if isinstance(received, Fact):
            role = received.measure.removeprefix(_SUMMARY)
            handovers, late = handovers.add(received, role, moment, self.summary.every)
        elif isinstance(received, ForwardedEvent):
            receipts, findings = confirming.answer(receipts, received)
            receipts, more = confirming.run_out(receipts, moment.watermark)
            findings += more
        else:
            ended = isinstance(received, TimePassed) and received.ended
            periods, handovers = handovers.advance(moment, within=self.within, ended=ended)
            made = [(period.start, self._summary_of(seam, self.summary.to, period)) for period in periods]
            until = min(moment.watermark, handovers.periods[0].start if handovers.periods else moment.watermark)
            receipts, findings, end = confirming.turn(receipts, made, until, moment.watermark)
            handovers = replace(handovers, told=max(handovers.told, end))
        state = EscalationState(handovers=handovers, receipts=receipts)
        deadline = earliest(handovers.deadline(moment), confirming.deadline(receipts))
        return Judgement(state, findings, deadline, handovers.wake(moment), late)

    def _summary_of(self, seam: Seam, to: str, period: Period) -> Remind:
        return Remind("summary", str(period.start), to, self._words.summary(seam, self.id, period), period.end)

    @property
    def _words(self) -> Words:
        return Words(self.when, self.to, self.within)

    @cached_property
    def _conversation(self) -> Conversation:
        return Conversation(self.severity, self._words)
