"""Over HTTP: how much of a call is read, how often one may come, what is served at all, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from replies import app
from replies.app import make_app
from replies.reply import MOST_BYTES
from tests.replies.desks import Scene, body_of, incident, pagerduty_headers, standard_headers
from tests.replies.test_webhook import SAID


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    events: list[str] = []
    made = make_app(scene.desk, scene.known.ready.is_set, lambda: events.append("start"), lambda: events.append("end"))
    with TestClient(made) as client:
        yield client
    assert events == ["start", "end"]


def test_calls_reach_the_desk_as_they_came(scene: Scene, client: TestClient) -> None:
    body = body_of(incident())
    answer = client.post("/pagerduty", content=body, headers=pagerduty_headers(body))
    assert (answer.status_code, answer.json()["outcome"]) == (202, "relayed")
    again = client.post("/pagerduty", content=body, headers=pagerduty_headers(body))
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
    body = body_of(SAID)
    assert client.post("/webhook", content=body, headers=standard_headers(body)).status_code == 202
    assert client.post("/webhook", content=body).status_code == 401
    assert len(scene.published) == 2


def test_what_is_too_large_is_not_read_to_its_end(scene: Scene, client: TestClient) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(10_000):
            read += 1
            yield b"x" * 1_000

    body = b"x" * (MOST_BYTES + 1)
    assert client.post("/pagerduty", content=body, headers=pagerduty_headers(body)).status_code == 413
    assert client.post("/pagerduty", content=endless()).status_code == 413
    assert (scene.published, scene.counted()) == ([], {"too_large": 2})
    largest = body_of(incident())
    largest = largest[:-1] + b" " * (MOST_BYTES - len(largest)) + largest[-1:]
    answer = client.post("/pagerduty", content=largest, headers=pagerduty_headers(largest))
    assert answer.status_code == 202


def test_nothing_else_is_served(scene: Scene, client: TestClient) -> None:
    assert client.get("/pagerduty").status_code == 405
    assert [client.get(path).status_code for path in ("/", "/docs", "/openapi.json", "/slack")] == [404] * 4
    del scene.secrets["webhook"]
    scene.start()
    with TestClient(make_app(scene.desk, lambda: True, lambda: None, lambda: None)) as other:
        assert other.post("/webhook").status_code == 404, "no secret, no door"


def test_health_says_whether_it_is_known_what_is_open(scene: Scene, client: TestClient) -> None:
    assert client.get("/healthz").status_code == 200
    scene.known.ready.clear()
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (503, {"ready": False})


def test_one_address_may_not_call_without_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_MOST_CALLS", 3)
    with TestClient(make_app(scene.desk, lambda: True, lambda: None, lambda: None)) as client:
        answers = [client.post("/pagerduty", content=b"{}") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[-1].headers["retry-after"] == "30"
    assert scene.counted() == {"wrong_signature": 3, "too_many": 2}
