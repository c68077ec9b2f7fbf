"""Changes: announced ones with a clock for each who must acknowledge, and what serves unannounced."""

from __future__ import annotations

from fastapi.testclient import TestClient

from board.context import Context
from board.pages import changes as pages
from tests.board.conftest import form_token, signed_in
from tests.console.populated import PEOPLE, STRAY

CHANGE = "CHANGE-2026-11-000042"


def test_each_who_must_acknowledge_has_a_clock_and_answers_here(somebody: TestClient) -> None:
    found = somebody.get("/changes", params={"whole": True}).text
    card = found.split("<article", 2)[1].split("</article>")[0]
    assert CHANGE in card
    for person in (PEOPLE[0], PEOPLE[2]):
        line = card.split(f"<b>{person}</b>")[1].split("</li>")[0]
        assert "waits 6 h; time is up" in line
        assert "data-countdown" in line
    assert f'name="reference" value="{CHANGE}@' in card
    assert ">Acknowledge<" in card
    assert ">Object<" in card


def test_who_is_not_asked_is_not_offered_an_answer(context: Context) -> None:
    for person in (PEOPLE[1], None):
        found = signed_in(context, person).get("/parts/changes").text
        assert CHANGE in found
        assert ">Acknowledge<" not in found


def test_an_answer_to_a_change_asks_the_broker_what_is_in_force(context: Context, somebody: TestClient) -> None:
    """What is answered is found in the store; here no broker listens, and that is told, and nothing else is said."""
    fields = {"reference": CHANGE, "kind": "accept", **form_token(context, somebody)}
    found = somebody.post("/answers", data=fields, headers={"HX-Request": "true"})
    assert found.status_code == 409
    assert "does not count" in found.text
    assert "127.0.0.1:9" in found.text
    assert "nothing came for 10 s" in found.text, "somebody waits for it"


def test_what_nobody_declared_is_referred_to_the_inventory(somebody: TestClient) -> None:
    found = somebody.get("/parts/changes").text.split('id="unannounced-title"')[1]
    assert "declared by nobody" in found
    assert STRAY not in found
    assert '<a href="/inventory">' in found


def test_the_list_is_asked_for_by_page(somebody: TestClient) -> None:
    assert CHANGE in somebody.get("/parts/changes", params={"page": 7}).text
    assert somebody.get("/parts/changes", params={"page": 0}).status_code == 422
    assert pages._CHANGES <= 50


def test_with_the_store_away_the_page_says_so_in_its_place(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get("/changes").status_code == 200
    assert client.get("/parts/changes", headers={"HX-Request": "true"}).status_code == 503
