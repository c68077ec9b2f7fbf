"""The estate: all documents in force, and which contract governs which system at which time.

Immutable. Made from a folder (`seamwatch.documents.loading`) or from the contracts topic
(`seamwatch.documents.publishing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

from seamwatch.documents.approving import approvers_of, declared_versions
from seamwatch.documents.contract import Contract
from seamwatch.documents.covering import Covering
from seamwatch.documents.defaults import DEFAULTS, built_in, runbook_schedule, schedule, suspensions
from seamwatch.documents.models import Person, System
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing import SignatureLine
from seamwatch.documents.tiers import PolicyTerm, tier_terms
from seamwatch.judging.model.seam import DeclaredVersion

BEGINNING: Final = -(2**63)
END: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Term:
    """A contract version and the event times, [valid_from, valid_to) in microseconds, that it governs.

    ``published_at`` (micros) is None for one that was read from a folder.
    """

    contract: Contract
    valid_from: int = BEGINNING
    valid_to: int = END
    published_at: int | None = None


@dataclass(frozen=True)
class Estate:
    """Persons, systems and rotas by id, and the versions of contracts and risk policies with their terms.

    ``problems`` says what could not be read (only of an estate from the contracts topic). ``signatures``: what is
    signed under each document, by its key, as it was published or lies beside the files; whether it binds is another
    question (`seamwatch.documents.signed`).
    """

    persons: Mapping[str, Person] = field(default_factory=lambda: MappingProxyType({}))
    systems: Mapping[str, System] = field(default_factory=lambda: MappingProxyType({}))
    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()
    signatures: Mapping[str, tuple[SignatureLine, ...]] = field(default_factory=lambda: MappingProxyType({}))
    policies: tuple[PolicyTerm, ...] = ()
    rotas: Mapping[str, Rota] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def load(cls, folder: Path) -> Estate:
        """The estate of a folder of YAML. Raises DocumentError with every error, one a line, if there is any."""
        from seamwatch.documents.loading import load_estate

        return load_estate(folder)

    @classmethod
    def of_published(cls, messages: Iterable[tuple[str, bytes | None]]) -> Estate:
        """The estate that messages of the contracts topic say, in their order; a value of None retires.

        What cannot be read is left out and named in ``problems``.
        """
        from seamwatch.documents.publishing import estate_of

        return estate_of(messages)

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """Every contract version, oldest first within a contract."""
        return tuple(term.contract for term in self.terms)

    def all_contracts(self) -> tuple[Contract, ...]:
        """Every contract version, the built-in ones first."""
        return (built_in(), schedule(), runbook_schedule(), suspensions(), *self.contracts)

    def versions_of(self, contract: str) -> tuple[Contract, ...]:
        """The versions of one contract, oldest first."""
        return self._versions.get(contract, ())

    def contracts_for(self, system: str, at: int) -> tuple[Contract, ...]:
        """The contracts in force for a system at an event time (micros).

        Where there is none: the estate's own contract `defaults`, if it covers the system, else the built-in one. Where
        the System document has a scheduled review, of the system or its runbook, that no contract in force asks for,
        the built-in contract of that schedule as well.
        """
        found = [term.contract for term in self.covering(system) if term.valid_from <= at < term.valid_to]
        agreed = tuple(contract for contract in found if contract.id != DEFAULTS)
        in_force = agreed or tuple(found) or (built_in(),)
        declared = self.systems.get(system)
        if declared is None or (declared.review is None and declared.runbook_review is None):
            return in_force
        asked = {what for contract in in_force for what in contract.reviewed}
        if declared.review is not None and "system" not in asked:
            in_force = (*in_force, schedule())
        if declared.runbook_review is not None and "runbook" not in asked:
            in_force = (*in_force, runbook_schedule())
        return in_force

    def held_by(self, system: str, at: int) -> tuple[Contract, ...]:
        """The contracts in force for a system, and the built-in one on suspension where none of them has such a clause.

        That is nobody's agreement, and so is no contract that covers a system.
        """
        in_force = self.contracts_for(system, at)
        if any(contract.on_suspension for contract in in_force):
            return in_force
        return (*in_force, suspensions())

    def versions_for(self, system: str) -> tuple[DeclaredVersion, ...]:
        """The declared versions of a system, with which of their approvals count (`seamwatch.documents.approving`)."""
        if system not in self._standing:
            declared = self.systems.get(system)
            self._standing[system] = (
                ()
                if declared is None
                else declared_versions(declared, self.persons, tier_terms(self.policies, declared))
            )
        return self._standing[system]

    def same_approvals(self, other: Estate, system: str) -> bool:
        """Whether another estate has the same document of a system, and the same of who approved it."""
        declared = self.systems.get(system)
        if declared is not other.systems.get(system) or bool(self.persons) != bool(other.persons):
            return False
        if declared is not None and tier_terms(self.policies, declared) != tier_terms(other.policies, declared):
            return False
        approvers = () if declared is None else approvers_of(declared)
        return all(self.persons.get(person) is other.persons.get(person) for person in approvers)

    def changes_for(self, system: str) -> tuple[int, ...]:
        """The event times at which the contracts in force for a system may change, in order."""
        borders = {border for term in self.covering(system) for border in (term.valid_from, term.valid_to)}
        return tuple(sorted(borders - {BEGINNING, END}))

    def covering(self, system: str) -> tuple[Term, ...]:
        """The terms of every contract version that covers a system, whenever."""
        return self._covering.of(system)

    @cached_property
    def _standing(self) -> dict[str, tuple[DeclaredVersion, ...]]:
        return {}

    @cached_property
    def _covering(self) -> Covering[Term]:
        return Covering((pattern, term) for term in self.terms for pattern in term.contract.covers)

    @cached_property
    def _versions(self) -> Mapping[str, tuple[Contract, ...]]:
        versions: dict[str, list[Contract]] = {}
        for known in self.all_contracts():
            versions.setdefault(known.id, []).append(known)
        return {name: tuple(those) for name, those in versions.items()}
