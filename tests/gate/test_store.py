"""What the gate asks of a real store: breaches that are open, and reviews that were attested."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from console.keys import public_of, read_private_key
from seamwatch.documents import Estate, documents_of, published
from sinks.store.client import Store
from tests.databases import migrated
from tests.gate.test_gate import FULL, rules
from tests.signing.folder import Folder, set_clock


@pytest.fixture
def store(clickhouse: str, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    name = f"g_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    monkeypatch.setenv("CLICKHOUSE_URL", url)
    with Store(url) as own:
        yield own
        own.command(f"DROP DATABASE IF EXISTS {name}")


def test_an_open_breach_refuses_and_an_attested_review_counts(
    folder: Folder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, "2026-04-16T00:00:00Z")
    assert rules(folder, *FULL, offline=False) == ["review-overdue"]
    people = (folder.path / "people.yaml").read_text()
    (folder.path / "people.yaml").write_text(people[: people.rindex("keys:")])  # without keys none must sign
    columns = "event_id, event_time, system, subject, kind, person"
    store.command(
        f"INSERT INTO attestation ({columns}) VALUES "
        "('r1', '2026-03-01 00:00:00', 'credit-model', 'review', 'review', 'risk@example.org')"
    )
    found = rules(folder, *FULL, offline=False)
    assert "review-overdue" not in found
    _episode(store, "open", 1)
    assert "open-breach" in rules(folder, *FULL, offline=False)
    assert "open-breach" not in rules(folder, *FULL, "--despite", "abc", offline=False)
    _episode(store, "resolved", 2)
    assert "open-breach" not in rules(folder, *FULL, offline=False)


def test_a_key_that_is_another_than_published_refuses(folder: Folder, store: Store) -> None:
    for key, value in published(documents_of(Estate.load(folder.path)), 1):
        kind, _, name = key.partition("/")
        document = json.dumps(json.loads(value)["document"])
        assert not set("'\\") & set(document)
        store.command(
            f"INSERT INTO document (kind, id, document) VALUES ('{kind}', '{name.partition('@')[0]}', '{document}')"
        )
    assert "key" not in rules(folder, *FULL, offline=False)
    one, two = (public_of(read_private_key(folder.key("lead", n))) for n in (1, 2))
    folder.edit(one, two, "people.yaml")
    folder.sign_with("lead", 2)
    assert rules(folder, *FULL) == []
    assert "key" in rules(folder, *FULL, offline=False)


def _episode(store: Store, state: str, offset: int) -> None:
    store.command(
        "INSERT INTO violation "
        "(violation_id, contract, clause, kind, system, severity, state, summary, opened_at, offset) VALUES "
        f"('abc', 'credit-limits', 'fast', 'signal', 'credit-model', 'breach', '{state}', 'slow', "
        f"'2026-04-01 00:00:00', {offset})"
    )
