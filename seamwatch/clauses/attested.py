"""Attestations: whose word counts for a clause, and why another's does not, in words for a person.

The one rule for the clock of a review, the value of a benchmark, the coverage that is confirmed and the lineage of a
refresh, for the stage that judges and the command that attests alike. Verifies signatures; judges nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator

from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.ladder import asked
from seamwatch.signatures import PublicKey, attestation_counts

Counts = Callable[[Mapping[str, Any], Sequence[PublicKey]], bool]
"""Whether a record binds its person, by the keys published for them."""


def _persons(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Persons = Annotated[tuple[str, ...], BeforeValidator(_persons)]
"""One person's id, or a list of them."""


def attesters(seam: Seam, named: Sequence[str]) -> tuple[str, ...]:
    """Who may attest: those whom the clause names or, when it names nobody, who signs for the parties."""
    return tuple(named) or seam.signatories


def first_asked(seam: Seam, named: Sequence[str], at: int) -> str | None:
    """Who must act when nobody has attested it in time: of those who may, the first that the escalation list names.

    ``at``: the event time (micros) at which the time was over, for who is on call then. Of whom the list
    names nobody, the first of them; None where nobody may, and for the list to say.
    """
    may = attesters(seam, named)
    return next((step.person for step in asked(seam.escalation, at) if step.person in may), next(iter(may), None))


def why_void(
    seam: Seam, record: Mapping[str, Any], person: str | None, named: Sequence[str], counts: Counts
) -> str | None:
    """Why the word of ``person``, in ``record``, counts for nothing; None when it counts.

    It counts from those who may attest, who are persons of the documents, signed where they have published keys.
    """
    if not person:
        return "it names nobody who attests it"
    may = attesters(seam, named)
    if not may:
        return f"nobody may attest it: neither the clause nor a party of {seam.contract} names a person"
    if person not in may:
        return f"it is for {' or '.join(may)} to attest, not for {person}"
    if person not in seam.keys:
        return f"{person} is nobody that the documents know"
    if not counts(record, seam.keys[person]):
        return f"it bears no valid signature of {person}"
    return None


def why_attestation_void(
    seam: Seam, clause: str, kind: str, record: Mapping[str, Any], named: Sequence[str], point: str | None = None
) -> str | None:
    """Why an ``attestation`` says nothing to a clause; None when it counts.

    It must be of the clause's own kind, and of this clause (``<contract>#<clause>``) or of the point of the hand-over:
    the one that has the kind's name, unless it is another ``point``.
    """
    own = f"{seam.contract}#{clause}"
    if record["kind"] != kind:
        return f"{own} is attested by kind {kind}, not {record['kind']}"
    if record["subject"] not in (own, point or kind):
        return f"its subject is {record['subject']}, not {own}"
    return why_void(seam, record, record["person"], named, attestation_counts)
