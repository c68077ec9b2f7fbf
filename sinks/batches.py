"""Batches: a range of a topic partition as rows of the store, and its leaves in the ledger. Values only."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from bus.partitions import Partition


@dataclass(frozen=True, slots=True)
class Range:
    """Records [first_offset, next_offset) of a topic partition; ``count`` of them were there to be read."""

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    count: int

    @property
    def place(self) -> Partition:
        """The topic partition it is of."""
        return (self.topic, self.partition)

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.first_offset}-{self.next_offset}"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one range for one table and one month of it; never empty."""

    table: str
    token: str
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Batch:
    """A range and its blocks: each record of the range is one row of one of them.

    ``table`` is the record type's; what cannot be used goes to dead_letter instead. ``leaves`` are the hashes of the
    range's leaves in the ledger, one after another, in offset order.
    """

    range: Range
    table: str
    blocks: tuple[Block, ...]
    dead_letters: int
    leaves: bytes
