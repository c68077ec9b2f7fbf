"""A range whose commit arrived late, from a recorder that was stopped, is repeated by the next one as it is."""

from __future__ import annotations

import uuid
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from seamwatch.clock import SystemClock
from seamwatch.testing import T0, event_id
from seamwatch.wire.topics import Topics
from sinks.decoding import decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.verify.verifier import Verifier
from sinks.ledger.verify.workers import Workers
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import NOW_MILLIS, Book
from tests.sinks.samples import CODEC

KEY = SignerKey.make("ledger.example.org")
TOPICS = Topics("t")
PLACE = ("t.inference", 0)


def test_whoever_repeats_what_is_committed_beyond_their_position_grows_the_same_tree(
    clickhouse: str, auditor_url: str
) -> None:
    name = f"t_{uuid.uuid4().hex[:10]}"
    url, read = (urlunsplit(urlsplit(each)._replace(path=f"/{name}")) for each in (clickhouse, auditor_url))
    migrated(url)
    ranges = [
        [
            CODEC.encode(
                "inference",
                {
                    "event_id": event_id(f"{turn}.{n}"),
                    "event_time": T0,
                    "system": "s",
                    "version": "1",
                    "use_case": "u",
                    "subject": "p",
                },
            )
            for n in range(5)
        ]
        for turn in range(4)
    ]
    with Store(url) as store:
        stopped = Book(store, TOPICS, KEY)
        positions = []
        for values in ranges[:3]:
            positions.append(dict(stopped.at))
            stopped.record(values, millis=NOW_MILLIS)
        for position in positions:
            # Read before the commits of the one that was stopped had come; with no memory of trees of its own.
            successor = Book(store, TOPICS, KEY, repeated=True)
            successor.at = dict(position)
            for values in ranges[len(position) and position[PLACE][1] // 5 : 3]:
                successor.record(values, millis=NOW_MILLIS)
        successor.record(ranges[3], millis=NOW_MILLIS)
        assert store.rows("SELECT count() AS n, uniqExact(event_id) AS ids FROM inference") == [{"n": 20, "ids": 20}]
        commits = store.rows("SELECT count() AS n, uniqExact(root) AS roots FROM ledger_commit")
        assert commits == [{"n": 4, "roots": 4}]
        with Store(read) as auditor, Workers(read, partial(decoding, CODEC, SystemClock()), 1) as workers:
            assert Verifier(auditor, [KEY.verifier], TOPICS, workers).run().findings == []
    with Store(url, database="default") as store:
        store.command(f"DROP DATABASE {name}")
