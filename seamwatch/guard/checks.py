"""Checks: a clause as a guard asks it, one act at a time, before the act.

What offends or counts is the clause's own measure, as a Python closure; what is remembered between calls follows the
judge of the same kind (its file says the rules), so that what a guard lets pass the stream finds no fault with. A
kind that nothing is registered for here is left to the stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

from seamwatch.clauses import Clause
from seamwatch.clauses.human_review import HumanReview
from seamwatch.clauses.precondition import REMEMBERED, Precondition
from seamwatch.clauses.prohibition import Prohibition
from seamwatch.clauses.rate import Rate
from seamwatch.clauses.scope import Scope
from seamwatch.durations import DAY, format_duration
from seamwatch.expressions.closure import Row
from seamwatch.expressions.doubts import doubts
from seamwatch.guard.asking import Condition, condition_of, named
from seamwatch.guard.memory import Key, Memory, Talk, Tally
from seamwatch.judging.model.measure import Measure
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import ATTEMPT, MISSING
from seamwatch.judging.patterns.calls import compared_text
from seamwatch.judging.patterns.wording import number_text


@dataclass(slots=True)
class Asked:
    """One act as the checks see it: its record as it would be reported, and what is remembered around it."""

    row: Row
    time: int
    trace: str | None
    talk: Talk
    memory: Memory


class Check(ABC):
    """One clause's question to acts of one record type.

    ``hands_over``: an act it stops goes to a person. ``warns``: it stops nothing, whatever the clause's severity.
    """

    hands_over = False
    warns = False

    def __init__(self, source: str, key: Key) -> None:
        self.source = source
        self.key = key

    @abstractmethod
    def measures(self) -> tuple[Measure, ...]:
        """What it asks of an act."""

    @abstractmethod
    def bound(self, tool: str | None) -> Bound | None:
        """What is asked of calls of one tool (None: of any act); None when that can be of no interest to it."""


class Bound(ABC):
    """A check with its conditions compiled."""

    @abstractmethod
    def offends(self, asked: Asked) -> bool:
        """Whether the act would break the clause."""

    def note(self, asked: Asked) -> None:  # noqa: B027 - most have nothing to remember
        """Remember an act that is reported, whatever was decided."""

    @abstractmethod
    def why(self, asked: Asked) -> str:
        """What is wrong with an act that offends, in words."""


# Clauses that look at each act alone


class Standing(Check):
    """An act offends by itself: scope, prohibition, human review."""

    def __init__(
        self, measure: Measure, key: Key, why: Callable[[Row], str], *, hands_over: bool = False, warns: bool = False
    ) -> None:
        super().__init__(measure.source, key)
        self._measure = measure
        self._why = why
        self.hands_over = hands_over
        self.warns = warns

    def measures(self) -> tuple[Measure, ...]:
        """What offends or counts."""
        return (self._measure,)

    def bound(self, tool: str | None) -> Bound | None:
        """Compiled for a tool."""
        condition = condition_of(self._measure, tool)
        return None if condition is None else _BoundStanding(condition, self._why)


@dataclass(slots=True)
class _BoundStanding(Bound):
    condition: Condition
    wording: Callable[[Row], str]

    def offends(self, asked: Asked) -> bool:
        return self.condition(asked.row)

    def why(self, asked: Asked) -> str:
        return self.wording(asked.row)


# Before this, that


class Before(Check):
    """A call of one tool must come after another's, in the same conversation."""

    def __init__(self, measures: Mapping[str, Measure], key: Key, clause: Precondition) -> None:
        super().__init__("tool_call", key)
        self._measures = measures
        self._clause = clause
        self._paths = tuple(tuple(name.split(".")) for name in clause.matching)

    def measures(self) -> tuple[Measure, ...]:
        """What offends or counts."""
        return tuple(self._measures.values())

    def bound(self, tool: str | None) -> Bound | None:
        """Compiled for a tool."""
        asks, tries, gives = (condition_of(self._measures[name], tool) for name in ("tool", "tried", "requires"))
        if asks is None and tries is None and gives is None:
            return None
        return _BoundBefore(asks, tries, gives, self._clause, self.key, self._paths)


@dataclass(slots=True)
class _Required:
    """When each matched value was last required, and the time of the last call of either tool."""

    required: dict[str, int] = field(default_factory=dict)
    last: int = -(2**62)


@dataclass(slots=True)
class _BoundBefore(Bound):
    asks: Condition | None
    tries: Condition | None
    gives: Condition | None
    clause: Precondition
    key: Key
    paths: tuple[tuple[str, ...], ...]

    def offends(self, asked: Asked) -> bool:
        if not _holds(self.asks, asked):
            return False
        if asked.trace is None:
            return True
        state = asked.talk.states.get(self.key)
        value = self._value(asked)
        if state is None or value is None or asked.time >= state.last + DAY:
            return True
        before = state.required.get(value)
        return before is None or asked.time >= before + DAY

    def note(self, asked: Asked) -> None:
        if asked.trace is None:
            return
        gives = _holds(self.gives, asked)
        if not gives and not _holds(self.asks, asked) and not _holds(self.tries, asked):
            return
        state = asked.talk.states.get(self.key)
        if state is None or asked.time >= state.last + DAY:
            state = asked.talk.states[self.key] = _Required()
        state.last = asked.time
        value = self._value(asked) if gives else None
        if value is None:
            return
        state.required[value] = asked.time
        if len(state.required) > REMEMBERED:
            del state.required[min(state.required, key=lambda each: (state.required[each], each))]

    def _value(self, asked: Asked) -> str | None:
        # Equal where `seamwatch.judging.patterns.calls.matched` is: that one is a digest of this.
        if not self.paths:
            return ""
        return compared_text([asked.row.argument(path) for path in self.paths])

    def why(self, asked: Asked) -> str:
        same = f" with the same {' and '.join(self.clause.matching)}" if self.clause.matching else ""
        where = "in this conversation" if asked.trace is not None else "and there is no conversation to have done so in"
        return f"{self.clause.requires} must have been called before{same} {where}"


def _holds(condition: Condition | None, asked: Asked) -> bool:
    return condition is not None and condition(asked.row)


# No more than so many


class Counted(Check):
    """So many acts of a conversation, about a person or in a stretch of time, and no more."""

    def __init__(self, measure: Measure, key: Key, clause: Rate) -> None:
        super().__init__(measure.source, key)
        # A call outside any conversation is asked about too: the stream cannot count it, so it must not be made.
        self._measure = replace(measure, breach=clause.counted) if clause.per == "trace" else measure
        self._window = measure.window
        self._clause = clause

    def measures(self) -> tuple[Measure, ...]:
        """What offends or counts."""
        return (self._measure,)

    def bound(self, tool: str | None) -> Bound | None:
        """Compiled for a tool."""
        condition = condition_of(self._measure, tool)
        if condition is None:
            return None
        if self._clause.per == "trace":
            return _BoundTalkCount(condition, self._clause, self.key)
        return _BoundWindowCount(condition, self._clause, (*self.key, str(self._window)), self._window)


@dataclass(slots=True)
class _BoundTalkCount(Bound):
    condition: Condition
    clause: Rate
    key: Key

    def offends(self, asked: Asked) -> bool:
        if not self.condition(asked.row):
            return False
        if asked.trace is None:
            # There is nothing to count it in, and no policy is not permission.
            return True
        tally = asked.talk.states.get(self.key)
        before = 0 if tally is None or asked.time >= tally.last + DAY else tally.count
        return before + 1 > self.clause.max

    def note(self, asked: Asked) -> None:
        if asked.trace is None or not self.condition(asked.row):
            return
        tally = asked.talk.states.get(self.key)
        if tally is None or asked.time >= tally.last + DAY:
            tally = asked.talk.states[self.key] = Tally()
        tally.count += 1
        tally.last = asked.time

    def why(self, asked: Asked) -> str:
        allowed = f"at most {_number(self.clause, 'call')} in a conversation"
        return allowed if asked.trace is not None else f"{allowed}, and there is no conversation to count it in"


@dataclass(slots=True)
class _BoundWindowCount(Bound):
    condition: Condition
    clause: Rate
    key: Key
    window: int

    def offends(self, asked: Asked) -> bool:
        if not self.condition(asked.row):
            return False
        return self._counts(asked).get(asked.time // self.window, 0) + 1 > self.clause.max

    def note(self, asked: Asked) -> None:
        if self.condition(asked.row):
            counts, window = self._counts(asked), asked.time // self.window
            counts[window] = counts.get(window, 0) + 1

    def _counts(self, asked: Asked) -> dict[int, int]:
        part = str(asked.row.record["subject"]) if self.clause.per == "subject" else ""
        return asked.memory.counts((*self.key, part))

    def why(self, asked: Asked) -> str:  # noqa: ARG002
        if self.clause.per == "subject":
            return f"at most {_number(self.clause, 'decision')} about a person in {format_duration(self.window)}"
        return f"at most {_number(self.clause, 'call')} in {format_duration(self.window)}"


def _number(clause: Rate, what: str) -> str:
    things = what if clause.max == 1 else f"{what}s"
    return f"{clause.max} {things}{f' of {clause.tool}' if clause.tool else ''}"


# Which kinds a guard asks, and how


@singledispatch
def checks_of(clause: Clause, seam: Seam) -> tuple[Check, ...] | None:
    """The checks of a clause; None for a kind that a guard cannot check before the act."""
    del clause, seam
    return None


def _key(clause: Clause, seam: Seam) -> Key:
    return (seam.contract, clause.id, clause.kind_name)


@checks_of.register
def _scope(clause: Scope, seam: Seam) -> tuple[Check, ...]:
    conditions = {tool.tool: tool.where for tool in clause.tools}

    def why(row: Row) -> str:
        tool = row.record["tool"]
        condition = conditions.get(tool)
        if condition is None:
            return f"it is none of the tools that may be called ({', '.join(sorted(conditions))})"
        doubt = doubts(condition, "tool_call")(row)
        return f"it may be called only when {condition}" + (f" ({doubt})" if doubt else "")

    return tuple(Standing(measure, _key(clause, seam), why) for measure in _asked_before(clause, seam))


@checks_of.register
def _prohibition(clause: Prohibition, seam: Seam) -> tuple[Check, ...]:
    def why(row: Row) -> str:
        doubt = doubts(clause.never, "tool_call")(row)
        if doubt:
            return f"it must never happen that {clause.never}, and whether it would cannot be told: {doubt}"
        return f"it must never happen that {clause.never}"

    key = _key(clause, seam)
    return tuple(Standing(m, key, why, warns=m.name == MISSING) for m in _asked_before(clause, seam))


@checks_of.register
def _human_review(clause: HumanReview, seam: Seam) -> tuple[Check, ...]:
    def why(row: Row) -> str:
        confidence: Any = row.record["confidence"]
        if confidence is None:
            return "it states no confidence, so a person decides"
        shown = number_text(confidence, clause.below)
        return f"a confidence of {shown} is below {number_text(clause.below, clause.below)}, so a person decides"

    return tuple(Standing(m, _key(clause, seam), why, hands_over=True) for m in clause.measures(seam))


@checks_of.register
def _precondition(clause: Precondition, seam: Seam) -> tuple[Check, ...]:
    return (Before({measure.name: measure for measure in clause.measures(seam)}, _key(clause, seam), clause),)


@checks_of.register
def _rate(clause: Rate, seam: Seam) -> tuple[Check, ...]:
    return tuple(Counted(measure, _key(clause, seam), clause) for measure in _asked_before(clause, seam))


def _asked_before(clause: Clause, seam: Seam) -> tuple[Measure, ...]:
    """What is asked of an act before it; attempts are what a guard makes of those it denies."""
    return tuple(measure for measure in clause.measures(seam) if measure.name != ATTEMPT)


def tools_of(checks: list[Check]) -> frozenset[str]:
    """The tools that the checks of calls name; all others are alike to them."""
    return frozenset().union(*(named(measure) for check in checks for measure in check.measures()))
