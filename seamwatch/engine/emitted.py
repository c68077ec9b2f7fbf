"""Emitted: what the judge emits for one measurement, in order.

Values only; what becomes a violation, a notice or a verdict is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seamwatch.judging.model.facts import Notice, Suspended, Verdict, Violation
from seamwatch.judging.patterns.answered import weight_of


@dataclass(frozen=True, slots=True)
class Emitted:
    """What one measurement led to, in order."""

    violations: tuple[Violation, ...] = ()
    notices: tuple[Notice, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    suspended: tuple[Suspended, ...] = ()


@dataclass(slots=True)
class Emitter:
    """What is to be emitted, in order.

    ``suspending``: breaches, new or newly dated, for which their contract suspends the system.
    """

    violations: list[Violation] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    suspended: list[Suspended] = field(default_factory=list)
    suspending: list[Violation] = field(default_factory=list)

    def dated(self, violation: Violation, before: Violation | None, on_breach: str) -> None:
        """Take note of an episode that is new, or began at another time, for what its clause agrees of a breach."""
        begins = before is None or before.opened_at != violation.opened_at
        if begins and on_breach == "suspend" and violation.severity == "breach":
            self.suspending.append(violation)

    def add_verdict(self, verdict: Verdict) -> None:
        """Take a verdict. Of several about one acknowledgement the one that says most of it is kept.

        Each clause that asks about changes judges by itself: an answer that one of them was waiting for counts.
        """
        other = self.verdicts.get(verdict.acknowledgement_id)
        if other is None or weight_of(verdict.reason) > weight_of(other.reason):
            self.verdicts[verdict.acknowledgement_id] = verdict

    def emitted(self) -> Emitted:
        """All of it."""
        return Emitted(
            tuple(self.violations), tuple(self.notices), tuple(self.verdicts.values()), tuple(self.suspended)
        )
