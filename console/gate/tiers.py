"""What the risk policy says against a deployment: the system's tier, and what that demands. See docs/risk-policy.md.

Words and places; whether a system is short of its tier is `seamwatch.documents.holding`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from console.gate.findings import Finding
from seamwatch.documents.approving import MORE, falls_short
from seamwatch.documents.holding import gaps
from seamwatch.documents.loading import estate_of_documents
from seamwatch.documents.models import Person, System
from seamwatch.documents.reading import Place
from seamwatch.documents.references import Read
from seamwatch.documents.tiers import in_force, tier_terms

if TYPE_CHECKING:
    from console.gate.agreed import Case

RULE: Final = "risk-policy"


def held(case: Case) -> Iterator[Finding]:
    """What the system itself is short of; how its approvals are is told where they are looked at."""
    if case.system is None:
        return
    estate = estate_of_documents(read.document for read in case.reads if read.document is not None)
    for gap in gaps(estate, case.system, case.now, _agreed_kinds(case.covering), approvals=False):
        yield case.finding(RULE, f"{case.id} {gap.reason}", gap.remedy, gap.place)


def short(case: Case, system: System, v: int, a: int, persons: Mapping[str, Person], place: Place) -> Iterator[Finding]:
    """How an approval that counts falls short of the tiers in force."""
    estate = estate_of_documents(read.document for read in case.reads if read.document is not None)
    approval = system.versions[v].approvals[a]
    for term in tier_terms(in_force(estate.policies, case.now), system):
        reason = falls_short(term.tier, term.policy, system, v, a, persons)
        if reason is not None:
            what = (
                f"approval {approval.id} of version {system.versions[v].version} of {case.id} for {approval.use_case}"
            )
            yield case.finding(RULE, f"{what} {reason}", MORE, (*place, "approvals", a))


def _agreed_kinds(covering: Sequence[Read]) -> frozenset[str]:
    """The kinds of clauses of the contracts that cover it, broken ones included, which are told of by themselves."""
    found = set()
    for read in covering:
        clauses = read.written.content.get("clauses")
        for clause in clauses if isinstance(clauses, list) else ():
            if isinstance(clause, Mapping):
                found.add(str(clause.get("kind")))
    return frozenset(found)
