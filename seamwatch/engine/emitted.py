"""Emitted: what the judge emits for one measurement, in order.

Values only; what becomes a violation, a notice or a verdict is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seamwatch.judging.model.facts import Notice, Verdict, Violation
from seamwatch.judging.patterns.answered import weight_of


@dataclass(frozen=True, slots=True)
class Emitted:
    """What one measurement led to, in order."""

    violations: tuple[Violation, ...] = ()
    notices: tuple[Notice, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(slots=True)
class Emitter:
    """What is to be emitted, in order."""

    violations: list[Violation] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def add_verdict(self, verdict: Verdict) -> None:
        """Take a verdict. Of several about one acknowledgement the one that says most of it is kept.

        Each clause that asks about changes judges by itself: an answer that one of them was waiting for counts.
        """
        other = self.verdicts.get(verdict.acknowledgement_id)
        if other is None or weight_of(verdict.reason) > weight_of(other.reason):
            self.verdicts[verdict.acknowledgement_id] = verdict

    def emitted(self) -> Emitted:
        """All of it."""
        return Emitted(tuple(self.violations), tuple(self.notices), tuple(self.verdicts.values()))
