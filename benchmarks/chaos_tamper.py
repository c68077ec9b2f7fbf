"""Tampers with a store at random places and has it verified: every tampering found, its first bad row named.

    python -m benchmarks.chaos_tamper [--tries 540] [--seed N]

Records topic partitions of every topic through the ledger into a ClickHouse of its own: several kinds of violations,
notices, pages, erasures, documents, odd ids, missing values, gaps in the offsets, dead letters, headers and old months,
and lets retention drop some of those. Then, round by round, tampers with most of the topic
partitions of a copy in one of the ways of `benchmarks.tampering` each, verifies it as `seamwatch verify` does, and
demands of every one of them the right first finding, and of the others none. The seed is printed and makes the same
choices again. Exit 1 when anything was not found, named wrongly or accused wrongly.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from benchmarks.tampering import (
    WAYS,
    Expected,
    Golden,
    Range,
    Row,
    Tampering,
    Way,
    dropped_month,
    forged_removal,
    rewritten_history,
)
from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.durations import DAY
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from sinks.decoding import Decode, decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.rows import DEAD_LETTER, tables_with
from sinks.ledger.verify.findings import Finding
from sinks.ledger.verify.verifier import Verifier
from sinks.ledger.verify.workers import Workers
from sinks.retention.retention import Retention
from sinks.store.client import Store
from sinks.store.migrate import migrate
from stack.local import LocalStack
from tests.sinks.ledger.book import NOW_MILLIS, Book
from tests.sinks.mixed import Mixed
from tests.sinks.samples import CODEC

TOPICS: Final = Topics("chaos")
AGED: Final = ("inference", "violations.range", "page", "acknowledgement")
"""Topics of which a topic partition each has its first range in a month of its own."""
DROPPED: Final = ("inference", "tool_call", "notice", "violations.freshness")
"""Topics of which a topic partition each has its first range in a month that retention has dropped."""
RETAINED: Final = 202306
_ELSEWHERE: Final = "127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Try:
    """One topic partition of one round: how it was tampered with, and what must be found; None for one left alone."""

    way: str
    expected: Expected | None
    done: tuple[str, ...]


@dataclass(slots=True)
class Chaos:
    """A store that was recorded once, and a copy that is tampered with over and over."""

    url: str
    read: str
    key: SignerKey
    chance: random.Random
    name: str
    golden: dict[Partition, Golden]

    def rounds(self, tries: int) -> Iterator[tuple[dict[Partition, Try], dict[Partition, list[Finding]]]]:
        """What was done to each topic partition and what was found there, until there were so many tries."""
        with Store(self.at("golden")) as store:
            if found := self.found("golden", [row["note"] for row in store.rows("SELECT note FROM checkpoint")]):
                raise AssertionError(f"an untouched store is accused: {found}")
        while tries > 0:
            done = self._tampered()
            outside = [note for each in done.values() if each.expected for note in each.expected.outside]
            yield done, self.found("work", outside)
            tries -= sum(each.expected is not None for each in done.values())

    def found(self, name: str, outside: list[str]) -> dict[Partition, list[Finding]]:
        """What a verification of one of the two finds, by topic partition."""
        with Store(self.at(name, self.read)) as store, Workers(self.at(name, self.read), _decode, 1) as workers:
            report = Verifier(store, [self.key.verifier], TOPICS, workers, outside).run()
        found: dict[Partition, list[Finding]] = {}
        for finding in report.findings:
            found.setdefault((finding.topic or "", finding.partition or 0), []).append(finding)
        return found

    def _tampered(self) -> dict[Partition, Try]:
        """Make the copy what was recorded, and tamper with nine in ten of its topic partitions."""
        with Store(self.at("work")) as store:
            for table in _tables(store):
                store.command(f"TRUNCATE TABLE {table}")
                store.command(
                    f"INSERT INTO {table} SELECT * FROM {self.name}_golden.{table} SETTINGS insert_deduplicate = 0"
                )
            columns, keyed = _columns(store)
            done = {}
            for place, golden in self.golden.items():
                tampering = Tampering(store, f"{self.name}_golden", self.key, columns, keyed, self.chance)
                way = self.chance.choice(_ways(golden))
                if self.chance.random() < 0.1:
                    done[place] = Try("left alone", None, ())
                else:
                    expected = way(tampering, golden)
                    done[place] = Try(way.__name__, expected, tuple(tampering.done))
        return done

    def at(self, name: str, url: str | None = None) -> str:
        """The address of what was recorded, ``golden``, or of the copy, ``work``."""
        return urlunsplit(urlsplit(url or self.url)._replace(path=f"/{self.name}_{name}"))


def wrong(tried: Try, findings: list[Finding]) -> str | None:
    """What is wrong with the answer to one try; None when it is right."""
    expected = tried.expected
    if expected is None:
        return f"accused: {findings[0]}" if findings else None
    if not findings:
        return "not found"
    first = findings[0]
    right = first.what in expected.kinds and first.offset == expected.offset
    if right and (expected.column is None or first.column == expected.column):
        return None
    return f"expected {expected.kinds} at {expected.offset} {expected.column or ''}, found {first.what}: {first}"


@contextmanager
def chaos(url: str, read: str, seed: int, partitions: int) -> Iterator[Chaos]:
    """Record so many topic partitions, and take the databases away at the end."""
    key, name = SignerKey.make("ledger.example.org"), f"t_{uuid.uuid4().hex[:10]}"
    made = Chaos(url, read, key, random.Random(seed), name, {})
    try:
        for each in ("golden", "work"):
            migrate(made.at(each))
        with Store(made.at("golden")) as store:
            book, mixed = Book(store, TOPICS, key), Mixed(TOPICS, seed=seed)
            written = [_recorded(book, mixed, number, made.chance) for number in range(partitions)]
            tables = _tables_of(store)
            _retain(store, key)
            there = _tables_of(store)
            for place, month, ranges in written:
                made.golden[place] = _golden(place, month, ranges, tables, there)
        yield made
    finally:
        with Store(url, database="default") as store:
            for each in ("golden", "work"):
                store.command(f"DROP DATABASE IF EXISTS {name}_{each}")


def _ways(golden: Golden) -> Sequence[Way]:
    if golden.month is not None:
        return [dropped_month]
    if any(row.is_gone for each in golden.ranges for row in each.rows):
        return [forged_removal, forged_removal, *(way for way in WAYS if way is not rewritten_history)]
    return WAYS


def _recorded(
    book: Book, mixed: Mixed, number: int, chance: random.Random
) -> tuple[Partition, int | None, list[tuple[int, int, int, list[int]]]]:
    """Record a topic partition: ranges of a few records, gaps between them, some of them dead letters.

    Returns the month that its first range alone is in, if that is an old one, and each range: its bounds, the size of
    the tree after it, and the offsets of its records.
    """
    month, topic = None, ""
    if number < len(AGED):
        # One that is in no month of another's.
        month, topic = 202401 + number, f"{TOPICS.prefix}.{AGED[number]}"
    elif number < len(AGED) + len(DROPPED):
        month, topic = RETAINED, f"{TOPICS.prefix}.{DROPPED[number - len(AGED)]}"
    else:
        names = mixed.names()
        topic = names[number % len(names)]
    place = (topic, number)
    ranges = []
    for index in range(chance.randrange(2, 6)):
        millis = NOW_MILLIS if month is None or index else _millis(month)
        mixed.now, mixed.poison = millis * 1000, 0.0
        count = chance.randrange(2, 14)
        sent = []
        for at in range(count):
            # Two of each range are good for certain: what is to be swapped has to be there.
            mixed.poison = 0.15 if at >= 2 else 0.0
            sent.append(mixed.of(topic, number))
        first, size = book.at.get(place, (0, 0))
        gap = chance.choice([0, 0, 1, 3])
        book.write(sent, gap=gap, millis=millis)
        start = first + gap
        ranges.append((first, start + count, size + count, [*range(start, start + count)]))
    book.intend(number, topic.removeprefix(f"{TOPICS.prefix}."))
    return place, None if month == RETAINED else month, ranges


def _golden(
    place: Partition,
    month: int | None,
    ranges: list[tuple[int, int, int, list[int]]],
    tables: dict[tuple[Partition, int], str],
    there: dict[tuple[Partition, int], str],
) -> Golden:
    """What was recorded of a place, by where each record was put before retention, and what of it is left."""
    table = tables[place, ranges[0][3][0]]
    assert table != DEAD_LETTER, f"what was to be a good record of {place} is none"
    made = tuple(
        Range(
            first,
            following,
            size,
            tuple(Row(tables[place, offset], offset, (place, offset) not in there) for offset in offsets),
        )
        for first, following, size, offsets in ranges
    )
    return Golden(place, table, made, month)


def _tables_of(store: Store) -> dict[tuple[Partition, int], str]:
    """The table that each record is in."""
    parts = (f"SELECT '{table}' AS name, topic, partition, offset FROM {table}" for table in tables_with(store, "raw"))
    rows = store.rows(f"SELECT * FROM ({' UNION ALL '.join(parts)})")
    return {((row["topic"], row["partition"]), row["offset"]): row["name"] for row in rows}


def _retain(store: Store, key: SignerKey) -> None:
    retention = Retention(store, TOPICS, {"*": 200 * DAY}, SystemClock().now())
    for month in retention.months():
        if month.month == RETAINED and month.table != DEAD_LETTER:
            retention.drop(month, key, "owner@example.org")


def _millis(month: int) -> int:
    return int(datetime(month // 100, month % 100, 2, tzinfo=UTC).timestamp()) * 1000


def _columns(store: Store) -> tuple[dict[str, dict[str, str]], dict[str, set[str]]]:
    """The columns of each table and their types, and those that it is sorted or parted by."""
    rows = store.rows(
        "SELECT table, name, type, is_in_sorting_key OR is_in_partition_key AS keyed FROM system.columns "
        "WHERE database = currentDatabase()"
    )
    found: dict[str, dict[str, str]] = {}
    keyed: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["table"], {})[row["name"]] = row["type"]
        keyed.setdefault(row["table"], set()).update([row["name"]] if row["keyed"] else [])
    return found, keyed


def _tables(store: Store) -> list[str]:
    """The tables that hold what was recorded and what speaks of it."""
    rows = store.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' "
        "AND name NOT IN ('migration', 'shipped_view') ORDER BY name"
    )
    return [row["name"] for row in rows]


def _decode() -> Decode:
    return decoding(CODEC, SystemClock())


def main() -> None:
    """Run it and print what was tried, how often, and what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=540)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--partitions", type=int, default=60)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    begun = time.monotonic()
    tried, faults = Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="seamwatch-tamper-") as folder:
        settings = load_settings(data=Path(folder)).model_copy(update={"kafka": _ELSEWHERE, "clickhouse": None})
        with (
            LocalStack(Path(folder), settings) as addresses,
            chaos(addresses.clickhouse, addresses.auditor, arguments.seed, arguments.partitions) as made,
        ):
            for done, found in made.rounds(arguments.tries):
                print(f"{sum(tried.values()) + len(done)} after {time.monotonic() - begun:.0f} s", flush=True)
                for place, each in done.items():
                    tried[each.way] += 1
                    if (fault := wrong(each, found.get(place, []))) is not None:
                        faults += 1
                        print(f"{place} {each.way}: {fault}", *each.done, sep="\n    ", flush=True)
    for way, count in sorted(tried.items()):
        print(f"{count:5}  {way}")
    print(f"{sum(tried.values())} topic partitions in {time.monotonic() - begun:.0f} s, {faults} answered wrongly")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
