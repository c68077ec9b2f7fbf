"""Tiers: which tier of which risk policy holds a system at which event time.

Looks up what policies say; whether a system holds to it is `seamwatch.documents.holding`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seamwatch.documents.models import System
from seamwatch.documents.risk_policy import RiskPolicy, Tier


@dataclass(frozen=True, slots=True)
class PolicyTerm:
    """A version of a risk policy and the event times, [valid_from, valid_to) in micros, in which it is in force.

    ``published_at`` (micros) is None for one that was read from a folder.
    """

    policy: RiskPolicy
    valid_from: int
    valid_to: int
    published_at: int | None = None


@dataclass(frozen=True, slots=True)
class TierTerm:
    """A tier as it holds a system for some event times, [since, until) in micros; ``policy`` is ``<id>@<version>``."""

    tier: Tier
    policy: str
    since: int
    until: int


def tier_terms(policies: Iterable[PolicyTerm], system: System) -> tuple[TierTerm, ...]:
    """The tiers that hold a system, whenever. Where several policies have its tier it is held to each."""
    return tuple(
        TierTerm(tier, f"{term.policy.id}@{term.policy.version}", term.valid_from, term.valid_to)
        for term in policies
        for tier in term.policy.tiers
        if tier.tier == system.risk_tier
    )


def in_force(policies: Iterable[PolicyTerm], at: int) -> tuple[PolicyTerm, ...]:
    """The policies that are in force at an event time."""
    return tuple(term for term in policies if term.valid_from <= at < term.valid_to)


def is_held(system: System) -> bool:
    """Whether a system is to have a tier: what decides or acts, and whatever names one."""
    return system.type in ("model", "agent") or system.risk_tier is not None
