"""A board over a store of a test's own, and what one attests there: for pages by which somebody says something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from board.context import Context
from board.running import Shown
from seamwatch.broker import Broker
from seamwatch.documents import Estate
from tests.board.conftest import context_over, form_token, url_of
from tests.console.followed import followed
from tests.console.populated import Populated


@pytest.fixture
def store(clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Populated]:
    """One in which an episode is over that is to be reviewed, and may be an incident."""
    with followed(clickhouse, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def board(store: Populated, auditor_url: str, tmp_path: Path) -> Context:
    """The board over that store."""
    url = url_of(auditor_url, store.url)
    return context_over(Shown(Broker("127.0.0.1:9"), "t", url, url), Estate.load(store.documents), tmp_path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes to the broker, which a judge counts at once."""
    events: list[dict[str, Any]] = []

    def submit(_system: object, given: list[dict[str, Any]], _patience: float) -> list[dict[str, Any]]:
        events.extend(given)
        return [{"counted": True, "summary": "it counts"}] * len(given)

    monkeypatch.setattr("statements.review.submit", submit)
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})
    return events


def post(board: Context, client: TestClient, path: str, fields: dict[str, Any]) -> Any:
    """Send a form of the page that a client has open."""
    return client.post(path, data=fields | form_token(board, client), headers={"HX-Request": "true"})
