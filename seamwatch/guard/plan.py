"""Plan: the clauses that bind one system, compiled to what is asked of each act, for as long as they are in force.

Which clauses a guard leaves to the stream is said here too. Nothing is remembered and nothing judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from seamwatch.clauses import Clause
from seamwatch.clauses.drill import Drill
from seamwatch.clauses.scope import Scope
from seamwatch.clauses.silence import Silence
from seamwatch.documents import Estate
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.engine.seams import Seams
from seamwatch.guard.checks import Bound, Check, checks_of, tools_of
from seamwatch.guard.verdict import Fault
from seamwatch.judging.model.judgement import IN_FORCE


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A clause that is in force and that a guard leaves to the stream."""

    reference: str
    kind: str

    def __str__(self) -> str:
        return f"{self.reference} ({self.kind})"


@dataclass(frozen=True, slots=True)
class Asking:
    """One clause's question to an act, and what is said of an act that offends (its ``why`` is filled in then)."""

    bound: Bound
    fault: Fault
    warns: bool
    hands_over: bool


@dataclass(frozen=True, slots=True)
class _Bindable:
    check: Check
    fault: Fault
    warns: bool


def _is_no_matter_of_a_call(clause: Clause) -> bool:
    """Who has signed it, that it can be drilled, and who may hold back pages; every contract has a clause of each."""
    if isinstance(clause, Drill):
        return clause.every is None
    return IN_FORCE in clause.wants or isinstance(clause, Silence)


class Plan:
    """What is asked of a system's acts between two event times. ``covered``: whether any contract covers it."""

    def __init__(self, estate: Estate, system: str, at: int) -> None:
        contracts = estate.contracts_for(system, at)
        self.covered = all(contract.id != DEFAULTS for contract in contracts)
        changes = estate.changes_for(system)
        self.start = max((time for time in changes if time <= at), default=-(2**63))
        self.until = min((time for time in changes if time > at), default=2**63)
        self.basis: str | None = None
        unchecked: list[Unchecked] = []
        self._checks: dict[str, list[_Bindable]] = {"tool_call": [], "inference": []}
        seams = Seams(estate)
        for bound in (b for contract in contracts for b in seams.covering(contract, system).values()):
            clause, seam = bound.clause, bound.seam
            if _is_no_matter_of_a_call(clause):
                continue
            fault = Fault("", seam.contract, seam.contract_version, seam.contract_digest, clause.id, clause.kind_name)
            checks = checks_of(clause, seam)
            if checks is None:
                unchecked.append(Unchecked(str(fault.reference), clause.kind_name))
                continue
            if isinstance(clause, Scope) and self.basis is None:
                self.basis = fault.reference
            for check in checks:
                warns = check.warns or clause.severity == "warning"
                self._checks[check.source].append(_Bindable(check, fault, warns))
        self.unchecked = tuple(unchecked)
        self._named = tools_of([bindable.check for bindable in self._checks["tool_call"]])
        self._decisions = self._bound("inference", None)
        self._others = self._bound("tool_call", None)
        self._by_tool: dict[str, tuple[Asking, ...]] = {}

    def in_force(self, at: int) -> bool:
        """Whether these are still the clauses at an event time."""
        return self.start <= at < self.until

    def asked_of_decisions(self) -> tuple[Asking, ...]:
        """What is asked of a decision."""
        return self._decisions

    def asked_of_calls(self, tool: str) -> tuple[Asking, ...]:
        """What is asked of a call of a tool."""
        if tool not in self._named:
            return self._others
        known = self._by_tool.get(tool)
        if known is None:
            known = self._by_tool[tool] = self._bound("tool_call", tool)
        return known

    def _bound(self, source: str, tool: str | None) -> tuple[Asking, ...]:
        found = ((b, b.check.bound(tool)) for b in self._checks[source])
        return tuple(Asking(bound, b.fault, b.warns, b.check.hands_over) for b, bound in found if bound is not None)
