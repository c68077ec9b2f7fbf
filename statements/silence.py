"""Silences: what a person states who holds back pages, from finding the clauses to the judge's verdict.

Signs nothing: who sends a statement of a person with keys signs `seamwatch.signatures.attestation_bytes` of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seamwatch.errors import SeamwatchError, UsageError
from seamwatch.wire.schemas import nearest

if TYPE_CHECKING:
    from seamwatch.clauses.silence.statement import Statement
    from seamwatch.engine.seams import BoundClause
    from statements.published import Published


def silenced(published: Published, system: str, clause: str | None) -> tuple[list[BoundClause], str | None]:
    """The clauses by which pages of a system are held back, one a contract, and the id of the clause that is meant.

    ``clause`` is ``<contract>#<clause>``, or a contract alone; None for all contracts that bind the system. Raises
    UsageError for what none of them has, SeamwatchError where none binds it.
    """
    published.demand_system(system)
    found = {bound.seam.contract: bound for bound in published.clauses(system, "silence")}
    if not found:
        raise SeamwatchError(f"no contract binds {system}: what the defaults find is not held back")
    if clause is None:
        return list(found.values()), None
    contract, _, name = clause.partition("#")
    if contract not in found:
        raise UsageError(f"--clause {clause}: no contract {contract} binds {system}{nearest(contract, tuple(found))}")
    if not name:
        return [found[contract]], None
    known = published.clauses_of(contract, system)
    if name not in known:
        raise UsageError(f"--clause {clause}: {contract} has no clause {name}{nearest(name, known)}")
    return [found[contract]], name


def draft(bound: BoundClause, name: str, person: str, said: Statement, at: int) -> dict[str, Any]:
    """The event of a statement about a silence, unsigned; ``at``: micros."""
    from seamwatch.clauses.stated import stated_text
    from statements.review import attestation

    subject = f"{bound.seam.contract}#{bound.clause.id}/{name}"
    event = attestation("silence", bound.seam.system, subject, person, at, "seamwatch silence")
    return event | {"statement": stated_text(said)}
