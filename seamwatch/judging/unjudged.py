"""Unjudged: a clause that events keep coming for, of which for long none gives what it looks at, says so.

Silence of a clause should mean that what was agreed holds. Where a join broke or labels are of another convention, it
means that nothing was looked at. So the events of a clause, and those of them that it leaves out, are counted by the
hour: a warning opens when none could be judged for the agreed time, and is over with the first hour in which one was. A
system of which nothing comes opens nothing, and ends nothing. Pure; which events a clause leaves out is the clause's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from seamwatch.durations import format_duration
from seamwatch.judging.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.judgement import Finding, Happening, Judgement, Moment, Open, Resolve
from seamwatch.judging.measure import UNJUDGED, WAITING
from seamwatch.judging.seam import Seam
from seamwatch.judging.windows import Windows
from seamwatch.judging.wording import moment_text

if TYPE_CHECKING:
    from seamwatch.clauses.clause import Clause

KIND: Final = "unjudged"
"""Stands for the clause's kind where its state is kept: one is the same for every kind."""
LEAST: Final = 10
"""Fewest events that must have been left out."""
LATER: Final = 30
"""An outcome may be so many times the agreed time late, before it says anything that none has come."""
_PART = "\x00" + UNJUDGED
_MOST_HOURS = 48
_EVENTS = {"inference": "decision", "tool_call": "call", "outcome": "outcome"}


@dataclass(frozen=True, slots=True)
class UnjudgedState:
    """Hours still filling, and what came since something was last judged.

    - ``began``: start of the first hour of those in which nothing could be judged; ``lacking``: of those in which
      something was left out.
    - ``left_out`` events came and could not be judged; of ``waiting`` decisions no outcome has come.
    - ``opened``: ``began`` of the episode that is open.
    """

    windows: Windows = field(default_factory=Windows)
    began: int | None = None
    lacking: int | None = None
    left_out: int = 0
    waiting: int = 0
    opened: int | None = None
    evidence: tuple[Evidence, ...] = ()


def part_of(clause: Clause, happening: Happening) -> str | None:
    """Which of a clause's states it belongs to: one for each of its sources here, or one of the clause's own."""
    if isinstance(happening, Fact) and happening.measure.startswith(UNJUDGED):
        return "\x00" + happening.measure.removesuffix(WAITING)
    return clause.part_of(happening)


def is_part(part: str | None) -> bool:
    """Whether the state of that name is judged here."""
    return part is not None and part.startswith(_PART)


def kind_of(clause: Clause, part: str) -> str:
    """The kind that the state of that name is of."""
    return KIND if is_part(part) else clause.kind_name


def judge(clause: Clause, seam: Seam, state: UnjudgedState | None, happening: Happening, moment: Moment) -> Judgement:
    """Look at each complete hour. What comes too late is counted by the clause's own states, and not again here."""
    state = state or UnjudgedState()
    windows = state.windows
    if isinstance(happening, Fact):
        windows = windows.add(_alike(happening), moment) or windows
    complete, windows = windows.take_complete(moment, _MOST_HOURS)
    findings: list[Finding] = []
    source = (moment.slice or "").removeprefix(_PART + "/")
    for hour in complete:
        state = _looked(clause, seam, state, hour, source, findings)
    state = replace(state, windows=windows)
    kept = None if state == UnjudgedState(Windows(done=windows.done)) else state
    return Judgement(kept, tuple(findings), windows.deadline(moment), windows.wake(moment))


def _alike(fact: Fact) -> Fact:
    """Decisions whose outcome is still to come, in the place where nothing else is counted."""
    if not fact.measure.endswith(WAITING):
        return replace(fact, missing=(0,))
    return replace(
        fact, measure=fact.measure.removesuffix(WAITING), count=0, breaches=0, missing=(fact.count,), evidence=()
    )


def _looked(
    clause: Clause, seam: Seam, state: UnjudgedState, hour: Fact, source: str, findings: list[Finding]
) -> UnjudgedState:
    if hour.count > hour.breaches:
        if state.opened is not None:
            findings.append(Resolve("warning", _key(source, state.opened), hour.window_end))
        return UnjudgedState()
    began = hour.window_start if state.began is None else state.began
    lacking = hour.window_start if state.lacking is None and hour.breaches else state.lacking
    state = UnjudgedState(
        began=began,
        lacking=lacking,
        left_out=state.left_out + hour.breaches,
        waiting=state.waiting + sum(hour.missing),
        opened=state.opened,
        evidence=merge_evidence(state.evidence, hour.evidence),
    )
    since = _since(clause, state, hour.window_end)
    if state.opened is not None or since is None:
        return state
    findings.append(
        Open(
            "warning",
            _key(source, began),
            hour.window_end,
            _sentence(clause, seam, state, since, source, of_left_out=since == lacking),
            since=since,
            evidence=state.evidence,
        )
    )
    return replace(state, opened=began)


def _since(clause: Clause, state: UnjudgedState, until: int) -> int | None:
    """Since when nothing could be judged, if that is too long."""
    after = clause.unjudged_after
    if after is None or state.began is None:
        return None
    if state.lacking is not None and state.left_out >= LEAST and until - state.lacking >= after:
        return state.lacking
    if state.waiting >= LEAST and until - state.began >= LATER * after:
        return state.began
    return None


def _sentence(clause: Clause, seam: Seam, state: UnjudgedState, since: int, source: str, *, of_left_out: bool) -> str:
    after = clause.unjudged_after or 0
    told = f"{seam.system}: {clause.id!r} has had nothing to judge since {moment_text(since)}"
    if of_left_out:
        return (
            f"{told}: none of {state.left_out:,} {_EVENTS.get(source, 'event')}s {clause.gives(source)}; agreed at "
            f"most {format_duration(after)} of that"
        )
    return (
        f"{told}: of {state.waiting:,} decisions no outcome has come; agreed at most {format_duration(LATER * after)} "
        "of that"
    )


def _key(source: str, began: int) -> str:
    return f"{UNJUDGED}/{source}/{began}"
