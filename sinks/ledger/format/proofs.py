"""Proofs: one record, its way to a signed root and the schema to read it by, as one file that needs nothing else.

The file is a C2SP ``tlog-proof``; its ``extra`` line is ours:

    version      1 byte     0x01
    leaf         4 bytes    length, then the leaf's bytes (`sinks.ledger.format.leaves`)
    schema       4 bytes    length, then the writer's Avro schema in parsing canonical form; 0 when it has none to show

Integers are big-endian. Nothing in a file is taken on trust but what a given public key signed: the root covers the
leaf, and the leaf's value names its schema by fingerprint. Reads no store and no file; docs/ledger.md has the format.
"""

from __future__ import annotations

import binascii
import io
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from seamwatch.errors import ProofError, UndecodableRecord, UsageError
from seamwatch.record_types import RECORD_TYPES
from seamwatch.wire.framing import SINGLE_OBJECT_MARKER, single_object_header, split
from seamwatch.wire.schemas import Definition, fingerprint, schema
from sinks.ledger.format.leaves import Entry, entry_bytes, read_entry
from sinks.ledger.format.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from sinks.ledger.format.notes import Checkpoint, VerifierKey, read_checkpoint
from sinks.ledger.format.origins import origin_of
from sinks.published import read_document

HEADER: Final = "c2sp.org/tlog-proof@v1"
VERSION: Final = 1
_DOCUMENTS: Final = "contracts"
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Proof:
    """What a file of proof holds; ``schema`` is empty where the record cannot be read by one."""

    entry: Entry
    schema: str
    index: int
    hashes: Sequence[bytes]
    note: str

    @property
    def text(self) -> str:
        """The file."""
        leaf, form = entry_bytes(self.entry), self.schema.encode()
        extra = bytes([VERSION]) + _LENGTH.pack(len(leaf)) + leaf + _LENGTH.pack(len(form)) + form
        lines = [HEADER, f"extra {_encoded(extra)}", f"index {self.index}", *map(_encoded, self.hashes), "", self.note]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Proven:
    """A record that a signed checkpoint covers, and what its value says; None where no schema can say it."""

    entry: Entry
    index: int
    checkpoint: Checkpoint
    record_type: str | None
    record: dict[str, Any] | None


def read_proof(content: bytes) -> Proof:
    """The proof that a file holds, nothing of it checked yet but its form.

    Raises UsageError when the file is no proof at all, ProofError when it is one that is not whole.
    """
    if not content.startswith(f"{HEADER}\n".encode()):
        raise UsageError(f"no proof: the first line is not {HEADER}; `seamwatch evidence` writes such a file")
    try:
        head, separator, note = content.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise ProofError("the proof is not UTF-8") from error
    _, *lines = head.split("\n")
    if not separator or len(lines) < 2:
        raise ProofError("the proof is cut short: it has no index or no checkpoint")
    leaf, form = _read_extra(_decoded(lines[0].removeprefix("extra "), lines[0].startswith("extra ")))
    index = lines[1].removeprefix("index ")
    if not lines[1].startswith("index ") or not index.isascii() or not index.isdecimal() or str(int(index)) != index:
        raise ProofError("the proof has no index")
    hashes = [_decoded(line) for line in lines[2:]]
    if any(len(value) != HASH_SIZE for value in hashes):
        raise ProofError("a hash of the proof has not its 32 bytes")
    return Proof(read_entry(leaf), form, int(index), hashes, note)


def prove(proof: Proof, keys: Sequence[VerifierKey]) -> Proven:
    """What a proof proves, by one of the keys, whose ledger the record must be of.

    Raises ProofError when its signature, its path or its schema does not hold.
    """
    checkpoint = read_checkpoint(proof.note, keys)
    entry = proof.entry
    if checkpoint.origin not in {origin_of(key.name, (entry.topic, entry.partition)) for key in keys}:
        raise ProofError(f"the checkpoint is of {checkpoint.origin}, the record of {entry.topic}/{entry.partition}")
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry_bytes(entry)), proof.hashes, checkpoint.root)
    record_type, record = read_value(entry, proof.schema)
    return Proven(entry, proof.index, checkpoint, record_type, record)


def canonical_schema(definition: Definition) -> str:
    """A schema in Avro's parsing canonical form, all of which its fingerprint covers."""
    from fastavro.schema import to_parsing_canonical_form

    return str(to_parsing_canonical_form(definition))


def read_value(entry: Entry, form: str) -> tuple[str | None, dict[str, Any] | None]:
    """Record type and record, read by a schema that must be the one that the value itself names; None for neither.

    A published document is JSON, and needs no schema. Raises ProofError when the schema is another, or does not read
    the value.
    """
    import json

    import fastavro

    if not form:
        return _document(entry)
    try:
        definition = json.loads(form)
        header, datum = split(entry.value or b"")
        name = str(definition["name"]).rpartition(".")[2]
        _hold_schema(entry, header, name, form, definition)
        stream = io.BytesIO(datum)
        record = fastavro.schemaless_reader(stream, fastavro.parse_schema(definition), None)
    except ProofError:
        raise
    except UndecodableRecord as error:
        raise ProofError(f"the value of the record cannot be read: {error}") from error
    except Exception as error:  # fastavro raises whatever a wrong schema runs into
        raise ProofError(f"the schema of the proof does not read the record: {error}") from error
    if stream.tell() != len(datum) or not isinstance(record, dict):
        raise ProofError("the schema of the proof does not read the record: bytes are left")
    return name, record


def _document(entry: Entry) -> tuple[str | None, dict[str, Any] | None]:
    if type_of(entry.topic) != _DOCUMENTS:
        return None, None
    try:
        return "document", read_document(entry.key, entry.value)
    except UndecodableRecord:
        return None, None


def type_of(topic: str) -> str:
    """The record type of a topic of whichever prefix, by how its name ends."""
    before, _, last = topic.rpartition(".")
    return "violation" if before.rpartition(".")[2] == "violations" else last


def _hold_schema(entry: Entry, header: bytes, name: str, form: str, definition: Definition) -> None:
    if canonical_schema(definition) != form:
        raise ProofError("the schema of the proof is not in canonical form")
    mark = fingerprint(definition)
    if header[:2] == SINGLE_OBJECT_MARKER:
        if header != single_object_header(mark):
            raise ProofError(f"the schema of the proof is not the one that the record names, {header[2:].hex()}")
        return
    # A registry's number says nothing about the schema: only one that is known here, of this topic's type, will do.
    if name not in RECORD_TYPES or schema(name).fingerprint != mark or type_of(entry.topic) != name:
        raise ProofError("the record names its schema by a registry's number, and the one in the proof is not ours")


def _read_extra(extra: bytes) -> tuple[bytes, str]:
    if extra[:1] != bytes([VERSION]):
        raise ProofError("the proof's extra data is of an unknown version: a newer seamwatch can read it")
    leaf, rest = _taken(extra[1:])
    form, rest = _taken(rest)
    if rest:
        raise ProofError("the proof's extra data has bytes after its end")
    try:
        return leaf, form.decode()
    except UnicodeDecodeError as error:
        raise ProofError("the schema of the proof is not UTF-8") from error


def _taken(content: bytes) -> tuple[bytes, bytes]:
    start = _LENGTH.size
    end = start + int.from_bytes(content[:start], "big")
    if len(content) < end:
        raise ProofError("the proof's extra data ends early")
    return content[start:end], content[end:]


def _encoded(content: bytes) -> str:
    return b64encode(content).decode()


def _decoded(text: str, there: bool = True) -> bytes:
    try:
        found = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    # Other bits in the padding would make a second text of the same bytes.
    if not there or not found or _encoded(found) != text:
        raise ProofError("a line of the proof is not what it should be there, in base64")
    return found
