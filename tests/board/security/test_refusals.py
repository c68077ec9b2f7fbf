"""What the board refuses: others' pages, sessions and links that are over, other hosts, answers as somebody else."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Response
from itsdangerous import URLSafeSerializer
from starlette.testclient import TestClient

from board.security.links import forget, new_link
from board.security.sessions import COOKIE, Sessions
from seamwatch.rates import Rate
from tests.board.served import ADDRESS, AUDITOR, MIRA, MIRAS_KEY, TOMAS, TOMAS_KEY, Served, path_of, served
from tests.sinks.samples import NOW, violation

EVIL = "https://evil.example.org"
EPISODE = "e" * 32


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    made = served(tmp_path, monkeypatch)
    made.context.feed.episodes.take(violation(violation_id=EPISODE, person=TOMAS, system="credit/scoring"), NOW)
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The answers that go to the broker, which a judge counts at once."""
    events: list[dict[str, Any]] = []

    def submit(_system: object, event: dict[str, Any], _patience: float) -> dict[str, Any]:
        events.append(event)
        return {"counted": True, "summary": "it counts"}

    monkeypatch.setattr("statements.answer.submit", submit)
    return events


def answering(board: Served, client: TestClient, **changed: str) -> dict[str, str]:
    """The fields of an answer by the form of a page."""
    return {"reference": EPISODE, "kind": "accept", "csrf": board.form_token(client), **changed}


# Others' pages


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": ADDRESS.replace("8321", "8322")},
        {"origin": ADDRESS.replace("http", "https")},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_what_another_sites_page_asks_for_is_not_done(
    board: Served, sent: list[dict[str, Any]], headers: dict[str, str]
) -> None:
    client = board.signed_in(TOMAS)
    answer = client.post("/answers", data=answering(board, client), headers=headers)
    assert answer.status_code == 403
    assert "by a page of another site" in answer.text
    assert not sent


def test_what_the_boards_own_page_asks_for_is_done(board: Served, sent: list[dict[str, Any]]) -> None:
    client = board.signed_in(TOMAS)
    own = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
    assert client.post("/answers", data=answering(board, client), headers=own).status_code == 200
    assert [each["person"] for each in sent] == [TOMAS]


def test_a_form_without_the_token_of_the_session_is_refused(board: Served, sent: list[dict[str, Any]]) -> None:
    client, other = board.signed_in(TOMAS), board.signed_in(TOMAS)
    for token in ("", "0" * 64, board.form_token(other)):
        for path in ("/answers", "/answers/drafts", "/answers/signed", "/sign-out", "/me"):
            fields = answering(board, client, csrf=token, person=AUDITOR, draft="x", signature="y")
            answer = client.post(path, data=fields)
            assert answer.status_code == 403, (path, token)
    assert client.post("/answers", data={"reference": EPISODE, "kind": "accept"}).status_code == 403
    assert not sent
    assert f"You are <b>{TOMAS}</b>" in client.get("/").text


# Sessions


def test_a_session_that_is_over_is_none(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = board.signed_in(TOMAS)
    assert client.get("/").status_code == 200
    now = Sessions.now()
    monkeypatch.setattr(Sessions, "now", staticmethod(lambda: now + board.context.settings.board_session + 1))
    assert client.get("/").headers["location"] == "/sign-in?back=%2F"
    assert client.get("/live").status_code == 401
    fragment = client.get("/parts/on-call", headers={"hx-request": "true"})
    assert (fragment.status_code, fragment.headers["hx-redirect"][:13]) == (401, "/sign-in?back")


def test_who_they_say_they_are_does_not_make_a_session_last_longer(
    board: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = board.signed_in()
    now = Sessions.now()
    lasts = board.context.settings.board_session
    monkeypatch.setattr(Sessions, "now", staticmethod(lambda: now + lasts - 60_000_000))
    assert client.post("/me", data={"person": TOMAS, "csrf": board.form_token(client)}).status_code == 303
    monkeypatch.setattr(Sessions, "now", staticmethod(lambda: now + lasts + 1_000_000))
    assert client.get("/").status_code == 303


def test_a_cookie_that_was_altered_or_signed_by_others_is_none(board: Served) -> None:
    client = board.signed_in(TOMAS)
    held, _, signature = client.cookies[COOKIE].rpartition(".")
    as_auditor = URLSafeSerializer(b"x" * 32, salt="session").dumps(
        {"how": "link", "person": AUDITOR, "session": "s", "until": Sessions.now() + 10**12}
    )
    other_purpose = board.context.sessions.signer("answer s").dumps({"person": AUDITOR})
    for wrong in (f"{held}x.{signature}", f"{held}.{signature[:-1]}", str(as_auditor), str(other_purpose), "x", ""):
        browser = board.client()
        browser.cookies.set(COOKIE, wrong)
        assert browser.get("/").status_code == 303, wrong


def test_a_session_cookie_is_for_the_browser_alone_and_for_this_site(board: Served) -> None:
    answer = board.client().get(path_of(new_link(board.context.settings.data, ADDRESS)))
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=lax" in flags
    assert "; secure" not in flags  # plain http, on loopback
    over_tls = Response()
    Sessions(b"x" * 32, 10**9, secure=True).begin(over_tls, "link", None)
    assert "; secure" in over_tls.headers["set-cookie"].lower()


# Links


def test_a_link_serves_once_and_until_up_ends(board: Served) -> None:
    link = path_of(new_link(board.context.settings.data, ADDRESS))
    assert board.client().get(link).status_code == 303
    again = board.client().get(link)
    assert again.status_code == 403
    assert "A link serves once" in again.text
    assert COOKIE not in again.cookies
    another = path_of(new_link(board.context.settings.data, ADDRESS))
    forget(board.context.settings.data)
    assert board.client().get(another).status_code == 403
    assert board.client().get("/sign-in?token=../board.secret").status_code == 403
    assert (board.context.settings.data / "board.secret").exists()


def test_tries_to_sign_in_are_counted(board: Served) -> None:
    object.__setattr__(board.context, "sign_in_rate", Rate(3, 60))
    link = path_of(new_link(board.context.settings.data, ADDRESS))
    tries = [board.client().get(f"/sign-in?token={number}").status_code for number in range(3)]
    assert tries == [403, 403, 403]
    assert board.client().get(link).status_code == 429  # the right one too


@pytest.mark.parametrize(
    "back", [EVIL, "//evil.example.org", "/\\evil.example.org", "javascript:alert(1)", "/x\nSet-Cookie: a=b", "evil"]
)
def test_nobody_is_sent_to_another_site(board: Served, back: str) -> None:
    client = board.client()
    token = path_of(new_link(board.context.settings.data, ADDRESS)).partition("token=")[2]
    assert client.get("/sign-in", params={"token": token, "back": back}).headers["location"] == "/"
    become = client.post("/me", data={"person": TOMAS, "back": back, "csrf": board.form_token(client)})
    assert become.headers["location"] == "/"


# What a browser may do with it


def test_another_name_of_the_machine_is_refused(board: Served) -> None:
    client = board.signed_in(TOMAS)
    for host in ("evil.example.org", "127.0.0.1.evil.example.org", "localhost.evil.example.org:8321"):
        assert client.get("/", headers={"host": host}).status_code == 400
    assert client.get("/", headers={"host": "localhost:8321"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/board.js", "/api/v1/me", "/sign-in?token=x"])
def test_no_answer_may_be_framed_or_run_what_others_wrote(board: Served, path: str) -> None:
    for client in (board.client(), board.signed_in(TOMAS), board.client(host="evil.example.org")):
        headers = client.get(path).headers
        policy = dict(each.strip().partition(" ")[::2] for each in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("path", "kind"), [("/parts/on-call", "text/html"), ("/api/v1/me", "application/problem+json")]
)
def test_an_error_of_ours_is_told_and_shows_nothing(
    board: Served, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    def broken(*_: object) -> bool:
        raise ZeroDivisionError("a secret")

    client = board.signed_in(TOMAS)
    browser = TestClient(board.app, base_url=ADDRESS, raise_server_exceptions=False, cookies=client.cookies)
    monkeypatch.setattr("board.pages.on_call.listed", broken)
    monkeypatch.setattr("board.security.viewer.Viewer.may_see_everything", broken)
    answer = browser.get(path)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith(kind)
    assert "this is an error of ours (ZeroDivisionError)" in answer.text
    assert "a secret" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


# Answering


def test_one_answers_as_oneself_only(board: Served, sent: list[dict[str, Any]]) -> None:
    client = board.signed_in(TOMAS)
    assert client.post("/answers", data=answering(board, client, person=AUDITOR)).status_code == 200
    assert [each["person"] for each in sent] == [TOMAS]
    nobody = board.signed_in()
    refused = nobody.post("/answers", data=answering(board, nobody))
    assert refused.status_code == 409
    assert "say who you are first" in refused.text
    assert len(sent) == 1


def test_what_somebody_with_keys_does_not_sign_is_not_sent(board: Served, sent: list[dict[str, Any]]) -> None:
    client = board.signed_in(MIRA)
    answer = client.post("/answers", data=answering(board, client))
    assert answer.status_code == 409
    assert "has published keys" in answer.text
    assert not sent


def test_only_a_draft_of_this_session_signed_by_its_persons_key_is_sent(
    board: Served, sent: list[dict[str, Any]]
) -> None:
    client, other = board.signed_in(MIRA), board.signed_in(MIRA)
    (draft,) = client.post("/answers/drafts", data=answering(board, client)).json()

    def given(browser: TestClient, key: Ed25519PrivateKey, **changed: str) -> dict[str, str]:
        signature = base64.b64encode(key.sign(draft["bytes"].encode())).decode()
        return {"csrf": board.form_token(browser), "draft": draft["draft"], "signature": signature, **changed}

    for browser, fields in (
        (other, given(other, MIRAS_KEY)),
        (client, given(client, TOMAS_KEY)),
        (client, given(client, MIRAS_KEY, draft=f"{draft['draft'][:-2]}xx")),
        (client, given(client, MIRAS_KEY, signature="")),
    ):
        assert browser.post("/answers/signed", data=fields).status_code == 403
    assert not sent
    assert client.post("/answers/signed", data=given(client, MIRAS_KEY)).status_code == 200
    assert [(each["person"], each["key_id"]) for each in sent] == [(MIRA, "mira-1")]
