"""Positions: how far each topic partition is recorded, and what was set out on but not finished.

Reads ledger_intent and ledger_commit; the writer writes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bus.partitions import Partition
from sinks.batches import Range
from sinks.store.client import Store, quoted
from sinks.store.conditions import of_ranges


@dataclass(frozen=True, slots=True)
class Position:
    """Where recording of a topic partition goes on: at ``offset``, None for a partition not recorded so far.

    ``size`` rows are recorded. ``intent`` is the range that was set out on there and not committed, to be done
    again with the same bounds.
    """

    offset: int | None = None
    size: int = 0
    intent: Range | None = None


def positions(store: Store, topics: Iterable[str]) -> dict[Partition, Position]:
    """The position of every topic partition of these topics that the store knows of."""
    named = quoted(sorted(set(topics)))
    if not named:
        return {}
    committed = store.rows(
        "SELECT topic, partition, max(next_offset) AS position, argMax(size, next_offset) AS size "
        f"FROM ledger_commit WHERE topic IN ({named}) GROUP BY topic, partition"
    )
    found = {(row["topic"], row["partition"]): Position(row["position"], row["size"]) for row in committed}
    # An intent at the position is one that nobody has committed. Of several the newest epoch's counts: it was made by
    # somebody who had seen the others, or nothing was ever written for it (docs/store.md, "Several recorders").
    open_intents = store.rows(
        "SELECT intents.topic AS topic, intents.partition AS partition, first_offset AS first, "
        "argMax((next_offset, count), (epoch, recorder)) AS newest "
        f"FROM (SELECT * FROM ledger_intent WHERE topic IN ({named})) AS intents LEFT JOIN "
        "(SELECT topic, partition, max(next_offset) AS position, count() AS commits "
        f"FROM ledger_commit WHERE topic IN ({named}) GROUP BY topic, partition) AS committed "
        "ON intents.topic = committed.topic AND intents.partition = committed.partition "
        "WHERE commits = 0 OR first_offset = position GROUP BY topic, partition, first "
        "ORDER BY max((epoch, recorder))"
    )
    for row in open_intents:
        place = (row["topic"], row["partition"])
        known = found.get(place, Position())
        intent = Range(*place, row["first"], *row["newest"])
        found[place] = Position(known.offset, known.size, intent)
    return found


def recorded(store: Store) -> dict[Partition, int]:
    """By topic partition the offset up to which all is in the store, that one excluded."""
    rows = store.rows(
        "SELECT topic, partition, max(next_offset) AS position FROM ledger_commit GROUP BY topic, partition"
    )
    return {(row["topic"], row["partition"]): int(row["position"]) for row in rows}


def stored_offsets(store: Store, table: str, extent: Range) -> list[int]:
    """The offsets of a range that a table holds, in order, as often as it holds them."""
    answer = store.rows(
        f"SELECT arraySort(groupArray(offset)) AS offsets FROM {table} "
        f"WHERE {of_ranges({extent.place: (extent.first_offset, extent.next_offset)})}"
    )
    return [int(offset) for offset in answer[0]["offsets"]]
