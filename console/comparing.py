"""Comparing two replays of one history: the episodes that only one of them has, and those that differ.

An episode is the same in both when its id is; else when it is of the same contract, clause, system and slice and was
open at the same time. Pure; evidence plays no part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from seamwatch.judging.model.facts import Violation
from seamwatch.judging.model.text import violation_object

COMPARED = ("severity", "opened_at", "resolved_at", "observed", "limit")


@dataclass(frozen=True, slots=True)
class Pair:
    """One episode in both; ``differing`` are those of `COMPARED` in which the two differ."""

    old: Violation
    new: Violation

    @property
    def differing(self) -> tuple[str, ...]:
        """The names of the fields that are not equal."""
        return tuple(name for name in COMPARED if getattr(self.old, name) != getattr(self.new, name))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would change, each by opening time; ``same`` episodes are alike in everything that is compared."""

    only_old: tuple[Violation, ...]
    only_new: tuple[Violation, ...]
    otherwise: tuple[Pair, ...]
    same: tuple[Pair, ...]

    @property
    def changes(self) -> bool:
        """Whether anything would change."""
        return bool(self.only_old or self.only_new or self.otherwise)


def compare(old: Iterable[Violation], new: Iterable[Violation]) -> Comparison:
    """What two replays of one history have in common and what not."""
    before = {v.violation_id: v for v in old}
    after = {v.violation_id: v for v in new}
    pairs = [Pair(before.pop(name), after.pop(name)) for name in [*before] if name in after]
    # A warning of the one may be a breach of the other, but equal severities go together first.
    pairs += _overlapping(before, after, lambda v: (*_place(v), v.severity))
    pairs += _overlapping(before, after, _place)
    pairs.sort(key=lambda pair: (pair.old.opened_at, pair.old.violation_id))
    return Comparison(
        tuple(before.values()),
        tuple(after.values()),
        tuple(pair for pair in pairs if pair.differing),
        tuple(pair for pair in pairs if not pair.differing),
    )


def _overlapping(
    before: dict[str, Violation], after: dict[str, Violation], place: Callable[[Violation], Hashable]
) -> list[Pair]:
    """Pairs of what is left, which are taken out of it: each with the first that was open at the same time."""
    waiting: dict[Hashable, deque[Violation]] = {}
    for violation in sorted(after.values(), key=lambda v: v.opened_at):
        waiting.setdefault(place(violation), deque()).append(violation)
    pairs = []
    for violation in sorted(before.values(), key=lambda v: v.opened_at):
        others = waiting.get(place(violation), deque())
        while others and _over_before(others[0], violation):
            others.popleft()
        if others and not _over_before(violation, others[0]):
            pairs.append(Pair(before.pop(violation.violation_id), after.pop(others.popleft().violation_id)))
    return pairs


def _place(violation: Violation) -> tuple[str, str, str, str | None]:
    return violation.contract, violation.clause, violation.system, violation.slice


def _over_before(one: Violation, other: Violation) -> bool:
    return one.resolved_at is not None and one.resolved_at < other.opened_at


def _plain(violation: Violation) -> dict[str, Any]:
    shown = violation_object(violation)
    del shown["evidence"]
    return shown


def comparison_object(comparison: Comparison) -> dict[str, Any]:
    """The comparison for machines."""
    return {
        "only_old": [_plain(v) for v in comparison.only_old],
        "only_new": [_plain(v) for v in comparison.only_new],
        "otherwise": [
            {"differing": pair.differing, "old": _plain(pair.old), "new": _plain(pair.new)}
            for pair in comparison.otherwise
        ],
        "same": len(comparison.same),
    }
