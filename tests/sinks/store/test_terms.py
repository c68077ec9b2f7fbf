"""The store tells which version of a contract governs when, as the judge does."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.documents import Contract
from seamwatch.documents.estate import BEGINNING, END
from seamwatch.documents.terms import terms_of
from seamwatch.durations import DAY
from seamwatch.instants import format_instant, parse_instant
from sinks.store.client import Store
from tests.databases import migrated

T0 = parse_instant("2026-03-02T09:30:00Z")


@pytest.fixture(scope="module")
def store(clickhouse: str) -> Iterator[Store]:
    name = f"terms_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    with Store(url) as opened:
        yield opened
        opened.command(f"DROP DATABASE IF EXISTS {name}")


def version(contract: str, name: str, effective_from: str | None) -> Contract:
    said = {} if effective_from is None else {"effective_from": effective_from}
    return Contract.model_validate(
        {
            "kind": "Contract", "id": contract, "version": name, "seam": "operations", "covers": ["*"],
            "parties": {"provider": {}, "consumer": {}}, "clauses": [{"id": "approved", "kind": "approval"}], **said,
        }
    )  # fmt: skip


def moment(micros: int) -> str:
    if micros in (BEGINNING, END):
        return "1900-01-01 00:00:00.000000" if micros == BEGINNING else "2299-12-31 00:00:00.000000"
    return format_instant(micros).replace("T", " ").removesuffix("Z")


def test_terms_are_those_of_the_judge(store: Store) -> None:
    chance = random.Random(4)
    known: list[tuple[Contract, int]] = []
    for number in range(60):
        for name in range(chance.randrange(1, 5)):
            day = chance.randrange(5)
            dated = chance.choice([None, format_instant(T0 + day * DAY), f"2026-03-0{2 + day}"])
            known.append((version(f"c{number}", str(name), dated), T0 + chance.randrange(5) * DAY))
    rows = ", ".join(
        f"('Contract', '{c.id}', '{c.version}', '{c.digest}', '{moment(at)}', '{json.dumps(dict(c.written))}', false)"
        for c, at in known
    )
    store.command(f"INSERT INTO document (kind, id, version, digest, published_at, document, retired) VALUES {rows}")
    told = store.rows(
        "SELECT contract, version, toString(valid_from) AS start, toString(valid_to) AS end FROM contract_clauses"
    )
    terms = [(t.contract.id, t.contract.version, moment(t.valid_from), moment(t.valid_to)) for t in terms_of(known)]
    assert sorted((row["contract"], row["version"], row["start"], row["end"]) for row in told) == sorted(terms)
    assert len(terms) < len(known)
