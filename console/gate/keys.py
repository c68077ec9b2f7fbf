"""Whether those who sign for a system have the keys they had before, or somebody vouched for the ones they have now.

Compares with a state that is given: a folder, or what the store has as published. Asks nobody itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.gate.agreed import Case
from console.gate.findings import Finding, Level
from seamwatch.documents.contract import Contract
from seamwatch.documents.models import Person
from seamwatch.documents.signing_verdicts import signers_of
from seamwatch.documents.vouching import key_verdicts


def other_keys(case: Case, before: Mapping[str, Person]) -> Iterator[Finding]:
    """Each person who binds the system and has keys that nobody vouched for."""
    verdicts, unreadable = key_verdicts(before, case.reads, case.now, only=_binding(case))
    for verdict in verdicts:
        if not verdict.holds:
            reason, _, remedy = verdict.message.partition(": ")[2].rpartition(": ")
            yield Finding("key", "error", f"{verdict.person}: {reason}", remedy, verdict.file, verdict.line)
    for problem in unreadable:
        level: Level = "warning"
        yield Finding("key", level, problem.message, "take the line out", problem.file, problem.line)


def _binding(case: Case) -> Iterator[str]:
    for read in (*case.covering, *case.coming):
        if isinstance(read.document, Contract):
            yield from (signer.person for signer in signers_of(read.document) if signer.person is not None)
    if case.system is not None:
        yield case.system.owner
        yield from () if case.system.review is None else case.system.review.by
        for approval in (approval for version in case.system.versions for approval in version.approvals):
            yield from () if approval.approved_by is None else (approval.approved_by,)
