"""One proof of many leaves: it comes to the root, tells how many are not shown, and takes no leaf more or less."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.errors import ProofError
from sinks.ledger.format.disclosed import Undisclosed, root_of_disclosed
from sinks.ledger.format.merkle import leaf_hash, root_of

LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]


def proof(size: int, shown: Sequence[int]) -> list[bytes]:
    undisclosed = Undisclosed(size)
    spans = [span for index in shown for span in undisclosed.before(index)] + list(undisclosed.rest())
    return [root_of(LEAVES[start:end]) for start, end in spans]


@given(st.integers(1, 300), st.data())
def test_leaves_and_hashes_come_to_the_root_and_to_no_other(size: int, data: st.DataObject) -> None:
    shown = sorted(data.draw(st.sets(st.integers(0, size - 1))))
    hashes = proof(size, shown)
    leaves = [(index, LEAVES[index]) for index in shown]
    root = root_of(LEAVES[:size])
    assert root_of_disclosed(size, leaves, hashes) == root
    assert len(hashes) <= (len(shown) + 1) * 9
    if len(shown) == size:
        assert hashes == []
    if shown:
        at = data.draw(st.integers(0, len(shown) - 1))
        assert not comes_to(root, size, leaves[:at] + leaves[at + 1 :], hashes)
        other = hashlib.sha256(leaves[at][1]).digest()
        assert not comes_to(root, size, [*leaves[:at], (shown[at], other), *leaves[at + 1 :]], hashes)
    if hashes:
        at = data.draw(st.integers(0, len(hashes) - 1))
        assert not comes_to(root, size, leaves, hashes[:at] + hashes[at + 1 :])
        assert not comes_to(root, size, leaves, [*hashes[:at], bytes(32), *hashes[at + 1 :]])
    assert not comes_to(root, size, leaves, [*hashes, bytes(32)])


def comes_to(root: bytes, size: int, leaves: Sequence[tuple[int, bytes]], hashes: Sequence[bytes]) -> bool:
    try:
        return root_of_disclosed(size, leaves, hashes) == root
    except ProofError:
        return False


def test_leaves_out_of_order_or_of_no_tree_are_refused() -> None:
    for leaves in ([(2, LEAVES[2]), (1, LEAVES[1])], [(1, LEAVES[1]), (1, LEAVES[1])], [(9, LEAVES[9])]):
        with pytest.raises(ProofError):
            root_of_disclosed(4, leaves, [bytes(32)] * 4)
    undisclosed = Undisclosed(4)
    list(undisclosed.before(2))
    for index in (2, 1, 4):
        with pytest.raises(ProofError):
            undisclosed.before(index)


def test_an_empty_tree_has_no_leaf_to_show() -> None:
    with pytest.raises(ProofError):
        root_of_disclosed(0, [], [])
