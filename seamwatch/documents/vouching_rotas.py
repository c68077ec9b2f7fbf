"""Vouching for rotas: whether whoever kept a rota before signs that it changes.

A rota says who is paged: who may write another name into it could keep a breach from everybody. So it is signed by who
was its owner before, with a key that they have; a first version needs nobody. Knows no clock; reads signature files
beside the documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from seamwatch.documents.models import Person
from seamwatch.documents.references import Read
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing import read_signatures, signature_file
from seamwatch.documents.signing_verdicts import Status, Verdict, judged_vouching

KEEPER: Final = "owner"
_DECIDING: Final = ("owner", "time_zone", "starts", "hand_over", "every", "persons", "instead")


@dataclass(frozen=True, slots=True)
class Before:
    """What documents are compared with, such as what is published: the persons and rotas of then, by id."""

    persons: Mapping[str, Person]
    rotas: Mapping[str, Rota] = field(default_factory=dict)


def changes_of_rota(before: Rota, after: Rota) -> list[str]:
    """What of a rota decides who is on call and is another than before, in words such as ``persons were changed``."""
    found = [name for name in _DECIDING if getattr(before, name) != getattr(after, name)]
    return [f"{name} {'were' if name == 'persons' else 'was'} changed" for name in found]


def rota_verdicts(before: Before, documents: Sequence[Read], now: int) -> list[Verdict]:
    """A verdict for each rota that is another than before, whose owner of then has a key to sign that by."""
    verdicts = []
    for read in documents:
        rota = read.document
        known = before.rotas.get(rota.id) if isinstance(rota, Rota) else None
        if not isinstance(rota, Rota) or known is None or not (changes := changes_of_rota(known, rota)):
            continue
        keeper = before.persons.get(known.owner)
        if keeper is not None and keeper.keys:
            verdicts.append(_of_rota(read, rota, keeper, changes, now))
    return verdicts


def _of_rota(read: Read, rota: Rota, keeper: Person, changes: Sequence[str], now: int) -> Verdict:
    file = read.written.file
    said = ""
    status: Status = "missing"
    for line in read_signatures(signature_file(file))[0]:
        if (line.kind, line.id, line.person) != (rota.kind_name, rota.id, keeper.id):
            continue
        status, said = judged_vouching(keeper, line, rota.digest, now)
        if status == "signed":
            return Verdict(
                rota.key, rota.digest, keeper.id, (KEEPER,), status, f"{keeper.id} {said}", line.file, line.line,
                line.key_id, line.signed_at, written=line,
            )  # fmt: skip
    text = f"{', '.join(changes)}, and {keeper.id}, who kept the rota before, {said or 'did not sign it'}"
    text += (
        f": `seamwatch contracts sign {file} --rota {rota.id} --as {keeper.id} --key … --documents <the state before>`"
    )
    return Verdict(
        rota.key, rota.digest, keeper.id, (KEEPER,), status, f"rota {rota.id}: {text}", file, read.written.line(("id",))
    )
