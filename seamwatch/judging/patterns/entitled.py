"""Entitled: whether an attestation about something of a clause is somebody's to give, before what it states is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seamwatch.judging.model.seam import Seam
from seamwatch.signatures import attestation_fault


def not_entitled(
    seam: Seam, clause: str, kind: str, may: Sequence[str], for_whom: Callable[[str], str], record: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Why it counts for nothing, as a word and a sentence; None where who gave it may, and signed it if they must.

    ``kind`` is the word for attestations of the clause and for what they are about, whose name ends their subject;
    ``for_whom`` says whom it is for, given the names of ``may``.
    """
    own, subject, person = f"{seam.contract}#{clause}", str(record["subject"]), record["person"]
    if record["kind"] != kind:
        return "nobody_asks", f"{own} is attested by kind {kind}, not {record['kind']}"
    if not subject.startswith(f"{own}/") or subject == f"{own}/":
        return "nobody_asks", f"its subject is {subject}, which is no {kind} of {own}"
    if person not in seam.keys:
        return "not_asked", f"{person} is nobody that the documents know"
    if person not in may:
        who = " or ".join(may) or "nobody, as no person is named for it"
        return "not_asked", f"{for_whom(who)}, not for {person}"
    return attestation_fault(record, seam.keys[person])
