"""Unjudged: a clause that events keep coming for, of which for long none gives what it looks at, says so.

Silence of a clause should mean that what was agreed holds. Where a join broke or labels are of another convention, it
means that nothing was looked at. So the events of a clause, and those of them that it leaves out, are counted by the
hour: a warning opens when none could be judged for the agreed time, and is over with the first hour in which one was. A
system of which nothing comes opens nothing, and ends nothing. Pure; which events a clause leaves out is the clause's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from seamwatch.durations import DAY, format_duration
from seamwatch.engine.cohorts import Cohorts, by_cohort
from seamwatch.engine.undecided import Undecided, counted
from seamwatch.judging.model.facts import Evidence, Fact, merge_evidence
from seamwatch.judging.model.judgement import Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.measure import COHORTS, UNJUDGED, WAITING
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.windows import Windows
from seamwatch.judging.patterns.wording import moment_text

if TYPE_CHECKING:
    from seamwatch.clauses.clause import Clause

KIND: Final = "unjudged"
"""Stands for the clause's kind where its state is kept: one is the same for every kind."""
LEAST: Final = 10
"""Fewest events that must have been left out."""
LATER: Final = 30
"""An outcome may be so many times the agreed time late, before it says anything that none has come."""
STOPPED = 7
"""Outcomes that came on `HABIT` days at least are missed after so many times the agreed time."""
HABIT = 3
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
    - Of outcomes: ``last``, the end of the last hour in which one could be judged, on how many ``days`` there were such
      (`HABIT` at most), and their longest ``pause`` so far.
    - ``cohorts``: of a part by cohort, which has nothing else; ``undecided``: of outcomes, whether decisions came.
    """

    windows: Windows = field(default_factory=Windows)
    began: int | None = None
    lacking: int | None = None
    left_out: int = 0
    waiting: int = 0
    opened: int | None = None
    evidence: tuple[Evidence, ...] = ()
    last: int | None = None
    days: int = 0
    pause: int = 0
    cohorts: Cohorts | None = None
    undecided: Undecided = field(default_factory=Undecided)

    def judged(self, hour: Fact) -> UnjudgedState:
        """What is remembered of outcomes after an hour in which some could be judged."""
        before = self.last
        if before is None:
            return UnjudgedState(last=hour.window_end, days=1, undecided=self.undecided)
        another = hour.window_start // DAY > (before - 1) // DAY
        pause = max(self.pause, hour.window_start - before)
        days = min(HABIT, self.days + another)
        return UnjudgedState(last=hour.window_end, days=days, pause=pause, undecided=self.undecided)


def part_of(clause: Clause, received: Input) -> str | None:
    """Which of a clause's states it belongs to: one for each of its sources here, or one of the clause's own."""
    if isinstance(received, Fact) and received.measure.startswith(UNJUDGED):
        return "\x00" + received.measure.removesuffix(WAITING)
    return clause.part_of(received)


def is_part(part: str | None) -> bool:
    """Whether the state of that name is judged here."""
    return part is not None and part.startswith(_PART)


def kind_of(clause: Clause, part: str) -> str:
    """The kind that the state of that name is of."""
    return KIND if is_part(part) else clause.kind_name


def judge(clause: Clause, seam: Seam, state: UnjudgedState | None, received: Input, moment: Moment) -> Judgement:
    """Look at each complete hour. What comes too late is counted by the clause's own states, and not again here."""
    state = state or UnjudgedState()
    if (moment.slice or "").endswith(COHORTS):
        of_cohorts, more = by_cohort(clause, seam, state.cohorts, received, moment)
        return replace(more, state=None if of_cohorts is None else UnjudgedState(cohorts=of_cohorts))
    windows = state.windows
    if isinstance(received, Fact):
        windows = windows.add(_alike(received), moment) or windows
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
    if source == "outcome":
        state = replace(state, undecided=counted(clause, seam, state.undecided, hour, findings))
    if hour.count > hour.breaches:
        if state.opened is not None:
            findings.append(Resolve("warning", _key(source, state.opened), hour.window_end))
        return state.judged(hour) if source == "outcome" else UnjudgedState()
    began = hour.window_start if state.began is None else state.began
    lacking = hour.window_start if state.lacking is None and hour.breaches else state.lacking
    state = replace(
        state,
        windows=Windows(),
        began=began,
        lacking=lacking,
        left_out=state.left_out + hour.breaches,
        waiting=state.waiting + sum(hour.missing),
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
    allowed = LATER * after
    if state.days >= HABIT:
        allowed = min(allowed, max(STOPPED * after, 2 * state.pause))
    return state.began if state.waiting >= LEAST and until - state.began >= allowed else None


def _sentence(clause: Clause, seam: Seam, state: UnjudgedState, since: int, source: str, *, of_left_out: bool) -> str:
    after = clause.unjudged_after or 0
    text = f"{seam.system}: {clause.id!r} has had nothing to judge since {moment_text(since)}"
    if of_left_out:
        return (
            f"{text}: none of {state.left_out:,} {_EVENTS.get(source, 'event')}s {clause.gives(source)}; agreed at "
            f"most {format_duration(after)} of that"
        )
    if state.days >= HABIT and state.last is not None:
        return (
            f"{text}: of {state.waiting:,} decisions no outcome has come; they came until {moment_text(state.last)}, "
            f"at most {format_duration(state.pause)} apart"
        )
    return (
        f"{text}: of {state.waiting:,} decisions no outcome has come; agreed at most {format_duration(LATER * after)} "
        "of that"
    )


def _key(source: str, began: int) -> str:
    return f"{UNJUDGED}/{source}/{began}"
