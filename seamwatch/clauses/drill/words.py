"""Words: what people attest of drills, which drill that begins or ends, and what it comes to.

One part of the clause `drill`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seamwatch.clauses.drill.state import DrillState, Running
from seamwatch.clauses.drill.statement import Begun, CalledOff, Held, read_statement
from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.facts import DRILL, ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.answered import answered
from seamwatch.judging.patterns.entitled import not_entitled
from seamwatch.judging.patterns.faults import evidence_of
from seamwatch.judging.patterns.wording import moment_text, quoted

Found = tuple[DrillState, tuple[Finding, ...]]


def fault_of(seam: Seam, clause: str, may: Sequence[str], record: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why such an attestation counts for nothing whatever runs, as a word and a sentence; None when it may count."""

    def for_whom(who: str) -> str:
        return f"a drill of {seam.system} by {seam.contract} is for {who} to run"

    fault = not_entitled(seam, clause, "drill", may, for_whom, record)
    if fault is not None:
        return fault
    try:
        read_statement(record.get("statement"))
    except ValueError as error:
        return "unreadable", str(error)
    return None


def said_of(
    seam: Seam, clause: str, may: Sequence[str], state: DrillState, event: ForwardedEvent
) -> tuple[DrillState, tuple[Finding, ...], int | None]:
    """An attestation of a drill: what it comes to, and when a drill was held, if one was."""
    record, at = event.record, int(event.record["event_time"])
    fault = fault_of(seam, clause, may, record)
    if fault is not None:
        return state, (answered(record, *fault),), None
    state, findings = ended_itself(seam, state, at)
    drill = str(record["subject"]).removeprefix(f"{seam.contract}#{clause}/")
    said = read_statement(record["statement"])
    if isinstance(said, Begun):
        state, more = _begin(seam, state, event, drill, said)
        return state, findings + more, None
    running = state.running
    if running is None or running.drill != drill:
        return state, (*findings, answered(record, "over", f"no drill {drill} of {seam.system} is under way")), None
    if at < running.began:
        return state, (*findings, answered(record, "too_early", "it was given before the drill began")), None
    over = Resolve(DRILL, drill, at, slice=drill, summary=f"{_head(seam, running)}, {_end_text(running, at, said)}")
    counts = answered(record, "counts", f"drill {drill} of {seam.system} is over")
    return replace(state, running=None), (*findings, over, counts), at if isinstance(said, Held) else None


def ended_itself(seam: Seam, state: DrillState, until: int) -> Found:
    """The end of a drill that nobody has ended by event time ``until``."""
    running = state.running
    if running is None or running.until > until:
        return state, ()
    lasted = format_duration(running.until - running.began)
    text = f"{_head(seam, running)}, is over after {lasted}, in which nobody said what it came to"
    over = Resolve(DRILL, running.drill, running.until, slice=running.drill, summary=text)
    return replace(state, running=None), (over,)


def _begin(seam: Seam, state: DrillState, event: ForwardedEvent, drill: str, said: Begun) -> Found:
    record, at, other = event.record, int(event.record["event_time"]), state.running
    if other is not None:
        text = f"drill {other.drill} of {other.person} has been under way since {moment_text(other.began)}"
        return state, (answered(record, "taken", text),)
    running = Running(drill, record["person"], said.title, at, at + said.limit_seconds * SECOND, evidence_of(event))
    opened = Open(
        DRILL, drill, at, f"{_head(seam, running)}. Act as if it had", slice=drill, since=at,
        evidence=(running.evidence,),
    )  # fmt: skip
    counts = answered(record, "counts", f"drill {drill} of {seam.system} begins")
    return replace(state, running=running), (opened, counts)


def _head(seam: Seam, running: Running) -> str:
    return f"DRILL, nothing has happened to {seam.system}: {quoted(running.title)}, run by {running.person}"


def _end_text(running: Running, at: int, said: Held | CalledOff) -> str:
    lasted = f"is over after {format_duration(at - running.began)}"
    if isinstance(said, CalledOff):
        return f"was called off after {format_duration(at - running.began)}: {quoted(said.why)}"
    if said.taken is None:
        taken = "nobody took it on"
    else:
        taken = (
            f"{said.taken.person} took it on {format_duration(round(said.taken.after_seconds * SECOND))} after it began"
        )
    return f"{lasted}: {taken}, and it {'passed' if said.passed else 'did not pass'}"
