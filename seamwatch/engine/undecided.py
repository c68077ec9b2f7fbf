"""Undecided: outcomes that come where no decision has ever come belong to decisions that nobody sees, and say so.

Most often the two are sent under different names of a system, or only one of them is sent. Decisions that came once
and stop are no fault: outcomes go on long after a system has served. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.measure import UNJUDGED, WAITING
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.values import value

if TYPE_CHECKING:
    from seamwatch.clauses.clause import Clause

AFTER: Final = 7
"""It is told after so many times the agreed time."""
LEAST: Final = 10


@value()
class Undecided:
    """Whether a decision ever came; otherwise since when (micros) how many outcomes have come, and what is open."""

    decided: bool = False
    began: int | None = None
    outcomes: int = 0
    opened: bool = False


def counted(clause: Clause, seam: Seam, before: Undecided, hour: Fact, findings: list[Finding]) -> Undecided:
    """After an hour, of whose fact ``missing`` is the number of decisions."""
    if before.decided:
        return before
    if sum(hour.missing):
        if before.opened:
            findings.append(Resolve("warning", _key(before.began or 0), hour.window_end))
        return Undecided(decided=True)
    after = clause.unjudged_after
    if not hour.count or after is None:
        return before
    began = hour.window_start if before.began is None else before.began
    now = replace(before, began=began, outcomes=before.outcomes + hour.count)
    if now.opened or now.outcomes < LEAST or hour.window_end - began < AFTER * after:
        return now
    if not any(measure.name.endswith(WAITING) for measure in clause.all_measures(seam)):
        return now  # decisions are not counted: what `where` asks has no meaning for them
    summary = (
        f"{seam.system}: {now.outcomes:,} outcomes have come since {moment_text(began)}, and no decision that they "
        "could be of: look whether both name the same system"
    )
    findings.append(Open("warning", _key(began), hour.window_end, summary, since=began, evidence=hour.evidence))
    return replace(now, opened=True)


def _key(began: int) -> str:
    return f"{UNJUDGED}/undecided/{began}"
