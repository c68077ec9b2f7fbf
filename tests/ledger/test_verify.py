"""Tampering, one kind a topic partition: each is found and named, and nothing else is accused."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit, urlunsplit

from seamwatch.clock import SystemClock
from seamwatch.wire.topics import Topics
from sinks.ledger.findings import Finding
from sinks.ledger.notes import SignerKey
from sinks.ledger.verify import Verifier
from sinks.migrate import migrate
from sinks.record import decoding
from sinks.store import Store
from tests.ledger.book import Book
from tests.sinks.samples import CODEC, encoded

SIZE = 40
# What is done to a partition, and what the first finding must say: its kind, offset and column.
TAMPERING = {
    1: ("ALTER TABLE inference UPDATE score = 0.123 WHERE offset = 17", ("column", 17, "score")),
    2: (
        "ALTER TABLE inference UPDATE raw = concat(substring(raw, 1, 60), 'X', substring(raw, 62)) WHERE offset = 55",
        ("content", 55, "raw"),
    ),
    3: ("ALTER TABLE inference DELETE WHERE offset = 61", ("missing", 61, None)),
    4: (
        "INSERT INTO inference SELECT * REPLACE(203 AS offset) FROM (SELECT * FROM inference WHERE offset = 3) WHERE 1",
        ("inserted", 203, None),
    ),
    5: (
        "ALTER TABLE inference UPDATE offset = if(offset = 30, 31, 30) WHERE offset IN (30, 31)",
        ("content", 30, "raw"),
    ),
    6: ("ALTER TABLE inference DELETE WHERE offset >= 100", ("missing", 100, None)),
    7: (
        "ALTER TABLE checkpoint UPDATE note = replaceOne(note, '\n80\n', '\n79\n') WHERE tree_size = 80",
        ("checkpoint", None, None),
    ),
    8: ("ALTER TABLE inference UPDATE key = 'other' WHERE offset = 5", ("content", 5, "raw")),
    9: ("ALTER TABLE ledger_commit DELETE WHERE first_offset = 80", ("inserted", 80, None)),
    10: ("ALTER TABLE dead_letter UPDATE reason = 'x' WHERE offset = 119", ("column", 119, "reason")),
    11: ("INSERT INTO inference SELECT * FROM inference WHERE offset = 9", ("twice", 9, None)),
}


def first(findings: list[Finding]) -> dict[int, tuple[str, int | None, str | None]]:
    found: dict[int, tuple[str, int | None, str | None]] = {}
    for finding in findings:
        found.setdefault(finding.partition, (finding.what, finding.offset, finding.column))
    return found


def test_each_tampering_is_found_and_named_and_nothing_else_is_accused(clickhouse: str, auditor_url: str) -> None:
    name = f"t_{uuid.uuid4().hex[:10]}"
    url, read = (urlunsplit(urlsplit(each)._replace(path=f"/{name}")) for each in (clickhouse, auditor_url))
    migrate(url)
    key, topics = SignerKey.make("ledger.example.org"), Topics("t")
    with Store(url) as store, Store(read) as reader:
        book = Book(store, topics, key)
        for partition in range(max(TAMPERING) + 1):
            for start in range(0, 3 * SIZE, SIZE):
                values: list[bytes | None] = [encoded(number=start + i) for i in range(SIZE - 1)]
                book.record([*values, b"junk"], partition=partition, headers=[("h", b"\xff")])

        def findings(*outside: str) -> list[Finding]:
            return Verifier(reader, [key.verifier], topics, decoding(CODEC, SystemClock()), outside).run().findings

        kept = store.rows("SELECT note FROM checkpoint WHERE partition = 0 AND tree_size = 120")[0]["note"]
        assert findings(kept) == []
        for partition, (statement, _) in TAMPERING.items():
            wait = " SETTINGS mutations_sync = 2" if statement.startswith("ALTER") else ""
            store.command(f"{statement} AND partition = {partition}{wait}")
        found = first(findings())
        assert found == {partition: expected for partition, (_, expected) in TAMPERING.items()}
        # The newest rows and everything that speaks of them: only a copy kept elsewhere knows.
        for table, condition in {
            "inference": "offset >= 80",
            "dead_letter": "offset >= 80",
            "ledger_commit": "first_offset >= 80",
            "checkpoint": "tree_size > 80",
        }.items():
            store.command(f"ALTER TABLE {table} DELETE WHERE {condition} AND partition = 0 SETTINGS mutations_sync = 2")
        assert 0 not in first(findings())
        assert first(findings(kept))[0] == ("ahead", 80, None)
        store.command(f"DROP DATABASE {name}")
