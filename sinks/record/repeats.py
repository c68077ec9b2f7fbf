"""Repeats: finds the events that are on record more than once, so that every answer can count them once.

A record is kept for each delivery; the table `repeated` says which rows are of an event that had arrived before. The
store is asked, by the ids of what was written and over all that it has: so it does not matter how long ago, by which
partition or by which recorder an event came before. What has been looked through is noted in `repeated_until`, so that
a recorder that died is followed by one that goes on there. It changes no row of the record.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
import structlog

from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.errors import UnreachableError
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.topics import Topics
from sinks.batches import Range
from sinks.columns import TIME, columns
from sinks.store.client import Store, quoted
from sinks.store.conditions import of_ranges
from sinks.store.refusals import StoreRefusedError

_log = structlog.get_logger("sinks.record.repeats")

AT_ONCE: Final = 200_000
"""Offsets of a table that are looked through at once."""
FEW: Final = 5_000
"""So many are looked through as soon as they are written; what comes faster waits, so that recording goes first."""
_PAUSES: Final = (1.0, 9.0)
"""How long it is left alone after a look, as a multiple of how long that took: of few, and of more."""
NOTE_SECONDS: Final = 10.0
_REFUSED_PAUSE: Final = 60.0
_AWAY_PAUSE: Final = 2.0

# Of what has no id nothing is known to be the same.
_NO_ID: Final = quoted(["", "00000000-0000-0000-0000-000000000000"])
_FIND: Final = """
INSERT INTO repeated (record_type, event_id, topic, partition, offset, broker_time, event_time, system, version,
    config_digest, first_topic, first_partition, first_offset, found_at)
SELECT '{table}', event_id, topic, partition, offset, broker_time, event_time, system, version, config_digest,
    first.1, first.2, first.3, now64(6)
FROM
(
    SELECT
        event_id, topic, partition, offset, broker_time, event_time, system, {version} AS version,
        {config_digest} AS config_digest,
        first_value((topic, partition, offset)) OVER (
            PARTITION BY event_id ORDER BY broker_time, topic, partition, offset
        ) AS first
    FROM {table}
    WHERE event_id IN
    (
        SELECT event_id
        FROM {table}
        WHERE event_id IN (SELECT event_id FROM {table} WHERE {ranges}) AND event_id NOT IN ({no_id})
        GROUP BY event_id
        HAVING count() > 1
    )
)
WHERE (topic, partition, offset) != first
"""


class Repeats:
    """What one recorder has written and not yet looked through. For the writer's thread alone."""

    def __init__(self, topics: Topics) -> None:
        self._tables = {topics.input(name): name for name in INPUT_TYPES}
        self._waiting: dict[Partition, tuple[int, int]] = {}
        self._unknown: dict[Partition, int] = {}
        self._unnoted: dict[Partition, int] = {}
        self._noted_at = time.monotonic()
        self._next = self._ended = self._took = 0.0

    def take_up(self, recorded: Mapping[Partition, int]) -> None:
        """These topic partitions are this recorder's from now on, and recorded up to these offsets; no others are."""
        self._waiting, self._unnoted = {}, {}
        self._unknown = {place: end for place, end in recorded.items() if place[0] in self._tables and end > 0}
        self._next = 0.0

    def add(self, ranges: Iterable[Range]) -> None:
        """The rows of these ranges are in the store."""
        for extent in ranges:
            if extent.topic in self._tables:
                first, _ = self._waiting.get(extent.place, (extent.first_offset, 0))
                self._waiting[extent.place] = (min(first, extent.first_offset), extent.next_offset)

    @property
    def behind(self) -> int:
        """How many offsets have not been looked through; those before the start of this process count from 0."""
        waiting = sum(end - first for first, end in self._waiting.values())
        return waiting + sum(self._unknown.values())

    @property
    def is_due(self) -> bool:
        """Whether there is something to look through, and it has been left alone for long enough."""
        if not self._waiting and not self._unknown:
            return False
        pause = self._took * _PAUSES[self.behind > FEW]
        return time.monotonic() >= max(self._next, self._ended + pause)

    def look(self, store: Store) -> None:
        """Look through some of it. A store that is away or refuses is asked again later: recording does not wait."""
        begun = time.monotonic()
        try:
            self._resume(store)
            for table, ranges in self._some().items():
                find(store, table, ranges)
                self._done(ranges)
            self._note(store)
        except UnreachableError:
            self._next = time.monotonic() + _AWAY_PAUSE
        except StoreRefusedError as error:
            _log.exception("repeated events are not found, and count as often as they came", code=error.code)
            self._next = time.monotonic() + _REFUSED_PAUSE
        self._ended = time.monotonic()
        self._took = self._ended - begun

    def _resume(self, store: Store) -> None:
        """Go on where whoever had these topic partitions before left off."""
        if not self._unknown:
            return
        known = looked_until(store, {topic for topic, _ in self._unknown})
        for place, end in self._unknown.items():
            first = min(known.get(place, 0), self._waiting.get(place, (end, end))[0])
            if first < max(end, self._waiting.get(place, (0, 0))[1]):
                self._waiting[place] = (first, max(end, self._waiting.get(place, (0, 0))[1]))
        self._unknown = {}

    def _some(self) -> dict[str, dict[Partition, tuple[int, int]]]:
        """By table, ranges that are looked through next: no more than `AT_ONCE` of a table."""
        chosen: dict[str, dict[Partition, tuple[int, int]]] = {}
        for place, (first, end) in self._waiting.items():
            ranges = chosen.setdefault(self._tables[place[0]], {})
            room = AT_ONCE - sum(last - start for start, last in ranges.values())
            if room > 0:
                ranges[place] = (first, min(end, first + room))
        return chosen

    def _done(self, ranges: Mapping[Partition, tuple[int, int]]) -> None:
        for place, (_, until) in ranges.items():
            _, end = self._waiting.pop(place)
            if until < end:
                self._waiting[place] = (until, end)
            self._unnoted[place] = until

    def _note(self, store: Store) -> None:
        """Note how far it is; not each time, since what is looked through again comes to the same."""
        if not self._unnoted or time.monotonic() - self._noted_at < NOTE_SECONDS:
            return
        frame = pl.DataFrame(
            {
                "topic": [topic for topic, _ in self._unnoted],
                "partition": pl.Series([number for _, number in self._unnoted], dtype=pl.Int32),
                "next_offset": pl.Series(list(self._unnoted.values()), dtype=pl.Int64),
            }
        ).with_columns(looked_at=pl.lit(SystemClock().now(), dtype=pl.Int64).cast(TIME))
        named = " ".join(f"{topic}/{number}/{until}" for (topic, number), until in sorted(self._unnoted.items()))
        store.insert("repeated_until", frame, f"repeated_until/{named}")
        self._unnoted, self._noted_at = {}, time.monotonic()


def find(store: Store, table: str, ranges: Mapping[Partition, tuple[int, int]]) -> None:
    """Write to `repeated` which rows are of an event of these ranges, [first, next), that is on record before.

    Safe to repeat. Raises UnreachableError and StoreRefusedError.
    """
    own = columns(table)
    version = "ifNull(version, '')" if "version" in own else "''"
    store.command(
        _FIND.format(
            table=table,
            version=version,
            config_digest="config_digest" if "config_digest" in own else "NULL",
            ranges=of_ranges(ranges),
            no_id=_NO_ID,
        )
    )


def looked_until(store: Store, topics: Iterable[str]) -> dict[Partition, int]:
    """By topic partition, the offset up to which its rows have been looked through."""
    rows = store.rows(
        "SELECT topic, partition, max(next_offset) AS until FROM repeated_until "
        f"WHERE topic IN ({quoted(sorted(set(topics)))}) GROUP BY topic, partition"
    )
    return {(row["topic"], row["partition"]): int(row["until"]) for row in rows}
