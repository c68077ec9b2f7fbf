"""Rows of earlier releases, which asked for no identities, are not accused, and are watched like any other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.clock import SystemClock
from seamwatch.testing import T0, event_id
from seamwatch.wire.topics import Topics
from sinks.decoding import decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.verify.findings import Finding
from sinks.ledger.verify.verifier import Verifier
from sinks.ledger.verify.workers import Workers
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC
from tests.wire.unchecked import unchecked

KEY = SignerKey.make("ledger.example.org")
TOPICS = Topics("t")
ODD: list[dict[str, Any]] = [
    {},
    {"event_id": ""},
    {"event_id": "0000000000000000"},
    {"event_id": event_id("jklmno").upper()},
    {"system": ""},
    {"trace_id": "", "cohort": " ", "use_case": ""},
    {"data_as_of": 1_772_409_600_000},
    {"confidence": 2.0},
    {"event_time": 1_772_409_600_000},
]
DEAD_THEN, DEAD_NOW = {7, 8}, {1, 2, 4, 6, 7, 8}


@pytest.fixture(scope="module")
def addresses(clickhouse: str, auditor_url: str) -> Iterator[tuple[str, str]]:
    name = f"t_{uuid.uuid4().hex[:10]}"
    url, read = (urlunsplit(urlsplit(each)._replace(path=f"/{name}")) for each in (clickhouse, auditor_url))
    migrated(url)
    yield url, read
    with Store(url, database="default") as store:
        store.command(f"DROP DATABASE {name}")


def findings(read: str) -> list[Finding]:
    with Store(read) as store, Workers(read, partial(decoding, CODEC, SystemClock()), 1) as workers:
        return Verifier(store, [KEY.verifier], TOPICS, workers).run().findings


# What is altered in which partition of the earlier release, and where that is found.
ALTERED = {1: ("event_id = 'x'", 1), 2: ("score = 0.9", 2), 3: ("trace_id = 'x'", 5), 4: ("score = 0.9", 0)}
TODAY = 9


def test_what_an_earlier_release_recorded_is_held_to_the_rules_of_its_time(addresses: tuple[str, str]) -> None:
    url, read = addresses
    values: list[bytes | None] = [unchecked("inference", **{"event_time": T0, **fields}) for fields in ODD]
    with Store(url) as store:
        decode = decoding(CODEC, SystemClock())
        then, now = (
            Book(store, TOPICS, KEY, decode=partial(decode, earlier=True)),
            Book(store, TOPICS, KEY, decode=decode),
        )
        for partition in (0, *ALTERED):
            then.record(values, partition=partition)
        now.record(values, partition=TODAY)
        letters = store.rows("SELECT partition, offset, reason FROM dead_letter ORDER BY partition, offset")
        assert {row["offset"] for row in letters if row["partition"] == 0} == DEAD_THEN
        told = {row["offset"]: row["reason"] for row in letters if row["partition"] == TODAY}
        assert told.keys() == DEAD_NOW
        assert told[2] == "event_id is '0000000000000000', which is no UUID: give each event one of its own"
        assert told[8].endswith("1772409600000 seems to be in milliseconds; times are whole microseconds")
        rows = store.rows(
            f"SELECT offset, event_id, trace_id, cohort, use_case FROM inference WHERE partition = {TODAY}"
        )
        kept = {row["offset"]: row for row in rows}
        assert kept[3]["event_id"] == event_id("jklmno")
        assert (kept[5]["trace_id"], kept[5]["cohort"], kept[5]["use_case"]) == (None, None, "default")
        assert findings(read) == []
        for partition, (change, offset) in ALTERED.items():
            where = f"partition = {partition} AND offset = {offset}"
            store.command(f"ALTER TABLE inference UPDATE {change} WHERE {where} SETTINGS mutations_sync = 2")
        found = {each.partition: (each.offset, each.column) for each in findings(read)}
        assert found == {place: (offset, change.split()[0]) for place, (change, offset) in ALTERED.items()}
