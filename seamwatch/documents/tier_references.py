"""References to tiers: whether each System's tier is one of a risk policy, and whether policies fit together.

Whether a system holds to its tier at some time is `seamwatch.documents.holding`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seamwatch.clauses import kinds
from seamwatch.documents.models import System
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place
from seamwatch.documents.references import Read
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.wording import nearest


def check_tiers(documents: Sequence[Read]) -> Iterator[Problem]:
    """Tiers that two policies have, kinds of clauses that there are none of, and tiers of systems that no policy has.

    Broken documents are looked at as well. Where there is no policy, a system's tier is any text.
    """
    policies = [read for read in documents if read.kind == RiskPolicy.kind_name]
    first: dict[str, Read] = {}
    for read in policies:
        for place, tier in _tiers(read):
            name = str(tier.get("tier"))
            before = first.setdefault(name, read)
            if before.id != read.id:
                message = f"tier {name!r} is defined by risk policy {before.id!r} too ({before.written.file}): name it"
                yield read.error((*place, "tier"), f"{message} otherwise in one of them")
            yield from _unknown_kinds(read, place, tier)
    if not policies:
        return
    for read in documents:
        tier_of = read.written.content.get("risk_tier") if read.kind == System.kind_name else None
        if tier_of is not None and str(tier_of) not in first:
            hint = nearest(str(tier_of), tuple(first))
            yield read.error(
                ("risk_tier",), f"unknown tier {str(tier_of)!r} of system {read.id!r}, which no risk policy has{hint}"
            )


def _tiers(read: Read) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    tiers = read.written.content.get("tiers")
    for number, tier in enumerate(tiers if isinstance(tiers, list) else ()):
        if isinstance(tier, Mapping) and tier.get("tier") is not None:
            yield ("tiers", number), tier


def _unknown_kinds(read: Read, place: Place, tier: Mapping[str, Any]) -> Iterator[Problem]:
    clauses = tier.get("clauses")
    for number, kind in enumerate(clauses if isinstance(clauses, list) else ()):
        if isinstance(kind, str) and kind not in kinds():
            message = f"unknown kind {kind!r} of clause in tier {str(tier['tier'])!r}{nearest(kind, tuple(kinds()))}"
            yield read.error((*place, "clauses", number), message)
