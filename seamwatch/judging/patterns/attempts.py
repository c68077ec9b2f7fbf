"""Attempts: calls that were denied before they were made, apart from those that were made.

What a guard denied did not happen: it is told as an attempt, a warning with words of its own. Attempts that pile up in
one conversation are found by the clause's own severity. A clause that names denied calls itself says what it means by
them; nothing is told apart for it. A call with the decision ``escalated`` counts as made: a person may have let it
happen, and no person's word lifts another clause.

What is told apart lies in parts of its own (`part_of`), each judged by the occurrence rule. Pure; a clause words what
is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from seamwatch.expressions import Expression
from seamwatch.expressions.build import all_of, compares, equals, negate
from seamwatch.judging.model.facts import EVIDENCE_LIMIT, Evidence, Fact
from seamwatch.judging.model.judgement import Finding, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import Answer, Measure
from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.runs import TRACE_IDLE, Change, Run, Runs, occurrences
from seamwatch.judging.patterns.tallies import Tallies, talked
from seamwatch.judging.patterns.windows import Windows, earliest
from seamwatch.values import value

Severity = Literal["warning", "breach"]
Aspect = Literal["", "missing", "attempt"]
MADE: Final = ""
MISSING: Final = "missing"
ATTEMPT: Final = "attempt"
PILED: Final = "attempts"

ATTEMPTS: Final = 10
"""How many attempts of a conversation are a breach, unless agreed otherwise. A model that is refused tries again once
or twice, and in other words a few times more; what goes on to ten is looking for a way."""
MOST_ATTEMPTS: Final = 100
_KEPT: Final = MOST_ATTEMPTS + EVIDENCE_LIMIT
_DENIED: Final = equals("decision", "denied")
_NOT_DENIED: Final = negate(_DENIED)


@dataclass(frozen=True, slots=True)
class Split:
    """The calls that a clause looks at: those ``made`` and those ``denied``; None for all calls, and for none."""

    made: Expression | None
    denied: Expression | None


def split(where: Expression | None, *agreed: Expression | None) -> Split:
    """The calls that ``where`` selects, told apart; not if it, or what is agreed, names denied calls itself."""
    if any(e is not None and compares(e, "decision", "denied") for e in (where, *agreed)):
        return Split(where, None)
    if where is None:
        return Split(_NOT_DENIED, _DENIED)
    return Split(all_of(where, _NOT_DENIED), all_of(where, _DENIED))


def attempted(measure: Measure, calls: Split) -> Measure:
    """The measure of attempts to do what another measure counts."""
    nothing: frozenset[Answer] = frozenset()
    offends = measure.offends if calls.denied is not None else nothing
    return replace(measure, name=ATTEMPT, select=calls.denied, evidence=_KEPT, offends=offends)


# Parts


def part_of(fact: Fact) -> str:
    """The part of a clause's state that a fact belongs to: its slice, and what is told apart."""
    part = fact.slice or ""
    # No slice of calls that were made is taken for that of others, whatever its name.
    return f"\0{fact.measure}\0{part}" if fact.measure in (MISSING, ATTEMPT) or part.startswith("\0") else part


def place_of(part: str | None) -> tuple[Aspect, str | None]:
    """What a part is of: what was told apart, and the slice."""
    if part is None or not part.startswith("\0"):
        return MADE, part
    _, aspect, name = part.split("\0", 2)
    return MISSING if aspect == MISSING else ATTEMPT if aspect == ATTEMPT else MADE, name or None


# Judging


@value()
class Conduct:
    """The state of one part: `Runs` of what offended, and of attempts how many a conversation has had."""

    windows: Windows = field(default_factory=Windows)
    run: Run | None = None
    piled: Tallies | None = None
    stretch: Stretch | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a run, by its first event."""

    summary: str
    observed: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class ConductRule:
    """What is agreed: when an episode outside any conversation is over, and how many attempts of one are too many.

    ``talks``: slices are conversations. ``grace`` as in `occurrences`.
    """

    severity: Severity
    quiet: int = TRACE_IDLE
    attempts: int = ATTEMPTS
    talks: bool = True
    grace: int = 0


def conducted(
    state: Conduct | None,
    fact: Fact | None,
    moment: Moment,
    rule: ConductRule,
    say: Callable[[Aspect, str | None, Run], Said],
) -> Judgement:
    """Judge a part by the occurrence rule, and attempts of a conversation by their number as well."""
    aspect, part = place_of(moment.slice)
    state = state or Conduct()
    talk = rule.talks and part is not None
    runs = None if state.run is None and not state.windows.filling else Runs(state.windows, state.run)
    bounded = None if fact is None else replace(fact, evidence=fact.evidence[:EVIDENCE_LIMIT])
    quiet = TRACE_IDLE if talk else rule.quiet
    grace = rule.grace if aspect == MADE else 0
    advance = occurrences(runs, bounded, moment, quiet=quiet, once=talk, grace=grace)
    severity: Severity = rule.severity if aspect == MADE else "warning"

    def found(change: Change) -> Finding:
        key = aspect if talk else f"{aspect}/{change.run.first}" if aspect else str(change.run.first)
        if change.what == "off":
            return Resolve(severity, key, change.at, slice=part)
        said, shown = say(aspect, part, change.run), change.run.evidence
        return _open(severity, key, change.at, said, part, shown)

    findings = [found(change) for change in advance.changes]
    piled, deadline = None, advance.deadline
    if aspect == ATTEMPT and talk:
        most = rule.attempts - 1
        counted = talked(state.piled, fact, moment, most=most, kept=_KEPT)
        piled, deadline = counted.state, earliest(deadline, counted.deadline)
        for tally in counted.changes:
            if isinstance(tally, int):
                findings.append(Resolve(rule.severity, PILED, tally, slice=part))
                continue
            first = tally.events[:EVIDENCE_LIMIT]
            summary = say(aspect, part, Run(tally.start, tally.start, tally.window, first)).summary
            said = Said(f"{summary}; {rule.attempts} attempts in one conversation are too many", rule.attempts, most)
            findings.append(_open(rule.severity, PILED, tally.events[most].event_time, said, part, first, "attempts"))
    kept = None
    if advance.state is not None or piled is not None:
        left = advance.state or Runs()
        kept = Conduct(left.windows, left.run, piled)
    return Judgement(kept, tuple(findings), deadline, advance.wake, advance.late)


def _open(
    severity: Severity,
    key: str,
    at: int,
    said: Said,
    part: str | None,
    evidence: tuple[Evidence, ...],
    unit: str | None = None,
) -> Open:
    return Open(
        severity,
        key,
        at,
        said.summary,
        slice=part,
        since=evidence[0].event_time,
        observed=said.observed,
        limit=said.limit,
        unit=unit,
        evidence=evidence,
    )
