"""Disclosed leaves: one proof that many leaves are in a tree, with a hash for each part of it that is not shown.

The hashes are the roots of the largest subtrees (RFC 9162) that hold none of the disclosed leaves, from left to right.
So the proof also tells how many leaves are not shown, and between which: none, where all are. It grows with the leaves
that are shown, and a tree that is shown whole has no hash at all. Pure: hashes in, hashes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seamwatch.errors import ProofError
from sinks.ledger.format.merkle import HASH_SIZE, Span, node_hash

Leaf = tuple[int, bytes]
"""The number of a leaf, and its hash."""


class Undisclosed:
    """The spans of a tree that are not shown, leaf by leaf as those that are shown come, in ascending order."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._next = 0

    def before(self, index: int) -> Iterator[Span]:
        """The spans between the leaf before and this one. Raises ProofError for a leaf out of order, or out of it."""
        if not self._next <= index < self._size:
            raise ProofError(f"leaf {index} cannot follow {self._next - 1} in a tree of size {self._size}")
        start, self._next = self._next, index + 1
        return _within(start, index, 0, self._size)

    def rest(self) -> Iterator[Span]:
        """The spans after the last one."""
        return _within(self._next, self._size, 0, self._size)


def root_of_disclosed(size: int, leaves: Iterable[Leaf], hashes: Iterable[bytes]) -> bytes:
    """The root of a tree of this size with these leaves, in ascending order, and these hashes for what is not shown.

    Reads both as it goes and holds neither. Raises ProofError when there are too few or too many of either.
    """
    disclosed, parts = _Leaves(leaves), iter(hashes)
    root = _root(0, size, disclosed, parts)
    if disclosed.next is not None:
        raise ProofError(f"leaf {disclosed.next[0]} is not in a tree of size {size}, or out of order")
    if next(parts, None) is not None:
        raise ProofError("there are more hashes than parts of the tree that are not shown")
    return root


class _Leaves:
    """Leaves, with a look at the next one."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self._rest = iter(leaves)
        self.next = next(self._rest, None)

    def take(self) -> bytes:
        assert self.next is not None
        index, found = self.next
        self.next = next(self._rest, None)
        if self.next is not None and self.next[0] <= index:
            raise ProofError(f"leaf {self.next[0]} comes after leaf {index}")
        return found


def _root(start: int, end: int, leaves: _Leaves, hashes: Iterator[bytes]) -> bytes:
    if leaves.next is None or leaves.next[0] >= end:
        found = next(hashes, b"")
        if len(found) != HASH_SIZE:
            raise ProofError(f"the hash of the leaves [{start}, {end}), which are not shown, is missing")
        return found
    if end - start == 1:
        return leaves.take()
    middle = _middle(start, end)
    left = _root(start, middle, leaves, hashes)
    return node_hash(left, _root(middle, end, leaves, hashes))


def _within(first: int, last: int, start: int, end: int) -> Iterator[Span]:
    """The largest subtrees of the tree [start, end) that lie within [first, last)."""
    if last <= first or last <= start or end <= first:
        return
    if first <= start and end <= last:
        yield start, end
        return
    middle = _middle(start, end)
    yield from _within(first, last, start, middle)
    yield from _within(first, last, middle, end)


def _middle(start: int, end: int) -> int:
    return start + (1 << ((end - start - 1).bit_length() - 1))
