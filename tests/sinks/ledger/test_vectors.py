"""Trees and proofs, held to the vectors of a public transparency log's library (tests/sinks/ledger/vectors)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from seamwatch.errors import ProofError
from sinks.ledger.format.merkle import (
    consistency_proof,
    inclusion_proof,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.sinks.ledger.test_merkle import LEAVES

VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "vectors" / "merkle.ndjson").read_text("utf-8").splitlines()
]


def decoded(text: str | None) -> bytes:
    return b64decode(text or "")


def verify(vector: dict[str, Any]) -> None:
    proof = [decoded(each) for each in vector["proof"] or []]
    if "leafIdx" in vector:
        leaf, root = decoded(vector["leafHash"]), decoded(vector["root"])
        verify_inclusion(vector["leafIdx"], vector["treeSize"], leaf, proof, root)
    else:
        verify_consistency(vector["size1"], vector["size2"], proof, decoded(vector["root1"]), decoded(vector["root2"]))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_a_proof_is_accepted_exactly_if_the_vector_says_so(vector: dict[str, Any]) -> None:
    if vector["wantErr"]:
        with pytest.raises(ProofError):
            verify(vector)
    else:
        verify(vector)


def test_there_are_as_many_as_were_taken_over() -> None:
    assert (len(VECTORS), sum(vector["wantErr"] for vector in VECTORS)) == (196, 184)


def test_our_own_roots_and_proofs_are_those_of_the_vectors() -> None:
    made = 0
    for vector in VECTORS:
        if vector["desc"] != "happy path" or ("leafIdx" in vector and decoded(vector["leafHash"]) not in LEAVES):
            continue
        proof = [decoded(each) for each in vector["proof"] or []]
        if "leafIdx" in vector:
            leaves = LEAVES[: vector["treeSize"]]
            assert root_of(leaves) == decoded(vector["root"])
            assert inclusion_proof(vector["leafIdx"], leaves) == proof
        else:
            assert root_of(LEAVES[: vector["size1"]]) == decoded(vector["root1"])
            assert consistency_proof(vector["size1"], vector["size2"], LEAVES) == proof
        made += 1
    assert made == 10
