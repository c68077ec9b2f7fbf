"""Offline proofs: made from a store, checked with a public key alone, and refused when any byte of one is changed."""

from __future__ import annotations

import json
import sys
import uuid
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from typer.testing import CliRunner

from console.app import build
from seamwatch.errors import ProofError, SeamwatchError, UsageError
from seamwatch.wire.framing import confluent_header
from seamwatch.wire.schemas import schema
from seamwatch.wire.topics import Topics
from seamwatch.wire.writers import Writers
from sinks.ledger import sought
from sinks.ledger.evidence import evidence_of
from sinks.ledger.format.leaves import Entry, entry_bytes
from sinks.ledger.format.merkle import leaf_hash, root_of
from sinks.ledger.format.notes import Checkpoint, SignerKey, VerifierKey
from sinks.ledger.format.proofs import Proof, canonical_schema, prove, read_proof
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import Book
from tests.sinks.samples import encoded, inference

DOCS = Path(__file__).parents[3] / "docs"
VECTOR = (DOCS / "ledger-vector.tlog-proof").read_bytes()
PARTS: dict[str, Any] = json.loads((DOCS / "ledger-vector.json").read_text("utf-8"))
KEY = VerifierKey.parse(PARTS["verifier_key"])
SIGNER = SignerKey(KEY.name, bytes.fromhex(PARTS["private_key_hex"]))


def of_one(entry: Entry, form: str) -> Proof:
    root = root_of([leaf_hash(entry_bytes(entry))])
    return Proof(entry, form, 0, [], SIGNER.sign(Checkpoint(f"{KEY.name}/{entry.topic}/{entry.partition}", 1, root)))


def test_the_published_vector_is_what_the_program_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    import ledger_vectors  # type: ignore[import-not-found]

    assert {path: text.encode() for path, text in ledger_vectors.pages().items()} == {
        DOCS / "ledger-vector.tlog-proof": VECTOR,
        DOCS / "ledger-vector.json": (DOCS / "ledger-vector.json").read_bytes(),
    }
    sys.modules.pop("ledger_vectors")


def test_the_vector_proves_what_its_parts_say() -> None:
    proven = prove(read_proof(VECTOR), [KEY])
    assert (proven.record_type, proven.record) == ("decision", PARTS["record"])
    assert (proven.index, proven.checkpoint.size, proven.checkpoint.root.hex()) == (2, 5, PARTS["root"])
    assert entry_bytes(proven.entry).hex() == PARTS["leaf"]


def test_every_changed_missing_or_added_byte_is_refused() -> None:
    for at in range(len(VECTOR)):
        for other in {VECTOR[at] ^ 1, VECTOR[at] ^ 0x80, 0x0A, 0x30, 0x41} - {VECTOR[at]}:
            with pytest.raises((ProofError, UsageError)):
                prove(read_proof(VECTOR[:at] + bytes([other]) + VECTOR[at + 1 :]), [KEY])
        for changed in (VECTOR[:at] + VECTOR[at + 1 :], VECTOR[:at] + b"A" + VECTOR[at:], VECTOR[:at]):
            with pytest.raises((ProofError, UsageError)):
                prove(read_proof(changed), [KEY])
    with pytest.raises(ProofError):
        prove(read_proof(VECTOR + b"A"), [KEY])


def test_every_bit_of_the_leaf_and_of_the_schema_counts() -> None:
    proof = read_proof(VECTOR)
    extra = VECTOR.split(b"\n")[1].removeprefix(b"extra ")
    leaf, form = entry_bytes(proof.entry), proof.schema.encode()
    content = b"\x01" + len(leaf).to_bytes(4, "big") + leaf + len(form).to_bytes(4, "big") + form
    assert b64encode(content) == extra
    for bit in range(8 * len(content)):
        other = bytearray(content)
        other[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProofError):
            prove(read_proof(VECTOR.replace(extra, b64encode(other))), [KEY])


def test_another_key_and_another_ledgers_checkpoint_prove_nothing() -> None:
    with pytest.raises(ProofError, match="not signed by a known key"):
        prove(read_proof(VECTOR), [SignerKey.make(KEY.name).verifier])
    proof = read_proof(VECTOR)
    root = root_of([leaf_hash(entry_bytes(proof.entry))])
    elsewhere = SIGNER.sign(Checkpoint(f"{KEY.name}/t.other/1", 1, root))
    with pytest.raises(ProofError, match=r"the checkpoint is of .*t\.other/1"):
        prove(Proof(proof.entry, proof.schema, 0, [], elsewhere), [KEY])


def test_a_schema_named_by_number_must_be_the_topics_own() -> None:
    value = confluent_header(7) + encoded()[10:]
    entry = Entry("t.inference", 0, 0, 0, b"k", value)
    own, other = (canonical_schema(schema(name).definition) for name in ("inference", "outcome"))
    assert prove(of_one(entry, own), [KEY]).record_type == "inference"
    for wrong in (other, own.replace('"producer"', '"reporter"')):
        with pytest.raises(ProofError, match="number"):
            prove(of_one(entry, wrong), [KEY])
    assert prove(of_one(Entry("t.inference", 0, 0, 0, None, b"junk"), ""), [KEY]).record is None


def test_an_event_of_a_store_is_proven_from_its_tiles_by_the_command(
    clickhouse: str, auditor_url: str, tmp_path: Path
) -> None:
    name = f"t_{uuid.uuid4().hex[:10]}"
    url, read = (urlunsplit(urlsplit(each)._replace(path=f"/{name}")) for each in (clickhouse, auditor_url))
    migrated(url)
    public = tmp_path / "ledger.key.pub"
    with Store(url) as store, Store(read) as reader:
        book = Book(store, Topics("t"))
        public.write_text(f"{book.key.verifier}\n")
        for start, count in ((0, 300), (301, 1), (302, 400)):
            values: list[bytes | None] = [encoded(number=start + i) for i in range(count - 1)]
            book.record([*values, b"junk"], gap=start % 7, headers=[("h", b"\xff"), ("none", None)])
        writers = Writers()
        for number in (0, 298, 302, 700):
            event = inference(number)["event_id"]
            file = tmp_path / f"{number}.tlog-proof"
            file.write_bytes(evidence_of(reader, sought.event(reader, event), writers.definition).text.encode())
            asked = ["verify", "--proof", str(file), "--key", str(public)]
            said = CliRunner().invoke(build(), [*asked, "--json"])
            answer = json.loads(said.stdout)
            assert (answer["record"]["event_id"], answer["tree_size"]) == (event, 701)
            assert answer["record"]["event_time"].endswith("Z")
            assert f"inference/0\n  event_id     {event}" in CliRunner().invoke(build(), asked).stdout
        with pytest.raises(SeamwatchError, match="no event with event_id 'nobody'"):
            sought.event(reader, "nobody")
        store.command(
            "ALTER TABLE inference UPDATE score = 0.5, key = 'x' WHERE offset < 9 SETTINGS mutations_sync = 2"
        )
        with pytest.raises(ProofError, match="does not hold what was signed"):
            evidence_of(reader, sought.event(reader, inference(0)["event_id"]), writers.definition)
        store.command(f"DROP DATABASE {name}")


def test_a_file_that_is_no_proof_is_used_wrongly_and_one_that_does_not_hold_is_a_problem(tmp_path: Path) -> None:
    public, file = tmp_path / "key.pub", tmp_path / "x.tlog-proof"
    public.write_text(f"{KEY}\n")
    for content, code in ((b"{}", 2), (VECTOR.replace(b"index 2", b"index 3"), 1), (VECTOR[:-20], 1)):
        file.write_bytes(content)
        result = CliRunner().invoke(build(), ["verify", "--proof", str(file), "--key", str(public)])
        assert isinstance(result.exception, SeamwatchError)
        assert result.exception.exit_code == code
