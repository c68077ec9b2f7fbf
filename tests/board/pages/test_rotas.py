"""Rotas on the board: who is on call now and next, in the rota's own time, and wherever a list names one."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from fastapi.testclient import TestClient

from board.context import Context
from seamwatch.documents import Estate
from tests.board.conftest import signed_in
from tests.console.populated import AWAY, MODEL, PEOPLE, event

CONTRACT = "eligibility-data-to-decisions"


def text_of(page: str) -> str:
    """What a reader sees of a page, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_each_rota_says_who_is_on_call_and_what_comes_in_its_own_time(somebody: TestClient) -> None:
    answer = somebody.get("/rotas")
    assert answer.status_code == 200
    day, night = answer.text.split('<section id="rota-')[1:]
    assert day.startswith('decisions-on-call"')
    told = text_of(day)
    assert f"Otto Example ({PEOPLE[2]}) is on call since" in told
    assert "Mira is at a wedding" in told
    assert "Europe/Berlin; its days and times are meant in it" in told
    assert re.search(r"Then [\w.-]+@", told)
    assert day.count('<span class="tag warning">exception</span>') == 1
    assert f'href="/contracts/{CONTRACT}"' in day
    assert f'datetime="{AWAY[1][:19]}.000000Z"' in day
    assert re.search(r"\d\d:\d\d CES?T", told)
    assert f"{PEOPLE[1]} has no channel but the board" in told
    assert "America/New_York" in night
    assert 29 <= night.count("<tr") - 1 <= 30
    assert "the list of no contract in force, so that nobody is paged by it" in text_of(night)
    assert "instead" not in night


def test_it_needs_no_store(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get("/rotas").status_code == 200
    assert client.get("/parts/rotas").status_code == 200
    assert client.get("/parts/rotas-now").status_code == 200


def test_it_is_shown_to_who_is_signed_in_alone(client: TestClient) -> None:
    assert client.get("/rotas").headers["location"].startswith("/sign-in")


def test_wherever_a_list_is_shown_it_names_the_rota_and_the_person(somebody: TestClient) -> None:
    for path in ("/", f"/contracts/{CONTRACT}", f"/parts/systems/hook?id={MODEL}"):
        answer = somebody.get(path)
        assert '<a href="/rotas#rota-decisions-on-call">decisions-on-call</a>: ' + PEOPLE[2] in answer.text, path
        assert "(Mira is at a wedding)" in answer.text, path
    why = text_of(somebody.get(f"/parts/audit/why?id={event('d1')}").text)
    assert f"{PEOPLE[1]} then rota decisions-on-call (now {PEOPLE[2]}, until" in why


def test_what_is_wrong_with_a_rota_is_told_and_without_any_it_is_said_how_to_begin(
    context: Context, somebody: TestClient
) -> None:
    feed = context.feed
    feed.estate = replace(feed.estate, rotas={}, problems=("published document 'Rota/odd' cannot be used: <b>no</b>",))
    told = somebody.get("/rotas").text
    assert "&#39;Rota/odd&#39; cannot be used: &lt;b&gt;no" in told
    assert "no document that can be used declares it: in its place the owner of each system is paged" in told
    assert 'decisions-on-call</a>: <span class="bad">no document' in somebody.get(f"/contracts/{CONTRACT}").text
    feed.estate = Estate(feed.estate.persons)
    assert "There are no rotas." in somebody.get("/rotas").text
    assert "On call now" not in somebody.get("/").text
