"""The board over a store that looks like a real estate's, without a broker: what it follows is put in by hand.

One store for all tests of a process: they look, and send nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from board.app import make_app
from board.asking import Stores
from board.context import Context
from board.live.feed import Feed
from board.live.hub import Hub
from board.live.open_episodes import Telling
from board.running import Shown
from board.security.sessions import COOKIE, Sessions
from seamwatch.broker import Broker
from seamwatch.clock import Clock
from seamwatch.documents import Estate, documents_of, load_folder, published
from seamwatch.durations import DAY, HOUR, SECOND
from seamwatch.rates import Rate
from seamwatch.settings import Settings
from tests.console.populated import EPISODES, PEOPLE, Populated, populated
from tests.sinks.samples import CODEC, NOW

AUDITOR = "aud.i@example.org"
_PERSON = f"""\
kind: Person
id: {AUDITOR}
name: Audi Example
roles: [auditor]
"""


@dataclass(frozen=True)
class Fixed:
    """A clock that stands at a time."""

    moment: int

    def now(self) -> int:
        return self.moment

    def at(self, wall: int) -> int:
        return wall


def url_of(url: str, like: str) -> str:
    """The URL of another user, for the database that a URL names."""
    return urlunsplit(urlsplit(url)._replace(path=urlsplit(like).path))


@pytest.fixture(scope="session")
def estate(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    """The store, and what is in it (see `tests.console.populated`), with somebody who is an auditor."""
    folder = tmp_path_factory.mktemp("board")
    with pytest.MonkeyPatch.context() as environment, populated(clickhouse, folder, environment) as made:
        environment.undo()  # nothing of the environment outlives its test
        (made.documents / "auditor.yaml").write_text(_PERSON)
        auditor = next(each for each in documents_of(_loaded(made.documents)) if each.id == AUDITOR)
        for key, value in published([auditor], NOW - 2 * DAY, {}):
            made.book.record([value], "contracts", key=key.encode())
        yield made


def _loaded(folder: Path) -> Estate:
    loaded, problems = load_folder(folder)
    assert loaded is not None, problems
    return loaded


@pytest.fixture(scope="session")
def shown(estate: Populated, auditor_url: str) -> Shown:
    """Its addresses; nothing listens where the broker should be."""
    url = url_of(auditor_url, estate.url)
    return Shown(Broker("127.0.0.1:9"), "t", url, url)


@pytest.fixture
def context(estate: Populated, shown: Shown, tmp_path: Path) -> Context:
    """What the board stands on. Its feed follows nothing, and holds what the store has."""
    return context_over(shown, _loaded(estate.documents), tmp_path)


def context_over(shown: Shown, documents: Estate, data: Path, clock: Clock | None = None) -> Context:
    """A context over addresses and documents."""
    clock = clock or Fixed(NOW)
    stores, hub = Stores(shown), Hub()
    feed = Feed(shown, stores, CODEC, clock, hub)
    feed.estate = documents
    feed.away_since = None
    for episode in EPISODES:
        feed.episodes.take(episode, NOW)
        told = Telling(0, str(episode.person), "console", "delivered", episode.opened_at + SECOND)
        feed.episodes.tell(episode.violation_id, told)
    sessions = Sessions(b"a secret of the tests, long enough", 12 * HOUR, secure=False)
    return Context(
        Settings(data=data), shown, stores, clock, sessions, hub, feed, Rate(10, 60), "http://127.0.0.1:8080"
    )


@pytest.fixture
def without_store(context: Context) -> Context:
    """The same, while the store is away."""
    nowhere = "http://somebody:secret@127.0.0.1:9/nothing"
    shown = replace(context.shown, auditor=nowhere, board=nowhere)
    return replace(context, shown=shown, stores=Stores(shown))


@pytest.fixture
def client(context: Context) -> TestClient:
    """Nobody is signed in."""
    return client_of(context)


@pytest.fixture
def by_link(context: Context) -> TestClient:
    """Signed in by the link of this machine, as nobody: sees everything, and answers nothing."""
    return signed_in(context, None)


@pytest.fixture
def somebody(context: Context) -> TestClient:
    """Signed in as a person who is named by contracts, and is no auditor."""
    return signed_in(context, PEOPLE[0])


@pytest.fixture
def auditor(context: Context) -> TestClient:
    """Signed in as a person who is an auditor."""
    return signed_in(context, AUDITOR)


def client_of(context: Context) -> TestClient:
    """A client that nobody has signed in with; it follows nothing, so that it starts no feed."""
    app: FastAPI = make_app(context)
    return TestClient(app, base_url="http://127.0.0.1:8080", follow_redirects=False)


def signed_in(context: Context, person: str | None) -> TestClient:
    """A client of somebody who is signed in."""
    client = client_of(context)
    response = Response()
    context.sessions.begin(response, "link", person)
    cookie = response.headers["set-cookie"].split(";", 1)[0].removeprefix(f"{COOKIE}=")
    client.cookies.set(COOKIE, cookie)
    return client


def form_token(context: Context, client: TestClient) -> dict[str, Any]:
    """The field that a form of this client's session carries."""
    cookie = client.build_request("GET", "/").headers["cookie"]
    viewer = context.sessions.viewer(Request({"type": "http", "headers": [(b"cookie", cookie.encode())]}))
    assert viewer is not None
    return {"csrf": context.sessions.form_token(viewer)}
