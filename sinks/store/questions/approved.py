"""Which approval allowed what is on record, by the documents that were published when it came.

The store's view `why` goes by the same rule but cannot verify a signature; this does. Reads documents; judges nothing
of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from seamwatch.documents import Person, System
from seamwatch.documents.approving import declared_versions, why_void
from seamwatch.judging.patterns.approved import Served, allowing, why_not
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from seamwatch.documents.approving import Void
    from seamwatch.judging.model.seam import Approval
    from sinks.store.client import Store
    from sinks.store.questions.why import Decision


@dataclass(frozen=True, slots=True)
class Publication:
    """One time that a document was published, or withdrawn (``retired`` 1)."""

    kind: str
    id: str
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
WHERE kind = 'Person' OR (kind = 'System' AND id IN {{systems:Array(String)}}) ORDER BY broker_time, offset
"""


class Publications:
    """The documents of some systems, and all persons, as each of them was published."""

    def __init__(self, store: Store, systems: Iterable[str]) -> None:
        self._rows = rows(store, Publication, _PUBLICATIONS, {"systems": sorted(set(systems))})

    def allowed(self, decision: Decision) -> Allowed:
        """What allowed an event."""
        systems, persons = self.as_of(decision.arrived_at)
        system = systems.get(decision.system)
        if system is None:
            return Allowed(None, f"no published document declared {decision.system} when it came")
        served = Served(
            decision.version,
            decision.config_digest or None,
            decision.use_case if decision.type == "inference" else None,
            decision.event_time,
        )
        versions = declared_versions(system, persons)
        found = allowing(versions, served)
        return Allowed(found, None if found is not None else why_not(versions, served))

    def as_of(self, moment: Micros | None = None) -> tuple[dict[str, System], dict[str, Person]]:
        """Systems and persons by id, as of a time of the store; without one as last published."""
        texts = {(r.kind, r.id): r for r in self._rows if moment is None or r.broker_time <= moment}
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
        return systems, persons

    def void(self) -> dict[tuple[str, str], Void]:
        """Why approvals count for nothing, by system and id, as the documents were last published."""
        systems, persons = self.as_of()
        return {
            (system.id, approval.id): found
            for system in systems.values()
            for v, version in enumerate(system.versions)
            for a, approval in enumerate(version.approvals)
            if (found := why_void(system, v, a, persons)) is not None
        }


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
