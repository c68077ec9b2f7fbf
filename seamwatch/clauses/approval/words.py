"""The sentences of the clause `approval`: what serves without an approval, since when, and what is wrong with it."""

from __future__ import annotations

from seamwatch.clauses.approval.served import named, served_by
from seamwatch.durations import format_duration
from seamwatch.judging.model.seam import OTHERS, Seam
from seamwatch.judging.patterns.approved import allowing, why_not
from seamwatch.judging.patterns.attempts import ATTEMPT, MISSING, Aspect, Said
from seamwatch.judging.patterns.runs import Run
from seamwatch.judging.patterns.spelling import difference
from seamwatch.judging.patterns.wording import moment_text


def unapproved(grace: int | None, seam: Seam, aspect: Aspect, part: str | None, run: Run) -> Said:
    """Of a run of events: serving, an attempt, or a claim of an approval that no document has."""
    when = moment_text(run.evidence[0].event_time)
    if aspect == MISSING:
        return Said(f"{seam.system} names approval {part or ''!r} since {when}, which no document has")
    if aspect == ATTEMPT:
        served = (
            f"under {named(seam, part or '', run.evidence[0].event_time)} without"
            if seam.declared
            else "but is unregistered, without"
        )
        said = f"{seam.system} tries to call tools since {when}, denied by the guard, {served} an approval in force"
        return Said(said + _because(seam, part, run))
    if seam.system == OTHERS:
        summary = (
            f"more systems than are told one by one are running unregistered since {when}: nobody declared, owns "
            "or approved them"
        )
    elif not seam.declared:
        summary = f"{seam.system} is running unregistered since {when}: nobody declared, owns or approved it"
        if seam.near is not None:
            summary += f"; it differs from the declared {seam.near!r} {difference(seam.system, seam.near)}"
    else:
        served = named(seam, part or "", run.evidence[0].event_time)
        summary = f"{seam.system} serves {served} since {when} without an approval in force"
        summary += _because(seam, part, run)
    if grace:
        summary += f" (grace of {format_duration(grace)} is over)"
    return Said(summary)


def _because(seam: Seam, part: str | None, run: Run) -> str:
    served = served_by(seam, part or "", run.evidence[0].event_time)
    # Where documents came in between, what was measured by those before may be allowed by now.
    if served is None or not seam.declared or allowing(seam.versions, served) is not None:
        return ""
    return f": {why_not(seam.versions, served)}"
