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

from seamwatch.documents.contract import Contract
from seamwatch.documents.covering import Covering
from seamwatch.documents.defaults import DEFAULTS, built_in
from seamwatch.documents.models import Person, System

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
    """Persons and systems by id, and contract versions with their terms.

    ``problems`` says what could not be read (only of an estate from the contracts topic).
    """

    persons: Mapping[str, Person] = field(default_factory=lambda: MappingProxyType({}))
    systems: Mapping[str, System] = field(default_factory=lambda: MappingProxyType({}))
    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()

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
        """Every contract version, the built-in `defaults` first."""
        return (built_in(), *self.contracts)

    def versions_of(self, contract: str) -> tuple[Contract, ...]:
        """The versions of one contract, oldest first."""
        return self._versions.get(contract, ())

    def contracts_for(self, system: str, at: int) -> tuple[Contract, ...]:
        """The contracts in force for a system at an event time (micros).

        Where there is none: the estate's own contract `defaults`, if it covers the system, else the built-in one.
        """
        found = [term.contract for term in self.covering(system) if term.valid_from <= at < term.valid_to]
        agreed = tuple(contract for contract in found if contract.id != DEFAULTS)
        return agreed or tuple(found) or (built_in(),)

    def changes_for(self, system: str) -> tuple[int, ...]:
        """The event times at which the contracts in force for a system may change, in order."""
        borders = {border for term in self.covering(system) for border in (term.valid_from, term.valid_to)}
        return tuple(sorted(borders - {BEGINNING, END}))

    def covering(self, system: str) -> tuple[Term, ...]:
        """The terms of every contract version that covers a system, whenever."""
        return self._covering.of(system)

    @cached_property
    def _covering(self) -> Covering[Term]:
        return Covering((pattern, term) for term in self.terms for pattern in term.contract.covers)

    @cached_property
    def _versions(self) -> Mapping[str, tuple[Contract, ...]]:
        versions: dict[str, list[Contract]] = {}
        for known in self.all_contracts():
            versions.setdefault(known.id, []).append(known)
        return {name: tuple(those) for name, those in versions.items()}
