"""The seal: the list of all files of a dossier with their digests, and the signature that vouches for the list.

The ledger's key signs it as a C2SP signed note, or a person with one of their published keys. A person's document is
among the records of the dossier, so their key is vouched for by the ledger's. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from seamwatch.errors import ProofError, SignatureError
from seamwatch.instants import format_instant, parse_instant
from seamwatch.signatures import PublicKey, dossier_bytes, sign, verify
from sinks.dossier.container import Member
from sinks.ledger.format.notes import SignerKey, VerifierKey, read_note

FORMAT: Final = "seamwatch-dossier/1"
MANIFEST: Final = "manifest.json"
SEAL: Final = "seal.txt"
INDEX: Final = "index.json"
PAGE: Final = "index.html"
_KIND: Final = "dossier"

KeysOf = Callable[[str], Sequence[PublicKey]]
"""A person to the keys that the records of the dossier show them to have."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a dossier is about, and every file of it but this list and the seal, by name.

    ``as_of`` is when the newest record in the ledger then was committed, microseconds as the others.
    """

    system: str
    start: int
    end: int
    as_of: int
    files: Mapping[str, Member]

    @property
    def content(self) -> bytes:
        """The file."""
        files = {name: {"sha256": each.sha256, "bytes": each.size} for name, each in sorted(self.files.items())}
        return _json({"format": FORMAT, **self.about, "files": files})

    @property
    def about(self) -> dict[str, str]:
        """What it is about, times as text."""
        times = {"from": self.start, "to": self.end, "as_of": self.as_of}
        return {"system": self.system, **{name: format_instant(at) for name, at in times.items()}}

    @property
    def statement(self) -> dict[str, str]:
        """What is signed: what it is about, and the digest of the list."""
        return {**self.about, "digest": hashlib.sha256(self.content).hexdigest()}


class Sealer(Protocol):
    """Signs for a dossier."""

    def __call__(self, manifest: Manifest, /) -> bytes:
        """The file that seals it."""
        ...


@dataclass(frozen=True, slots=True)
class LedgerSealer:
    """Seals by the ledger's key."""

    key: SignerKey

    def __call__(self, manifest: Manifest) -> bytes:
        """The file that seals it."""
        return self.key.note(_note(self.key.name, manifest)).encode()


@dataclass(frozen=True, slots=True)
class PersonSealer:
    """Seals by the private key of a person (32 bytes), under the name that it is published by."""

    person: str
    key_id: str
    private: bytes

    def __call__(self, manifest: Manifest) -> bytes:
        """The file that seals it."""
        said = {**manifest.statement, "person": self.person, "key_id": self.key_id}
        return _json({**said, "signature": b64encode(sign(dossier_bytes(said), self.private)).decode()})


@dataclass(frozen=True, slots=True)
class SealedBy:
    """Who vouches for a whole dossier; ``person`` None where the ledger's key does."""

    name: str
    person: str | None = None


def read_manifest(content: bytes) -> Manifest:
    """The list in a file. Raises ProofError when it is none, or written in another way than this would."""
    try:
        said = json.loads(content)
        if said["format"] != FORMAT:
            raise ProofError(f"{MANIFEST}: is of the format {said['format']!r}: a newer seamwatch may read it")
        files = {name: Member(name, each["sha256"], each["bytes"]) for name, each in said["files"].items()}
        start, end, as_of = (parse_instant(said[name]) for name in ("from", "to", "as_of"))
        manifest = Manifest(str(said["system"]), start, end, as_of, files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProofError(f"{MANIFEST}: is no list of a dossier's files") from error
    if manifest.content != content:
        raise ProofError(f"{MANIFEST}: is no list of a dossier's files as it is written")
    return manifest


def read_seal(content: bytes, manifest: Manifest, keys: Sequence[VerifierKey], keys_of: KeysOf) -> SealedBy:
    """Who sealed a dossier. Raises ProofError where nobody did whom the ledger's keys vouch for."""
    if content.startswith(b"{"):
        return _person(content, manifest, keys_of)
    try:
        note = content.decode()
    except UnicodeDecodeError as error:
        raise ProofError(f"{SEAL}: is not UTF-8") from error
    try:
        text, name = read_note(note, keys)
    except ProofError as error:
        raise ProofError(f"{SEAL}: {error}") from error
    if text != _note(name, manifest) or note.removeprefix(f"{text}\n").count("\n") != 1:
        raise ProofError(f"{SEAL}: is of another dossier, or {MANIFEST} is not what was sealed")
    return SealedBy(name)


def _person(content: bytes, manifest: Manifest, keys_of: KeysOf) -> SealedBy:
    try:
        said: dict[str, Any] = json.loads(content)
        person, key_id, signature = (str(said[name]) for name in ("person", "key_id", "signature"))
        signed = b64decode(signature, validate=True)
    except (ValueError, KeyError, TypeError, NotBase64, RecursionError) as error:
        raise ProofError(f"{SEAL}: is no seal") from error
    whole = {**manifest.statement, "person": person, "key_id": key_id}
    if content != _json({**whole, "signature": b64encode(signed).decode()}):
        raise ProofError(f"{SEAL}: is of another dossier, or {MANIFEST} is not what was sealed")
    key = next((key for key in keys_of(person) if key.key_id == key_id), None)
    if key is None:
        raise ProofError(f"{SEAL}: is by {key_id}, and no record of the dossier shows that this is a key of {person}")
    try:
        verify(dossier_bytes(whole), signed, key, manifest.as_of)
    except SignatureError as error:
        raise ProofError(f"{SEAL}: {error}") from error
    return SealedBy(key_id, person)


def _note(name: str, manifest: Manifest) -> str:
    said = manifest.statement
    lines = [f"{word} {json.dumps(said[word], ensure_ascii=True)}" for word in ("system", "from", "to", "as_of")]
    return "\n".join([f"{name}/{_KIND}/{said['digest']}", *lines, ""])


def _json(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"
