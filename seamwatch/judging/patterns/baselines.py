"""Baselines: what approvals were pinned on, and which of them a value is held to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from seamwatch.judging.model.seam import DeclaredVersion
from seamwatch.judging.patterns.approved import in_force, short


class Pinned(NamedTuple):
    """A metric's value in the baseline of an approval."""

    value: float
    approval_id: str


def pinned_value(versions: Iterable[DeclaredVersion], metric: str, at: int) -> Pinned | None:
    """The value of the approval in force at an event time that was given last of those with such a metric."""
    found = [
        (approval.approved_at or 0, approval.approval_id, value)
        for version in versions
        for approval in version.approvals
        if approval.baseline is not None and in_force(approval, at) and short(approval, at) is None
        for name, value in approval.baseline.metrics
        if name == metric
    ]
    if not found:
        return None
    _, approval_id, value = max(found)
    return Pinned(value, approval_id)
