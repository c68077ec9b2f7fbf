"""The sentences of the clause `reevaluation`: why one is due, who has not made it, and which value is worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seamwatch.clauses.reevaluation.state import Reason
from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import UNANNOUNCED
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import moment_text, number_text

PERIOD: Final = "period"
"""What is due when nothing but time has passed."""
DISTRIBUTION: Final = "distribution"


def reason_text(reason: Reason) -> str:
    """Why an evaluation is due, to follow "since"."""
    at = moment_text(reason.at)
    if reason.what == PERIOD:
        return at
    if reason.what == DISTRIBUTION:
        return f"scores shifted at {at} (violation {reason.name[:8]}…)"
    if reason.what == UNANNOUNCED:
        return f"a change was served at {at} before it was announced and accepted (violation {reason.name[:8]}…)"
    return f"{reason.what} change {reason.name} was announced at {at}"


def missed(seam: Seam, people: Sequence[str], reason: Reason) -> str:
    """That nobody has evaluated it in time."""
    who = " or ".join(people) or "nobody"
    verb = "has not re-evaluated it" if people else "has re-evaluated it"
    if reason.what == PERIOD:
        agreed = f"agreed every {format_duration(reason.due - reason.at)}"
    else:
        agreed = f"agreed by {moment_text(reason.due)}"
    return f"{seam.system}: {who} {verb} since {reason_text(reason)}; {agreed}"


def due(seam: Seam, clause: str, reason: Reason) -> str:
    """That an evaluation is about to be due."""
    named = f"({seam.contract}#{clause}) is due by {moment_text(reason.due)}"
    if reason.what == PERIOD:
        return f"{seam.system}: a re-evaluation {named}, the last was at {reason_text(reason)}"
    return f"{seam.system}: a re-evaluation {named}, since {reason_text(reason)}"


def evaluated(seam: Seam, at: int) -> str:
    """That it was evaluated."""
    return f"{seam.system}: re-evaluated at {moment_text(at)}"


def worse(seam: Seam, metric: str, value: float, limit: float, word: str, at: int, of: str | None) -> str:
    """That a value is out of its bounds; ``of``: the approval whose baseline the bound comes from."""
    pinned = "" if of is None else f", by the baseline of approval {of}"
    return (
        f"{seam.system}: {metric} is {number_text(value, limit)} when re-evaluated at {moment_text(at)}; agreed at "
        f"{word} {number_text(limit, limit)}{pinned}"
    )


def incomparable(seam: Seam, metric: str, value: float, at: int) -> str:
    """That there is no baseline to hold a value to."""
    return (
        f"{seam.system}: {metric} was {value:g} when re-evaluated at {moment_text(at)}, and nothing can be said of it: "
        f"no approval in force has a baseline of {metric}"
    )
