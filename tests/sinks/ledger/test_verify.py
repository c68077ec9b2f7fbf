"""The verifier: an untouched store is never accused, and each way to tamper with one is found and named."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

import pytest

from benchmarks import verify as verify_bench
from seamwatch.clock import SystemClock
from seamwatch.errors import StoreError
from seamwatch.judging.records import violation_record
from seamwatch.wire.topics import Topics
from sinks.decoding import Decode, decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.rows import DEAD_LETTER
from sinks.ledger.verify.checking import Chunk
from sinks.ledger.verify.findings import Finding, Report
from sinks.ledger.verify.verifier import Verifier
from sinks.ledger.verify.workers import Workers
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import NOW_MILLIS, Book
from tests.sinks.samples import CODEC, encoded, violation

SIZE = 8
"""Records a range; three ranges a topic partition, the last record of each a dead letter."""
KEY = SignerKey.make("ledger.example.org")
TOPICS = Topics("t")
START = NOW_MILLIS - 86_400_000
TABLES = (
    *("inference", "violation", "dead_letter", "checkpoint"),
    *("ledger_intent", "ledger_commit", "ledger_tile"),
)
First = dict[int | None, tuple[str, int | None, str | None]]
# What is done to a partition, and what the first finding must say: its kind, offset and column.
TAMPERING = {
    1: ("ALTER TABLE inference UPDATE score = 0.123 WHERE offset = 4", ("column", 4, "score")),
    2: (
        "ALTER TABLE inference UPDATE raw = concat(substring(raw, 1, 60), 'X', substring(raw, 62)) WHERE offset = 11",
        ("content", 11, "raw"),
    ),
    3: ("ALTER TABLE inference DELETE WHERE offset = 13", ("missing", 13, None)),
    4: (
        "INSERT INTO inference SELECT * REPLACE(43 AS offset) FROM (SELECT * FROM inference WHERE offset = 3) WHERE 1",
        ("inserted", 43, None),
    ),
    5: (
        "ALTER TABLE inference UPDATE offset = if(offset = 5, 6, 5) WHERE offset IN (5, 6)",
        ("content", 5, "raw"),
    ),
    6: ("ALTER TABLE inference DELETE WHERE offset >= 20", ("missing", 20, None)),
    7: (
        "ALTER TABLE checkpoint UPDATE note = replaceOne(note, '\n16\n', '\n15\n') WHERE tree_size = 16",
        ("checkpoint", 8, None),
    ),
    8: ("ALTER TABLE inference UPDATE key = 'other' WHERE offset = 2", ("content", 2, "raw")),
    9: ("ALTER TABLE ledger_commit DELETE WHERE first_offset = 8", ("commit", 8, None)),
    10: ("ALTER TABLE dead_letter UPDATE reason = 'x' WHERE offset = 23", ("column", 23, "reason")),
    11: ("INSERT INTO inference SELECT * FROM inference WHERE offset = 3", ("twice", 3, None)),
    12: ("ALTER TABLE checkpoint DELETE WHERE tree_size > 16", ("unsigned", 16, None)),
    13: ("ALTER TABLE checkpoint DELETE WHERE 1", ("unsigned", 0, None)),
    14: ("ALTER TABLE inference UPDATE headers = [('h', 'v')] WHERE offset = 9", ("content", 9, "raw")),
}


@pytest.fixture(scope="module")
def database(clickhouse: str, auditor_url: str) -> Iterator[tuple[str, str]]:
    """Addresses of a migrated database, for its writer and for its auditor; migrating takes longer than any test."""
    name = f"t_{uuid.uuid4().hex[:10]}"
    url, read = (urlunsplit(urlsplit(each)._replace(path=f"/{name}")) for each in (clickhouse, auditor_url))
    migrated(url)
    yield url, read
    with Store(url, database="default") as store:
        store.command(f"DROP DATABASE {name}")


@pytest.fixture
def store(database: tuple[str, str]) -> Iterator[Store]:
    with Store(database[0]) as store:
        yield store
        for table in TABLES:
            store.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def read(database: tuple[str, str]) -> str:
    return database[1]


def decode() -> Decode:
    return decoding(CODEC, SystemClock())


def verified(read: str, *outside: str, since: int | None = None) -> Report:
    with Store(read) as store, Workers(read, decode, 1) as workers:
        return Verifier(store, [KEY.verifier], TOPICS, workers, outside, since).run()


def fill(book: Book, partition: int) -> None:
    for start in range(0, 3 * SIZE, SIZE):
        values: list[bytes | None] = [encoded(number=start + i) for i in range(SIZE - 1)]
        book.record([*values, b"junk"], partition=partition, headers=[("h", b"\xff")])


def first(findings: list[Finding]) -> First:
    found: First = {}
    for finding in findings:
        found.setdefault(finding.partition, (finding.what, finding.offset, finding.column))
    return found


def test_each_tampering_is_found_and_named_and_nothing_else_is_accused(store: Store, read: str) -> None:
    book = Book(store, TOPICS, KEY)
    for partition in range(max(TAMPERING) + 1):
        fill(book, partition)
    kept = store.rows("SELECT note FROM checkpoint WHERE partition = 0 AND tree_size = 24")[0]["note"]
    report = verified(read, kept)
    assert (report.findings, report.rows) == ([], 24 * len(book.at))
    for partition, (statement, _) in TAMPERING.items():
        wait = " SETTINGS mutations_sync = 2" if statement.startswith("ALTER") else ""
        store.command(f"{statement} AND partition = {partition}{wait}")
    assert first(verified(read).findings) == {partition: expected for partition, (_, expected) in TAMPERING.items()}
    # The newest rows and everything that speaks of them: only a copy kept elsewhere knows.
    for table, condition in {
        "inference": "offset >= 16",
        "dead_letter": "offset >= 16",
        "ledger_commit": "first_offset >= 16",
        "checkpoint": "tree_size > 16",
    }.items():
        store.command(f"ALTER TABLE {table} DELETE WHERE {condition} AND partition = 0 SETTINGS mutations_sync = 2")
    assert 0 not in first(verified(read).findings)
    assert first(verified(read, kept).findings)[0] == ("ahead", 16, None)


def test_rows_of_several_topics_in_one_table_are_told_apart(store: Store, read: str) -> None:
    """A violation's topic is that of its kind; the bytes of one name may be as many as there are rows."""
    book = Book(store, TOPICS, KEY)
    for kind in ("range", "scope", "human_review"):
        for partition in range(2):
            states = [violation(n, kind=kind, violation_id=f"{kind}-{partition}-{n}") for n in range(partition + 3)]
            values: list[bytes | None] = [CODEC.encode("violation", violation_record(each)) for each in states]
            book.record([*values, b"junk"], f"violations.{kind}", partition)
    report = verified(read)
    assert (report.findings, report.rows, report.partitions) == ([], 3 * (4 + 5), 6)
    changed = "topic = 't.violations.scope' AND partition = 1 AND offset = 2"
    store.command(f"ALTER TABLE violation UPDATE person = 'eve' WHERE {changed} SETTINGS mutations_sync = 2")
    (finding,) = verified(read).findings
    assert (finding.topic, finding.partition, finding.offset) == ("t.violations.scope", 1, 2)
    assert (finding.what, finding.table, finding.column) == ("column", "violation", "person")


def test_what_is_being_recorded_is_left_out_until_it_is_signed_for_and_then_it_must_be_there(
    store: Store, read: str
) -> None:
    book = Book(store, TOPICS, KEY)
    for partition in range(3):
        fill(book, partition)
        book.intend(partition)
    for table, partition in (("checkpoint", 0), ("ledger_commit", 0), ("ledger_commit", 1), ("ledger_commit", 2)):
        condition = f"partition = {partition} AND {'tree_size' if table == 'checkpoint' else 'size'} > 16"
        store.command(f"ALTER TABLE {table} DELETE WHERE {condition} SETTINGS mutations_sync = 2")
    book.record([encoded(number=0)], partition=3)
    book.intend(3)
    for table in ("checkpoint", "ledger_commit"):
        store.command(f"ALTER TABLE {table} DELETE WHERE partition = 3 SETTINGS mutations_sync = 2")
    report = verified(read)
    assert (report.findings, report.rows) == ([], 16 + 24 + 24)
    store.command("ALTER TABLE inference DELETE WHERE offset >= 20 AND partition = 2 SETTINGS mutations_sync = 2")
    assert first(verified(read).findings) == {2: ("missing", 20, None)}


@pytest.mark.usefixtures("store")
def test_a_store_is_never_accused_while_it_is_recorded(database: tuple[str, str]) -> None:
    url, read = database
    recording = Thread(target=verify_bench.fill, args=(url, KEY, 2_000, 50))
    recording.start()
    rows: list[int] = []
    while recording.is_alive() or len(rows) < 2:
        with Store(read) as store, Workers(read, decode, 1) as workers:
            report = Verifier(store, [KEY.verifier], verify_bench.TOPICS, workers).run()
        assert report.findings == []
        rows.append(report.rows)
    recording.join()
    assert rows == sorted(rows)


def test_since_goes_up_from_the_last_checkpoint_before_and_looks_at_nothing_older(store: Store, read: str) -> None:
    book = Book(store, TOPICS, KEY)
    for hour in range(3):
        values: list[bytes | None] = [encoded(number=SIZE * hour + i) for i in range(SIZE)]
        book.record(values, millis=START + hour * 3_600_000)
    since = (START + 1_800_000) * 1_000
    assert (report := verified(read, since=since)).findings == []
    assert report.rows == 2 * SIZE
    store.command("ALTER TABLE inference UPDATE score = 7 WHERE offset IN (2, 13) SETTINGS mutations_sync = 2")
    assert first(verified(read, since=since).findings) == {0: ("column", 13, "score")}
    assert first(verified(read).findings) == {0: ("column", 2, "score")}
    # What a commit kept of its tree is not trusted: without it the record is read from its beginning.
    store.command("ALTER TABLE ledger_commit UPDATE frontier = repeat('x', 32) WHERE 1 SETTINGS mutations_sync = 2")
    assert first(verified(read, since=since).findings) == {0: ("column", 2, "score")}


def test_pieces_checked_side_by_side_are_the_same_and_so_are_their_errors(store: Store, read: str) -> None:
    fill(Book(store, TOPICS, KEY), 0)
    chunks = [Chunk("inference", ("inference", DEAD_LETTER), f"offset % 6 = {rest}") for rest in range(6)]
    with Workers(read, decode, 2) as several, Workers(read, decode, 1) as one:
        for some in (chunks[:3], chunks):  # by threads, and by a process too
            found = [
                [sorted(checked.leaves["t.inference", 0][0]["offset"]) for checked in each(some)]
                for each in (several, one)
            ]
            assert len(found[0]) == len(some)
            assert found[0] == found[1]
            with pytest.raises(StoreError, match="UNKNOWN_IDENTIFIER"):
                list(several([Chunk("inference", ("inference",), "nonsense")] * len(some)))
