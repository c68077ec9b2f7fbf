"""Readiness: every system with its answers, what lacks most first; of one alone, and of nobody's nothing."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from board.context import Context
from sinks.store.questions.readiness import QUESTIONS
from tests.board.conftest import signed_in
from tests.console.populated import AGENT, MODEL, PEOPLE, STRAY

_SYSTEM = re.compile(r'<h2><a href="/systems/([^"]+)"')
_TOLD = re.compile(r"(\d+) yes, (\d+) no(?: \([^)]*\))?, (\d+) not known")


def test_every_system_is_answered_and_what_lacks_most_stands_first(somebody: TestClient) -> None:
    found = somebody.get("/readiness", params={"whole": True}).text
    assert {MODEL, AGENT, STRAY} <= set(_SYSTEM.findall(found))
    told = [tuple(map(int, numbers)) for numbers in _TOLD.findall(found)]
    assert len(told) == len(_SYSTEM.findall(found))
    assert {sum(numbers) for numbers in told} == {len(QUESTIONS)}
    assert told == sorted(told, key=lambda numbers: (-numbers[1], -numbers[2]))
    assert found.count('<th scope="row">') == len(told) * len(QUESTIONS)


def test_of_one_system_it_is_alone_and_of_nobodys_there_is_nothing(somebody: TestClient) -> None:
    one = somebody.get("/parts/readiness", params={"system": MODEL}).text
    assert _SYSTEM.findall(one) == [MODEL]
    assert "<html" not in one
    assert _SYSTEM.findall(somebody.get("/parts/readiness", params={"system": "nobody<b>"}).text) == []
    assert "nobody&lt;b&gt;" in somebody.get("/readiness", params={"system": "nobody<b>"}).text


def test_who_looks_by_the_boards_reader_is_told_that_it_may_only_read(somebody: TestClient) -> None:
    assert "who may only read, pulled" in somebody.get("/parts/readiness", params={"system": MODEL}).text


def test_with_the_store_away_the_page_says_so_in_its_place(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get("/readiness").status_code == 200
    assert client.get("/parts/readiness", headers={"HX-Request": "true"}).status_code == 503
