"""What the risk policy says against a deployment: the system's tier, and what that demands. See docs/risk-policy.md.

Places and words; whether a system is short of its tier is `seamwatch.documents.holding`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from seamwatch.documents.approving import MORE, falls_short
from seamwatch.documents.estate import Estate
from seamwatch.documents.holding import Gap, gaps
from seamwatch.documents.loading import estate_of_documents
from seamwatch.documents.models import System
from seamwatch.documents.reading import Place
from seamwatch.documents.references import Read
from seamwatch.documents.tiers import in_force, tier_terms


@dataclass(frozen=True)
class Tiers:
    """The policies among some documents, as they hold a system at ``now`` (micros)."""

    reads: Sequence[Read]
    now: int

    def held(self, system: System, covering: Sequence[Read]) -> Iterator[Gap]:
        """What the system itself is short of; ``covering``: the contracts that cover it."""
        return gaps(self._estate, system, self.now, _agreed_kinds(covering), approvals=False)

    def short(self, system: System, v: int, a: int, place: Place) -> Iterator[Gap]:
        """How an approval that counts falls short; ``place`` is that of its version."""
        approval = system.versions[v].approvals[a]
        for term in tier_terms(in_force(self._estate.policies, self.now), system):
            reason = falls_short(term.tier, term.policy, system, v, a, self._estate.persons)
            if reason is not None:
                of = f"version {system.versions[v].version} of {system.id} for {approval.use_case}"
                text = f"approval {approval.id} of {of} {reason}"
                yield Gap("approvers", (*place, "approvals", a), text, MORE)

    @cached_property
    def _estate(self) -> Estate:
        return estate_of_documents(read.document for read in self.reads if read.document is not None)


def _agreed_kinds(covering: Sequence[Read]) -> frozenset[str]:
    """The kinds of clauses of the contracts that cover it, broken ones included, which are told of by themselves."""
    found = set()
    for read in covering:
        clauses = read.written.content.get("clauses")
        for clause in clauses if isinstance(clauses, list) else ():
            if isinstance(clause, Mapping):
                found.add(str(clause.get("kind")))
    return frozenset(found)
