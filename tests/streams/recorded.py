"""A recorder beside a test's topics, and what the store that it fills comes to in a replay."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import polars as pl

from seamwatch.documents import Estate
from seamwatch.judging.model.facts import Violation
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from sinks.decoding import decoding
from sinks.record.stage import Recorder
from sinks.store.client import Store
from streams.measure.plan import Plan
from streams.replay.history.gathering import History, Limits
from streams.replay.history.period import Period
from streams.replay.history.store import gather_store
from streams.replay.replay import judged
from tests.databases import migrated
from tests.streams.stages import CODEC
from tests.waiting import PATIENCE, wait_for

SLICE = 3_000


@contextmanager
def recording(kafka: str, url: str, topics: Topics) -> Iterator[None]:
    """Record these topics into a migrated store while the block runs."""
    recorder = Recorder(kafka, url, topics, decoding(CODEC, load_settings().clock()))
    thread = threading.Thread(target=recorder.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        recorder.stop()
        thread.join(PATIENCE)
        # It would go on in other tests, and log there of a store that is gone.
        assert not thread.is_alive()


@contextmanager
def own_store(clickhouse: str, topics: Topics) -> Iterator[str]:
    """A migrated database named after the topics; its URL."""
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{topics.prefix}"))
    migrated(url)
    try:
        yield url
    finally:
        with Store(url, database="default") as store:
            store.command(f"DROP DATABASE IF EXISTS {topics.prefix}")


def wait_until_recorded(url: str, topics: Topics, events: int) -> None:
    """Wait until so many input events are committed."""
    names = ", ".join(f"'{name}'" for name in topics.inputs)
    with Store(url) as store:
        asked = f"SELECT sum(count) AS c FROM ledger_commit WHERE topic IN ({names})"
        wait_for(lambda: int(store.rows(asked)[0]["c"] or 0) == events, "recording")


class Counting:
    """A store that knows how long its longest answer was."""

    def __init__(self, url: str) -> None:
        self._store = Store(url)
        self.longest = 0

    def frame(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        answer = self._store.frame(sql, parameters)
        self.longest = max(self.longest, answer.height)
        return answer


def from_store(url: str, folder: Path, period: Period | None = None) -> tuple[list[Violation], int]:
    """The violations of a store's events, read a little at a time, and how long its longest answer was."""
    store, known = Counting(url), Estate.load(folder)
    with History([Plan(known)], Limits(5_000, 1_000, 2_000)) as gathered:
        gather_store(store, gathered, period or Period(), slice_rows=SLICE)
        return list(judged(known, gathered)), store.longest
