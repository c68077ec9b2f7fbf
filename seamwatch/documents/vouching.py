"""Vouching: whose keys, channels or rights are others than before, which rotas, and who stands for that.

A contract is worth what the keys are worth that it is signed with: who may write another key into a Person document
could sign as that person. So a key that comes, goes, is exchanged or is given more time is signed by the person with a
key that they had before, or by the person whom their document named as `vouched_by` before; and so are other channels,
which say where pages go, roles, and the team. A first key needs none, and neither does a revocation, which must not
wait. Of rotas `seamwatch.documents.vouching_rotas` says it. Knows no clock; reads signature files beside the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seamwatch.documents.estate import BEGINNING, END
from seamwatch.documents.files import nothing_read
from seamwatch.documents.loading import read_folder
from seamwatch.documents.models import Person, PublicKeyEntry
from seamwatch.documents.problems import Problem, is_error
from seamwatch.documents.references import Read
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing import SignatureLine, read_signatures, signature_file
from seamwatch.documents.signing_verdicts import (
    Status,
    Verdict,
    contract_verdicts,
    judged_vouching,
    persons_of,
)
from seamwatch.documents.vouching_rotas import KEEPER, Before, rota_verdicts
from seamwatch.errors import DocumentError

ROLE: Final = "keys"


def before_below(folder: Path) -> Before:
    """The state of a folder. Raises UsageError and DocumentError: what was not read is not compared."""
    reads, problems = read_folder(folder)
    if wrong := [str(problem) for problem in sorted(problems) if is_error(problem)]:
        raise DocumentError("\n".join(wrong))
    if not reads:
        raise DocumentError(str(nothing_read(folder)))
    rotas = {read.document.id: read.document for read in reads if isinstance(read.document, Rota)}
    return Before(persons_of(reads), rotas)


def key_changes(before: Person, after: Person) -> list[str]:
    """What must be vouched for, in words such as ``key ada-2026 was exchanged``; nothing where there was no key."""
    if not before.keys:
        return []
    old, new = ({key.key_id: key for key in person.keys} for person in (before, after))
    found = [f"key {name} was removed" for name in old if name not in new]
    found += [f"key {name} was added" for name in new if name not in old]
    for name in old.keys() & new.keys():
        if old[name].public != new[name].public:
            found.append(f"key {name} was exchanged")
        elif _more_time(old[name], new[name]):
            found.append(f"key {name} was given more time")
    if before.vouched_by != after.vouched_by:
        found.append(f"vouched_by was changed from {before.vouched_by or 'nobody'} to {after.vouched_by or 'nobody'}")
    return sorted(found)


def changes_to_vouch(before: Person, after: Person) -> list[str]:
    """What must be vouched for of all that changed, keys first; nothing where there was no key to do it with."""
    if not before.keys:
        return []
    others = (("channels", "channels were changed"), ("roles", "roles were changed"), ("team", "team was changed"))
    return key_changes(before, after) + [said for name, said in others if getattr(before, name) != getattr(after, name)]


def key_verdicts(
    before: Mapping[str, Person], documents: Sequence[Read], now: int, only: Iterable[str] | None = None
) -> tuple[list[Verdict], list[Problem]]:
    """A verdict for each person of whom something changed that must be vouched for, and what is no signature.

    ``before`` is the state that is compared with, such as what is published; ``only`` these persons, all else.
    """
    wanted = None if only is None else frozenset(only)
    files: dict[str, tuple[list[SignatureLine], list[Problem]]] = {}
    verdicts: list[Verdict] = []
    for read in documents:
        person = read.document
        if not isinstance(person, Person) or (wanted is not None and person.id not in wanted):
            continue
        known = before.get(person.id)
        if known is None or not (changes := changes_to_vouch(known, person)):
            continue
        file = read.written.file
        if file not in files:
            files[file] = read_signatures(signature_file(file))
        lines = [line for line in files[file][0] if (line.kind, line.id) == (person.kind_name, person.id)]
        verdicts.append(_of_person(read, person, known, changes, lines, before, now))
    return verdicts, [problem for _, wrong in files.values() for problem in wrong]


@dataclass(frozen=True, slots=True)
class Signed:
    """How some documents are signed: contracts, and the keys of persons who had others before.

    ``keys`` has the verdicts over changed rotas as well. Not approvals, whose signatures are in the documents and which
    count for nothing unsigned.
    """

    contracts: Sequence[Verdict]
    keys: Sequence[Verdict]

    @property
    def lacking(self) -> tuple[str, ...]:
        """What is not signed by all who must, each with their names, such as ``line@2 (ada, ben)``."""
        lacking: dict[str, list[str]] = {}
        for verdict in self.contracts:
            if verdict.status not in ("signed", "stranger"):
                lacking.setdefault(verdict.document.partition("/")[2], []).append(verdict.person or "nobody named")
        return (
            *(f"{name} ({', '.join(people)})" for name, people in sorted(lacking.items())),
            *sorted(_changes_text(verdict) for verdict in self.keys if not verdict.holds),
        )

    @property
    def holding(self) -> Mapping[str, tuple[SignatureLine, ...]]:
        """The signatures that hold, by the key of the document."""
        found: dict[str, tuple[SignatureLine, ...]] = {}
        for verdict in (*self.contracts, *self.keys):
            if verdict.holds and verdict.written is not None:
                found[verdict.document] = (*found.get(verdict.document, ()), verdict.written)
        return found


def signed(documents: Sequence[Read], before: Before, now: int) -> Signed:
    """How documents are signed by the files beside them; ``before``: persons and rotas as they were."""
    changed = (*key_verdicts(before.persons, documents, now)[0], *rota_verdicts(before, documents, now))
    return Signed(contract_verdicts(documents, now)[0], changed)


def _changes_text(verdict: Verdict) -> str:
    if verdict.roles == (KEEPER,):
        return f"changes of rota {verdict.document.partition('/')[2]} ({verdict.person})"
    return f"changes of {verdict.person}"


def _of_person(
    read: Read,
    person: Person,
    known: Person,
    changes: Sequence[str],
    lines: Sequence[SignatureLine],
    before: Mapping[str, Person],
    now: int,
) -> Verdict:
    found = list(_of_lines(person, known, lines, before, now))
    if holding := next((verdict for verdict in found if verdict.holds), None):
        return holding
    text = f"{', '.join(changes)}, and nobody vouched for it"
    if found:
        text += f" ({found[-1].message})"
    who = person.id if known.vouched_by is None else f"{person.id} or {known.vouched_by}"
    text += (
        f": {who} signs it with a key that was there before: `seamwatch contracts sign {read.written.file} --keys-of "
        f"{person.id} --as … --key … --documents <the state before>`"
    )
    status = found[-1].status if found else "missing"
    return Verdict(
        person.key, person.digest, person.id, (ROLE,), status, f"{person.id}: {text}", read.written.file,
        read.written.line(("keys",)),
    )  # fmt: skip


def _of_lines(
    person: Person, known: Person, lines: Sequence[SignatureLine], before: Mapping[str, Person], now: int
) -> Iterator[Verdict]:
    status: Status
    for line in lines:
        signer = known if line.person == person.id else before.get(line.person)
        if line.person not in (person.id, known.vouched_by):
            status, said = "stranger", "signed, whom the state before does not let vouch for these keys"
        else:
            status, said = judged_vouching(signer, line, person.digest, now)
            if status == "signed":
                said = f"vouches for the keys of {person.id} since {line.signed_at}"
            elif status == "unknown_key":
                said = f"signed with key {line.key_id!r}, which they did not have before"
        yield Verdict(
            person.key, person.digest, line.person, (ROLE,), status, f"{line.person} {said}", line.file, line.line,
            line.key_id, line.signed_at, written=line,
        )  # fmt: skip


def _more_time(before: PublicKeyEntry, after: PublicKeyEntry) -> bool:
    begins = [BEGINNING if key.not_before is None else key.not_before for key in (before, after)]
    ends = [END if key.revoked_at is None else key.revoked_at for key in (before, after)]
    return begins[1] < begins[0] or ends[1] > ends[0]
