"""Verdicts: what is told of an acknowledgement, from what a clause or an episode made of it."""

from __future__ import annotations

from seamwatch.engine.seams import BoundClause
from seamwatch.judging.model.facts import Verdict
from seamwatch.judging.model.judgement import Answered


def verdict_of(found: Answered, system: str, bound: BoundClause | None, at: int) -> Verdict:
    """What is told of a finding that was made at ``at``, by the clause that judged it if one did."""
    return Verdict(
        acknowledgement_id=found.acknowledgement_id,
        system=system,
        of=found.of,
        reference=found.reference,
        person=found.person,
        answer=found.answer,
        counted=found.counted,
        reason=found.reason,
        summary=found.summary,
        contract=None if bound is None else bound.seam.contract,
        contract_version=None if bound is None else bound.seam.contract_version,
        clause=None if bound is None else bound.clause.id,
        answered_at=found.at,
        judged_at=max(at, found.at),
    )
