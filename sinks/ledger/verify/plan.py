"""Plans: in which order a verification reads a store, and how much of it at once.

Ranges that were committed at about the same time lie beside each other in the store, whichever topic partition they
are of. So they are taken together, and each such step is cut into chunks along the order in which the table keeps its
rows: no row is read twice, and nothing grows with the size of the store. Arithmetic and one count a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from bus.partitions import Partition
from sinks.ledger.rows import DEAD_LETTER
from sinks.ledger.verify.checking import Chunk
from sinks.ledger.verify.roots import Commit
from sinks.store.client import Store
from sinks.store.conditions import of_ranges

STEP_ROWS: Final = 1_000_000
CHUNK_ROWS: Final = 131_072
_PLACES: Final = 32
"""How many topic partitions a condition names at most."""
_PARTS: Final = 64
"""Into so many chunks a step is cut at most: a commit may say any number of rows, if it was tampered with."""


@dataclass(slots=True)
class Step:
    """Commits of several topic partitions of one table, consecutive ones of each."""

    table: str
    commits: dict[Partition, list[Commit]] = field(default_factory=dict)
    rows: int = 0

    @property
    def ranges(self) -> dict[Partition, tuple[int, int]]:
        """The offsets that its commits span."""
        return {
            place: (min(each.first_offset for each in commits), max(each.next_offset for each in commits))
            for place, commits in self.commits.items()
        }


def steps(table: str, commits: Mapping[Partition, Sequence[Commit]]) -> Iterator[Step]:
    """The steps in which the commits of one table's topic partitions are verified."""
    timed = [
        (time, place, index, commit)
        for place, own in commits.items()
        # A commit that says it is older than the one before it must not come before it.
        for index, (time, commit) in enumerate(zip(accumulate((c.committed_at for c in own), max), own, strict=True))
    ]
    step = Step(table)
    for _, place, _, commit in sorted(timed, key=lambda each: each[:3]):
        if step.rows and (step.rows + commit.count > STEP_ROWS or len({*step.commits, place}) > _PLACES):
            yield step
            step = Step(table)
        step.commits.setdefault(place, []).append(commit)
        step.rows += commit.count
    if step.commits:
        yield step


def chunks(store: Store, step: Step, leading: str | None) -> Iterator[Chunk]:
    """A step in chunks of about CHUNK_ROWS; ``leading`` is the column that the table is ordered by first, if any."""
    tables = tuple(dict.fromkeys((step.table, DEAD_LETTER)))
    whole = of_ranges(step.ranges)
    if step.rows <= CHUNK_ROWS:
        yield Chunk(step.table, tables, whole)
        return
    if leading is None or step.table == DEAD_LETTER:
        for condition in _by_offset(step, step.rows):
            yield Chunk(step.table, tables, condition)
        return
    letters = store.rows(f"SELECT count() AS rows FROM {DEAD_LETTER} WHERE {whole}")[0]["rows"]
    for condition in _by_offset(step, letters):
        yield Chunk(step.table, (DEAD_LETTER,), condition)
    counts = store.rows(
        f"SELECT hex({leading}) AS value, count() AS rows FROM {step.table} WHERE {whole} "
        f"GROUP BY {leading} ORDER BY {leading}"
    )
    first, rows = 0, 0
    for index, count in enumerate(counts):
        rows += count["rows"]
        if index + 1 < len(counts) and rows + counts[index + 1]["rows"] <= CHUNK_ROWS:
            continue
        low, high = counts[first]["value"], count["value"]
        span = f"{leading} >= unhex('{low}') AND {leading} <= unhex('{high}')"
        for condition in _by_offset(step, rows):
            yield Chunk(step.table, (step.table,), f"{span} AND {condition}")
        first, rows = index + 1, 0


def _by_offset(step: Step, rows: int) -> Iterator[str]:
    """The condition of a step in as many parts, along the offsets, as so many rows are chunks."""
    parts = min(_PARTS, max(1, -(-rows // CHUNK_ROWS)))
    for part in range(parts):
        yield of_ranges(
            {
                place: (first + (end - first) * part // parts, first + (end - first) * (part + 1) // parts)
                for place, (first, end) in step.ranges.items()
            }
        )
