"""Violations: the one on record that a person means by its id or the beginning of it. Reading only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seamwatch.errors import SeamwatchError, UsageError

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from statements.running import RunningSystem


def violation_meant(store: Store, system: RunningSystem, reference: str, patience: float, see: str) -> Violation:
    """The violation that a reference means, its id or that's beginning; ``see`` is the command that lists them.

    Waits for up to ``patience`` seconds for what is on its way to the store. Raises SeamwatchError where there is none,
    and UsageError where it could be several.
    """
    from sinks.store.questions.episodes import episode
    from sinks.store.questions.references import SHORTEST, referred
    from statements.recorded import once_recorded

    found = once_recorded(
        store,
        system,
        ("violations",),
        lambda: [one for one in referred(store, reference) if one.of == "violation"],
        patience,
    )
    if not found and len(reference) < SHORTEST:
        raise UsageError(f"{reference!r} is too short: write at least {SHORTEST} characters of the violation's id")
    if len(found) > 1:
        raise UsageError(
            f"{reference!r} could be {', '.join(sorted(o.reference for o in found)[:5])}: write more of it"
        )
    violation = episode(store, found[0].reference) if found else None
    if violation is None:
        raise SeamwatchError(f"no violation {reference!r} is on record: see `{see}`")
    return violation
