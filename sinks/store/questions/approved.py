"""Which approval allowed what is on record, by the documents that were published when it came.

The store's view `why` goes by the same rule, but neither verifies a signature nor knows risk policies; this does. Reads
documents; judges nothing of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from seamwatch.documents import Person, RiskPolicy, System
from seamwatch.documents.approving import MORE, Void, declared_versions, falls_short, why_void
from seamwatch.documents.terms import policy_terms_of
from seamwatch.documents.tiers import PolicyTerm, in_force, tier_terms
from seamwatch.judging.patterns.approved import Served, allowing, why_not
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from seamwatch.judging.model.seam import Approval
    from sinks.store.client import Store
    from sinks.store.questions.why import Decision


@dataclass(frozen=True, slots=True)
class Publication:
    """One time that a document was published, or withdrawn (``retired`` 1)."""

    kind: str
    id: str
    version: str
    document: str
    retired: int
    broker_time: Micros


@dataclass(frozen=True, slots=True)
class Allowed:
    """The approval that allowed an event; None, and in words why, where none did."""

    approval: Approval | None
    why_not: str | None = None


_PUBLICATIONS: Final = f"""
SELECT {columns(Publication)} FROM document
WHERE kind IN ('Person', 'RiskPolicy') OR (kind = 'System' AND id IN {{systems:Array(String)}})
ORDER BY broker_time, offset
"""


class Publications:
    """The documents of some systems, and all persons, as each of them was published."""

    def __init__(self, store: Store, systems: Iterable[str]) -> None:
        self._rows = rows(store, Publication, _PUBLICATIONS, {"systems": sorted(set(systems))})

    def allowed(self, decision: Decision) -> Allowed:
        """What allowed an event."""
        systems, persons, policies = self.as_of(decision.arrived_at)
        system = systems.get(decision.system)
        if system is None:
            return Allowed(None, f"no published document declared {decision.system} when it came")
        served = Served(
            decision.version,
            decision.config_digest or None,
            decision.use_case if decision.type == "inference" else None,
            decision.event_time,
        )
        versions = declared_versions(system, persons, tier_terms(policies, system))
        found = allowing(versions, served)
        return Allowed(found, None if found is not None else why_not(versions, served))

    def as_of(
        self, moment: Micros | None = None
    ) -> tuple[dict[str, System], dict[str, Person], tuple[PolicyTerm, ...]]:
        """Systems and persons by id, and risk policies, as of a time of the store; without one as last published."""
        known = [row for row in self._rows if moment is None or row.broker_time <= moment]
        texts = {(row.kind, row.id): row for row in known if row.kind != "RiskPolicy"}
        systems: dict[str, System] = {}
        persons: dict[str, Person] = {}
        for (kind, name), row in texts.items():
            if row.retired:
                continue
            try:
                content = json.loads(row.document)
                if kind == "System":
                    systems[name] = System.model_validate(content)
                else:
                    persons[name] = Person.model_validate(content)
            except ValueError:
                continue  # what cannot be used declares nothing, in the stages too
        return systems, persons, tuple(policy_terms_of(_policies(known)))

    def void(self, now: Micros | None = None) -> dict[tuple[str, str], Void]:
        """Why approvals count for nothing, by system and id, as the documents were last published.

        ``now``: also of those that fall short of a risk policy that is in force then.
        """
        systems, persons, policies = self.as_of()
        held = () if now is None else in_force(policies, now)
        found: dict[tuple[str, str], Void] = {}
        for system in systems.values():
            for v, version in enumerate(system.versions):
                for a, approval in enumerate(version.approvals):
                    why = why_void(system, v, a, persons) or _short(held, system, v, a, persons)
                    if why is not None:
                        found[system.id, approval.id] = why
        return found


def _short(held: tuple[PolicyTerm, ...], system: System, v: int, a: int, persons: dict[str, Person]) -> Void | None:
    for term in tier_terms(held, system):
        if (reason := falls_short(term.tier, term.policy, system, v, a, persons)) is not None:
            return Void("policy", reason, MORE)
    return None


def _policies(known: Iterable[Publication]) -> Iterator[tuple[RiskPolicy, int]]:
    """The versions of policies that are not withdrawn; of each the text that was published first holds."""
    first: dict[tuple[str, str], Publication] = {}
    withdrawn: dict[tuple[str, str], int] = {}
    for row in known:
        if row.kind == "RiskPolicy":
            withdrawn[row.id, row.version] = row.retired
            if not row.retired:
                first.setdefault((row.id, row.version), row)
    for name, row in first.items():
        if not withdrawn[name]:
            try:
                yield RiskPolicy.model_validate(json.loads(row.document)), row.broker_time
            except ValueError:
                continue


def with_approval(decision: Decision, approval: Approval | None) -> Decision:
    """A decision with the approval that allowed it, in place of what the view has, which verified no signature."""
    return replace(
        decision,
        approval_id=None if approval is None else approval.approval_id,
        approved_by=None if approval is None else approval.approved_by,
        approved_at=None if approval is None else approval.approved_at,
        expires=None if approval is None else approval.expires,
        revoked_at=None if approval is None else approval.revoked_at,
    )
