"""The sentences of the clause `suspension`: what went on although it was suspended, and why that is over. Pure."""

from __future__ import annotations

from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.runs import Run
from seamwatch.judging.patterns.suspensions import Span
from seamwatch.judging.patterns.wording import moment_text, quoted


def went_on(seam: Seam, span: Span, run: Run) -> str:
    """Of traffic that went on."""
    what = span.by.target.text(seam.system)
    first = moment_text(run.evidence[0].event_time)
    return f"{what} goes on, at {first}, although it is suspended since {moment_text(span.by.at)} {by(span)}"


def over(seam: Seam, span: Span, at: int) -> str:
    """Of the end of that."""
    what = span.by.target.text(seam.system)
    if span.end is None or at < span.end:
        return f"{what} has stopped; it is still suspended {by(span)}"
    if span.ended is not None and span.ended.effective == at:
        evidence = "" if span.ended.evidence_uri is None else f", on evidence {span.ended.evidence_uri}"
        said = quoted(span.ended.reason)
        return f"{what} was resumed by {span.ended.person} at {moment_text(at)}{evidence}: {said}"
    return f"the suspension of {what} ended by itself at {moment_text(at)}"


def by(span: Span) -> str:
    """Who suspended it, and why."""
    who = span.by.person or f"contract {span.by.contract}"
    return f"by {who}: {quoted(span.by.reason)}"
