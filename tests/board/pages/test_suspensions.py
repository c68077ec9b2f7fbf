"""Suspending and resuming on the board: by who may, as oneself, signed by who has keys; and what others see of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from board.context import Context
from seamwatch.documents import Estate
from seamwatch.documents.models import Person
from seamwatch.guard.standing import Standing
from seamwatch.signatures import suspension_bytes
from tests.board.conftest import form_token, signed_in
from tests.board.pages.test_episodes import words
from tests.console.populated import AGENT, MODEL, PEOPLE
from tests.sinks.samples import NOW

OWNER, OTHER = PEOPLE[0], PEOPLE[1]
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes to the broker, which a judge counts at once."""
    events: list[dict[str, Any]] = []

    def submit(_system: object, event: dict[str, Any], _patience: float) -> dict[str, Any]:
        events.append(event)
        return {"counted": True, "summary": "it counts"}

    monkeypatch.setattr("statements.suspension.submit", submit)
    return events


def suspend(context: Context, client: TestClient, path: str = "/suspensions", **more: str) -> Any:
    fields = {"system": MODEL, "state": "suspended", "reason": "it is wrong", **more, **form_token(context, client)}
    return client.post(path, data=fields, headers={"origin": "http://127.0.0.1:8080"})


def stopped(context: Context, **more: Any) -> None:
    """As if the judge had concluded that the model is suspended."""
    given: dict[str, Any] = {
        "system": MODEL, "version": None, "tool": None, "person": OWNER, "contract": None, "reason": "it is wrong",
        "since": NOW, "until": None,
    }  # fmt: skip
    context.feed.suspended = {MODEL: (Standing(**given | more),)}


def test_who_may_sees_the_form_and_nobody_else(context: Context) -> None:
    assert "Suspend it" in signed_in(context, OWNER).get(f"/systems/{MODEL}").text
    assert "Suspend it" not in signed_in(context, OTHER).get(f"/systems/{MODEL}").text
    assert "Suspend it" not in signed_in(context, None).get(f"/systems/{MODEL}").text


def test_what_is_suspended_is_said_where_it_is_looked_for(context: Context) -> None:
    stopped(context)
    told = f"Suspended : {MODEL} is suspended by {OWNER}"
    owner, other = signed_in(context, OWNER), signed_in(context, OTHER)
    assert told in words(owner.get(f"/systems/{MODEL}").text)
    assert "Resume</button>" in owner.get(f"/parts/suspended?id={MODEL}").text
    assert told in words(other.get("/parts/on-call?whose=all").text)
    assert "Resume</button>" not in other.get(f"/parts/suspended?id={MODEL}").text
    stopped(context, until=NOW - 1)
    assert told not in words(other.get("/parts/on-call?whose=all").text)
    assert "Suspended" not in other.get(f"/systems/{AGENT}").text


def test_what_is_said_is_that_of_who_says_it(context: Context, sent: list[dict[str, Any]]) -> None:
    client = signed_in(context, OWNER)
    assert suspend(context, client, tool="refund", until="2099-01-01T00:00:00Z").status_code == 200
    resumed = {"state": "resumed", "tool": "refund", "reason": "", "evidence": "https://example.org/81"}
    assert suspend(context, client, **resumed).status_code == 200
    assert [(e["person"], e["state"], e["tool"], e["evidence_uri"]) for e in sent] == [
        (OWNER, "suspended", "refund", None),
        (OWNER, "resumed", "refund", "https://example.org/81"),
    ]
    assert sent[1]["reason"] == "on the evidence of https://example.org/81"


@pytest.mark.parametrize(
    ("person", "fields", "status", "told"),
    [
        (OTHER, {}, 409, f"it is for {OWNER} to suspend"),
        (None, {}, 409, "say who you are first"),
        (OWNER, {"reason": " "}, 422, "say why"),
        (OWNER, {"state": "resumed", "reason": ""}, 422, "on which evidence"),
        (OWNER, {"until": "tomorrow"}, 422, "until"),
        (OWNER, {"until": "2001-01-01T00:00:00Z"}, 409, "before it begins"),
        (OWNER, {"version": "1", "tool": "a"}, 409, "one of them is suspended"),
        (OWNER, {"system": "nobody-declared"}, 409, "no document declares it"),
    ],
)
def test_what_would_not_count_is_refused_and_not_sent(
    context: Context, sent: list[dict[str, Any]], person: str | None, fields: dict[str, str], status: int, told: str
) -> None:
    answer = suspend(context, signed_in(context, person), **fields)
    assert (answer.status_code, told in words(answer.text)) == (status, True), answer.text
    assert sent == []


def test_a_form_of_another_site_suspends_nothing(context: Context, sent: list[dict[str, Any]]) -> None:
    client = signed_in(context, OWNER)
    fields = {"system": MODEL, "state": "suspended", "reason": "x"}
    assert client.post("/suspensions", data=fields).status_code in (400, 403)
    elsewhere = {"origin": "https://elsewhere.example.org"}
    assert client.post("/suspensions", data=fields | form_token(context, client), headers=elsewhere).status_code == 403
    assert sent == []


def test_who_has_keys_signs_the_bytes_that_the_command_signs(context: Context, sent: list[dict[str, Any]]) -> None:
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    keys = [{"key_id": "k1", "public": public}]
    persons = dict(context.estate.persons) | {
        OWNER: Person.model_validate({"id": OWNER, "name": "Example", "keys": keys})
    }
    context.feed.estate = Estate(persons=persons, systems=context.estate.systems)
    client = signed_in(context, OWNER)
    assert "has published keys" in suspend(context, client).text
    (draft,) = suspend(context, client, "/suspensions/drafts").json()
    signature = base64.b64encode(KEY.sign(draft["bytes"].encode())).decode()
    fields = {"draft": draft["draft"], **form_token(context, client)}
    headers = {"origin": "http://127.0.0.1:8080"}
    wrong = base64.b64encode(KEY.sign(b"else")).decode()
    assert client.post("/suspensions/signed", data={**fields, "signature": wrong}, headers=headers).status_code == 403
    right = {**fields, "signature": signature}
    assert client.post("/suspensions/signed", data=right, headers=headers).status_code == 200
    other = signed_in(context, OTHER)
    stolen = right | form_token(context, other)
    assert "no draft of this session" in other.post("/suspensions/signed", data=stolen, headers=headers).text
    (event,) = sent
    assert suspension_bytes(event) == draft["bytes"].encode()
