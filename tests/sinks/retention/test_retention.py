"""A month goes when its time is over, nothing holds it and its rows are as signed; what goes is written down."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.durations import DAY
from seamwatch.errors import ProofError, StoreError, UsageError
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from seamwatch.wire.writers import Writers
from sinks.ledger import sought
from sinks.ledger.dropped import Drop, Dropped, month_end, read_drop
from sinks.ledger.evidence import evidence_of
from sinks.ledger.format.leaves import split
from sinks.ledger.format.merkle import root_of
from sinks.ledger.format.notes import SignerKey
from sinks.retention.holds import lift_hold, place_hold
from sinks.retention.retention import TABLES, Retention
from sinks.store.client import Store
from sinks.store.questions.holds import holds
from tests.databases import at, migrated
from tests.sinks.ledger.book import Book
from tests.sinks.ledger.copies import KEY, Copy
from tests.sinks.mixed import Mixed
from tests.sinks.samples import encoded, inference

TOPICS = Topics("t")
KINDS = ("range", "freshness")
PLACE = ("t.inference", 0)
SIZE = 12


def micros(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


NOW = micros(2026, 11, 21)


@pytest.fixture
def store(clickhouse: str) -> Iterator[Store]:
    name = f"r_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    with Store(url) as store:
        yield store
        store.command(f"DROP DATABASE {name}")


def filled(store: Store) -> Book:
    """A range in each of January (two dead letters in it), across its end, and in October, of two partitions."""
    book = Book(store, TOPICS, KEY)
    end = month_end(202601) // 1000
    for partition in (0, 1):
        for millis in (end - 1_000_000, end - SIZE // 2, micros(2026, 10, 3) // 1000):
            values: list[bytes | None] = [encoded(number=i, event_time=millis * 1000) for i in range(SIZE)]
            values[2:4] = [b"junk", b"junk"] if millis == end - 1_000_000 else values[2:4]
            book.record(values, partition=partition, millis=millis)
    return book


def retention(store: Store, **periods: int) -> Retention:
    return Retention(store, TOPICS, {name: days * DAY for name, days in periods.items()}, NOW)


def count(store: Store, table: str) -> int:
    return int(store.rows(f"SELECT count() AS rows FROM {table}")[0]["rows"])


def test_a_month_whose_time_is_over_goes_and_its_leaves_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.retention.retention.CHUNK_ROWS", SIZE)  # so that there are several chunks
    book = filled(store)
    kept = retention(store, inference=280)
    (month,) = kept.months()
    assert (month.table, month.month, month.rows, month.hold) == ("inference", 202601, 2 * (SIZE - 2 + SIZE // 2), None)
    drops = kept.drop(month, KEY, "owner@example.org")
    assert [(drop.place, drop.first_offset, drop.next_offset, drop.count) for drop in drops] == [
        (("t.inference", partition), 0, SIZE + SIZE // 2, SIZE - 2 + SIZE // 2) for partition in (0, 1)
    ]
    assert count(store, "inference") == 2 * (SIZE + SIZE // 2)
    assert kept.months() == []
    # Rows and dropped leaves together are the tree, as its commits signed it.
    dropped = Dropped(store, [KEY.verifier], PLACE)
    gone = dropped.of_range(0, SIZE + 2), dropped.of_range(SIZE + 2, 3 * SIZE)
    assert [frame["offset"].to_list() for frame in gone] == [
        [0, 1, *range(4, SIZE + 2)],
        list(range(SIZE + 2, SIZE + SIZE // 2)),
    ]
    assert (dropped.wrong, dropped.broken()) == ([], [])
    assert drops[0].root == root_of([leaf for frame in gone for leaf in frame["leaf"]])
    # The dead letters of the same month go by their own retention, and the tree is still held to its roots.
    later = retention(store, inference=280, dead_letter=280)
    (month,) = later.months()
    later.drop(month, KEY, "owner@example.org")
    dropped = Dropped(store, [KEY.verifier], PLACE)
    every = dropped.of_range(0, 3 * SIZE)
    assert every["offset"].to_list() == list(range(SIZE + SIZE // 2))
    assert dropped.broken() == []
    tile = store.rows("SELECT hex(hashes) AS h FROM ledger_tile WHERE partition = 0 AND level = 0 ORDER BY tile, start")
    assert every["leaf"].to_list() == split(b"".join(bytes.fromhex(row["h"]) for row in tile))[: SIZE + SIZE // 2]
    # Recording goes on, the tree needs no row of the past; and what is left of a range can still be proven.
    book.record([encoded(number=1, event_time=NOW)], millis=NOW // 1000)
    proof = evidence_of(store, sought.event(store, inference(number=SIZE - 2)["event_id"]), Writers().definition)
    assert (proof.entry.offset, proof.index) == (2 * SIZE - 2, 2 * SIZE - 2)


def test_a_hold_keeps_a_month_until_it_is_lifted(store: Store) -> None:
    filled(store)
    kept = retention(store, inference=280)
    elsewhere = place_hold(store, "ada", "another case", table="tool_call")
    place_hold(store, "ada", "too late", start=month_end(202601))
    place_hold(store, "ada", "another system", system="credit-9")
    assert [month.hold for month in kept.months()] == [None]
    held = place_hold(store, "ada", "case 17", system="credit-1", start=micros(2026, 1, 31), end=micros(2026, 3, 1))
    (month,) = kept.months()
    assert month.hold == held
    before = count(store, "inference")
    # Also when it is placed after the months were listed.
    assert kept.drop(month, KEY, "owner@example.org") == []
    assert (count(store, "inference"), count(store, "retention")) == (before, 0)
    lift_hold(store, held.hold_id, "ada", "settled")
    assert held not in holds(store)
    assert elsewhere in holds(store)
    # A removal that was broken off before its end is made by the next.
    assert len(kept.drop(month, KEY, "owner@example.org")) == 2
    assert count(store, "inference") < before
    assert Dropped(store, [KEY.verifier], PLACE).wrong == []
    with pytest.raises(UsageError, match="no hold"):
        lift_hold(store, held.hold_id, "ada", "again")
    with pytest.raises(UsageError, match="before --to"):
        place_hold(store, "ada", "x", start=2, end=1)


@pytest.mark.timeout(600)
def test_months_of_every_table_go_and_what_is_left_verifies(clickhouse: str, auditor_url: str) -> None:
    name = f"r_{uuid.uuid4().hex[:10]}"
    writer, auditor = at(clickhouse, name), at(auditor_url, name)
    migrated(writer)
    with Store(writer) as store:
        book = Book(store, Topics("t"), KEY)
        for number, then in enumerate([micros(2026, 1, 9), micros(2026, 10, 3)]):
            book.fill(Mixed(Topics("t"), number, partitions=2, kinds=KINDS), ranges=1, each=5, millis=then // 1000)
        kept_always = [(table, count(store, table)) for table in ("document", "erasure", "suspended")]
        rows = sum(count(store, table) for table in (*TABLES, "document", "erasure", "suspended"))
        place_hold(store, "ada", "case 17", table="notice", end=micros(2026, 2, 1))
        kept = retention(store, **{"*": 200})
        months = kept.months()
        assert {(each.table, each.month) for each in months} == {(table, 202601) for table in TABLES}
        gone = sum(drop.count for month in months for drop in kept.drop(month, KEY, "owner@example.org"))
        left = [(each.table, each.month) for each in kept.months()]
        assert (left, gone > rows / 3) == ([("notice", 202601)], True)
        assert [(table, count(store, table)) for table, _ in kept_always] == kept_always
        report = Copy(writer, auditor).verified()
        assert (report.findings, report.rows, report.dropped) == ([], rows - gone, gone)
        store.command(f"DROP DATABASE {name}")


def test_nothing_is_dropped_that_is_not_as_signed(store: Store) -> None:
    book = Book(store, TOPICS, KEY)
    for number in (1, 2, 3):
        then = micros(2025, number, 5)
        book.record([encoded(number=i, event_time=then) for i in range(SIZE)], millis=then // 1000)
    kept = retention(store, inference=280)
    changed, missing, without_tiles = kept.months()
    for month, change, why in (
        (changed, "ALTER TABLE inference UPDATE raw = 'x' WHERE offset = 1", "do not come to the ledger's root"),
        (missing, f"ALTER TABLE inference DELETE WHERE offset = {SIZE + 1}", "do not come to the ledger's root"),
        (without_tiles, "ALTER TABLE ledger_tile DELETE WHERE level = 0 AND tile = 0", "the tiles lack leaves"),
    ):
        store.command(f"{change} SETTINGS mutations_sync = 2")
        with pytest.raises(StoreError, match=why):
            kept.drop(month, KEY, "owner@example.org")
    assert (count(store, "inference"), count(store, "retention")) == (3 * SIZE - 1, 0)


def drop(**fields: object) -> Drop:
    values = {
        "drop_id": "d", "table": "inference", "month": 202601, "place": PLACE, "first_offset": 0, "next_offset": 5,
        "count": 5, "root": b"r" * 32, "kept_for": 200 * DAY, "dropped_at": NOW, "person": "ada l", "reason": "over",
    }  # fmt: skip
    return Drop(**{**values, **fields})  # type: ignore[arg-type]


def test_a_note_says_the_drop_and_counts_only_signed_and_in_time() -> None:
    made = drop()
    assert read_drop(KEY.note(made.text(KEY.name)), [KEY.verifier]) == made
    other = SignerKey.make(KEY.name)
    early = drop(dropped_at=month_end(202601) + 199 * DAY)
    below = drop(dropped_at=month_end(202601) + 182 * DAY, kept_for=DAY)
    for key, each in ((other, made), (KEY, early), (KEY, below)):
        with pytest.raises(ProofError):
            read_drop(key.note(each.text(key.name)), [KEY.verifier])
    for text in (made.text("elsewhere"), made.text(KEY.name).replace("offsets 0", "offsets 00"), f"{KEY.name}/x\n5\n"):
        with pytest.raises(ProofError):
            read_drop(KEY.note(text), [KEY.verifier])


@pytest.mark.parametrize(
    "setting", ['{"inference": "182d"}', '{"document": "400d"}', '{"x": "400d"}', "400d", "[]", '{"*": "?"}']
)
def test_a_retention_below_the_floor_or_of_no_table_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("SEAMWATCH_RETENTION", setting)
    with pytest.raises(UsageError, match="SEAMWATCH_RETENTION"):
        load_settings()
    monkeypatch.setenv("SEAMWATCH_RETENTION", '{"inference": "183d", "*": "104w"}')
    assert load_settings().retention == {"inference": 183 * DAY, "*": 728 * DAY}
