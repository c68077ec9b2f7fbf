"""Tiles: a tree's hashes as C2SP's tlog-tiles cuts them, 256 to a tile, eight levels of the tree apart.

A tile's hash i of level l is the root of 256**l leaves. Here they are kept in the pieces in which the tree grew; a
tile of any width is the beginning of its pieces put together. Arithmetic only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from seamwatch.errors import ProofError
from sinks.ledger.format.merkle import HASH_SIZE, Tree, whole_subtrees

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT


@dataclass(frozen=True, slots=True)
class Piece:
    """Hashes of one tile, from number ``start`` on."""

    level: int
    tile: int
    start: int
    hashes: bytes


def pieces(made: dict[int, tuple[int, bytes]]) -> Iterator[Piece]:
    """What an append to a tree (``Tree.append``) adds to its tiles."""
    for height, (first, hashes) in made.items():
        if height % HEIGHT:
            continue
        at = 0
        while at < len(hashes):
            tile, start = divmod(first + at // HASH_SIZE, WIDTH)
            end = at + (WIDTH - start) * HASH_SIZE
            yield Piece(height // HEIGHT, tile, start, hashes[at:end])
            at = end


ReadTile = Callable[[int, int], bytes]
"""Level and number of a tile to its hashes, as many of them as there are."""


def node(read: ReadTile, height: int, index: int) -> bytes:
    """The root of the whole subtree of 2**height leaves with this index, from tiles.

    Raises ProofError when a tile lacks it.
    """
    level, above = divmod(height, HEIGHT)
    tile, start = divmod(index << above, WIDTH)
    hashes = read(level, tile)[start * HASH_SIZE : (start + (1 << above)) * HASH_SIZE]
    if len(hashes) != HASH_SIZE << above:
        raise ProofError(f"tile {tile} of level {level} lacks hashes")
    tree = Tree()
    tree.append(hashes)
    return tree.root()


def tree_of(read: ReadTile, size: int) -> Tree:
    """The tree of this size, ready to grow, from tiles."""
    return Tree(size, b"".join(node(read, height, index) for height, index in whole_subtrees((0, size))))
