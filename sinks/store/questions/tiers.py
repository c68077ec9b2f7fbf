"""How systems stand to their tier of the risk policy, and how much of the estate it covers.

By the documents that are published, as the stages follow them, and by what was seen in traffic; the rule is
`seamwatch.documents.holding`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seamwatch.documents import Estate
from seamwatch.documents.holding import Standing, standings
from seamwatch.documents.tiers import in_force
from sinks.store.questions.estate import estate_shown
from sinks.store.questions.inventory import inventory
from sinks.store.questions.rows import Micros

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Tiered:
    """How one system stands; ``short_of`` says each thing that it is short of, with what to do."""

    system: str
    owner: str
    tier: str
    ai_act: str
    policies: tuple[str, ...]
    state: str
    short_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How the systems of one tier stand; ``tier`` empty for those that have none, or none that is known."""

    tier: str
    ai_act: str
    systems: int
    held: int
    short: int
    without_tier: int
    unknown: int


def tiers(store: Store, now: Micros, estate: Estate | None = None) -> list[Tiered]:
    """How every system stands that is to have a tier, by id; none while no policy is in force at ``now``.

    ``estate``: where it is known already what is published.
    """
    known = estate_shown(store) if estate is None else estate
    if not in_force(known.policies, now):
        return []
    seen = [running.system for running in inventory(store) if not running.registered]
    return [_tiered(one) for one in standings(known, now, seen)]


def coverage(standing: Iterable[Tiered]) -> list[Coverage]:
    """The same by tier; what has none, or none that is known, last."""
    by_tier: dict[tuple[str, str], Counter[str]] = {}
    for one in standing:
        tier = (one.tier, one.ai_act) if one.state in ("held", "short") else ("", "")
        by_tier.setdefault(tier, Counter())[one.state] += 1
    return [
        Coverage(*tier, n.total(), n["held"], n["short"], n["without tier"], n["unknown"])
        for tier, n in sorted(by_tier.items(), key=lambda item: (not item[0][0], item[0]))
    ]


def covered(standing: Sequence[Tiered]) -> str:
    """How much of the estate holds to a tier, in a sentence."""
    if not standing:
        return "no risk policy is in force"
    held = sum(one.state == "held" for one in standing)
    said = f"{held} of {len(standing)} systems hold to their tier"
    counts = Counter(one.state for one in standing)
    words = {"short": "fall short of it", "without tier": "have none", "unknown": "are not known to have one"}
    return "; ".join((said, *(f"{counts[state]} {text}" for state, text in words.items() if counts[state])))


def _tiered(one: Standing) -> Tiered:
    short = tuple(f"{gap.reason}: {gap.remedy}" for gap in one.gaps)
    if one.owner is None:
        short = ("is seen in traffic, and no document declares it: declare it, with its tier",)
    return Tiered(one.system, one.owner or "", one.tier or "", one.ai_act or "", one.policies, one.state, short)
