"""Trees and proofs, held to the recursion of RFC 6962 and to known roots."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.errors import ProofError
from sinks.ledger.format.merkle import (
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from sinks.ledger.format.tiles import WIDTH, pieces, tree_of

CONTENTS = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
]
LEAVES = [leaf_hash(content) for content in CONTENTS]


def naive(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:middle]) + naive(leaves[middle:])).digest()


def some(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def test_the_roots_of_the_customary_eight_leaves_are_the_known_ones() -> None:
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of(LEAVES[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(LEAVES).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(0, 700), st.lists(st.integers(0, 700), max_size=5))
def test_however_it_grew_a_tree_has_the_root_of_the_recursion(size: int, cuts: list[int]) -> None:
    leaves, tree = some(size), Tree()
    for start, end in pairwise(sorted({0, size, *(cut for cut in cuts if cut < size)})):
        tree = Tree(tree.size, tree.frontier())
        tree.append(b"".join(leaves[start:end]))
    assert (tree.size, tree.root()) == (size, naive(leaves))
    assert len(tree.frontier()) <= 32 * 10


@given(st.integers(1, 150), st.data())
def test_every_proof_holds_and_none_for_another_place(size: int, data: st.DataObject) -> None:
    leaves, index = some(size), data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, leaves), naive(leaves)
    verify_inclusion(index, size, leaves[index], proof, root)
    for wrong in {index - 1, index + 1, size}:
        with pytest.raises(ProofError):
            verify_inclusion(wrong, size, leaves[index], proof, root)
    smaller = data.draw(st.integers(1, size))
    steps, before = consistency_proof(smaller, size, leaves), naive(leaves[:smaller])
    verify_consistency(smaller, size, steps, before, root)
    with pytest.raises(ProofError):
        verify_consistency(smaller, size, steps, before, leaf_hash(b"other"))
    with pytest.raises(ProofError):
        verify_consistency(smaller, size, [*steps, root], before, root)


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [(1, 1, []), (-1, 1, []), (0, 0, []), (0, 1, [b"short"]), (0, 2, []), (0, 2, [bytes(32)] * 2)],
)
def test_what_is_malformed_is_refused(index: int, size: int, proof: list[bytes]) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(index, size, LEAVES[0], proof, LEAVES[0])


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_sizes_that_prove_nothing_are_refused(size1: int, size2: int) -> None:
    with pytest.raises(ProofError):
        verify_consistency(size1, size2, [], root_of([]), root_of([]))


def test_a_tree_restored_from_its_tiles_goes_on_as_it_would_have() -> None:
    leaves, tree, tiles = some(70_000), Tree(), dict[tuple[int, int], bytes]()
    for start, end in pairwise([0, 5, 300, 65_536, 70_000]):
        for piece in pieces(tree.append(b"".join(leaves[start:end]))):
            before = tiles.get((piece.level, piece.tile), b"")
            assert len(before) == 32 * piece.start
            tiles[piece.level, piece.tile] = before + piece.hashes
    # The widths that tlog-tiles names for a tree of this size.
    assert len(tiles[0, 273]) // 32 == 112
    assert (len(tiles[1, 0]) // 32, len(tiles[1, 1]) // 32, len(tiles[2, 0]) // 32) == (WIDTH, 17, 1)
    again = tree_of(lambda level, tile: tiles[level, tile], 70_000)
    assert again.frontier() == tree.frontier()
