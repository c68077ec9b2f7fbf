"""What a clause tolerates: which share of which events may offend. A value; it counts nothing."""

from __future__ import annotations

from dataclasses import dataclass

from seamwatch.expressions import Expression
from seamwatch.judging.model.measure import Measure


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The share of a measure's events that may offend, above 0 and below 1.

    ``fewest``: with fewer events nothing is judged. ``left_out``: of the events that the clause's ``where`` selects
    those that it can say nothing of, beside those of which ``where`` itself cannot be told.
    """

    share: float
    measure: Measure
    fewest: int = 1
    left_out: Expression | None = None


def rest(share: float) -> float:
    """What is left of all to a share: 0.01 of 0.99, and not the 0.010000000000000009 of the machine."""
    return round(1 - share, 12)
