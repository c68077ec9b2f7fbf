"""Drills: what a person states of one, from finding the clause that is drilled to the judge's verdict.

Signs nothing: who sends a statement of a person with keys signs `seamwatch.signatures.attestation_bytes` of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from seamwatch.wire.schemas import nearest

if TYPE_CHECKING:
    from seamwatch.clauses.drill.statement import Statement
    from seamwatch.engine.seams import BoundClause
    from statements.published import Published
    from statements.running import RunningSystem


def drilled(published: Published, system: str, clause: str | None) -> BoundClause:
    """The clause by which a system is drilled: the one that is named, or the only one, or the one that demands drills.

    Raises UsageError where it could be several, and SeamwatchError where no contract binds the system.
    """
    published.demand_system(system)
    found = {f"{bound.seam.contract}#{bound.clause.id}": bound for bound in published.clauses(system, "drill")}
    if clause is not None:
        if clause not in found:
            hint = nearest(clause, tuple(found))
            raise UsageError(f"--clause {clause} is no drill clause in force for {system}{hint}")
        return found[clause]
    if not found:
        raise SeamwatchError(f"no contract is in force for {system}: nobody is agreed to be paged for it")
    demanding = [bound for bound in found.values() if getattr(bound.clause, "every", None) is not None]
    among = demanding or list(found.values())
    if len(among) > 1:
        raise UsageError(
            f"{system} is bound by several contracts, each with its own list: say whose people are paged with "
            f"--clause, one of {', '.join(sorted(found))}"
        )
    return among[0]


def draft(
    bound: BoundClause, drill: str, person: str, said: Statement, at: int, evidence_uri: str | None = None
) -> dict[str, Any]:
    """The event of a statement about a drill, unsigned; ``at``: micros."""
    from seamwatch.clauses.stated import stated_text
    from statements.review import attestation

    subject = f"{bound.seam.contract}#{bound.clause.id}/{drill}"
    event = attestation("drill", bound.seam.system, subject, person, at, "seamwatch drill")
    return event | {"statement": stated_text(said), "evidence_uri": evidence_uri}


def state(system: RunningSystem, event: dict[str, Any], patience: float) -> dict[str, Any]:
    """Send a statement; the judge's verdict on it, which counts it.

    Raises SeamwatchError when it does not count, and UnreachableError when no judge says so in time.
    """
    from statements.review import submit

    (verdict,) = submit(system, [event], patience)
    if verdict is None:
        raise UnreachableError(
            f"it was sent, and is on record, but no judge has said within {patience:g} s whether it counts: is one "
            "running?"
        )
    if not verdict["counted"]:
        raise SeamwatchError(f"it does not count: {verdict['summary']}")
    return verdict
