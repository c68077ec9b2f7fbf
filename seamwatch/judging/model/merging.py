"""Merging of facts: the same result however a window's events were split into batches.

An algebra only: associative and commutative for facts of the same clause, measure, system, slice and window.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add

from seamwatch.judging.model.facts import Fact, merge_evidence


def merge_facts(left: Fact, right: Fact) -> Fact:
    """The fact of both parts' events together.

    Raises ValueError when the two are not of the same clause, measure, system, slice and window.
    """
    if _identity(left) != _identity(right):
        raise ValueError(f"facts of different windows do not merge: {_identity(left)} and {_identity(right)}")
    return Fact(
        left.contract,
        left.contract_version,
        left.contract_digest,
        left.clause,
        left.system,
        left.slice,
        left.window_start,
        left.window,
        left.count + right.count,
        left.breaches + right.breaches,
        *_times(left, right),
        _either(left.total, right.total, add),
        _either(left.minimum, right.minimum, min),
        _either(left.maximum, right.maximum, max),
        _add(left.histogram, right.histogram),
        merge_evidence(left.evidence, right.evidence),
        left.measure,
        _add(left.sums, right.sums),
        _add(left.missing, right.missing),
    )


def _times(left: Fact, right: Fact) -> tuple[int, int]:
    # What was left out says when only where nothing else does.
    if (left.count == 0) != (right.count == 0):
        one = right if left.count == 0 else left
        return one.first_time, one.last_time
    return min(left.first_time, right.first_time), max(left.last_time, right.last_time)


def _identity(fact: Fact) -> tuple[object, ...]:
    # The contract's version is not part of it: a window may straddle the publication of a new one.
    return (fact.contract, fact.clause, fact.measure, fact.system, fact.slice, fact.window_start, fact.window)


def _either(left: float | None, right: float | None, both: Callable[[float, float], float]) -> float | None:
    if left is None or right is None:
        return right if left is None else left
    return both(left, right)


def _add(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    if len(left) != len(right):
        # None where nothing was measured; else a new version of the contract has other bins, and the finer count.
        return max(left, right, key=len)
    return tuple(map(add, left, right))
