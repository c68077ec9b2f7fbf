"""Slack: one message a violation, posted once and kept up to date, held to what the Web API's methods ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from replies.slack import ACKNOWLEDGE as LISTENED
from seamwatch.incidents import ACKNOWLEDGED, AGAIN, ESCALATED, RESOLVED, News
from seamwatch.outages import Outage
from seamwatch.paging import DELIVERED, Attempt, Page, Recipient, digest_of, outage_as_due, outage_of, page_of
from sinks.channels.services import unusable
from tests.sinks.channels.standin import Reply, Request, StandIn, standing_in
from tests.sinks.channels.telling import page, told
from tests.sinks.samples import NOW, violation

TOKEN = "xoxb-1234-5678-abcDEF"
URL = "slack://${SEAMWATCH_CHANNEL_SLACK}/#on-call"
ENVIRONMENT = {"SEAMWATCH_CHANNEL_SLACK": TOKEN}
CHANNEL = "C024BE91L"


class Workspace:
    """The Web API's two methods: what was posted where, by time stamp, and what it says now."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.gone = False

    def __call__(self, request: Request) -> Reply:
        said = request.json
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(200, {"ok": False, "error": "invalid_auth"})
        if not said.get("text") or any(len(b["text"]["text"]) > 3_000 for b in said["blocks"] if "text" in b):
            return Reply(200, {"ok": False, "error": "invalid_blocks"})
        if request.path == "/api/chat.update":
            if said["channel"] != CHANNEL or said["ts"] not in self.messages or self.gone:
                return Reply(200, {"ok": False, "error": "message_not_found"})
            ts = said["ts"]
        elif request.path == "/api/chat.postMessage":
            if said["channel"] not in ("#on-call", CHANNEL):
                return Reply(200, {"ok": False, "error": "channel_not_found"})
            ts = f"1503435956.{len(self.messages):06d}"
        else:
            return Reply(404)
        self.messages[ts] = said
        return Reply(200, {"ok": True, "channel": CHANNEL, "ts": ts})

    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages.values()]


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


@pytest.fixture
def api(workspace: Workspace) -> Iterator[StandIn]:
    with standing_in(workspace) as made:
        yield made


def tell(api: StandIn, what: Page, reference: str | None = None, url: str = URL) -> Attempt:
    only = None if reference is None else {"slack": reference}
    (attempt,) = told((url,), what, only, ENVIRONMENT, {"slack": f"{api.url}/api"})
    return attempt


def test_a_message_is_posted_once_and_updated_as_the_violation_goes_on(api: StandIn, workspace: Workspace) -> None:
    posted = tell(api, page())
    assert (posted.result, posted.reference) == (DELIVERED, f"{CHANNEL}:1503435956.000000")
    assert workspace.texts() == ["BREACH credit-feed: fresh"]
    taken = violation(1, state="acknowledged", acknowledged_by="bob", acknowledged_at=NOW)
    expected: tuple[tuple[News, str], ...] = ((ACKNOWLEDGED, ":eyes: TAKEN"), (RESOLVED, ":white_check_mark: OVER"))
    for news, mark in expected:
        assert tell(api, page(news, of=taken), posted.reference).delivered
        assert workspace.texts() == [f"{mark} BREACH credit-feed: fresh"]
    blocks = workspace.messages["1503435956.000000"]["blocks"]
    assert "credit-feed is 27 h old" in blocks[1]["text"]["text"]


def test_a_button_takes_on_what_waits_for_somebody_where_the_channel_asks_for_it(
    api: StandIn, workspace: Workspace
) -> None:
    def buttons(ts: str) -> list[tuple[str, str]]:
        blocks = [block for block in workspace.messages[ts]["blocks"] if block["type"] == "actions"]
        return [(each["action_id"], each["value"]) for block in blocks for each in block["elements"]]

    asked = f"{URL}?answers=yes"
    posted = tell(api, page(), url=asked)
    ts = "1503435956.000000"
    assert buttons(ts) == [(LISTENED, violation(1).violation_id)]
    tell(api, page(ESCALATED), posted.reference, asked)
    assert buttons(ts) == [(LISTENED, violation(1).violation_id)]
    taken = violation(1, state="acknowledged", acknowledged_by="bob", acknowledged_at=NOW)
    for news in (ACKNOWLEDGED, RESOLVED):
        tell(api, page(news, of=taken), posted.reference, asked)
        assert buttons(ts) == []
    outage = an_outage()
    for what, url in ((page(), URL), (page(), f"{URL}?answers=no"), (outage, asked)):
        tell(api, what, url=url)
        assert buttons(list(workspace.messages)[-1]) == []
    many = digest_of([violation(n) for n in range(5)], Recipient("ann", "Ann"), NOW)
    tell(api, many, url=asked)
    assert buttons(list(workspace.messages)[-1]) == []
    assert "answers= of a slack:// URL is yes or no" in (unusable(f"{URL}?answers=maybe") or "")


def an_outage() -> Page:
    begun = Outage("o-1", "silent", "judge", "open", NOW, None, NOW, "ann", "judge is silent")
    return outage_of(outage_as_due(begun))


def test_who_must_be_told_again_is_told_in_the_thread_and_the_channel_sees_it(
    api: StandIn, workspace: Workspace
) -> None:
    posted = tell(api, page())
    again = page_of(violation(1), Recipient("ann", "Ann"), NOW, news=AGAIN)
    assert tell(api, again, posted.reference).delivered
    told_again = list(workspace.messages.values())[1]
    assert (told_again["thread_ts"], told_again["reply_broadcast"]) == ("1503435956.000000", True)


def test_a_message_of_many_stays_and_how_one_went_on_is_told_in_its_thread(api: StandIn, workspace: Workspace) -> None:
    many = digest_of([violation(n) for n in range(5)], Recipient("ann", "Ann"), NOW)
    posted = tell(api, many)
    assert tell(api, page(RESOLVED), posted.reference).delivered
    first, reply = workspace.messages.values()
    assert first["text"].startswith("5 violations")
    assert reply["thread_ts"] == "1503435956.000000"


def test_a_message_that_is_gone_is_answered_in_its_thread(api: StandIn, workspace: Workspace) -> None:
    posted = tell(api, page())
    workspace.gone = True
    assert tell(api, page(RESOLVED), posted.reference).delivered
    assert [request.path for request in api.requests] == [
        "/api/chat.postMessage", "/api/chat.update", "/api/chat.postMessage"
    ]  # fmt: skip


def test_what_others_named_mentions_nobody_and_ends_no_block(api: StandIn, workspace: Workspace) -> None:
    assert tell(api, page(of=violation(1, summary="<!channel> ``` & *bold*" + "x" * 5_000))).delivered
    text = workspace.messages["1503435956.000000"]["blocks"][1]["text"]["text"]
    assert "<!channel>" not in text
    assert text.count("```") == 2


def test_what_slack_refuses_is_said_in_its_word_and_tried_again_where_it_may_pass(
    api: StandIn, workspace: Workspace
) -> None:
    attempt = tell(api, page(), url="slack://${SEAMWATCH_CHANNEL_SLACK}/#elsewhere")
    assert attempt.result == f"failed: 127.0.0.1:{api.port} says channel_not_found to chat.postMessage"
    assert len(api.requests) == 1
    limited = [Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "0"}), Reply(200, {"ok": False})]
    api.answer = lambda request: limited.pop() if limited else workspace(request)
    assert tell(api, page()).delivered
    api.answer = lambda _request: Reply(200, {"ok": False, "error": TOKEN})
    assert TOKEN not in tell(api, page()).result


def test_a_url_without_a_channel_is_known_before_there_is_a_page_and_webhooks_stay_apprises() -> None:
    assert "lacks its channel" in str(unusable(f"slack://{TOKEN}"))
    assert unusable(f"slack://{TOKEN}/#on-call") is None
    assert unusable("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ") is None
    assert unusable("slack://${SEAMWATCH_CHANNEL_SLACK}") is None
