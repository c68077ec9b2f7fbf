"""Decisions in a store of their own, put there row by row: for tests of what asks the store for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import polars as pl

from sinks.store.client import Store
from tests.databases import migrated

Row = tuple[str, str, float | None, str | None, str, int]
"""Id, system, score, cohort, version, and the second in which it arrived."""


@contextmanager
def store_of_its_own(clickhouse: str) -> Iterator[str]:
    """The URL of a migrated database that no other test has."""
    name = f"d_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    yield url
    with Store(clickhouse, database="default") as store:
        store.command(f"DROP DATABASE IF EXISTS {name}")


def record(url: str, *rows: Row) -> None:
    """Put decisions into the store."""
    names = ("event_id", "system", "score", "cohort", "version")
    frame = pl.DataFrame([row[:5] for row in rows], schema=names, orient="row").with_columns(
        pl.col("score").cast(pl.Float64),
        pl.col("cohort").cast(pl.String),
        pl.Series("broker_time", [datetime.fromtimestamp(row[5], UTC) for row in rows], pl.Datetime("ms", "UTC")),
    )
    with Store(url) as store:
        store.insert("inference", frame, uuid.uuid4().hex)
