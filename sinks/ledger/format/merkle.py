"""Merkle trees as RFC 6962 and RFC 9162 (section 2.1) define them, over SHA-256: roots, proofs, and a growing tree.

Pure: hashes in, hashes out; 32 bytes each. What a leaf's hash covers is `sinks.ledger.format.leaves`; tiles are
`sinks.ledger.format.tiles`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from seamwatch.errors import ProofError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()
LEAF_PREFIX: Final = b"\x00"
_NODE_PREFIX: Final = b"\x01"
_FEW: Final = 48
"""Below this many pairs, hashing them one by one is quicker than arranging them in an array."""

Span = tuple[int, int]
"""The leaves [start, end) of a tree."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf whose content is ``entry``."""
    return hashlib.sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of the tree with these leaves; without leaves the hash of nothing."""
    tree = Tree()
    tree.append(b"".join(_checked_hashes(leaf_hashes, "leaf")))
    return tree.root()


def inclusion_proof(index: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf ``index`` (from 0) in the tree with these leaves, from its sibling up to the root's child.

    Raises ProofError when there is no such leaf.
    """
    leaves = _checked_hashes(leaf_hashes, "leaf")
    return [root_of(leaves[start:end]) for start, end in inclusion_spans(index, len(leaves))]


def consistency_proof(size1: int, size2: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """The proof that the tree of the first ``size1`` leaves is the beginning of that of the first ``size2``.

    It is empty where there is nothing to prove: for equal sizes, and for an empty first tree. Raises ProofError when
    the sizes are not 0 <= size1 <= size2 <= the number of leaves.
    """
    leaves = _checked_hashes(leaf_hashes, "leaf")
    if not _is_count(size2) or size2 > len(leaves):
        raise ProofError(f"no consistency proof to size {size2}: there are {len(leaves)} leaves")
    return [root_of(leaves[start:end]) for start, end in consistency_spans(size1, size2)]


def verify_inclusion(leaf_index: int, tree_size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Returns when the proof shows that the leaf is in the tree of this size and root; raises ProofError otherwise.

    RFC 9162, section 2.1.3.2.
    """
    if not _is_count(leaf_index) or not _is_count(tree_size) or leaf_index >= tree_size:
        raise ProofError(f"there is no leaf {leaf_index} in a tree of size {tree_size}")
    hashes = _checked_hashes(proof, "proof")
    (computed,) = _checked_hashes([leaf_hash], "leaf")
    position, last = leaf_index, tree_size - 1
    for sibling in hashes:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is too short")
    if computed != root:
        raise ProofError(f"leaf {leaf_index} is not in the tree of size {tree_size}: the roots differ")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Returns when the proof shows that the first tree is the beginning of the second; raises ProofError otherwise.

    An empty first tree proves nothing and is refused. RFC 9162, section 2.1.4.2.
    """
    if not _is_count(size1) or not _is_count(size2) or not 0 < size1 <= size2:
        raise ProofError(f"sizes {size1} and {size2} cannot be compared: write 0 < size1 <= size2")
    hashes = _checked_hashes(proof, "proof")
    if size1 == size2:
        if hashes:
            raise ProofError("the consistency proof of a size with itself must be empty")
        if root1 != root2:
            raise ProofError(f"two different roots for one size, {size1}: the history was forked")
        return
    if size1 & (size1 - 1) == 0:
        hashes = [bytes(root1), *hashes]
    if not hashes:
        raise ProofError("the consistency proof is empty")
    if _climbed(size1, size2, hashes) != (root1, root2):
        raise ProofError(f"the tree of size {size1} is not the beginning of that of size {size2}: the roots differ")


def _climbed(size1: int, size2: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The two roots that a consistency proof comes to."""
    position, last = size1 - 1, size2 - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the consistency proof is too short")
    return first, second


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Whose roots an inclusion proof consists of, in its order (RFC 9162, section 2.1.3.1)."""
    if not _is_count(index) or not _is_count(size) or index >= size:
        raise ProofError(f"there is no leaf {index} in a tree of size {size}")
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(size1: int, size2: int) -> list[Span]:
    """Whose roots a consistency proof consists of, in its order (RFC 9162, section 2.1.4.1)."""
    if not _is_count(size1) or not _is_count(size2) or size1 > size2:
        raise ProofError(f"no consistency proof from size {size1} to {size2}: write 0 <= size1 <= size2")
    if size1 in (0, size2):
        return []
    spans: list[Span] = []
    start, end, whole = 0, size2, True
    while size1 != end:
        middle = start + _split(end - start)
        if size1 <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, whole = middle, False
    if not whole:
        spans.append((start, end))
    return spans[::-1]


def span_root(span: Span, node: Callable[[int, int], bytes]) -> bytes:
    """The root of a span of leaves; ``node(height, index)`` gives the hash of a whole subtree of 2**height leaves."""
    parts = [node(height, index) for height, index in whole_subtrees(span)]
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def whole_subtrees(span: Span) -> Iterator[tuple[int, int]]:
    """Height and index of the largest whole subtrees of a span that begins where one of its own size can, in order."""
    start, end = span
    while start < end:
        height = (end - start).bit_length() - 1
        yield height, start >> height
        start += 1 << height


class Tree:
    """A tree that grows: its size and the roots of its whole subtrees, at most one a level; O(log size) bytes.

    ``frontier`` is those roots, the largest subtree's first.
    """

    def __init__(self, size: int = 0, frontier: bytes = b"") -> None:
        """A tree as it was left. Raises ProofError when the frontier cannot be that of a tree of this size."""
        if not _is_count(size) or len(frontier) != size.bit_count() * HASH_SIZE:
            raise ProofError(f"a tree of size {size} has no frontier of {len(frontier)} bytes")
        self.size = size
        heights = [height for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]
        self._roots = {height: frontier[i * HASH_SIZE : (i + 1) * HASH_SIZE] for i, height in enumerate(heights)}

    def copy(self) -> Tree:
        """A tree of its own, as this one is now."""
        return Tree(self.size, self.frontier())

    def append(self, leaf_hashes: bytes) -> dict[int, tuple[int, bytes]]:
        """Append leaves, their hashes one after another.

        Returns the hashes of all nodes that became whole: by height, the index of the first and the hashes of all.
        """
        made: dict[int, tuple[int, bytes]] = {}
        height, first, row = 0, self.size, leaf_hashes
        self.size += len(leaf_hashes) // HASH_SIZE
        while row:
            made[height] = (first, row)
            if first & 1:
                row = self._roots.pop(height) + row
                first -= 1
            if len(row) // HASH_SIZE & 1:
                self._roots[height] = row[-HASH_SIZE:]
                row = row[:-HASH_SIZE]
            height, first, row = height + 1, first >> 1, _parents(row)
        return made

    def frontier(self) -> bytes:
        """The roots of its whole subtrees, the largest first."""
        return b"".join(self._roots[height] for height in sorted(self._roots, reverse=True))

    def root(self) -> bytes:
        """Its root."""
        hashes = [self._roots[height] for height in sorted(self._roots)]
        if not hashes:
            return EMPTY_ROOT
        root = hashes[0]
        for left in hashes[1:]:
            root = node_hash(left, root)
        return root


def _parents(row: bytes) -> bytes:
    """The hashes of the nodes above a row of an even number of hashes."""
    sha256, pairs = hashlib.sha256, len(row) // (2 * HASH_SIZE)
    if pairs < _FEW:
        starts = range(0, len(row), 2 * HASH_SIZE)
        return b"".join([sha256(_NODE_PREFIX + row[start : start + 2 * HASH_SIZE]).digest() for start in starts])
    prefixed = np.empty((pairs, 1 + 2 * HASH_SIZE), np.uint8)
    prefixed[:, 0] = _NODE_PREFIX[0]
    prefixed[:, 1:] = np.frombuffer(row, np.uint8).reshape(pairs, 2 * HASH_SIZE)
    # As voids, which keep zeros at their end; slicing bytes pair by pair takes longer.
    contents: list[bytes] = prefixed.view(f"V{1 + 2 * HASH_SIZE}").ravel().tolist()
    return b"".join([sha256(content).digest() for content in contents])


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _checked_hashes(hashes: Sequence[bytes], what: str) -> list[bytes]:
    found = list(hashes or ())
    for value in found:
        if not isinstance(value, bytes | bytearray | memoryview) or len(value) != HASH_SIZE:
            raise ProofError(f"a {what} hash is not {HASH_SIZE} bytes")
    return [bytes(value) for value in found]
