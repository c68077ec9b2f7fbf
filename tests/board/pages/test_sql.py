"""SQL of one's own: for those who may see everything, read-only, and asked only where the reader wants it."""

from __future__ import annotations

import csv
import io

import pytest
from fastapi.testclient import TestClient

from board.context import Context
from board.pages.sql import ROWS
from tests.board.conftest import signed_in
from tests.console.populated import MODEL, PEOPLE, Populated

HAND = {"Sec-Fetch-Site": "none"}
ONE = "SELECT system FROM inventory WHERE type = 'pipeline'"


def test_it_is_neither_shown_nor_answered_to_who_may_not(context: Context) -> None:
    for person in PEOPLE:
        client = signed_in(context, person)
        assert "/audit/sql" not in client.get("/audit").text
        for path in ("/audit/sql", "/audit/sql.csv"):
            found = client.get(path, params={"sql": ONE}, headers=HAND)
            assert found.status_code == 403
            assert "nightly-scoring" not in found.text


def test_who_may_is_shown_the_answer_and_how_to_pass_it_on(auditor: TestClient, by_link: TestClient) -> None:
    for client in (auditor, by_link):
        assert "/audit/sql" in client.get("/audit").text
        found = client.get("/audit/sql", params={"sql": ONE}, headers=HAND)
        assert found.status_code == 200
        assert "<td>nightly-scoring</td>" in found.text
        assert "http://127.0.0.1:8080/audit/sql?sql=SELECT+system+FROM" in found.text


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        (HAND, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Referer": "http://127.0.0.1:8080/audit"}, False),
        ({"Referer": "http://127.0.0.1:8080/audit/sql"}, True),
        ({"Referer": "http://127.0.0.1:8080.example.org/"}, False),
        ({}, False),
    ],
)
def test_a_page_of_another_site_leads_to_a_button_only(
    auditor: TestClient, headers: dict[str, str], asked: bool
) -> None:
    found = auditor.get("/audit/sql", params={"sql": ONE}, headers=headers)
    assert ("nightly-scoring" in found.text) is asked
    assert ("asked when you press Run" in found.text) is not asked
    assert "FROM inventory" in found.text
    assert auditor.get("/audit/sql.csv", params={"sql": ONE}, headers=headers).status_code == (200 if asked else 403)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nothing FROM inventory", "Unknown expression"),
        ("INSERT INTO hold (hold_id) VALUES ('mine')", "refused"),
        ("DROP TABLE hold", "refused"),
        ("SELECT 1; SELECT 2", "refused"),
        ("SELECT 1 FORMAT JSON", "leave out FORMAT"),
        ("SELECT throwIf(number = 3) FROM numbers(5)", "throwIf"),
    ],
)
def test_what_the_store_refuses_is_shown_as_text(auditor: TestClient, estate: Populated, sql: str, said: str) -> None:
    found = auditor.get("/audit/sql", params={"sql": sql}, headers=HAND)
    assert found.status_code == 422
    assert said in found.text
    assert auditor.get("/audit/sql.csv", params={"sql": sql}, headers=HAND).status_code == 422
    assert estate.store.rows("SELECT count() AS n FROM hold WHERE hold_id = 'mine'") == [{"n": 0}]


def test_many_rows_are_cut_on_the_page_and_whole_as_a_file(auditor: TestClient) -> None:
    sql = f"SELECT number, NULL AS nothing FROM numbers({ROWS + 1}) -- all"
    page = auditor.get("/audit/sql", params={"sql": sql}, headers=HAND).text
    assert page.count("<tr>") == ROWS + 1  # and the names
    assert f"The first {ROWS} rows; there are more" in page
    file = auditor.get("/audit/sql.csv", params={"sql": sql}, headers=HAND)
    assert len(list(csv.reader(io.StringIO(file.text)))) == ROWS + 2
    assert "attachment" in file.headers["content-disposition"]


def test_what_others_wrote_is_escaped_and_no_formula(auditor: TestClient) -> None:
    sql = """SELECT '<script>x' AS `<b>`, '=1+1' AS a, '-2.5' AS b, '@x' AS c, '+x' AS d, -1.5 AS e, 'a"b\nc' AS f"""
    page = auditor.get("/audit/sql", params={"sql": sql}, headers=HAND).text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    file = auditor.get("/audit/sql.csv", params={"sql": sql}, headers=HAND)
    names, row = csv.reader(io.StringIO(file.text, newline=""))
    assert names == ["<b>", "a", "b", "c", "d", "e", "f"]
    assert row == ["<script>x", "'=1+1", "-2.5", "'@x", "'+x", "-1.5", 'a"b\nc']


def test_only_so_many_are_asked_at_once(auditor: TestClient, context: Context) -> None:
    with context.stores.typed(), context.stores.typed(), context.stores.typed(), context.stores.typed():
        found = auditor.get("/audit/sql", params={"sql": ONE}, headers=HAND)
        assert "being asked already" in found.text
        assert "nightly-scoring" not in found.text
    assert "nightly-scoring" in auditor.get("/audit/sql", params={"sql": ONE}, headers=HAND).text


def test_with_the_store_away_it_says_so(without_store: Context) -> None:
    client = signed_in(without_store, None)
    found = client.get("/audit/sql", params={"sql": ONE}, headers=HAND)
    assert found.status_code == 503
    assert "cannot be reached" in found.text
    assert MODEL not in found.text
