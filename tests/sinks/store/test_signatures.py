"""The store knows who must sign a contract version, who has, and when they signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from seamwatch.documents import Estate as Documents
from seamwatch.documents import documents_of, published
from seamwatch.instants import parse_instant
from sinks.published import published as rows_of
from sinks.store.client import quoted
from tests.signing.folder import NOW, prepare
from tests.sinks.estate import Estate, estate

AT = parse_instant(NOW)
NAMES = ("kind", "id", "version", "digest", "document", "signatures")


@pytest.fixture(scope="module")
def own(kafka: str, clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with pytest.MonkeyPatch.context() as patched:
        folder = prepare(tmp_path_factory.mktemp("signed"), patched)
        folder.sign("lead", "risk")
        documents = Documents.load(folder.path)
    every = documents_of(documents)
    sent: list[tuple[str, bytes | None]] = [
        *published(every, AT), *published(every, AT, documents.signatures), *published(every, AT, documents.signatures)
    ]  # fmt: skip
    frame = rows_of([key.encode() for key, _ in sent], [value for _, value in sent]).frame
    with estate(kafka, clickhouse) as made, made.store() as store:
        for offset, row in enumerate(frame.with_columns(pl.col("published_at").cast(pl.Int64)).iter_rows(named=True)):
            texts = ", ".join("NULL" if row[name] is None else quoted([row[name]]) for name in NAMES)
            store.command(
                f"INSERT INTO document ({', '.join(NAMES)}, published_at, offset, broker_time) SELECT {texts}, "
                f"fromUnixTimestamp64Micro({row['published_at']}), {offset}, fromUnixTimestamp64Micro({AT + offset})"
            )
        yield made


def asked(own: Estate, columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in own.rows(f"SELECT {columns} FROM contract_signatures ORDER BY person")]


def test_each_who_must_sign_has_a_row_and_what_they_signed_stands_once(own: Estate) -> None:
    columns = "contract, version, person, roles, signed, key_id, toString(toStartOfHour(signed_at)) AS hour"
    assert asked(own, columns) == [
        ("credit-limits", "1", "lead@example.org", ["provider"], True, "lead-1", "2026-03-02 10:00:00"),
        ("credit-limits", "1", "product@example.org", ["consumer"], False, None, None),
        ("credit-limits", "1", "risk@example.org", ["co-signer of line"], True, "risk-1", "2026-03-02 10:00:00"),
    ]  # fmt: skip


def test_the_first_version_governs_without_a_beginning_and_its_signatures_are_dated_apart(own: Estate) -> None:
    assert {row[0] for row in asked(own, "toYear(valid_from) AS from")} == {1900}
    assert [row[0] for row in asked(own, "recorded_at IS NOT NULL AS there")] == [True, False, True]
    (stored,) = own.rows("SELECT signatures FROM document WHERE kind = 'Contract' ORDER BY offset DESC LIMIT 1")
    assert [each["person"] for each in json.loads(stored["signatures"])] == ["lead@example.org", "risk@example.org"]
