"""The API: the same answers as the commands, each error as a problem, each scope and session held to what it may."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from board.context import Context
from board.security.sessions import COOKIE
from board.security.tokens import new_token
from console.app import main
from seamwatch.documents import Estate, Person
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.seams import Seams
from seamwatch.instants import format_instant, parse_instant
from seamwatch.rates import Rate
from seamwatch.signatures import acknowledgement_bytes, acknowledgement_fault
from tests.board.conftest import AUDITOR, client_of, form_token, signed_in
from tests.console.populated import EPISODES, MODEL, PEOPLE, STRAY, TRACE, Populated, event

SECRET = b"a secret of the tests, long enough"
DRIFT, OVER, TAKEN = (episode.violation_id for episode in EPISODES)
NOBODY_SAYS = {"reference": DRIFT, "answer": "accept"}


def token(context: Context, person: str, *scopes: Any, lasts: int = HOUR) -> str:
    return new_token(SECRET, person, scopes or ("read",), context.sessions.now() + lasts)


def program(context: Context, person: str = PEOPLE[0], *scopes: Any) -> TestClient:
    """A program with a token."""
    client = client_of(context)
    client.headers["authorization"] = f"Bearer {token(context, person, *scopes)}"
    return client


def said(answer: Any, status: int) -> str:
    """What a problem says; and that it is one, of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} == set(answer.json())
    assert answer.json()["status"] == status
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    "path",
    [
        "me", "episodes", f"episodes/{DRIFT}", f"episodes/{DRIFT}/lateness", "systems", f"systems/{MODEL}/owner",
        f"systems/{MODEL}/contracts", f"systems/{MODEL}/approvals", f"systems/{MODEL}/signals", "signals",
        f"systems/{MODEL}/reviews", "drift", "contracts", "contracts/eligibility-data-to-decisions/signatures",
        "decisions", f"decisions/{event('d1')}", f"traces/{TRACE}", "stale", "acknowledgements", "rotas",
        "answers/without-effect", "followups", "incidents", "ledger",
        "readiness", f"readiness?system={MODEL}", "tiers", "unjudged?since=30d", f"systems/{MODEL}/card",
        "openapi.json", "changes",
        "changes/CHANGE-2026-11-000042", "unannounced",
    ],
)  # fmt: skip
def test_every_question_is_answered_to_a_reader_and_to_nobody_else(context: Context, path: str) -> None:
    answer = program(context).get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.json()
    refused = client_of(context).get(f"/api/v1/{path}")
    assert "seamwatch board-token" in said(refused, 401)
    assert refused.headers["www-authenticate"] == "Bearer"


def test_what_it_says_is_what_the_commands_print(
    context: Context, estate: Populated, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", estate.url)
    client = program(context)

    def commanded(*arguments: str) -> str:
        return estate.run_with(capsys, *arguments).out

    open_ones = client.get("/api/v1/episodes", params={"unresolved": True, "since": "4h"}).json()
    assert [each["violation_id"] for each in open_ones["items"]] == [TAKEN, DRIFT]
    assert open_ones["total"] == 2
    one = client.get(f"/api/v1/episodes/{DRIFT}").json()
    assert (one["observed"], one["limit"], one["person"]) == (0.31, 0.2, PEOPLE[0])
    assert one["opened_at"].endswith("Z")
    systems = client.get("/api/v1/systems").json()["items"]
    assert systems[0]["system"] == STRAY
    why = client.get(f"/api/v1/decisions/{event('d1')}").json()
    told = json.loads(commanded("why", event("d1"), "--json"))
    for name in set(told) - {"attributes", "erasures", "violations"}:
        assert why[name] == told[name], name
    assert [each["violation_id"] for each in why["violations"]] == [DRIFT]
    for path, command in (
        (f"traces/{TRACE}", ("trail", TRACE)),
        ("systems", ("inventory",)),
        ("drift", ("drift",)),
        ("stale", ("stale",)),
    ):
        lines = commanded(*command, "--json").splitlines()
        assert client.get(f"/api/v1/{path}").json()["items"] == [json.loads(line) for line in lines], path
    lacking = client.get("/api/v1/unjudged", params={"since": "30d"}).json()["items"]
    # What a person alone may be told is hidden from a program, which is told that something is.
    assert [one["why"] for one in lacking].count("hidden") == 1
    lines = commanded("unjudged", "--since", "30d", "--json").splitlines()
    assert [one for one in lacking if one["why"] != "hidden"] == [json.loads(line) for line in lines]
    unapproved = client.get("/api/v1/decisions", params={"system": STRAY}).json()["items"]
    assert [each["event_id"] for each in unapproved] == [event("d4")]


def test_the_evidence_of_a_system_is_asked_for_by_its_name(context: Context) -> None:
    client = program(context)
    answers = client.get("/api/v1/readiness", params={"system": MODEL}).json()["items"]
    assert len(answers) == 10
    assert {one["system"] for one in answers} == {MODEL}
    everybodys = client.get("/api/v1/readiness", params={"limit": 500}).json()["items"]
    assert answers == [one for one in everybodys if one["system"] == MODEL]
    assert {STRAY, MODEL} <= {one["system"] for one in everybodys}
    card = client.get(f"/api/v1/systems/{MODEL}/card").json()
    assert (card["who"]["system"], card["form"]) == (MODEL, "seamwatch/card/v1")
    for path in ("systems/nobodys/card", "readiness?system=nobodys", "unjudged?system=nobodys"):
        assert "nobodys" in said(client.get(f"/api/v1/{path}"), 404)


def test_rotas_are_told_as_the_command_tells_them(
    context: Context, estate: Populated, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", estate.url)
    client = program(context)
    at = client.get("/api/v1/rotas", params={"limit": 1}).json()["items"][0]["at"]
    assert "within 366 days" in said(client.get("/api/v1/rotas", params={"at": at, "until": "2999-01-01"}), 422)
    until = format_instant(parse_instant(at) + 365 * DAY)
    lines = estate.run_with(capsys, "rota", "--at", at, "--until", until, "--json").out.splitlines()
    asked = {"at": at, "until": until}
    assert client.get("/api/v1/rotas", params=asked).json()["items"] == [json.loads(line) for line in lines]
    (one,) = client.get("/api/v1/rotas", params=asked | {"rota": "night-desk"}).json()["items"]
    assert (one["time_zone"], one["contracts"], 364 < len(one["turns"]) < 369) == ("America/New_York", [], True)
    assert "did you mean 'night-desk'" in said(client.get("/api/v1/rotas", params={"rota": "night-desks"}), 404)
    assert "at: 'noon' is not a time" in said(client.get("/api/v1/rotas", params={"at": "noon"}), 422)


def test_a_change_is_told_by_the_reference_that_an_answer_names(context: Context) -> None:
    client = program(context)
    (change,) = client.get("/api/v1/changes").json()["items"]
    assert change["reference"].startswith("CHANGE-2026-11-000042@")
    assert (change["system"], change["announced_by"], change["stands"], change["newest"]) == (
        MODEL, PEOPLE[1], True, True,
    )  # fmt: skip
    assert client.get("/api/v1/changes/CHANGE-2026-11-000042").json()["items"] == [change]
    assert "no change" in said(client.get("/api/v1/changes/CHANGE-0"), 404)


def test_lists_come_in_pages_that_lead_to_one_another(context: Context) -> None:
    client = program(context)
    for path in ("/api/v1/episodes?limit=1", "/api/v1/systems?limit=1", "/api/v1/decisions?limit=2"):
        whole = client.get(path.split("?")[0]).json()["items"]
        found: list[Any] = []
        following: str | None = path
        while following is not None:
            page = client.get(following).json()
            found += page["items"]
            following = page["next"]
        assert found == whole, path
        assert len(found) > 1


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("episodes?system=creditt", 404, "neither declared nor was it seen"),
        (f"systems/{MODEL}x/owner", 404, f"did you mean '{MODEL}'"),
        ("episodes/0000", 404, "no violation 0000 is on record"),
        ("episodes?before=0000", 404, "no violation of this id"),
        ("decisions/0000", 404, "no inference or tool call"),
        ("traces/0000", 404, "nothing with trace_id"),
        ("nowhere", 404, "there is no such page"),
        ("episodes?since=yesterday", 422, "write a duration such as 24h"),
        ("episodes?limit=0", 422, "limit: Input should be greater than or equal to 1"),
    ],
)
def test_an_error_is_a_problem_that_says_what_to_do(context: Context, path: str, status: int, told: str) -> None:
    assert told in said(program(context).get(f"/api/v1/{path}"), status)


def test_a_store_that_is_away_is_told(without_store: Context) -> None:
    said(program(without_store).get("/api/v1/episodes"), 503)


def test_only_an_auditor_sees_what_events_hold(context: Context) -> None:
    path = f"/api/v1/decisions/{event('c1')}"
    assert program(context, AUDITOR).get(path).json()["arguments"] == {"amount": "5"}
    assert program(context).get(path).json()["arguments"] is None


def test_each_scope_is_held_to(context: Context) -> None:
    assert "scope read" in said(program(context, PEOPLE[0], "answer").get("/api/v1/episodes"), 403)
    for path in ("answers", "answers/drafts"):
        assert "scope answer" in said(program(context).post(f"/api/v1/{path}", json=NOBODY_SAYS), 403)
    signed = {"draft": "x", "signature": "y"}
    assert "scope answer" in said(program(context).post("/api/v1/answers/signed", json=signed), 403)


def test_a_token_that_is_over_altered_or_of_nobody_is_none(context: Context) -> None:
    over, good = token(context, PEOPLE[0], lasts=-1), token(context, PEOPLE[0])
    other = new_token(b"another secret, of another board.", PEOPLE[0], ("read",), context.sessions.now() + HOUR)
    session = str(context.sessions.signer("session").dumps({"person": PEOPLE[0]}))
    stranger = token(context, "x@example.org")
    for wrong in (over, good[:-2] + "xx", good.removeprefix("smw_"), other, session, stranger, ""):
        answer = client_of(context).get("/api/v1/me", headers={"authorization": f"Bearer {wrong}"})
        assert "token" in said(answer, 401)
    basic = client_of(context).get("/api/v1/me", headers={"authorization": f"Basic {good}"})
    assert said(basic, 401)
    # A token is for the API; no page takes it.
    assert client_of(context).get("/", headers={"authorization": f"Bearer {good}"}).status_code == 303
    cookie = client_of(context)
    cookie.cookies.set(COOKIE, good)
    assert cookie.get("/").status_code == 303


def test_wrong_tokens_are_counted_and_right_ones_are_not(context: Context) -> None:
    object.__setattr__(context, "wrong_token_rate", Rate(2, 60))
    client = client_of(context)
    wrong = {"authorization": "Bearer smw_x"}
    assert [client.get("/api/v1/me", headers=wrong).status_code for _ in range(3)] == [401, 401, 429]
    assert program(context).get("/api/v1/me").status_code == 200


def test_a_session_reads_and_answers_only_with_the_token_of_its_forms(
    context: Context, sent: list[dict[str, Any]]
) -> None:
    client = signed_in(context, PEOPLE[0])
    assert client.get("/api/v1/me").json()["how"] == "link"
    assert "the page is of an earlier session" in said(client.post("/api/v1/answers", json=NOBODY_SAYS), 403)
    token = {"x-csrf-token": form_token(context, client)["csrf"]}
    elsewhere = token | {"origin": "https://evil.example.org"}
    assert "page of another site" in said(client.post("/api/v1/answers", json=NOBODY_SAYS, headers=elsewhere), 403)
    assert not sent
    assert client.post("/api/v1/answers", json=NOBODY_SAYS, headers=token).status_code == 200
    assert [each["person"] for each in sent] == [PEOPLE[0]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The answers that go to the broker, which a judge counts at once."""
    events: list[dict[str, Any]] = []

    def submit(_system: object, event: dict[str, Any], _patience: float) -> dict[str, Any]:
        events.append(event)
        return {"counted": True, "summary": "it counts"}

    monkeypatch.setattr("statements.answer.submit", submit)
    return events


def test_an_answer_is_that_of_who_asks(context: Context, sent: list[dict[str, Any]]) -> None:
    client = program(context, PEOPLE[0], "answer")
    answer = client.post("/api/v1/answers", json=NOBODY_SAYS | {"note": "on it"})
    assert answer.json() == {"reference": DRIFT, "counted": True, "summary": "it counts"}
    (event,) = sent
    assert (event["person"], event["system"], event["answer"], event["note"]) == (PEOPLE[0], MODEL, "accept", "on it")
    assert "person" in said(client.post("/api/v1/answers", json=NOBODY_SAYS | {"person": PEOPLE[1]}), 422)


def test_only_that_a_violation_was_taken_on_can_be_taken_back(
    context: Context, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})  # no broker is asked
    client = program(context, PEOPLE[2], "answer")
    back = {"answer": "retract", "note": "not mine"}
    assert client.post("/api/v1/answers", json=back | {"reference": TAKEN}).json()["counted"] is True
    assert [(event["reference"], event["answer"]) for event in sent] == [(TAKEN, "retract")]
    assert "nobody has taken it on" in said(client.post("/api/v1/answers", json=back | {"reference": DRIFT}), 409)
    assert "this is a change" in said(
        client.post("/api/v1/answers", json=back | {"reference": "CHANGE-2026-11-000042"}), 409
    )
    assert len(sent) == 1


@pytest.mark.parametrize(("reference", "status", "told"), [(OVER, 409, "over"), ("0000000", 404, "is on record")])
def test_what_cannot_be_answered_is_told(
    context: Context,
    sent: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    reference: str,
    status: int,
    told: str,
) -> None:
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})  # no broker is asked
    client = program(context, PEOPLE[0], "answer")
    assert told in said(client.post("/api/v1/answers", json=NOBODY_SAYS | {"reference": reference}), status)
    assert not sent


def test_without_a_verdict_it_is_accepted_and_not_said_to_count(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statements.answer.submit", lambda *_: None)
    answer = program(context, PEOPLE[0], "answer").post("/api/v1/answers", json=NOBODY_SAYS)
    assert answer.status_code == 202
    assert answer.json()["counted"] is None


KEYS = {person: Ed25519PrivateKey.from_private_bytes(person.encode()[:4] * 8) for person in PEOPLE[:2]}


@pytest.fixture
def signing(context: Context) -> Context:
    """The board, where two persons have published keys."""
    persons = dict(context.estate.persons)
    for person, key in KEYS.items():
        public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        keys = [{"key_id": f"key-of-{person}", "public": public}]
        persons[person] = Person.model_validate({"id": person, "name": "Example", "keys": keys})
    context.feed.estate = Estate(persons=persons, systems=context.estate.systems)
    return context


def signature(person: str, text: str) -> str:
    return base64.b64encode(KEYS[person].sign(text.encode())).decode()


def drafted(client: TestClient) -> dict[str, Any]:
    answer = client.post("/api/v1/answers/drafts", json=NOBODY_SAYS)
    assert answer.status_code == 200, answer.text
    (draft,) = answer.json()["items"]
    return dict(draft)


def test_who_has_keys_signs_the_same_bytes_as_the_command(signing: Context, sent: list[dict[str, Any]]) -> None:
    client = program(signing, PEOPLE[0], "answer")
    assert "has published keys" in said(client.post("/api/v1/answers", json=NOBODY_SAYS), 409)
    draft = drafted(client)
    given = {"draft": draft["draft"], "signature": signature(PEOPLE[0], draft["bytes"])}
    assert client.post("/api/v1/answers/signed", json=given).status_code == 200
    (event,) = sent
    assert acknowledgement_bytes(event) == draft["bytes"].encode()
    assert acknowledgement_fault(event, list(Seams(signing.estate, None).keys_of(PEOPLE[0]))) is None


def test_a_signature_by_anothers_key_and_a_draft_of_another_are_refused(
    signing: Context, sent: list[dict[str, Any]]
) -> None:
    mine, theirs = program(signing, PEOPLE[0], "answer"), program(signing, PEOPLE[1], "answer")
    draft = drafted(mine)
    right = signature(PEOPLE[0], draft["bytes"])
    by_another = {"draft": draft["draft"], "signature": signature(PEOPLE[1], draft["bytes"])}
    said(mine.post("/api/v1/answers/signed", json=by_another), 403)
    of_another = {"draft": draft["draft"], "signature": right}
    assert "no draft of this session" in said(theirs.post("/api/v1/answers/signed", json=of_another), 403)
    altered = {"draft": draft["draft"][:-2] + "xx", "signature": right}
    assert "no draft of this session" in said(mine.post("/api/v1/answers/signed", json=altered), 403)
    assert not sent


def test_a_token_of_the_command_serves(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    monkeypatch.setenv("SEAMWATCH_BOARD_SECRET_FILE", str(file))
    with pytest.raises(SystemExit) as ended:
        main(["board-token", "--as", AUDITOR, "--scope", "read", "--scope", "answer", "--expires", "2d"])
    assert ended.value.code == 0
    made = capsys.readouterr()
    assert AUDITOR in made.err
    client = client_of(context)
    me = client.get("/api/v1/me", headers={"authorization": f"Bearer {made.out.strip()}"}).json()
    assert (me["person"], me["how"], me["scopes"], me["everything"]) == (AUDITOR, "token", ["answer", "read"], True)
    for wrong in ("400d", "soon", "0s"):
        with pytest.raises(SystemExit) as ended:
            main(["board-token", "--as", AUDITOR, "--expires", wrong])
        assert ended.value.code == 2
    monkeypatch.delenv("SEAMWATCH_BOARD_SECRET_FILE")
    with pytest.raises(SystemExit) as ended:
        main(["board-token", "--as", AUDITOR, "--data", str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert "no board has run over" in capsys.readouterr().err
