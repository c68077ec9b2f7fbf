"""Tally: what a replay comes to, clause by clause and week by week, and whom it would have paged.

Counts episodes as they come and keeps none, however many there are; its words are the command's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from seamwatch.documents import Contract
from seamwatch.durations import DAY, SECOND
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import DRILL, Violation

WEEK = 7 * DAY
_MONDAY = 4 * DAY
"""The epoch was a Thursday; its first Monday came four days later."""


@dataclass(slots=True)
class Clause:
    """The episodes of one clause; ``longest`` is in microseconds, weeks are named by their Monday (UTC)."""

    contract: str
    version: str
    clause: str
    kind: str
    warnings: int = 0
    breaches: int = 0
    open: int = 0
    longest: int = 0
    longest_id: str | None = None
    paged: Counter[str] = field(default_factory=Counter)
    weeks: Counter[str] = field(default_factory=Counter)

    @property
    def episodes(self) -> int:
        """How many."""
        return self.warnings + self.breaches


class Tally:
    """Episodes by clause; ``end`` is where the clock ended. Clauses of ``contracts`` are listed without any as well."""

    def __init__(self, contracts: Iterable[Contract], end: int | None) -> None:
        self._end = end
        self._clauses = {
            (contract.id, contract.version, clause.id): Clause(
                contract.id, contract.version, clause.id, clause.kind_name
            )
            for contract in contracts
            for clause in contract.clauses
        }
        self._weeks: dict[int, Counter[str]] = {}

    def add(self, violation: Violation) -> None:
        """Count an episode in its last state; a drill is none."""
        v = violation
        if v.severity == DRILL:
            return
        key = (v.contract, v.contract_version, v.clause)
        found = self._clauses.setdefault(key, Clause(v.contract, v.contract_version, v.clause, v.kind))
        week = (v.opened_at - _MONDAY) // WEEK
        found.weeks[_name(week)] += 1
        self._weeks.setdefault(week, Counter())[v.severity] += 1
        if v.severity == "warning":
            found.warnings += 1
        else:
            found.breaches += 1
        found.open += v.resolved_at is None
        # An acknowledged or still open episode has lasted until the clock ended.
        over = v.resolved_at if v.resolved_at is not None else self._end
        lasted = (over if over is not None else v.opened_at) - v.opened_at
        if found.longest_id is None or lasted > found.longest:
            found.longest, found.longest_id = lasted, v.violation_id
        if v.person is not None:
            found.paged[v.person] += 1

    @property
    def clauses(self) -> list[Clause]:
        """The clauses with most episodes first, then by name."""
        return sorted(self._clauses.values(), key=lambda c: (-c.episodes, c.contract, c.version, c.clause))

    @property
    def weeks(self) -> dict[str, Counter[str]]:
        """Episodes that opened in each week, by severity, from the first week that has any to the last."""
        known = range(min(self._weeks), max(self._weeks) + 1) if self._weeks else ()
        return {_name(week): self._weeks.get(week, Counter()) for week in known}

    @property
    def paged(self) -> Counter[str]:
        """How many episodes each person would first have been paged about."""
        return sum((clause.paged for clause in self._clauses.values()), Counter())


def per_week(episodes: int, begin: int | None, end: int | None) -> float | None:
    """Episodes a week over a span; None where it is shorter than a day, of which a rate would say nothing."""
    if begin is None or end is None or end - begin < DAY:
        return None
    return episodes * WEEK / (end - begin)


def tally_object(tally: Tally, events: int, begin: int | None, end: int | None) -> dict[str, Any]:
    """The tally for machines; times as RFC 3339, durations in seconds."""
    return {
        "events": events,
        "from": None if begin is None else format_instant(begin),
        "to": None if end is None else format_instant(end),
        "episodes": sum(clause.episodes for clause in tally.clauses),
        "clauses": [
            {
                "contract": c.contract,
                "contract_version": c.version,
                "clause": c.clause,
                "kind": c.kind,
                "episodes": c.episodes,
                "warnings": c.warnings,
                "breaches": c.breaches,
                "open": c.open,
                "per_week": per_week(c.episodes, begin, end),
                "longest_seconds": c.longest / SECOND if c.episodes else None,
                "longest_violation_id": c.longest_id,
                "paged": dict(c.paged.most_common()),
                "by_week": dict(sorted(c.weeks.items())),
            }
            for c in tally.clauses
        ],
        "by_week": {
            week: {"warnings": counts["warning"], "breaches": counts["breach"]} for week, counts in tally.weeks.items()
        },
        "paged": dict(tally.paged.most_common()),
    }


def _name(week: int) -> str:
    return datetime.fromtimestamp((week * WEEK + _MONDAY) // SECOND, UTC).strftime("%Y-%m-%d")
