"""Drift: every system that serves, the worst first, with what moved, what was agreed and who reviews."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from board.context import Context
from board.pages.drift import words
from seamwatch.clauses.distribution import Distribution
from tests.board.conftest import signed_in
from tests.console.populated import AGENT, EPISODES, MODEL, PEOPLE, STRAY


def test_the_worst_stands_first_with_what_moved_and_what_was_agreed(somebody: TestClient) -> None:
    found = somebody.get("/drift", params={"whole": True}).text
    systems = re.findall(r'<th scope="row"><a href="/systems/([^"]+)"', found)
    assert systems[0] == MODEL
    assert set(systems) == {MODEL, AGENT, STRAY}
    row = found.split('<th scope="row">')[1]
    assert "drifting" in row
    assert f'/episodes/{EPISODES[0].violation_id}">31 %, agreed 20 %' in row
    assert "5 h ago" in row
    assert "shape-of-scores: no pass rate moves by more than 2 %, compared with the first 7 d" in row
    assert PEOPLE[0] in row
    assert "nobody is named" in row


def test_the_part_alone_is_no_page(somebody: TestClient) -> None:
    page, part = somebody.get("/drift").text, somebody.get("/parts/drift").text
    assert MODEL not in page
    assert "<html" not in part
    assert MODEL in part


def test_with_the_store_away_the_page_says_so_in_its_place(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get("/drift").status_code == 200
    assert client.get("/parts/drift", headers={"HX-Request": "true"}).status_code == 503


def test_what_is_agreed_is_said_in_words() -> None:
    period = {"period": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-12T00:00:00Z"}, "version": "2"}
    clause = Distribution.model_validate(
        {"id": "shape", "kind": "distribution", "reference": period, "floor": 0.05, "by": "cohort"}
    )
    assert words(clause) == (
        "no pass rate moves by more than 5 %, compared with those up to 2026-03-12 00:00:00 UTC of version 2, each "
        "cohort by itself"
    )
