"""Burn rates as values: what was counted of a clause, how fast that is, and what to say of it. Asks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.patterns.wording import number_text, share_text
from sinks.store.questions.rows import Micros, record

HOURS: Final = (1, 6, 24, 72)
"""The windows, in hours up to now."""

Basis = Literal["share", "age", "none", "unreadable", "hidden"]
Verdict = Literal["fast", "slow", "over", "unknown", "within", "no tolerance"]
VERDICTS: Final[tuple[Verdict, ...]] = ("fast", "slow", "over", "unknown", "within", "no tolerance")
"""The gravest first."""
BURNS: Final = frozenset({"fast", "slow", "over"})


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in the last so many ``hours``, from ``since`` on.

    - ``events``: those that count; ``bad``: those of them that offend.
    - ``untold``: those of which it could not be told whether they count, or whether they offend.
    - ``burn``: the share that offends over the share that is tolerated; None where nothing can be said.
    - ``open_share``: for which share of the time an episode of the clause was open.
    """

    hours: int
    since: Micros
    events: int = 0
    bad: int = 0
    untold: int = 0
    burn: float | None = None
    open_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Burn:
    """A clause in force as it binds a system, and each of its cohorts where it judges them by themselves.

    - ``basis``: whether a share of events is tolerated, an age, or nothing; *unreadable* where this version of
      Seamwatch cannot read the clause, *hidden* where who asks may not read what it looks at.
    - ``tolerated``: the share, 0 to 1, or the age in seconds.
    - ``used``: of an age the share of it that is used up now; None where that is not known.
    """

    contract: str
    version: str
    clause: str
    kind: str
    system: str
    cohort: str | None
    basis: Basis
    tolerated: float | None
    used: float | None
    windows: tuple[Window, ...]

    @property
    def verdict(self) -> Verdict:
        """Fast: above 1 over the last hour and the last six. Slow: over the last day and the last three days.

        A longer window alone goes on long after all is well again; a shorter one alone is a moment's.
        """
        if self.basis == "none":
            return "no tolerance"
        if self.basis == "age":
            return "unknown" if self.used is None else "over" if self.used > 1 else "within"
        hour, six, day, three = (window.burn for window in self.windows) if self.windows else (None,) * 4
        if _above(hour, six):
            return "fast"
        if _above(day, three):
            return "slow"
        return "unknown" if three is None else "within"

    @property
    def burns(self) -> bool:
        """Whether more is used up than was agreed."""
        return self.verdict in BURNS


def _above(*burns: float | None) -> bool:
    return all(burn is not None and burn > 1 for burn in burns)


def rated(window: Window, tolerated: float, fewest: int) -> float | None:
    """The burn rate; None with fewer events than anything is judged by."""
    return window.bad / window.events / tolerated if window.events >= max(1, fewest) else None


def rate_text(burn: float | None) -> str:
    """A burn rate for a person."""
    return "?" if burn is None else f"{number_text(burn, 1.0)}×"


def rates_text(one: Burn) -> tuple[str, ...]:
    """What stands under each window, for a person: of an age what is used now, in the first."""
    if one.basis == "share":
        return tuple(rate_text(window.burn) for window in one.windows)
    first = rate_text(one.used) if one.basis == "age" else ""
    return (first, *[""] * (len(HOURS) - 1))


def agreed_text(one: Burn) -> str:
    """What is tolerated, for a person."""
    if one.basis == "unreadable":
        return "cannot be read"
    if one.tolerated is None:
        return "no tolerance"
    if one.basis == "age":
        return f"{format_duration(round(one.tolerated * SECOND))} old"
    return share_text(one.tolerated)


def said(one: Burn) -> str:
    """What the verdict means, for a person."""
    match one.verdict:
        case "fast":
            return "more than agreed, over the last hour and the last six"
        case "slow":
            return "more than agreed, over the last day and the last three"
        case "over":
            return "older than agreed"
        case "unknown":
            return _unknown(one)
        case "within":
            return "within what is agreed"
        case _:
            return "no share of events is tolerated, and no age"


def _unknown(one: Burn) -> str:
    if one.basis == "unreadable":
        return "this version of Seamwatch cannot read the clause"
    if one.basis == "hidden":
        return "it reads attributes or arguments, so it is shown to auditors only"
    if one.basis == "age":
        return "no data on record that tells its age"
    longest = one.windows[-1]
    if longest.events:
        return f"too few events to judge: {longest.events:,} in three days"
    if longest.untold:
        return f"nothing could be told of {longest.untold:,} events in three days"
    return "no events in three days"


def burn_record(one: Burn) -> dict[str, Any]:
    """For JSON: its fields, the verdict, and its windows as objects."""
    names = ("contract", "version", "clause", "kind", "system", "cohort", "basis", "tolerated", "used")
    told: dict[str, Any] = {name: getattr(one, name) for name in names}
    return told | {"verdict": one.verdict, "windows": [record(window) for window in one.windows]}
