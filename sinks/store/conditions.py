"""Conditions: SQL for rows of topic partitions, whatever table they are in."""

from __future__ import annotations

from collections.abc import Mapping

from bus.partitions import Partition
from sinks.store.client import quoted


def of_place(place: Partition) -> str:
    """The condition that a row is of a topic partition."""
    return f"topic IN ({quoted([place[0]])}) AND partition = {place[1]}"


def of_ranges(ranges: Mapping[Partition, tuple[int, int]]) -> str:
    """The condition that a row is in one of these ranges of offsets, [first, next), of their topic partitions."""
    parts = (f"({of_place(place)} AND offset >= {first} AND offset < {end})" for place, (first, end) in ranges.items())
    return f"({' OR '.join(parts)})"
