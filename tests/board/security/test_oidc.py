"""Sign-in by an OpenID provider: a real one lets people in whom a document names, and nothing else gets anybody in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from board.context import context_of
from board.security.sessions import COOKIE
from seamwatch.errors import UsageError
from seamwatch.rates import Rate
from seamwatch.settings import load_settings
from tests.board.served import ADDRESS, AUDITOR, MIRA, TOMAS, Served, path_of, served

# The provider stands on what Authlib will drop, and would answer a warning with an error.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib.*")
STRANGER, UNVERIFIED = "stranger@example.org", "sub-unverified"
BEGUN = "seamwatch_sign_in"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that knows some people, by the address that it says it is at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from oidc_provider_mock import User, run_server_in_thread

        users = [
            User(sub="sub-mira", claims={"email": MIRA, "email_verified": True, "staff": TOMAS}),
            User(sub="sub-stranger", claims={"email": STRANGER, "email_verified": True}),
            User(sub=UNVERIFIED, claims={"email": AUDITOR, "email_verified": False}),
            User(sub="sub-nobody", claims={}),
        ]
        with run_server_in_thread(user_claims=users, require_nonce=True) as server:
            yield f"http://localhost:{server.server_port}"


@pytest.fixture
def board(issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    return provided(issuer, tmp_path, monkeypatch)


def provided(issuer: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: str) -> Served:
    """A board that this provider knows."""
    secret = folder / "secret"
    secret.write_text("s3cr3t-of-a-test\n")
    return served(
        folder, monkeypatch, oidc_issuer=issuer, oidc_client_id="board", oidc_client_secret_file=secret, **settings
    )


def authorized(client: TestClient, sub: str, back: str = "/", **changed: str) -> str:
    """Begin in a browser, and be ``sub`` on the provider's page: where that sends the browser back to."""
    begun = client.get("/sign-in/oidc", params={"back": back})
    assert begun.status_code == 303
    parts = urlsplit(begun.headers["location"])
    asked = urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **changed})))
    with httpx2.Client() as provider:
        assert provider.get(asked).status_code == 200
        answer = provider.post(asked, data={"sub": sub})
    assert answer.status_code == 302
    return answer.headers["location"]


def test_who_a_document_names_is_signed_in_and_comes_back_to_where_they_were(board: Served) -> None:
    client = board.client()
    page = client.get("/sign-in?back=%2F%3Fwhose%3Dall").text
    assert "/sign-in/oidc?back=/%3Fwhose%3Dall" in page
    there = authorized(client, "sub-mira", "/?whose=all")
    assert there.startswith(f"{ADDRESS}/sign-in/oidc/callback?")
    answer = client.get(path_of(there))
    assert (answer.status_code, answer.headers["location"]) == (303, "/?whose=all")
    flags = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{COOKIE}="))
    assert "HttpOnly" in flags
    assert "samesite=lax" in flags.lower()
    assert BEGUN not in client.cookies
    assert f"You are <b>{MIRA}</b>" in client.get("/").text


def test_what_is_asked_carries_a_challenge_and_a_nonce_and_no_secret(board: Served) -> None:
    client = board.client()
    asked = parse_qs(urlsplit(client.get("/sign-in/oidc").headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["nonce"][0]) > 20
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [f"{ADDRESS}/sign-in/oidc/callback"]
    verifier = board.context.sessions.signer(BEGUN).loads(client.cookies[BEGUN])["verifier"]
    assert verifier not in str(asked)
    again = parse_qs(urlsplit(client.get("/sign-in/oidc").headers["location"]).query)
    assert not {*asked["state"], *asked["nonce"], *asked["code_challenge"]} & {
        *again["state"], *again["nonce"], *again["code_challenge"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sub", "told"),
    [
        ("sub-stranger", f"you are {STRANGER} by the provider, and no Person document of that id is published"),
        (UNVERIFIED, f"the provider has not verified that {AUDITOR} is yours"),
        ("sub-nobody", "the provider says nothing of email"),
    ],
)
def test_who_no_document_names_or_nobody_verified_stays_out(board: Served, sub: str, told: str) -> None:
    client = board.client()
    answer = client.get(path_of(authorized(client, sub)))
    assert answer.status_code == 403
    assert told in answer.text
    assert COOKIE not in client.cookies
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(("sub", "status"), [("sub-mira", 303), ("sub-stranger", 403)])
def test_what_the_signed_word_leaves_out_is_asked_of_the_provider(
    board: Served, monkeypatch: pytest.MonkeyPatch, sub: str, status: int
) -> None:
    """By the standard a claim need not be in the signed token; then only what is told of the same subject counts."""
    monkeypatch.setattr(type(board.context.provider), "_claims", lambda *_: {"sub": sub})
    client = board.client()
    assert client.get(path_of(authorized(client, "sub-mira"))).status_code == status


def test_another_claim_may_name_the_person(issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = provided(issuer, tmp_path, monkeypatch, oidc_person_claim="staff")
    client = board.client()
    assert client.get(path_of(authorized(client, "sub-mira"))).status_code == 303
    assert f"You are <b>{TOMAS}</b>" in client.get("/").text


def test_a_sign_in_ends_where_it_was_begun(board: Served) -> None:
    """The code of somebody else's sign-in does not sign in another browser: the state is of one browser, once."""
    victim, thief = board.client(), board.client()
    there = path_of(authorized(thief, "sub-mira"))
    assert victim.get(there).status_code == 403
    assert victim.get("/sign-in/oidc").status_code == 303  # it has begun one of its own
    answer = victim.get(there)
    assert answer.status_code == 403
    assert "this sign-in was not begun in this browser" in answer.text
    assert thief.get(there).status_code == 303
    assert thief.get(there).status_code == 403  # a code serves once
    assert thief.get("/sign-in/oidc/callback?code=x&state=").status_code == 403


def test_a_wrong_nonce_is_refused(board: Served) -> None:
    client = board.client()
    there = authorized(client, "sub-mira", nonce="of-another-sign-in")
    answer = client.get(path_of(there))
    assert answer.status_code == 403
    assert "the provider&#39;s word of who signed in does not hold: invalid_claim" in answer.text
    assert COOKIE not in client.cookies


def test_what_was_begun_cannot_be_altered_nor_kept(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = board.client()
    there = path_of(authorized(client, "sub-mira"))
    held = client.cookies[BEGUN]
    client.cookies.set(BEGUN, held[:-3] + "abc", domain="127.0.0.1", path="/sign-in/oidc")
    assert client.get(there).status_code == 403
    late = board.client()
    there = path_of(authorized(late, "sub-mira"))
    now = board.context.sessions.now()
    monkeypatch.setattr(type(board.context.sessions), "now", staticmethod(lambda: now + 601_000_000))
    assert "too long ago" in late.get(there).text


def test_the_provider_says_no(board: Served) -> None:
    client = board.client()
    begun = client.get("/sign-in/oidc").headers["location"]
    state = parse_qs(urlsplit(begun).query)["state"][0]
    answer = client.get("/sign-in/oidc/callback", params={"error": "access_denied", "state": state})
    assert answer.status_code == 403
    assert "access_denied" in answer.text


@pytest.mark.parametrize(
    "back", ["https://evil.example.org/", "//evil.example.org", "/\\evil.example.org", "javascript:x"]
)
def test_nobody_is_sent_to_another_site(board: Served, back: str) -> None:
    client = board.client()
    assert client.get(path_of(authorized(client, "sub-mira", back))).headers["location"] == "/"


def test_a_provider_that_is_away_is_told_and_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = served(tmp_path, monkeypatch, oidc_issuer="http://127.0.0.1:9", oidc_client_id="b")
    answer = board.client().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "the provider http://127.0.0.1:9 does not answer" in answer.text


def test_what_the_provider_says_of_itself_is_asked_once(
    board: Served, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = httpx2.Client.get

    def get(client: httpx2.Client, url: Any, **further: Any) -> httpx2.Response:
        asked.append(str(url))
        return plain(client, url, **further)

    monkeypatch.setattr(httpx2.Client, "get", get)
    clients = [board.client() for _ in range(2)]
    for client in clients:
        assert client.get("/sign-in/oidc").status_code == 303
    assert [url for url in asked if url.startswith(issuer)] == [f"{issuer}/.well-known/openid-configuration"]


def test_another_issuer_than_was_set_is_none(issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = served(tmp_path, monkeypatch, oidc_issuer=issuer.replace("localhost", "127.0.0.1"), oidc_client_id="b")
    assert board.context.provider is not None
    plain = board.context.provider._get
    monkeypatch.setattr(board.context.provider, "_get", lambda url: plain(url) | {"issuer": issuer})
    answer = board.client().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert f"says that it is {issuer}" in answer.text


def test_signing_out_offers_to_sign_out_of_the_provider_too(board: Served, issuer: str) -> None:
    client = board.client()
    client.get(path_of(authorized(client, "sub-mira")))
    answer = client.post("/sign-out", data={"csrf": board.form_token(client)})
    assert answer.headers["location"] == "/sign-in?out=true"
    assert "/sign-in/oidc/out" in client.get("/sign-in?out=true").text
    there = client.get("/sign-in/oidc/out").headers["location"]
    assert there.startswith(f"{issuer}/oauth2/end_session?")
    assert parse_qs(urlsplit(there).query)["post_logout_redirect_uri"] == [f"{ADDRESS}/sign-in"]
    assert client.get("/").status_code == 303


def test_whoever_came_by_a_provider_is_nobody_else(board: Served) -> None:
    client = board.client()
    client.get(path_of(authorized(client, "sub-mira")))
    answer = client.post("/me", data={"person": AUDITOR, "csrf": board.form_token(client)})
    assert answer.status_code == 403
    assert f"You are <b>{MIRA}</b>" in client.get("/").text


def test_whose_document_is_withdrawn_is_out_at_once(board: Served) -> None:
    client = board.client()
    client.get(path_of(authorized(client, "sub-mira")))
    assert client.get("/").status_code == 200
    persons = {name: each for name, each in board.context.estate.persons.items() if name != MIRA}
    board.context.feed.estate = type(board.context.estate)(persons=persons, systems={})
    assert client.get("/").status_code == 303


def test_sign_ins_are_counted(board: Served) -> None:
    object.__setattr__(board.context, "provider_rate", Rate(2, 60))
    client = board.client()
    assert [client.get("/sign-in/oidc").status_code for _ in range(3)] == [303, 303, 429]


def test_without_a_provider_nothing_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served(tmp_path, monkeypatch).client()
    assert client.get("/sign-in/oidc").status_code == 404
    assert client.get("/sign-in/oidc/callback?code=x&state=y").status_code == 404


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ISSUER": "https://login.example.org"}, "set both, or neither"),
        ({"CLIENT_ID": "b"}, "set both, or neither"),
        ({"ISSUER": "http://login.example.org", "CLIENT_ID": "b"}, "begins with https://"),
        ({"ISSUER": "https://x.example.org", "CLIENT_ID": "b", "CLIENT_SECRET_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_half_of_it_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], told: str
) -> None:
    served(tmp_path, monkeypatch)
    for name, value in settings.items():
        monkeypatch.setenv(f"SEAMWATCH_BOARD_OIDC_{name}", value)
    with pytest.raises(UsageError, match=told):
        context_of(load_settings(), ADDRESS)


def test_the_secret_is_in_nothing_that_others_read(board: Served) -> None:
    assert "s3cr3t" not in repr(board.context)
    client = board.client()
    begun = client.get("/sign-in/oidc")
    assert "s3cr3t" not in str(begun.headers)
    assert client.get(path_of(authorized(client, "sub-mira"))).status_code == 303
