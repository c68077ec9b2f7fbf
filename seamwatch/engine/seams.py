"""From documents to seams: which clauses bind which system, by which version of their contract.

Looks up and converts, with a cache for as long as the estate stays the same; judges nothing.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType

from seamwatch.clauses import Clause
from seamwatch.clauses.drill import Drill
from seamwatch.clauses.drill.kind import IMPLIED as DRILLED
from seamwatch.clauses.signed import IMPLIED, Signed
from seamwatch.clauses.silence import Silence
from seamwatch.clauses.silence.kind import IMPLIED as SILENCED
from seamwatch.documents import Contract, Estate
from seamwatch.documents.defaults import DEFAULTS, SCHEDULES, SUSPENSIONS
from seamwatch.documents.escalating import escalation_list
from seamwatch.documents.estate import END, Term
from seamwatch.documents.models import Review, System
from seamwatch.engine.signing import judged_under, signing_of
from seamwatch.judging.model.judgement import EXPECTED
from seamwatch.judging.model.seam import OTHERS, Authority, EscalationList, Scheduled, Seam, Step
from seamwatch.judging.patterns.spelling import meant
from seamwatch.signatures import PublicKey

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

    @cached_property
    def _by_meaning(self) -> Mapping[str, str]:
        return {meant(system): system for system in self._estate.systems}

    def keys_of(self, person: str) -> tuple[PublicKey, ...]:
        """The keys of a person, who must sign when there are any."""
        return self._keys.get(person, ())

    def keys_of_relay(self, person: str) -> tuple[PublicKey, ...] | None:
        """The keys of who may relay what others answer; None for whom no document says that of."""
        known = self._estate.persons.get(person)
        return None if known is None or "relay" not in known.roles else self.keys_of(person)

    def knows(self, contract: str, version: str) -> bool:
        """Whether that version of the contract is among the documents."""
        return (contract, version) in self._contracts

    def withdrawn(self, contract: str, version: str) -> str:
        """What was withdrawn of a contract whose clause binds no longer, in words that follow ``withdrawn with``."""
        if self.knows(contract, version):
            return f"the clause of contract {contract}"
        if self._estate.versions_of(contract):
            return f"version {version} of contract {contract}"
        return f"its contract {contract}"

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

        The defaults cover what no contract covers; the schedules, and that on suspension, what no contract asks for.
        """
        if contract in (DEFAULTS, *SCHEDULES, SUSPENSIONS):
            now = self._estate.held_by(system, END - 1)
            return next((self._binding(known, system).get(clause) for known in now if known.id == contract), None)
        for known in reversed(self._estate.versions_of(contract)):
            return self._binding(known, system).get(clause) if known.covers_system(system) else None
        return None

    def declares(self, system: str) -> bool:
        """Whether a document declares the system."""
        return system in self._estate.systems

    def of_others(self, clause: Clause, at: int) -> BoundClause | None:
        """A default clause on approval, as it binds all undeclared systems beyond those with room."""
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

    def in_force(self, began: int, known: int, reached: int) -> Iterator[tuple[Contract, str, Clause, int]]:
        """Each contract version that is not over by ``reached``, and from when on it is asked who has signed it.

        With the system that stands for all that it covers, and the clause that asks; event times in micros. What is
        published on a stream that has been running is asked of nothing longer than ``known`` before.
        """
        for term in self._estate.terms:
            system, start = judged_under(term.contract), max(term.valid_from, began)
            if system is not None and term.contract.id != DEFAULTS and term.valid_to > max(start, reached):
                at = start if term.published_at is None else max(start, term.published_at - known)
                for clause in signed_clauses(term.contract):
                    yield term.contract, system, clause, at

    def wanting(self, event_type: str, system: str, at: int) -> Iterator[BoundClause]:
        """The clauses in force for the system at event time ``at`` that judge such events directly."""
        for contract in self._estate.held_by(system, at):
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
            near = None if system in self._estate.systems else self._by_meaning.get(meant(system))
            seam = seam_of(self._estate, contract, system, self._keys, self._default_owner, near)
            bound = {clause.id: BoundClause(clause, seam) for clause in (*contract.clauses, *_everywhere(contract))}
            if contract.id != DEFAULTS and system == judged_under(contract) and contract.key in self._terms:
                # Who must sign, and has, is asked once for all systems of the contract.
                bound |= self._signed(contract, seam)
            self._bound[key] = bound
        return self._bound[key]

    def _signed(self, contract: Contract, seam: Seam) -> Mapping[str, BoundClause]:
        written = any(isinstance(clause, Signed) for clause in contract.clauses)
        signing = signing_of(self._estate, self._terms[contract.key], all_asked=written)
        asking = replace(seam, signing=signing)
        return {clause.id: BoundClause(clause, asking) for clause in signed_clauses(contract)}

    @cached_property
    def _terms(self) -> Mapping[str, Term]:
        return {term.contract.key: term for term in self._estate.terms}


def signed_clauses(contract: Contract) -> tuple[Clause, ...]:
    """The clauses that ask who has signed a contract: as it says, or else the one that every contract has."""
    written = tuple(clause for clause in contract.clauses if isinstance(clause, Signed))
    if written:
        return written
    return (_implied(_free(contract, IMPLIED)),)


def _everywhere(contract: Contract) -> tuple[Clause, ...]:
    """The clauses by which a contract is drilled, and its pages held back, where it has none of its own.

    What holds without anybody's agreement has none: a System document's schedules, and what is suspended.
    """
    if contract.id in (*SCHEDULES, SUSPENSIONS):
        return ()
    found: list[Clause] = []
    if not any(isinstance(clause, Drill) for clause in contract.clauses):
        found.append(_implied_drill(_free(contract, DRILLED)))
    # What nobody agreed on, nobody may be quiet about.
    if contract.id != DEFAULTS and not any(isinstance(clause, Silence) for clause in contract.clauses):
        found.append(_implied_silence(_free(contract, SILENCED)))
    return tuple(found)


def _free(contract: Contract, name: str) -> str:
    """The name for an implied clause, or with a number behind it, where the contract has such a clause."""
    taken = {clause.id for clause in contract.clauses}
    return next(free for n in range(len(taken) + 1) if (free := name + f"-{n}" * bool(n)) not in taken)


@cache
def _implied(name: str) -> Signed:
    return Signed(id=name, kind="signed", severity="warning")


@cache
def _implied_drill(name: str) -> Drill:
    return Drill(id=name, kind="drill")


@cache
def _implied_silence(name: str) -> Silence:
    return Silence(id=name, kind="silence")


def seam_of(
    estate: Estate,
    contract: Contract,
    system: str,
    keys: Mapping[str, tuple[PublicKey, ...]] | None = None,
    default_owner: str | None = None,
    near: str | None = None,
    *,
    held: bool = True,
) -> Seam:
    """The contract as it binds one system, declared or not; ``near`` is the declared one that may be meant.

    ``held``: whether its traffic is measured for what is suspended.
    """
    declared = estate.systems.get(system)
    suspends = any(term.contract.suspends for term in estate.covering(system))
    return Seam(
        contract.id,
        contract.version,
        contract.digest,
        system,
        declared is not None,
        estate.versions_for(system),
        _steps(estate, contract, system, default_owner),
        keys or {},
        contract.signatories,
        None if declared is None else _scheduled(declared.review),
        None if declared is None else _scheduled(declared.runbook_review),
        near,
        owner=None if declared is None else declared.owner,
        authority=_authority(declared),
        contract_suspends=suspends,
        held=held,
        always_held=suspends or contract.id != SUSPENSIONS,
    )


def _scheduled(review: Review | None) -> Scheduled | None:
    return None if review is None else Scheduled(review.every, review.by, review.last)


def _authority(declared: System | None) -> Authority:
    if declared is None:
        return Authority()
    said, owner = declared.authority, (declared.owner,)
    return Authority(owner, owner) if said is None else Authority(said.suspend or owner, said.resume or owner)


def _steps(estate: Estate, contract: Contract, system: str, default_owner: str | None) -> EscalationList:
    # Without an escalation list the owner of the system must act; without an owner, who signed for the consumer,
    # and where nobody did, whom the settings name.
    declared = estate.systems.get(system)
    if declared is not None:
        otherwise: str | None = declared.owner
    else:
        otherwise = contract.parties.consumer.signatory or contract.parties.provider.signatory or default_owner
    if contract.escalation:
        return escalation_list(contract, estate.rotas.get, otherwise)
    return () if not otherwise else (Step(otherwise),)
