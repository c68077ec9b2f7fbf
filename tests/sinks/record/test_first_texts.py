"""Of a contract version the first text that was published answers, whatever says something else under it later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from seamwatch.documents.canonical import digest_of
from seamwatch.durations import HOUR, MINUTE
from sinks.published import published
from sinks.store.client import quoted
from tests.sinks.estate import Estate, estate
from tests.sinks.samples import NOW

PARTIES: dict[str, Any] = {"provider": {"team": "a"}, "consumer": {"team": "b"}}


def text(name: str, lag: str, version: str = "1") -> dict[str, Any]:
    clauses = [{"id": "fresh", "kind": "freshness", "of": "inference", "max_lag": lag}]
    return {"kind": "Contract", "id": name, "version": version, "seam": "data-to-model", "covers": ["m"],
            "parties": PARTIES, "clauses": clauses}  # fmt: skip


def message(document: dict[str, Any], at: int) -> tuple[str, bytes]:
    version = f"@{document['version']}" if document["kind"] == "Contract" else ""
    value = {"document": document, "digest": digest_of(document), "published_at": at}
    return f"{document['kind']}/{document['id']}{version}", json.dumps(value).encode()


def system(owner: str) -> dict[str, Any]:
    return {"kind": "System", "id": "m", "type": "model", "owner": owner}


SENT: list[tuple[str, bytes | None]] = [
    message(text("kept", "60s"), NOW - 5 * HOUR),
    message(text("kept", "600s"), NOW - 4 * HOUR),
    message(text("gone", "60s"), NOW - 5 * HOUR),
    message(text("gone", "600s"), NOW - 4 * HOUR),
    ("Contract/gone@1", None),
    message(text("back", "60s"), NOW - 5 * HOUR),
    ("Contract/back@1", None),
    message(text("back", "600s"), NOW - 3 * HOUR),
    message(text("again", "60s"), NOW - 5 * HOUR),
    ("Contract/again@1", None),
    message(text("again", "60s"), NOW - 2 * HOUR),
    message(text("later", "60s"), NOW - 5 * HOUR),
    message(text("later", "600s", version="2"), NOW - 4 * HOUR),
    message(system("ada@example.org"), NOW - 5 * HOUR),
    message(system("ben@example.org"), NOW - 4 * HOUR),
]


@pytest.fixture(scope="module")
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made, made.store() as store:
        frame = published([key.encode() for key, _ in SENT], [value for _, value in SENT]).frame
        for offset, row in enumerate(frame.with_columns(pl.col("published_at").cast(pl.Int64)).iter_rows(named=True)):
            texts = [quoted([row[name]]) for name in ("kind", "id", "version", "digest")]
            at = "NULL" if row["published_at"] is None else f"fromUnixTimestamp64Micro({row['published_at']})"
            arrived = f"fromUnixTimestamp64Micro({NOW - HOUR + offset * MINUTE})"
            store.command(
                f"INSERT INTO document SELECT {', '.join(texts)}, {at}, {quoted([row['document']])}, {row['retired']}, "
                f"'contracts', 0, {offset}, {arrived}, NULL, [], NULL, NULL"
            )
        yield made


def test_the_record_keeps_every_text(own: Estate) -> None:
    assert own.rows("SELECT count() AS n FROM document") == [{"n": len(SENT)}]


def test_the_first_text_of_a_version_is_the_document(own: Estate) -> None:
    rows = own.rows("SELECT id, version, digest FROM documents WHERE kind = 'Contract' ORDER BY id, version")
    first = {name: digest_of(text(name, "60s")) for name in ("kept", "again", "later")}
    assert [tuple(row.values()) for row in rows] == [
        # `gone` was withdrawn, and so was `back`: what came under it afterwards is another text.
        ("again", "1", first["again"]),
        ("kept", "1", first["kept"]),
        ("later", "1", first["later"]),
        ("later", "2", digest_of(text("later", "600s", version="2"))),
    ]
    assert own.rows("SELECT document FROM documents WHERE kind = 'System'") == [
        {"document": json.dumps(system("ben@example.org"), separators=(",", ":"))}
    ]


def test_the_clauses_of_the_past_are_those_of_the_first_text(own: Estate) -> None:
    rows = own.rows("SELECT contract, agreed FROM contract_clauses WHERE version = '1' ORDER BY contract")
    assert [(row["contract"], json.loads(row["agreed"])["max_lag"]) for row in rows] == [
        ("again", "60s"), ("kept", "60s"), ("later", "60s"),
    ]  # fmt: skip
