"""On call: whose is what, what may be answered, and that it is shown while the store is away."""

from __future__ import annotations

from fastapi.testclient import TestClient

from board.context import Context
from tests.board.conftest import form_token, signed_in
from tests.console.populated import DATASET, EPISODES, MODEL, PEOPLE

DRIFT, OVER, TAKEN = (episode.violation_id for episode in EPISODES)


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(client: TestClient) -> None:
    answer = client.get("/?whose=all")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?back=%2F%3Fwhose%3Dall"


def test_everyones_are_what_is_not_over(by_link: TestClient) -> None:
    page = by_link.get("/").text

    assert f'id="e-{DRIFT}"' in page
    assert f'id="e-{TAKEN}"' in page
    assert f'id="e-{OVER}"' not in page
    assert DATASET not in page


def test_mine_are_those_that_i_must_act_on_or_took(context: Context) -> None:
    first, third = (signed_in(context, person).get("/").text for person in (PEOPLE[0], PEOPLE[2]))

    assert f'id="e-{DRIFT}"' in first
    assert f'id="e-{TAKEN}"' not in first
    assert f'id="e-{TAKEN}"' in third
    assert f'id="e-{DRIFT}"' not in third


def test_only_somebody_may_answer(by_link: TestClient, somebody: TestClient) -> None:
    assert 'action="/answers"' in somebody.get("/").text
    assert 'value="accept">Acknowledge<' in somebody.get("/").text
    assert 'value="accept">Acknowledge<' not in by_link.get("/").text


def test_only_what_was_taken_on_can_be_taken_back(context: Context, by_link: TestClient) -> None:
    def card(page: str, violation_id: str) -> str:
        return page.partition(f'id="e-{violation_id}"')[2].partition("</article>")[0]

    page = signed_in(context, PEOPLE[2]).get("/?whose=all").text
    assert ">Take back<" in card(page, TAKEN)
    assert ">Acknowledge<" not in card(page, TAKEN)
    assert ">Take back<" not in card(page, DRIFT)
    assert ">Take back<" not in by_link.get("/?whose=all").text


def test_an_answer_without_the_token_of_the_session_is_refused(context: Context, by_link: TestClient) -> None:
    fields = {"reference": DRIFT, "kind": "accept"}

    assert by_link.post("/answers", data=fields).status_code == 403
    assert by_link.post("/answers", data=fields | {"csrf": "x"}).status_code == 403
    as_nobody = by_link.post("/answers", data=fields | form_token(context, by_link))
    assert as_nobody.status_code == 409
    assert "say who you are first" in as_nobody.text


def test_it_needs_no_store(without_store: Context) -> None:
    page = signed_in(without_store, PEOPLE[0]).get("/")

    assert page.status_code == 200
    assert MODEL in page.text
