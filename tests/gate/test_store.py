"""What the gate asks of a real store: breaches that are open, and reviews that were attested."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from sinks.migrate import migrate
from sinks.store import Store
from tests.gate.test_gate import FULL, rules
from tests.signing.folder import Folder, set_clock


@pytest.fixture
def store(clickhouse: str, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    name = f"g_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrate(url)
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


def _episode(store: Store, state: str, offset: int) -> None:
    store.command(
        "INSERT INTO violation "
        "(violation_id, contract, clause, kind, system, severity, state, summary, opened_at, offset) VALUES "
        f"('abc', 'credit-limits', 'fast', 'signal', 'credit-model', 'breach', '{state}', 'slow', "
        f"'2026-04-01 00:00:00', {offset})"
    )
