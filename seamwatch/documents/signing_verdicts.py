"""Who must sign a contract, risk policy or approval, and whether they have: one verdict a person.

The parties' signatories sign, and whoever a clause binds beside them (`Clause.co_signatories`). Reads signature files
beside the documents; knows no clock, so `now` is given.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from seamwatch.collector import unhurried_collector
from seamwatch.documents.approving import approval_moment, approval_statement, key_of, public_key
from seamwatch.documents.contract import Contract
from seamwatch.documents.loading import read_folder
from seamwatch.documents.models import Approved, Person, System, Version
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place
from seamwatch.documents.references import Read
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing import VERSIONED, SignatureLine, read_signatures, signature_file
from seamwatch.durations import MINUTE
from seamwatch.errors import SignatureError
from seamwatch.instants import format_instant
from seamwatch.remedies import sign_command
from seamwatch.signatures import approval_bytes, verify

Status = Literal[
    "signed",  # holds
    "missing",  # nobody's line is there
    "changed",  # signed, but another version or text than this one
    "unknown_key",  # by a key that the person's document does not list
    "revoked",  # by a key that was revoked when it was signed
    "not_yet_valid",  # by a key that was not valid yet when it was signed
    "future",  # at a time that has not come
    "invalid",  # the signature does not hold
    "unnamed",  # a party names no signatory, so nobody can sign for it
    "stranger",  # by somebody who has nothing to sign here, or under no contract of this file
]
Signable = Contract | RiskPolicy
"""What is signed in a file beside it."""
SKEW: Final = 5 * MINUTE
_WORKERS: Final = 2
_FILES_A_TASK: Final = 200


@dataclass(frozen=True, slots=True)
class Signer:
    """A person who must sign, in which roles; no person where a party names none. ``place``: where it says so."""

    person: str | None
    roles: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one person's signature under one document binds; ``file`` and ``line`` say where to look.

    ``written`` is the signature itself, where there is one.
    """

    document: str
    digest: str
    person: str | None
    roles: tuple[str, ...]
    status: Status
    message: str
    file: str
    line: int
    key_id: str | None = None
    signed_at: str | None = None
    signed_version: str | None = None
    written: SignatureLine | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.status == "signed"


def signers_of(contract: Signable) -> tuple[Signer, ...]:
    """Who must sign it, each once: the parties' signatories, then those whom clauses bind; of a policy its own."""
    if isinstance(contract, RiskPolicy):
        return tuple(Signer(person, ("signatory",), ("signatories",)) for person in dict.fromkeys(contract.signatories))
    named: list[tuple[str | None, str, Place]] = [
        (party.signatory, side, ("parties", side, "signatory"))
        for side, party in (("provider", contract.parties.provider), ("consumer", contract.parties.consumer))
    ]
    for number, clause in enumerate(contract.clauses):
        place: Place = ("clauses", number, "co_signers")
        named.extend((person, f"co-signer of {clause.id}", place) for person in clause.co_signatories())
    found: dict[str | None, Signer] = {}
    unnamed: list[Signer] = []
    for person, role, where in named:
        if person is None:
            unnamed.append(Signer(None, (role,), where))
        elif person in found:
            found[person] = Signer(person, (*found[person].roles, role), found[person].place)
        else:
            found[person] = Signer(person, (role,), where)
    return (*unnamed, *found.values())


def contract_verdicts(documents: Sequence[Read], now: int | None = None) -> tuple[list[Verdict], list[Problem]]:
    """A verdict for each contract and each person who must sign it or did, and what is no signature in the files.

    ``now`` (micros): a signature that claims a later time does not count; None takes every time as past.
    """
    verdicts: list[Verdict] = []
    problems: list[Problem] = []
    persons = persons_of(documents)
    holding = {read.written.file for read in documents if read.kind in VERSIONED}
    files: dict[str, list[Read]] = {}
    for read in documents:
        if read.written.file in holding:
            files.setdefault(read.written.file, []).append(read)

    def judged(some: Sequence[tuple[str, list[Read]]]) -> list[tuple[list[Verdict], list[Problem]]]:
        return [_of_file(file, reads, persons, now) for file, reads in some]

    several = list(files.items())
    parts = [several[at : at + _FILES_A_TASK] for at in range(0, len(several), _FILES_A_TASK)]
    # To verify a signature takes longer than all else here, and needs no Python meanwhile.
    with unhurried_collector(), ThreadPoolExecutor(_WORKERS) as workers:
        for part in workers.map(judged, parts) if len(parts) > 1 else map(judged, parts):
            for found, wrong in part:
                verdicts += found
                problems += wrong
    return verdicts, problems


def _of_file(
    file: str, reads: Sequence[Read], persons: Mapping[str, Person], now: int | None
) -> tuple[list[Verdict], list[Problem]]:
    lines, problems = read_signatures(signature_file(file))
    verdicts = [
        verdict
        for read in reads
        if isinstance(read.document, Contract | RiskPolicy)
        for verdict in _of_contract(read, read.document, lines, persons, now)
    ]
    # A line under a person or rota stands for its changes, judged where there is a state before to compare with.
    known = {(read.kind, read.id) for read in reads if read.kind in (*VERSIONED, Person.kind_name, Rota.kind_name)}
    verdicts.extend(_stray(line) for line in lines if (line.kind, line.id) not in known)
    return verdicts, problems


def approval_verdicts(documents: Sequence[Read]) -> list[Verdict]:
    """A verdict for each signature under an approval, and for each approver who has keys and did not sign."""
    persons = persons_of(documents)
    return [
        verdict
        for read in documents
        if isinstance(read.document, System)
        for v, version in enumerate(read.document.versions)
        for a, approval in enumerate(version.approvals)
        for verdict in _of_approval(read, read.document, version, approval, ("versions", v, "approvals", a), persons)
    ]


def unsigned_contracts(folder: Path, now: int | None = None) -> tuple[str, ...]:
    """The ids of contracts below a folder that lack a valid signature of anybody who must sign them, in order."""
    return unsigned_of(read_folder(folder)[0], now)


def unsigned_of(documents: Sequence[Read], now: int | None = None) -> tuple[str, ...]:
    """The same of documents that were read; a stranger's signature leaves nothing unsigned."""
    return unsigned_by(documents, verdicts_beside(documents, now))


def verdicts_beside(documents: Sequence[Read], now: int | None = None) -> list[Verdict]:
    """The verdicts of those contracts that have a file of signatures beside them."""
    signed = _with_signatures(documents)
    looked_at = [read for read in documents if read.kind == Person.kind_name or read.written.file in signed]
    return contract_verdicts(looked_at, now)[0]


def unsigned_by(documents: Sequence[Read], verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """The ids of contracts that lack a valid signature, by the verdicts of those with a file of signatures."""
    signed = _with_signatures(documents)
    # Where there is no file of signatures nobody signed, and at least the parties must.
    lacking = {
        d.id
        for read in documents
        if isinstance(d := read.document, Contract | RiskPolicy) and read.written.file not in signed
    }
    lacking |= {
        verdict.document.partition("/")[2].rpartition("@")[0]
        for verdict in verdicts
        if verdict.status not in ("signed", "stranger")
    }
    return tuple(sorted(lacking))


def changed_since_signed(documents: Sequence[Read], verdicts: Sequence[Verdict]) -> Iterator[Problem]:
    """A warning for each contract of which somebody signed another text under the same version."""
    by_key = {read.document.key: read for read in documents if isinstance(read.document, Contract | RiskPolicy)}
    named: set[str] = set()
    for verdict in verdicts:
        version = verdict.document.rpartition("@")[2]
        if verdict.status == "changed" and verdict.signed_version == version and verdict.document not in named:
            read = by_key[verdict.document]
            named.add(verdict.document)
            yield read.warning(
                ("version",),
                f"{VERSIONED[read.kind]} {read.id!r} was changed after {verdict.person} signed its version "
                f"{version!r} at {verdict.signed_at}: if that was published, give what is agreed anew another version; "
                "if not, sign it again",
            )


def _with_signatures(documents: Sequence[Read]) -> frozenset[str]:
    files = {read.written.file for read in documents if isinstance(read.document, Contract | RiskPolicy)}
    return frozenset(file for file in files if signature_file(file).exists())


def persons_of(documents: Sequence[Read]) -> dict[str, Person]:
    """The readable persons among documents, by id."""
    return {read.document.id: read.document for read in documents if isinstance(read.document, Person)}


def _of_contract(
    read: Read, contract: Signable, lines: Sequence[SignatureLine], persons: Mapping[str, Person], now: int | None
) -> Iterator[Verdict]:
    mine = [line for line in lines if (line.kind, line.id) == (contract.kind_name, contract.id)]
    signers = signers_of(contract)
    for signer in signers:
        theirs = [line for line in mine if line.person == signer.person]
        found = [_of_line(read, contract, signer, line, persons, now) for line in theirs]
        holding = next((verdict for verdict in found if verdict.holds), None)
        yield holding or (found[-1] if found else _lacking(read, contract, signer, persons))
    binding = {signer.person for signer in signers}
    for line in mine:
        if line.person not in binding:
            said = f"{line.person} signed, who is neither a signatory nor a co-signer: take the line out"
            yield _verdict(contract, Signer(line.person, (), ()), "stranger", said, line)


def _of_line(
    read: Read,
    contract: Signable,
    signer: Signer,
    line: SignatureLine,
    persons: Mapping[str, Person],
    now: int | None,
) -> Verdict:
    person = line.person
    again = f"sign it again with `{sign_command(read.written.file, person)}`"
    if line.version != contract.version:
        said = f"{person} signed version {line.version}, not version {contract.version}: {again}"
        return _verdict(contract, signer, "changed", said, line)
    if line.digest != contract.digest:
        said = f"the {VERSIONED[read.kind]} was changed after {person} signed it at {line.signed_at}: {again}"
        return _verdict(contract, signer, "changed", said, line)
    status, said = judged_signature(persons.get(person), line.key_id, line.message, line.signature, line.at, now)
    return _verdict(contract, signer, status, f"{person} {said}" + ("" if status == "signed" else f": {again}"), line)


def judged_signature(
    person: Person | None,
    key_id: str,
    message: bytes,
    signature: str,
    at: int,
    now: int | None,
    made: str | None = None,
) -> tuple[Status, str]:
    """What a signature with a person's key is worth, and that in words that follow their name.

    ``at`` is when it was made, ``now`` when it is (micros); None takes every time as past. ``made`` tells of it
    where ``at`` is not when it was signed.
    """
    entry = key_of(person, key_id)
    if entry is None:
        return "unknown_key", f"signed with key {key_id!r}, which their Person document does not list"
    made = made or f"signed at {format_instant(at)[:19]}Z"
    if now is not None and at > now + SKEW:
        return "future", f"{made}, a time that has not come"
    if entry.not_before is not None and at < entry.not_before:
        return "not_yet_valid", f"{made} with key {key_id!r}, which was not valid yet"
    if entry.revoked_at is not None and at >= entry.revoked_at:
        return "revoked", f"{made} with key {key_id!r}, which was revoked by then"
    try:
        verify(message, b64decode(signature, validate=True), public_key(entry), at)
    except (SignatureError, ValueError):
        return "invalid", f"has a signature that does not hold for key {key_id!r}"
    return "signed", made


def judged_vouching(signer: Person | None, line: SignatureLine, digest: str, now: int) -> tuple[Status, str]:
    """What a line is worth under a document of this digest that changed, and that in words that follow their name.

    ``signer`` is the person of the line as they were before. A key that was revoked by ``now`` (micros) vouches for
    nothing, whenever it signed.
    """
    if line.digest != digest:
        return "changed", f"signed another text of this document at {line.signed_at}"
    # A time of signing is what the signer says, so that a key that was stolen and revoked could vouch with an old one.
    keys = () if signer is None else signer.keys
    if any(key.key_id == line.key_id and key.revoked_at is not None and key.revoked_at <= now for key in keys):
        return "revoked", f"signed with key {line.key_id!r}, which was revoked before"
    return judged_signature(signer, line.key_id, line.message, line.signature, line.at, now)


def _lacking(read: Read, contract: Signable, signer: Signer, persons: Mapping[str, Person]) -> Verdict:
    status: Status = "missing"
    if signer.person is None:
        status = "unnamed"
        said = f"the {signer.roles[0]} names no signatory, so nobody signs for it: name a person as its `signatory`"
    elif (person := persons.get(signer.person)) is None or not person.keys:
        said = f"{signer.person} has not signed and has no key: make one with `seamwatch keys new`"
    else:
        said = f"{signer.person} has not signed: `{sign_command(read.written.file, signer.person)}`"
    return Verdict(
        contract.key, contract.digest, signer.person, signer.roles, status, said, read.written.file,
        read.written.line(signer.place),
    )  # fmt: skip


def _verdict(contract: Signable, signer: Signer, status: Status, said: str, line: SignatureLine) -> Verdict:
    return Verdict(
        contract.key, contract.digest, signer.person, signer.roles, status, said, line.file, line.line, line.key_id,
        line.signed_at, line.version, line,
    )  # fmt: skip


def _stray(line: SignatureLine) -> Verdict:
    said = f"{line.person} signed {line.subject}, which is no contract of the file beside: take the line out"
    return Verdict(
        line.subject, line.digest, line.person, (), "stranger", said, line.file, line.line, line.key_id, line.signed_at
    )


def _of_approval(
    read: Read,
    system: System,
    version: Version,
    approval: Approved,
    place: Place,
    persons: Mapping[str, Person],
) -> Iterator[Verdict]:
    written: Any = read.written.content
    for part in place:
        written = written[part]
    name = f"Approval/{approval.id}"

    def verdict(person: str, status: Status, said: str, at: Place, key_id: str | None = None) -> Verdict:
        roles = ("approver",) if person in (approval.approved_by, *approval.co_approvers) else ()
        where = read.written.file, read.written.line((*place, *at))
        return Verdict(name, system.digest, person, roles, status, said, *where, key_id)

    # When it was signed nobody wrote down; the approval says from when it holds.
    since = None if approval.approved_at is None else f"{format_instant(approval.approved_at)[:19]}Z"
    made = "signed it" if since is None else f"signed it as approved at {since}"
    for number, given in enumerate(approval.signatures):
        message = approval_bytes(approval_statement(system, version, approval, written, given.person, given.key_id))
        signer = persons.get(given.person)
        at = approval_moment(approval, key_of(signer, given.key_id))
        status, said = judged_signature(signer, given.key_id, message, given.signature, at, None, made)
        if status == "invalid":
            said += ", or the approval was changed after it was signed"
        command = sign_command(read.written.file, given.person, approval=approval.id)
        again = f"sign it again with `{command}`"
        said = f"{given.person} {said}" + ("" if status == "signed" else f": {again}")
        yield verdict(given.person, status, said, ("signatures", number), given.key_id)
    for name_of in dict.fromkeys((approval.approved_by or "", *approval.co_approvers)):
        approver = persons.get(name_of)
        if approver is not None and approver.keys and all(given.person != approver.id for given in approval.signatures):
            command = sign_command(read.written.file, approver.id, approval=approval.id)
            yield verdict(approver.id, "missing", f"{approver.id} has keys and has not signed it: `{command}`", ("id",))
