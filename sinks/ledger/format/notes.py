"""Signed notes and checkpoints, as C2SP's signed-note and tlog-checkpoint define them, with Ed25519 keys.

A verifier's key is ``<name>+<key id>+<base64 of 0x01 and the public key>`` and a signer's
``PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and the seed>``, as other programs for signed notes write them. Notes are
deterministic: the same tree signed twice by the same key is the same text. Reads and writes no file.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from seamwatch.errors import ProofError, UsageError
from sinks.ledger.format.merkle import HASH_SIZE

_ED25519: Final = b"\x01"
_SIGNATURE: Final = "— "
_MOST_SIGNATURES: Final = 64
_SECRET: Final = "PRIVATE+KEY+"  # noqa: S105 - what marks a signer's key, not one


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of its tree; ``origin`` names the log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class VerifierKey:
    """A public key by which notes are verified."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key that a vkey line says. Raises UsageError when it says none that this can use."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        material = _decoded(encoded)
        if not _is_name(name) or material is None or material[:1] != _ED25519 or len(material) != 1 + HASH_SIZE:
            raise UsageError(f"{text.strip()[:60]!r} is no verifier key: write <name>+<key id>+<base64>, for Ed25519")
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            raise UsageError(f"the verifier key of {name} has the id {key_id}, which is not its own: copy it whole")
        return key

    @cached_property
    def key_id(self) -> bytes:
        """Its four bytes in a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this is its signature of a message."""
        try:
            self._key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SignerKey:
    """A private key that signs notes under a name."""

    name: str
    seed: bytes

    @classmethod
    def make(cls, name: str) -> SignerKey:
        """A new key. Raises UsageError when notes cannot carry the name."""
        if not _is_name(name):
            raise UsageError(f"{name!r} cannot name a ledger: no spaces and no plus, such as ledger.example.org")
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> SignerKey:
        """The key that a line says. Raises UsageError, which holds no part of it, when it says none."""
        wrong = UsageError("no signer's key: write PRIVATE+KEY+<name>+<key id>+<base64>: see docs/ledger.md")
        line = text.strip()
        if not line.startswith(_SECRET):
            raise wrong
        name, _, rest = line[len(_SECRET) :].partition("+")
        key_id, _, encoded = rest.partition("+")
        material = _decoded(encoded)
        if not _is_name(name) or material is None or material[:1] != _ED25519 or len(material) != 1 + HASH_SIZE:
            raise wrong
        key = cls(name, material[1:])
        if key.verifier.key_id.hex() != key_id:
            raise wrong
        return key

    @cached_property
    def verifier(self) -> VerifierKey:
        """Its public half."""
        return VerifierKey(self.name, self._key.public_key().public_bytes_raw())

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def secret_line(self) -> str:
        """The line that ``parse`` reads; whoever has it can sign."""
        return f"{_SECRET}{self.name}+{self.verifier.key_id.hex()}+{b64encode(_ED25519 + self.seed).decode()}"

    def __repr__(self) -> str:
        return f"SignerKey({self.name!r}, …)"

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note of a checkpoint."""
        return self.note(checkpoint.text)

    def note(self, text: str) -> str:
        """The signed note of a text, which ends with a line break and MUST begin with this key's name and a slash."""
        line = b64encode(self.verifier.key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n{_SIGNATURE}{self.name} {line}\n"


def read_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that one of the keys signed, whose name its origin is or begins with.

    Raises ProofError when the note is no checkpoint, no known key signed it, or a signature of a known key is wrong.
    """
    text, lines = _parts(note)
    checkpoint = _parsed(text)
    signed = False
    for line in lines:
        signed |= _is_signed(text, line, keys, checkpoint.origin)
    if not signed:
        raise ProofError(
            f"the checkpoint of {checkpoint.origin} at size {checkpoint.size} is not signed by a known key"
        )
    return checkpoint


def read_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, str]:
    """The text of any note that one of the keys signed, and that key's name, with which and a slash its text begins.

    Raises ProofError when no known key signed it, or a signature of a known key is wrong.
    """
    text, lines = _parts(note)
    origin = text.partition("\n")[0]
    for key in keys:
        if any(_is_signed(text, line, [key], origin) for line in lines) and origin.startswith(f"{key.name}/"):
            return text, key.name
    raise ProofError(f"the note of {origin[:200]} is not signed by a known key")


def _parts(note: str) -> tuple[str, list[str]]:
    """The text of a note with its last line break, and its signature lines."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise ProofError("a checkpoint has no signatures: it is not a signed note")
    lines = signatures[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise ProofError(f"a checkpoint has {len(lines)} signatures: more than {_MOST_SIGNATURES} are not read")
    return text + "\n", lines


def _is_signed(text: str, line: str, keys: Sequence[VerifierKey], origin: str) -> bool:
    mark, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    blob = _decoded(encoded)
    if mark != _SIGNATURE.strip() or not _is_name(name) or blob is None or len(blob) < 5:
        raise ProofError("a checkpoint has a line that is no signature")
    for key in keys:
        if key.name != name or key.key_id != blob[:4]:
            continue
        if not key.has_signed(text.encode(), blob[4:]):
            raise ProofError(f"the signature of {name} does not match the checkpoint of {origin}")
        if origin != name and not origin.startswith(f"{name}/"):
            raise ProofError(f"{name} signed a checkpoint of {origin}, for which it does not speak")
        return True
    return False


def _parsed(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or any(ord(letter) < ord(" ") for letter in "".join(lines)):
        raise ProofError("a note is no checkpoint: it has not the lines of one")
    origin, size, root = lines[0], lines[1], _decoded(lines[2])
    if not (size.isascii() and size.isdecimal()) or (size[0] == "0" and size != "0"):
        raise ProofError(f"the checkpoint of {origin} has no tree size")
    if root is None or len(root) != HASH_SIZE:
        raise ProofError(f"the checkpoint of {origin} at size {size} has no root")
    return Checkpoint(origin, int(size), root)


def _decoded(text: str) -> bytes | None:
    try:
        found = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Other bits in the padding would make a second text of the same bytes.
    return found if b64encode(found).decode() == text else None


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() or ord(letter) < ord(" ") for letter in name)
