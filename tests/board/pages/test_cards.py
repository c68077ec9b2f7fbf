"""A system's card on the board: what is on record as of now, for whom it may be told, and as a file."""

from __future__ import annotations

import json

import jsonschema
import pytest
from fastapi.testclient import TestClient

from board.cards import made_of
from board.context import Context
from sinks.store.questions.cards import schema
from tests.board.conftest import signed_in
from tests.console.populated import AGENT, DATASET, MODEL, PEOPLE, PIPELINE, STRAY
from tests.sinks.samples import NOW


@pytest.mark.parametrize("system", [MODEL, AGENT, DATASET, STRAY, PIPELINE])
def test_every_kind_of_system_has_a_card(somebody: TestClient, system: str) -> None:
    page = somebody.get(f"/systems/{system}/card?whole=1")
    assert page.status_code == 200
    assert "What it is for, and who answers for it" in page.text
    assert "not known" in page.text
    assert 'role="alert"' not in page.text


def test_the_card_says_what_is_on_record_and_loads_by_itself(somebody: TestClient) -> None:
    page = somebody.get(f"/systems/{MODEL}/card").text
    assert 'class="skeleton"' in page
    assert "APPROVAL-2026-000117" not in page
    card = somebody.get(f"/parts/card?id={MODEL}").text
    for said in ("APPROVAL-2026-000117", "Mira van den Berg", "shape-of-scores", "1 of 3 decisions lack data_as_of"):
        assert said in card, said
    assert "<html" not in card


def test_a_card_is_had_as_a_file_in_each_form(somebody: TestClient) -> None:
    for form, ending in (("html", "html"), ("markdown", "md"), ("json", "json")):
        answer = somebody.get(f"/parts/card?id={MODEL}&form={form}")
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{MODEL}.{ending}"
        made = made_of(answer.text)
        assert (made.system, made.as_of) == (MODEL, NOW)
    jsonschema.validate(json.loads(somebody.get(f"/parts/card?id={MODEL}&form=json").text), schema())
    assert somebody.get(f"/parts/card?id={MODEL}&form=pdf").status_code in (400, 422)


def test_a_system_that_nobody_knows_has_none(somebody: TestClient) -> None:
    assert somebody.get("/systems/nope-x/card").status_code == 404
    assert somebody.get("/parts/card?id=nope-x").status_code == 404


def test_while_the_store_is_away_the_page_stands_and_the_card_says_why(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get(f"/systems/{MODEL}/card").status_code == 200
    assert client.get(f"/parts/card?id={MODEL}").status_code == 503


def test_nobody_sees_a_card_without_signing_in(client: TestClient) -> None:
    assert client.get(f"/systems/{MODEL}/card").status_code == 303
    assert client.get(f"/parts/card?id={MODEL}&form=json").status_code == 303
