"""A store with records of every topic, made once, and copies of it to be tampered with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from seamwatch.clock import SystemClock
from seamwatch.durations import DAY
from seamwatch.wire.topics import Topics
from sinks.decoding import Decode, decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.verify.findings import Report
from sinks.ledger.verify.verifier import Verifier
from sinks.ledger.verify.workers import Workers
from sinks.retention.retention import Retention
from sinks.store.client import Store
from tests.databases import at, migrated
from tests.sinks.ledger.book import Book
from tests.sinks.mixed import Mixed
from tests.sinks.samples import CODEC

TOPICS = Topics("t")
KEY = SignerKey.make("ledger.example.org")
OLD_MILLIS = 1_672_617_600_000
"""In a month that retention has dropped of some tables: January 2023."""


@dataclass(frozen=True)
class Copy:
    """A database, for its writer and its auditor."""

    writer: str
    auditor: str

    def run(self, *statements: str) -> None:
        """Run statements as a writer, and wait for what they change."""
        with Store(self.writer) as store:
            for statement in statements:
                is_mutation = statement.startswith("ALTER") and (" UPDATE " in statement or " DELETE " in statement)
                store.command(statement + (" SETTINGS mutations_sync = 2" if is_mutation else ""))

    def verified(self, *outside: str) -> Report:
        """What an auditor's verification says."""
        with Store(self.auditor) as store, Workers(self.auditor, decode, 1) as workers:
            return Verifier(store, [KEY.verifier], TOPICS, workers, outside).run()


@dataclass(frozen=True)
class Original:
    """The store that copies are made of."""

    clickhouse: str
    auditor: str
    name: str
    book: Book

    @contextmanager
    def copy(self) -> Iterator[Copy]:
        """A copy of it with all its rows."""
        made = f"t_{uuid.uuid4().hex[:10]}"
        url = at(self.clickhouse, made)
        migrated(url)
        try:
            with Store(url) as store:
                empty = "database = currentDatabase() AND total_rows = 0"  # the list of migrations is not
                for row in store.rows(f"SELECT name FROM system.tables WHERE {empty}"):
                    rows = f"SELECT * FROM {self.name}.{row['name']}"
                    store.command(f"INSERT INTO {row['name']} {rows} SETTINGS insert_deduplicate = 0")
            yield Copy(url, at(self.auditor, made))
        finally:
            with Store(self.clickhouse, database="default") as store:
                store.command(f"DROP DATABASE IF EXISTS {made}")


@contextmanager
def original(clickhouse: str, auditor: str) -> Iterator[Original]:
    """Record an estate's worth of every topic into a store of its own."""
    name = f"t_{uuid.uuid4().hex[:10]}"
    url = at(clickhouse, name)
    migrated(url)
    try:
        with Store(url) as store:
            book, mixed = Book(store, TOPICS, KEY), Mixed(TOPICS)
            # A range of every topic partition of long ago, which retention drops of some, and one of now.
            book.fill(mixed, ranges=1, millis=OLD_MILLIS)
            book.fill(mixed, ranges=1)
            retention = Retention(store, TOPICS, {"inference": 200 * DAY, "violation": 200 * DAY}, SystemClock().now())
            dropped = [retention.drop(month, KEY, "owner@example.org") for month in retention.months()]
            assert len(dropped) == 2
            assert all(dropped)
            book.intend_every()
            yield Original(clickhouse, auditor, name, book)
    finally:
        with Store(clickhouse, database="default") as store:
            store.command(f"DROP DATABASE IF EXISTS {name}")


def decode() -> Decode:
    """The decoding, as the recorder does it."""
    return decoding(CODEC, SystemClock())
