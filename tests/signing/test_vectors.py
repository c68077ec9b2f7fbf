"""The signatures can be checked by another program: this file is one, and knows nothing of ours but the page.

`docs/signature-vectors.json` holds the exact bytes; it is written by `make docs` and must be up to date.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from ruamel.yaml import YAML

from seamwatch.signatures import change_digest
from tests.signing.folder import Folder

DOCS = Path(__file__).parents[2] / "docs"
VECTORS: dict[str, Any] = json.loads((DOCS / "signature-vectors.json").read_text("utf-8"))
TYPES = [f"{number}-{message['type']}" for number, message in enumerate(VECTORS["messages"])]


def canonical(value: Any) -> bytes:
    """RFC 8785, as far as the standard library's JSON goes: whole floats are written as integers."""

    def plain(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: plain(item) for key, item in inner.items()}
        if isinstance(inner, list):
            return [plain(item) for item in inner]
        return int(inner) if isinstance(inner, float) and inner.is_integer() else inner

    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def documents(file: Path) -> dict[str, Any]:
    """The documents of a file by kind and id, with times as the text that they are."""
    yaml = YAML(typ="safe", pure=True)
    yaml.constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)
    return {f"{d['kind']}/{d['id']}": d for d in yaml.load_all(file.read_text("utf-8"))}


def test_the_digest_of_a_document() -> None:
    document = VECTORS["document"]
    assert canonical(document["content"]) == document["canonical"].encode()
    assert hashlib.sha256(document["canonical"].encode()).hexdigest() == document["sha256"]


@pytest.mark.parametrize("message", VECTORS["messages"], ids=TYPES)
def test_the_bytes_and_the_signature_of_a_message(message: dict[str, Any]) -> None:
    fields = dict(message["fields"])
    if message["type"] == "attestation" and fields["value"] is not None:
        fields["value"] = struct.pack(">d", fields["value"]).hex()
    if "relayed_by" in fields:
        fields["evidence_digest"] = hashlib.sha256(fields.pop("evidence").encode()).hexdigest()
    assert canonical({"type": message["type"], **fields}) == message["bytes"].encode()
    key = Ed25519PublicKey.from_public_bytes(b64decode(VECTORS["public_key"]))
    key.verify(b64decode(message["signature"]), message["bytes"].encode())


def test_the_vectors_are_what_the_code_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    import signature_vectors  # type: ignore[import-not-found]

    assert json.loads(json.dumps(signature_vectors.vectors())) == VECTORS
    sys.modules.pop("signature_vectors")


@pytest.mark.parametrize("message", VECTORS["messages"], ids=TYPES)
def test_the_page_shows_the_bytes(message: dict[str, Any]) -> None:
    page = (DOCS / "signatures.md").read_text("utf-8")
    assert message["bytes"] in page
    assert message["signature"] in page


def test_the_page_shows_the_digest_of_an_announcement() -> None:
    page = (DOCS / "signatures.md").read_text("utf-8")
    (change, _withdrawal) = (message["fields"] for message in VECTORS["messages"] if message["type"] == "config_change")
    said = canonical({**change, "environment": "production", "type": "announcement"})
    assert f"{said.decode()}\n{hashlib.sha256(said).hexdigest()}\n" in page
    assert change_digest({**change, "environment": "production", "event_time": 5}) == hashlib.sha256(said).hexdigest()


def test_a_signature_file_is_verified_from_the_files_alone(folder: Folder) -> None:
    folder.sign("lead", "product", "risk")
    people = documents(folder.path / "people.yaml")
    contract = documents(folder.contract)["Contract/credit-limits"]
    signed = set()
    for line in folder.signatures.read_text().splitlines():
        name, digest, person, key_id, signed_at, signature = line.split(" ")
        kind, _, rest = name.partition("/")
        id_, _, version = rest.rpartition("@")
        assert (kind, id_, version) == ("Contract", contract["id"], contract["version"])
        assert digest == hashlib.sha256(canonical(contract)).hexdigest()
        (entry,) = (key for key in people[f"Person/{person}"]["keys"] if key["key_id"] == key_id)
        message = canonical(
            {
                "type": "document", "kind": kind, "id": id_, "version": version, "digest": digest, "person": person,
                "key_id": key_id, "signed_at": signed_at,
            }
        )  # fmt: skip
        key = Ed25519PublicKey.from_public_bytes(b64decode(entry["public"]))
        key.verify(b64decode(signature), message)
        with pytest.raises(InvalidSignature):
            key.verify(b64decode(signature), message + b" ")
        signed.add(person)
    parties = {party["signatory"] for party in contract["parties"].values()}
    assert signed == parties | {"risk@example.org"}
