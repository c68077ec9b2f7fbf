"""Writes `docs/ledger-vector.tlog-proof` and, part by part, what is in it: `docs/ledger-vector.json`.

Run by `docs/check.py`. The private key of the vector is published here and is worth nothing. The schema in it is one of
its own, so that it stays as it is when ours grow.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Final

import fastavro

from seamwatch.wire.framing import single_object_header
from seamwatch.wire.schemas import fingerprint
from sinks.ledger.format.leaves import Entry, entry_bytes
from sinks.ledger.format.merkle import inclusion_proof, leaf_hash, root_of
from sinks.ledger.format.notes import Checkpoint, SignerKey
from sinks.ledger.format.proofs import Proof, canonical_schema

PROOF: Final = Path(__file__).parent / "ledger-vector.tlog-proof"
PARTS: Final = Path(__file__).parent / "ledger-vector.json"
KEY: Final = SignerKey("ledger.example.org", bytes(range(32)))
SIZE: Final = 5
INDEX: Final = 2
_SCHEMA: Final = {
    "type": "record",
    "name": "example.decision",
    "fields": [{"name": "event_id", "type": "string"}, {"name": "score", "type": ["null", "double"]}],
}
_RECORD: Final = {"event_id": "e-1", "score": 0.5}


def proof() -> tuple[Proof, list[bytes]]:
    """The proof of the vector, and the hashes of all leaves of its tree."""
    stream = io.BytesIO(single_object_header(fingerprint(_SCHEMA)))
    stream.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(stream, fastavro.parse_schema(_SCHEMA), _RECORD)
    entries = [
        Entry("t.decision", 1, 10 + i, 1_772_443_800_000 + i, b"k", stream.getvalue(), (("h", b"v"), ("none", None)))
        for i in range(SIZE)
    ]
    leaves = [leaf_hash(entry_bytes(entry)) for entry in entries]
    note = KEY.sign(Checkpoint(f"{KEY.name}/t.decision/1", SIZE, root_of(leaves)))
    hashes = inclusion_proof(INDEX, leaves)
    return Proof(entries[INDEX], canonical_schema(_SCHEMA), INDEX, hashes, note), leaves


def parts() -> dict[str, Any]:
    """The parts of the proof, as JSON values; bytes in hexadecimal."""
    made, leaves = proof()
    leaf = entry_bytes(made.entry)
    return {
        "private_key_hex": KEY.seed.hex(),
        "verifier_key": str(KEY.verifier),
        "leaf": leaf.hex(),
        "leaf_hash": leaf_hash(leaf).hex(),
        "all_leaf_hashes": [each.hex() for each in leaves],
        "index": INDEX,
        "tree_size": SIZE,
        "inclusion_proof": [each.hex() for each in made.hashes],
        "root": root_of(leaves).hex(),
        "note": made.note,
        "schema": made.schema,
        "schema_fingerprint": fingerprint(_SCHEMA).hex(),
        "record": _RECORD,
    }


def pages() -> dict[Path, str]:
    """Both files, by their paths."""
    return {PROOF: proof()[0].text, PARTS: json.dumps(parts(), indent=2, ensure_ascii=False) + "\n"}
