"""The board's metrics: what was answered by route, and what its feed holds; never a path, a person or an id."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from board.metrics import Metrics
from seamwatch.errors import UsageError
from seamwatch.exposing import expose
from tests.board.served import Served, served
from tests.waiting import PATIENCE


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    return served(tmp_path, monkeypatch)


def told(board: Served) -> str:
    return generate_latest(board.app.state.metrics.registry).decode()


def test_answers_are_counted_by_route_and_status_without_what_was_asked(board: Served) -> None:
    client = board.client()
    assert client.get("/sign-in").status_code == 200
    client.get("/systems/secret-system-of-somebody", headers={"Accept": "text/html"})
    client.get("/nothing-of-ours-1")
    client.get("/nothing-of-ours-2")
    client.get("/static/board.css")
    shown = told(board)
    assert 'seamwatch_board_requests_total{route="/sign-in",status="200"} 1.0' in shown
    assert 'seamwatch_board_requests_total{route="(none)",status="404"} 2.0' in shown
    assert 'seamwatch_board_requests_total{route="/static",status="200"} 1.0' in shown
    assert "/systems/{" in shown
    assert "secret-system" not in shown
    assert "nothing-of-ours" not in shown
    assert 'seamwatch_board_request_seconds_count{route="/sign-in"} 1.0' in shown


def test_an_error_of_ours_counts_as_one(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("board.pages.signing_in.plain", broken)
    with pytest.raises(ZeroDivisionError):
        board.client().get("/sign-in")
    assert 'seamwatch_board_requests_total{route="/sign-in",status="500"} 1.0' in told(board)


def test_how_long_the_board_has_not_been_kept_up_to_date_grows_by_itself(board: Served) -> None:
    feed, clock = board.context.feed, [1_000.0]
    metrics = Metrics(feed, board.context.hub, lambda: clock[0])

    def away() -> float:
        value = metrics.registry.get_sample_value("seamwatch_board_away_seconds")
        assert value is not None
        return value

    feed.away_since = None
    assert away() == 0
    feed.away_since = 990.0
    assert away() == 10
    clock[0] = 1_200.0
    assert away() == 210


def test_each_of_several_processes_has_the_next_port_that_nobody_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port} is taken"):
            expose(CollectorRegistry(), port)
        expose(CollectorRegistry(), port, further=20)
        found = [at for at in range(port + 1, port + 21) if _answers(at)]
    assert len(found) >= 1


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
            return b"process_start_time_seconds" in answer.read()
    except OSError:
        return False
