"""`seamwatch contracts sign` and `verify`: people sign what binds them, and anybody checks that they did."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.documents.models import Document
    from seamwatch.documents.references import Read
    from seamwatch.documents.signing_verdicts import Signable, Verdict
    from seamwatch.documents.vouching_rotas import Before

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object instead of lines")]


def add(group: typer.Typer) -> None:
    """Add both to the group `contracts`."""
    group.command()(sign)
    group.command()(verify)


def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the file of contracts to sign")],
    person: Annotated[str, typer.Option("--as", help="who signs: the id of a Person document", metavar="PERSON")],
    key: Annotated[Path, typer.Option(help="your Ed25519 private key")],
    documents: Annotated[
        Path | None, typer.Option(metavar="DIR", help="where the Person documents are; the file's folder, unless given")
    ] = None,
    contract: Annotated[
        list[str] | None,
        typer.Option(help="only this contract or risk policy of the file (repeatable); all that bind you, else"),
    ] = None,
    approval: Annotated[
        str | None, typer.Option(help="sign this approval of a System in the file, and print what to put under it")
    ] = None,
    keys_of: Annotated[
        str | None,
        typer.Option(
            help="vouch for the keys of this person of the file, by a key of the state before (--documents)",
            metavar="PERSON",
        ),
    ] = None,
    rota: Annotated[
        str | None,
        typer.Option(
            help="sign this rota of the file, as it is now: whoever kept it in the state before (--documents)",
            metavar="ROTA",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign the contracts and risk policies of a file that bind you, as a signatory or a co-signer: lines of FILE.sig.

    Your line from an earlier version is replaced; everybody else's stays. Read what you sign first: `contracts diff`.

    Example: seamwatch contracts sign contracts/fintech.yaml --as dev@example.org --key dev.pem
    """
    from seamwatch.errors import UsageError

    folder = documents if documents is not None else file.parent
    reads = _of_file(folder, file)
    if sum(map(bool, (approval, contract, keys_of, rota))) > 1:
        raise UsageError(
            "--approval signs an approval, --contract a contract, --keys-of a person's keys, --rota a rota: give one "
            "of them"
        )
    if keys_of is not None:
        _sign_whole(folder, reads, file, ("Person", keys_of), person, key, as_json)
    elif rota is not None:
        _demand_keeper(folder, rota, person)
        _sign_whole(folder, reads, file, ("Rota", rota), person, key, as_json)
    elif approval is not None:
        _sign_approval(folder, reads, file, approval, person, key, as_json)
    else:
        _sign_contracts(folder, reads, file, contract or [], person, key, as_json)


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder of *.yaml documents, or one file")],
    before: Annotated[
        Path | None, typer.Option(metavar="DIR", help="the state before: who has other keys now needs one for them")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="the same against the documents that are published")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether everybody who must sign a contract has signed it as it now is. Exit 1 when anybody has not.

    So it is when there is no contract at all, or anything below the folder cannot be read.

    Signatures under approvals are checked as well; an approval without any is not a problem here. With a state before,
    also whether keys that are others now were vouched for.

    Example: seamwatch contracts verify contracts/ --before main/contracts
    """
    from seamwatch.documents.files import nothing_read
    from seamwatch.documents.loading import load
    from seamwatch.documents.signing_verdicts import approval_verdicts, contract_verdicts
    from seamwatch.documents.vouching import key_verdicts
    from seamwatch.documents.vouching_rotas import rota_verdicts
    from seamwatch.settings import load_settings

    now = load_settings().clock().now()
    loaded = load(folder, forks=True)
    reads, wrong = loaded.reads, loaded.errors
    verdicts, unreadable = contract_verdicts(reads, now)
    if not wrong and not any(read.kind == "Contract" for read in reads):
        wrong = [nothing_read(folder, "contract" if reads else "document")]
    approvals = [verdict for verdict in approval_verdicts(reads) if verdict.status != "missing"]
    keys: list[Verdict] = []
    for state in _states_before(before, published, data):
        found, problems = key_verdicts(state.persons, reads, now)
        keys += [verdict for verdict in (*found, *rota_verdicts(state, reads, now)) if verdict not in keys]
        unreadable += [problem for problem in problems if problem not in unreadable]
    judged = (*verdicts, *approvals, *keys)
    failed = bool(wrong or unreadable or not all(verdict.holds for verdict in judged))
    if as_json:
        lines = [asdict(problem) for problem in (*wrong, *unreadable)]
        signatures = [{**asdict(verdict), "holds": verdict.holds} for verdict in judged]
        print(json.dumps({"holds": not failed, "signatures": signatures, "problems": lines}, ensure_ascii=False))
    else:
        for problem in (*wrong, *unreadable):
            print(problem)
        _print(judged)
    raise typer.Exit(failed)


def _states_before(before: Path | None, published: bool, data: Path | None) -> Iterator[Before]:
    from console.reach import reach
    from seamwatch.documents.vouching import before_below
    from seamwatch.documents.vouching_rotas import Before
    from seamwatch.errors import UsageError
    from statements.published import Published

    if data is not None and not published:
        raise UsageError("--data names the running system of --published: say that too")
    if before is not None:
        yield before_below(before)
    if published:
        estate = Published(reach(data)).estate
        yield Before(estate.persons, estate.rotas)


def _print(verdicts: Sequence[Verdict]) -> None:
    document = ""
    for verdict in verdicts:
        if verdict.document != document:
            document = verdict.document
            kind, _, name = document.partition("/")
            print(f"{name}" + ("" if kind == "Contract" else f" ({kind.lower()})"))
        roles = ", ".join(verdict.roles) or "nobody asked"
        print(f"  {verdict.status.replace('_', ' '):<13}  {roles}: {verdict.message}")
        if not verdict.holds:
            print(f"                 {verdict.file}:{verdict.line}")
    wrong = sum(not verdict.holds for verdict in verdicts)
    print(f"{len(verdicts) - wrong} of {len(verdicts)} signatures hold")


def _of_file(folder: Path, file: Path) -> list[Read]:
    from seamwatch.documents.files import documents_below
    from seamwatch.documents.loading import load, read_folder
    from seamwatch.errors import DocumentError, UsageError

    if not file.is_file():
        raise UsageError(f"{file} is no file: name the YAML file whose contracts you sign")
    reads = read_folder(file)[0]
    # References lead out of the file, so it is checked with the folder around it.
    target = file.resolve()
    wrong = [problem for problem in load(folder).errors if Path(problem.file).resolve() == target]
    if wrong:
        raise DocumentError("\n".join(str(problem) for problem in wrong) + "\nmend it before you sign it")
    for problem in documents_below(folder)[1]:
        # What lies beside the file keeps nobody from signing it, but somebody may be missed who is there.
        print(f"note: {problem}", file=sys.stderr)
    return reads


def _sign_contracts(
    folder: Path, reads: list[Read], file: Path, only: list[str], person: str, key: Path, as_json: bool
) -> None:
    from seamwatch.documents.contract import Contract
    from seamwatch.documents.risk_policy import RiskPolicy
    from seamwatch.documents.signing import read_signatures, sign_document, signature_file, write_signatures
    from seamwatch.documents.signing_verdicts import signers_of
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings

    found = [read.document for read in reads if isinstance(read.document, Contract | RiskPolicy)]
    named = {name: [c for c in found if name in (c.id, f"{c.id}@{c.version}")] for name in only}
    if unknown := [name for name, those in named.items() if not those]:
        known = ", ".join(dict.fromkeys(c.id for c in found)) or "none"
        raise UsageError(f"{file} holds no contract {unknown[0]!r}: it holds {known}")
    wanted = [c for those in named.values() for c in those] if only else found
    roles = {c.key: _roles(c, person) for c in wanted}
    mine = [c for c in wanted if roles[c.key]]
    if not mine or (only and len(mine) < len(wanted)):
        who = sorted({s.person for c in wanted for s in signers_of(c) if s.person is not None})
        raise UsageError(f"{person} signs nothing here: {', '.join(who) or 'nobody'} signs the contracts of {file}")
    # A former version that they signed as it is keeps that signature, with its time.
    done = {(s.subject, s.digest) for s in read_signatures(signature_file(file))[0] if s.person == person}
    several = {c.id for c in found if sum(other.id == c.id for other in found) > 1}
    mine = [c for c in mine if c.id not in several or (c.key, c.digest) not in done] or mine
    at = load_settings().clock().now()
    private, key_id = _key(folder, person, key, at)
    lines = [sign_document(c, person, key_id, private, at) for c in mine]
    write_signatures(signature_file(file), lines, [c.key for c in found])
    for signed, line in zip(mine, lines, strict=True):
        if as_json:
            print(json.dumps({"document": signed.key, "digest": signed.digest, "person": person,
                              "roles": roles[signed.key], "key_id": key_id, "signed_at": line.signed_at,
                              "signature": line.signature, "file": str(signature_file(file))}))  # fmt: skip
        else:
            print(f"{person} signs {signed.id}@{signed.version} as {', '.join(roles[signed.key])}")
            print(f"  digest {signed.digest}, in {signature_file(file)}")


def _roles(contract: Signable, person: str) -> tuple[str, ...]:
    from seamwatch.documents.signing_verdicts import signers_of

    return next((signer.roles for signer in signers_of(contract) if signer.person == person), ())


def _key(folder: Path, person: str, file: Path, at: int) -> tuple[bytes, str]:
    """The private key in a file and the key_id that the person's document gives it. It must be valid now."""
    from console.keys import public_of, read_private_key
    from seamwatch.documents.loading import read_folder
    from seamwatch.documents.signing_verdicts import persons_of
    from seamwatch.errors import UsageError
    from seamwatch.instants import format_instant
    from seamwatch.wire.schemas import nearest

    persons = persons_of(read_folder(folder)[0])
    if person not in persons:
        raise UsageError(
            f"--as {person}: no Person document below {folder} has this id{nearest(person, tuple(persons))}"
            "; name the folder of the people with --documents"
        )
    private = read_private_key(file)
    public = public_of(private)
    entry = next((known for known in persons[person].keys if known.public == public), None)
    if entry is None:
        raise UsageError(
            f"{file}: its public key {public} is not listed for {person}: `seamwatch keys show {file} --id <key id>` "
            "prints what to put into their Person document"
        )
    if entry.not_before is not None and at < entry.not_before:
        raise UsageError(f"key {entry.key_id} of {person} is not valid before {format_instant(entry.not_before)}")
    if entry.revoked_at is not None and at >= entry.revoked_at:
        raise UsageError(f"key {entry.key_id} of {person} was revoked at {format_instant(entry.revoked_at)}")
    return private, entry.key_id


def _demand_keeper(folder: Path, rota: str, person: str) -> None:
    """Raise UsageError where somebody else kept the rota in the state before: the signature would count for nothing."""
    from seamwatch.documents.loading import read_folder
    from seamwatch.documents.rota import Rota
    from seamwatch.errors import UsageError

    kept = {read.document.id: read.document.owner for read in read_folder(folder)[0] if isinstance(read.document, Rota)}
    if kept.get(rota, person) != person:
        raise UsageError(f"rota {rota} is kept by {kept[rota]} below {folder}: they sign its changes, not {person}")


def _sign_whole(
    folder: Path, reads: list[Read], file: Path, subject: tuple[str, str], person: str, key: Path, as_json: bool
) -> None:
    """Sign a person or rota of the file, as it is now, for its changes."""
    from seamwatch.documents.signing import sign_document, signature_file, write_signatures
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings

    kind, whose = subject
    found: dict[str, Document] = {
        read.document.id: read.document for read in reads if read.kind == kind and read.document is not None
    }
    if whose not in found:
        raise UsageError(f"{file} holds no {kind.lower()} {whose!r}: it holds {', '.join(found) or 'none'}")
    at = load_settings().clock().now()
    private, key_id = _key(folder, person, key, at)
    line = sign_document(found[whose], person, key_id, private, at)
    write_signatures(signature_file(file), [line])
    if as_json:
        print(json.dumps({"document": line.subject, "digest": line.digest, "person": person,
                          "roles": ["keys" if kind == "Person" else "owner"],
                          "key_id": key_id, "signed_at": line.signed_at, "signature": line.signature,
                          "file": str(signature_file(file))}))  # fmt: skip
    else:
        print(f"{person} " + (f"vouches for the keys of {whose}" if kind == "Person" else f"signs rota {whose}"))
        print(f"  digest {line.digest}, in {signature_file(file)}")


def _sign_approval(
    folder: Path, reads: list[Read], file: Path, name: str, person: str, key: Path, as_json: bool
) -> None:
    from base64 import b64encode

    from seamwatch.documents.approving import approval_statement
    from seamwatch.documents.models import System
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from seamwatch.signatures import approval_bytes
    from seamwatch.signatures import sign as sign_bytes

    found = [
        (read, read.document, v, version, a, approval)
        for read in reads
        if isinstance(read.document, System)
        for v, version in enumerate(read.document.versions)
        for a, approval in enumerate(version.approvals)
    ]
    chosen = next((entry for entry in found if entry[-1].id == name), None)
    if chosen is None:
        known = ", ".join(entry[-1].id for entry in found) or "none"
        raise UsageError(f"{file} holds no approval {name!r}: it holds {known}")
    read, system, v, version, a, approval = chosen
    if person not in (approval.approved_by, *approval.co_approvers):
        raise UsageError(f"approval {name} is given by {approval.approved_by or 'nobody yet'}, not by {person}")
    now = load_settings().clock().now()
    private, key_id = _key(folder, person, key, approval.approved_at if approval.approved_at is not None else now)
    written: Any = read.written.content["versions"][v]["approvals"][a]
    message = approval_bytes(approval_statement(system, version, approval, written, person, key_id))
    entry = {"person": person, "key_id": key_id, "signature": b64encode(sign_bytes(message, private)).decode()}
    if as_json:
        print(json.dumps(entry))
    else:
        print(f"# under approval {name} of {system.id} {version.version}:")
        print(f"signatures: [{{person: {person}, key_id: {key_id}, signature: {entry['signature']}}}]")
