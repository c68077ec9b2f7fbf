"""Kept: the newest signed checkpoint of every topic partition in one file, to be kept where no writer of the store is.

    a signed note, as C2SP has it
    <an empty line>
    the next one …

Whoever keeps such a file finds out when the newest rows, or a whole topic, vanish together with all that speaks of
them. Bringing it up to date is a check of its own: a tree only grows, and what was signed stays its beginning. SELECT
only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bus.partitions import Partition
from seamwatch.errors import ProofError
from sinks.ledger.format.notes import Checkpoint, VerifierKey, read_checkpoint
from sinks.ledger.format.origins import place_of
from sinks.ledger.format.tiles import tree_of
from sinks.ledger.rows import tile_reader
from sinks.store.client import Store

_BETWEEN: Final = re.compile(r"\n{2,}(?!— )")
_TRIED: Final = 3
"""So many of the largest heads of a topic partition are looked at for one that holds."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint and the note that it was read from."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Update:
    """What a file is to hold, how much of it is ``newer`` than it was, and what speaks of tampering, a line each."""

    kept: list[Kept]
    newer: int
    wrong: list[str]


def split_notes(text: str) -> list[str]:
    """The notes in a file. One note alone is such a file too."""
    return [f"{part}\n" for part in _BETWEEN.split(text.strip("\n")) if part]


def join_notes(kept: Sequence[Kept]) -> str:
    """The file of these."""
    return "\n".join(each.note for each in kept)


def read_kept(text: str, keys: Sequence[VerifierKey]) -> list[tuple[Partition, Kept]]:
    """The checkpoints in a file and whose they are. Raises ProofError, with its number, for one that does not hold."""
    found = []
    for number, note in enumerate(split_notes(text), 1):
        try:
            checkpoint = read_checkpoint(note, keys)
            found.append((place_of(checkpoint.origin, keys), Kept(checkpoint, note)))
        except ProofError as error:
            raise ProofError(f"checkpoint {number}: {error}") from error
    return found


def update(store: Store, keys: Sequence[VerifierKey], before: Sequence[tuple[Partition, Kept]]) -> Update:
    """The newest committed checkpoints of a store, and of those kept before what the store has nothing newer for.

    A checkpoint that was kept is only ever replaced by one that the store's tiles prove to be its continuation.
    """
    wrong: list[str] = []
    newest = _newest(store, keys, wrong)
    kept: list[tuple[Partition, Kept]] = []
    newer = 0
    for place, old in before:
        new = newest.get(place)
        if new is not None and new.checkpoint.size >= old.checkpoint.size and _continues(store, place, old, new):
            continue
        wrong.append(_contradiction(place, old, new))
        kept.append((place, old))
    held = {place: max(each.checkpoint.size for at, each in before if at == place) for place, _ in before}
    for place, new in newest.items():
        # What is less than is kept already adds nothing.
        if new.checkpoint.size >= held.get(place, 0) and (place, new) not in kept:
            newer += new.checkpoint.size > held.get(place, -1)
            kept.append((place, new))
    kept.sort(key=lambda each: (each[0], each[1].checkpoint.size))
    return Update([each for _, each in kept], newer, wrong)


def _newest(store: Store, keys: Sequence[VerifierKey], wrong: list[str]) -> dict[Partition, Kept]:
    """The largest committed head of each topic partition that holds; what does not is told."""
    found: dict[Partition, Kept] = {}
    for row in _heads(store):
        place = (row["topic"], row["partition"])
        if place in found:
            continue
        try:
            checkpoint = read_checkpoint(row["note"], keys)
            of = (place_of(checkpoint.origin, keys), checkpoint.size)
        except ProofError as error:
            wrong.append(f"{_named(place)}: the checkpoint of size {row['size']} in the store does not hold: {error}")
            continue
        if of == (place, row["size"]):
            found[place] = Kept(checkpoint, row["note"])
        else:
            wrong.append(f"{_named(place)}: the checkpoint of size {row['size']} in the store is of {_named(of[0])}")
    return found


def _heads(store: Store) -> list[dict[str, Any]]:
    # What is signed and not yet committed may still be on its way.
    return store.rows(
        "SELECT topic, partition, tree_size AS size, note FROM checkpoint AS heads "
        "INNER JOIN (SELECT topic, partition, max(size) AS committed FROM ledger_commit GROUP BY topic, partition) "
        "AS commits USING (topic, partition) WHERE size <= committed "
        f"ORDER BY topic, partition, size DESC, created_at DESC LIMIT {_TRIED} BY topic, partition"
    )


def _continues(store: Store, place: Partition, old: Kept, new: Kept) -> bool:
    """Whether the old head is the beginning of the new one, as the store's tiles show for both."""
    if old.checkpoint.size == new.checkpoint.size:
        return old.checkpoint.root == new.checkpoint.root
    read = tile_reader(store, place)
    try:
        return all(tree_of(read, head.size).root() == head.root for head in (old.checkpoint, new.checkpoint))
    except ProofError:
        return False


def _contradiction(place: Partition, old: Kept, new: Kept | None) -> str:
    size = old.checkpoint.size
    if new is None:
        return f"{_named(place)}: a checkpoint of {size} records is kept, and the store has none: it is gone from there"
    if new.checkpoint.size < size:
        return (
            f"{_named(place)}: a checkpoint of {size} records is kept, and the newest in the store is of "
            f"{new.checkpoint.size}: the end is missing there"
        )
    return (
        f"{_named(place)}: the tiles do not show the kept checkpoint of {size} records to be the beginning of that of "
        f"{new.checkpoint.size}; both stay in the file, and `seamwatch verify --checkpoints` says more"
    )


def _named(place: Partition) -> str:
    return f"{place[0]}[{place[1]}]"
