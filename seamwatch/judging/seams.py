"""From documents to seams: which clauses bind which system, by which version of their contract.

Looks up and converts, with a cache for as long as the estate stays the same; judges nothing.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from seamwatch.clauses import Clause
from seamwatch.documents import Contract, Estate
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.documents.estate import END
from seamwatch.judging.judgement import EXPECTED
from seamwatch.judging.seam import OTHERS, Approval, DeclaredVersion, PublicKey, Seam, Step

KEPT = 20_000
"""How many contracts, as they bind a system, are kept ready."""


@dataclass(frozen=True, slots=True)
class BoundClause:
    """A clause as it binds one system."""

    clause: Clause
    seam: Seam


class Seams:
    """The clauses of an estate by contract, version and system."""

    def __init__(self, estate: Estate, default_owner: str | None = None) -> None:
        self._estate = estate
        self._default_owner = default_owner
        self._bound: dict[tuple[str, str, str], Mapping[str, BoundClause]] = {}
        self._found: dict[tuple[str, str, str, str], BoundClause | None] = {}

    @cached_property
    def _contracts(self) -> Mapping[tuple[str, str], Contract]:
        return {(contract.id, contract.version): contract for contract in self._estate.all_contracts()}

    @cached_property
    def _keys(self) -> Mapping[str, tuple[PublicKey, ...]]:
        return MappingProxyType(
            {
                person.id: tuple(
                    PublicKey(key.key_id, b64decode(key.public), key.not_before, key.revoked_at) for key in person.keys
                )
                for person in self._estate.persons.values()
            }
        )

    def keys_of(self, person: str) -> tuple[PublicKey, ...]:
        """The keys of a person, who must sign when there are any."""
        return self._keys.get(person, ())

    def knows(self, contract: str, version: str) -> bool:
        """Whether that version of the contract is among the documents."""
        return (contract, version) in self._contracts

    def bound(self, contract: str, version: str, clause: str, system: str) -> BoundClause | None:
        """The clause of that contract version as it binds the system; None when there is none."""
        name = (contract, version, clause, system)
        if name not in self._found:
            known = self._contracts.get((contract, version))
            if len(self._found) >= KEPT:
                self._found.clear()
            self._found[name] = None if known is None else self._binding(known, system).get(clause)
        return self._found[name]

    def latest(self, contract: str, clause: str, system: str) -> BoundClause | None:
        """The clause of the newest version of the contract that still covers the system; None when none does.

        The defaults cover what no contract covers.
        """
        if contract == DEFAULTS:
            now = self._estate.contracts_for(system, END - 1)
            return next((self._binding(known, system).get(clause) for known in now if known.id == DEFAULTS), None)
        for known in reversed(self._estate.versions_of(contract)):
            return self._binding(known, system).get(clause) if known.covers_system(system) else None
        return None

    def declares(self, system: str) -> bool:
        """Whether a document declares the system."""
        return system in self._estate.systems

    def of_others(self, clause: Clause, at: int) -> BoundClause | None:
        """The clause of the defaults, if it is one on approval, as it binds all strangers that have no place."""
        if clause.kind_name != "approval":
            return None
        known = next((known for known in self._estate.contracts_for(OTHERS, at) if known.id == DEFAULTS), None)
        return None if known is None else self._binding(known, OTHERS).get(clause.id)

    def beginnings(self, began: int, known: int) -> Iterator[tuple[BoundClause, int]]:
        """The clauses that expect to hear of a declared data set, and from when on: event times in micros.

        They expect it from the stream's first event, or from when the contract says that it is in force. A contract
        that is published on a stream that has been running expects nothing longer than ``known`` before.
        """
        published = {(term.contract.id, term.contract.version): term.published_at for term in self._estate.terms}
        for system in (system.id for system in self._estate.systems.values() if system.type == "dataset"):
            for at in sorted({max(start, began) for start in (began, *self._estate.changes_for(system))}):
                for bound in self.wanting(EXPECTED, system, at):
                    said = published.get((bound.seam.contract, bound.seam.contract_version))
                    yield bound, at if said is None else max(at, said - known)

    def wanting(self, event_type: str, system: str, at: int) -> Iterator[BoundClause]:
        """The clauses in force for the system at event time ``at`` that judge such events directly."""
        for contract in self._estate.contracts_for(system, at):
            for bound in self._binding(contract, system).values():
                if event_type in bound.clause.wants:
                    yield bound

    def covering(self, contract: Contract, system: str) -> Mapping[str, BoundClause]:
        """All clauses of a contract as they bind the system, by clause id."""
        return self._binding(contract, system)

    def _binding(self, contract: Contract, system: str) -> Mapping[str, BoundClause]:
        key = (contract.id, contract.version, system)
        if key not in self._bound:
            if len(self._bound) >= KEPT:
                # As many systems as anybody cares to invent may come; what is forgotten is made again.
                self._bound.clear()
            seam = seam_of(self._estate, contract, system, self._keys, self._default_owner)
            self._bound[key] = {clause.id: BoundClause(clause, seam) for clause in contract.clauses}
        return self._bound[key]


def seam_of(
    estate: Estate,
    contract: Contract,
    system: str,
    keys: Mapping[str, tuple[PublicKey, ...]] | None = None,
    default_owner: str | None = None,
) -> Seam:
    """The contract as it binds one system, declared or not."""
    declared = estate.systems.get(system)
    versions = tuple(
        DeclaredVersion(
            version.version,
            version.config_digest,
            tuple(Approval(a.id, a.use_case, a.approved_at, a.expires) for a in version.approvals),
        )
        for version in (declared.versions if declared is not None else ())
    )
    return Seam(
        contract.id,
        contract.version,
        contract.digest,
        system,
        declared is not None,
        versions,
        _steps(estate, contract, system, default_owner),
        keys or {},
        declared.review.last if declared is not None and declared.review is not None else None,
        contract.signatories,
    )


def _steps(estate: Estate, contract: Contract, system: str, default_owner: str | None) -> tuple[Step, ...]:
    # Without an escalation list the owner of the system must act; without an owner, who signed for the consumer,
    # and where nobody did, whom the settings name.
    if contract.escalation:
        return tuple(Step(step.person, step.acknowledge_within) for step in contract.escalation)
    declared = estate.systems.get(system)
    if declared is not None:
        return (Step(declared.owner),)
    signatories = (contract.parties.consumer.signatory, contract.parties.provider.signatory, default_owner)
    return tuple(Step(person) for person in signatories if person)[:1]
