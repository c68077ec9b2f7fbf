"""Origins: the name of a topic partition's tree, which its checkpoints begin with, and back."""

from __future__ import annotations

from collections.abc import Sequence

from bus.partitions import Partition
from seamwatch.errors import ProofError
from sinks.ledger.format.notes import VerifierKey


def origin_of(name: str, place: Partition) -> str:
    """The origin line of the tree of a topic partition, in the ledger whose key has this name."""
    return f"{name}/{place[0]}/{place[1]}"


def place_of(origin: str, keys: Sequence[VerifierKey]) -> Partition:
    """The topic partition of a tree by its origin, in the ledger of one of these keys.

    Raises ProofError if it is none.
    """
    for key in keys:
        topic, _, partition = origin.removeprefix(f"{key.name}/").rpartition("/")
        if partition.isdecimal() and origin == origin_of(key.name, (topic, int(partition))):
            return topic, int(partition)
    raise ProofError(f"{origin} names no topic partition")
