"""A board without servers: its application over documents that are published, asked in this process."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from starlette.testclient import TestClient

from board.app import make_app
from board.context import Context, context_of
from board.security.links import new_link
from seamwatch.documents import load_folder
from seamwatch.settings import load_settings

ADDRESS = "http://127.0.0.1:8321"
MIRA, TOMAS, AUDITOR = "mira@example.org", "tomas@example.org", "audit@example.org"
MIRAS_KEY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
TOMAS_KEY = Ed25519PrivateKey.from_private_bytes(b"t" * 32)


def public(key: Ed25519PrivateKey) -> str:
    """Its public key, as documents have it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def documents() -> str:
    """Two on call, one of whom signs; and an auditor."""
    return f"""\
kind: Person
id: {MIRA}
name: Mira Example
keys: [{{key_id: mira-1, public: "{public(MIRAS_KEY)}"}}]
---
kind: Person
id: {TOMAS}
name: Tomas Example
---
kind: Person
id: {AUDITOR}
name: Avery Example
roles: [auditor]
---
kind: System
id: credit/scoring
type: model
owner: {TOMAS}
"""


@dataclass
class Served:
    """A board, and its documents. ``client``: a browser that has not been here before."""

    context: Context
    app: FastAPI

    def client(self, **headers: str) -> TestClient:
        return TestClient(self.app, base_url=ADDRESS, follow_redirects=False, headers=headers)

    def signed_in(self, person: str | None = None) -> TestClient:
        """A browser that came by a link, and said who it is."""
        client = self.client()
        link = new_link(self.context.settings.data, ADDRESS)
        assert client.get(link.removeprefix(ADDRESS)).status_code == 303
        if person is not None:
            assert client.post("/me", data={"person": person, "csrf": self.form_token(client)}).status_code == 303
        return client

    def form_token(self, client: TestClient) -> str:
        """What a form of the browser's session carries."""
        page = client.get("/").text
        return page.split('name="csrf" value="')[1].split('"')[0]


def served(folder: Path, monkeypatch: pytest.MonkeyPatch, store: str | None = None, **settings: Any) -> Served:
    """A board over a data folder; nothing listens where it expects a broker, nor without ``store`` a store."""
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "CLICKHOUSE_URL": store or "http://127.0.0.1:9/seamwatch",
        "SEAMWATCH_DATA": str(folder),
        **{f"SEAMWATCH_BOARD_{name.upper()}": str(value) for name, value in settings.items()},
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("SEAMWATCH_AUDITOR_URL", "SEAMWATCH_BOARD_STORE"):
        monkeypatch.delenv(name, raising=False)
    context = context_of(load_settings(), ADDRESS)
    (folder / "documents").mkdir(exist_ok=True)
    (folder / "documents" / "all.yaml").write_text(documents())
    estate, problems = load_folder(folder / "documents")
    assert estate is not None, problems
    context.feed.estate = estate
    context.feed.away_since = None
    return Served(context, make_app(context))


def path_of(url: str) -> str:
    """The path and query of an address of the board."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
