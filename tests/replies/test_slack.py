"""Slack by Socket Mode, over a stand-in that opens connections as Slack does: a press is relayed, and then answered."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from replies.reply import NotRelayedError
from replies.slack import Slack, replies_of
from tests.replies.desks import VIOLATION, Scene, now
from tests.replies.stand_in import served
from tests.waiting import PATIENCE, wait_for

TOKEN = "xapp-1-a-token-of-an-app"


def press(value: str = VIOLATION, user: str = "UDANA", **fields: Any) -> dict[str, Any]:
    seconds, micros = divmod(now(), 1_000_000)
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "dana", "team_id": "T1"},
        "team": {"id": "T1"},
        "token": "not-for-the-record",
        "trigger_id": "not-for-the-record",
        "actions": [
            {
                "action_id": "seamwatch_acknowledge",
                "type": "button",
                "value": value,
                "action_ts": f"{seconds}.{micros:06}",
            }
        ],
        **fields,
    }


class Workspace:
    """Slack as its app sees it: what is sent to the app, what the app answers, and what it tells who pressed."""

    def __init__(self) -> None:
        self.opened = 0
        self.refuses: str | None = None
        self.sent: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.answered: queue.Queue[str] = queue.Queue()
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        self.address = ""

    def routes(self) -> list[Any]:
        async def open_connection(request: Request) -> Response:
            assert request.headers["authorization"] == f"Bearer {TOKEN}"
            if self.refuses is not None:
                return JSONResponse({"ok": False, "error": self.refuses})
            self.opened += 1
            return JSONResponse({"ok": True, "url": self.address.replace("http", "ws") + "/link?ticket=secret"})

        async def link(socket: WebSocket) -> None:
            import asyncio

            await socket.accept()
            await socket.send_json({"type": "hello"})
            while True:
                try:
                    envelope = self.sent.get_nowait()
                except queue.Empty:
                    try:
                        text = await asyncio.wait_for(socket.receive_text(), 0.05)
                        self.answered.put(json.loads(text)["envelope_id"])
                    except TimeoutError:
                        continue
                    except WebSocketDisconnect:
                        return
                    continue
                if envelope is None:
                    await socket.close()
                    return
                await socket.send_json(envelope)

        async def respond(request: Request) -> Response:
            self.told.put(await request.json())
            return Response("ok")

        return [
            Route("/api/apps.connections.open", open_connection, methods=["POST"]),
            WebSocketRoute("/link", link),
            Route("/respond", respond, methods=["POST"]),
        ]

    def send(self, payload: dict[str, Any], envelope: str = "e1", kind: str = "interactive") -> None:
        self.sent.put({"type": kind, "envelope_id": envelope, "accepts_response_payload": False, "payload": payload})


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    workspace = Workspace()
    with served(workspace.routes()) as address:
        workspace.address = address
        yield workspace


@pytest.fixture
def slack(scene: Scene, workspace: Workspace) -> Iterator[Slack]:
    slack = Slack(f"{workspace.address}/api", TOKEN, scene.desk, scene.metrics)
    slack.start()
    yield slack
    slack.end()


def test_a_press_is_relayed_then_answered_and_who_pressed_is_told(
    scene: Scene, workspace: Workspace, slack: Slack
) -> None:
    pressed = press(response_url=f"{workspace.address}/respond")
    workspace.send(pressed)
    assert workspace.answered.get(timeout=PATIENCE) == "e1"
    record = scene.only()
    assert (record["person"], record["reference"], record["answer"]) == ("dana@example.org", VIOLATION, "accept")
    assert json.loads(record["evidence"])["actions"] == pressed["actions"]
    assert "not-for-the-record" not in record["evidence"]
    told = workspace.told.get(timeout=PATIENCE)
    assert told["text"] == "Seamwatch: it is on record; the judge says whether it counts"
    assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)
    workspace.send(pressed, "e2")
    assert workspace.answered.get(timeout=PATIENCE) == "e2"
    assert scene.counted("slack") == {"relayed": 1, "repeated": 1}


def test_what_kafka_has_not_taken_is_not_answered_and_a_later_press_counts(
    scene: Scene, workspace: Workspace, slack: Slack
) -> None:
    scene.leave()
    workspace.send(press(), "lost")
    wait_for(lambda: bool(scene.counted("slack")), "the first press")
    scene.away = None
    workspace.send(press(), "taken")
    assert workspace.answered.get(timeout=PATIENCE) == "taken"
    assert scene.counted("slack") == {"unreachable": 1, "relayed": 1}


def test_a_stranger_is_told_what_is_missing(scene: Scene, workspace: Workspace, slack: Slack) -> None:
    workspace.send(press(user="USTRANGER", response_url=f"{workspace.address}/respond"))
    assert workspace.answered.get(timeout=PATIENCE) == "e1"
    assert "is in no Person document" in workspace.told.get(timeout=PATIENCE)["text"]
    assert scene.published == []


def test_a_connection_that_ends_is_opened_again(scene: Scene, workspace: Workspace, slack: Slack) -> None:
    workspace.send(press())
    assert workspace.answered.get(timeout=PATIENCE) == "e1"
    workspace.sent.put({"type": "disconnect", "reason": "refresh_requested"})
    wait_for(lambda: workspace.opened >= 2, "another connection")
    workspace.send(press(user="UDANA"), "e2")
    assert workspace.answered.get(timeout=PATIENCE) == "e2"


def test_a_token_that_is_refused_is_told_and_tried_again(scene: Scene, workspace: Workspace) -> None:
    from structlog.testing import capture_logs

    workspace.refuses = "invalid_auth"
    with capture_logs() as logs:
        slack = Slack(f"{workspace.address}/api", TOKEN, scene.desk, scene.metrics)
        slack.start()
        wait_for(lambda: bool(logs), "a word of it")
        slack.end()
    assert logs[0]["reason"] == "Slack says invalid_auth"
    assert TOKEN not in str(logs)


def test_other_envelopes_and_presses_ask_for_nothing(scene: Scene, workspace: Workspace, slack: Slack) -> None:
    workspace.send({"event": {"type": "message"}}, "e1", "events_api")
    workspace.send(press(actions=[{"action_id": "another", "value": VIOLATION}]), "e2")
    workspace.send({"type": "view_submission"}, "e3")
    assert {workspace.answered.get(timeout=PATIENCE) for _ in range(3)} == {"e1", "e2", "e3"}
    assert (scene.published, scene.counted("slack")) == ([], {"ignored": 3})


@pytest.mark.parametrize(
    "change",
    [
        {"user": None},
        {"user": {"id": 7}},
        {"actions": [{"action_id": "seamwatch_acknowledge", "value": None, "action_ts": "1772443800.000000"}]},
        {"actions": [{"action_id": "seamwatch_acknowledge", "value": VIOLATION, "action_ts": "soon"}]},
        {"actions": [{"action_id": "seamwatch_acknowledge", "value": VIOLATION}]},
    ],
)
def test_a_press_that_is_not_whole_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(NotRelayedError) as error:
        list(replies_of(press(**change)))
    assert error.value.outcome == "malformed"


def test_nobody_is_told_at_another_address(scene: Scene, workspace: Workspace, slack: Slack) -> None:
    workspace.send(press(response_url="http://127.0.0.1:9/respond"))
    assert workspace.answered.get(timeout=PATIENCE) == "e1"
    assert workspace.told.empty()
