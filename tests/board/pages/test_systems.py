"""A system's page: its sections for what is declared and what is not, and names of any letters."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from board.context import Context
from board.pages.systems import downstream, upstream
from seamwatch.documents import System
from tests.board.conftest import signed_in
from tests.board.pages.test_episodes import words
from tests.console.populated import AGENT, DATASET, EPISODES, MODEL, PEOPLE, PIPELINE, STRAY
from tests.sinks.samples import NOW, violation

SECTIONS = (
    "approved",
    "performs",
    "hook",
    "contracts",
    "signals",
    "versions",
    "episodes",
    "chains",
    "unjudged",
    "unwatched",
)


def section(client: TestClient, name: str, system: str) -> str:
    answer = client.get(f"/parts/systems/{name}?id={quote(system, safe='')}", headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("system", [MODEL, AGENT, DATASET, STRAY, PIPELINE])
def test_every_section_answers_for_every_kind_of_system(somebody: TestClient, system: str) -> None:
    page = somebody.get(f"/systems/{system}?whole=1")

    assert page.status_code == 200
    assert page.text.count("<section") == len(SECTIONS)
    assert 'role="alert"' not in page.text
    assert 'class="skeleton"' not in page.text


def test_the_page_stands_without_the_store(without_store: Context) -> None:
    page = signed_in(without_store, PEOPLE[0]).get(f"/systems/{MODEL}")

    assert page.status_code == 200
    assert EPISODES[0].summary in page.text
    assert "Mira van den Berg" in page.text


def test_the_three_questions_are_answered(by_link: TestClient) -> None:
    told = words(" ".join(section(by_link, name, MODEL) for name in ("approved", "performs", "hook")))

    assert f"{PEOPLE[1]} approved version 2026.11.3" in told
    assert "for consumer-credit-eligibility (APPROVAL-2026-000117)" in told
    assert "in force" in told
    assert "Mira van den Berg (mira.van-den-berg@risk.example.org) owns it, and is reached by mailto." in told
    assert "SECRET_X" not in told
    assert f"{EPISODES[0].summary} : breach, {PEOPLE[0]} must act" in told
    assert f"{PEOPLE[0]} acknowledges within 30m" in told
    assert f"rota decisions-on-call : {PEOPLE[2]} until " in told
    assert "(Mira is at a wedding), then " in told
    assert "; acknowledges within 2h" in told


def test_what_nobody_declared_is_told_as_such(by_link: TestClient) -> None:
    assert "unregistered" in by_link.get(f"/systems/{STRAY}").text
    told = words(section(by_link, "approved", STRAY) + section(by_link, "hook", STRAY))
    assert f"Nobody has approved anything of {STRAY}" in told
    assert "Nobody: declare it" in told


def test_clauses_stand_beside_their_open_episodes_and_how_near_they_are(by_link: TestClient) -> None:
    told = words(section(by_link, "contracts", MODEL))

    assert "eligibility-data-to-decisions @4" in told
    assert "decisions-on-fresh-features freshness nothing open last 2 h, agreed at most 1 h, 200% of it" in told
    assert f"shape-of-scores distribution breach {EPISODES[0].summary}" in told


def test_five_signals_are_drawn_with_their_bounds_or_said_not_to_be_there(by_link: TestClient) -> None:
    html = section(by_link, "signals", MODEL)

    for name in ("Latency", "Accuracy (Brier score", "Scores", "Abuse", "Fallback"):
        assert f"<figcaption>{name}" in html
    assert html.count("<svg") == 5
    assert section(by_link, "signals", PIPELINE).count("Nothing was measured") == 5


def test_versions_say_what_they_are_approved_for(by_link: TestClient) -> None:
    assert f"consumer-credit-eligibility by {PEOPLE[1]}: in force" in words(section(by_link, "versions", MODEL))
    assert "no approval is of this version and configuration" in section(by_link, "versions", STRAY)


def test_chains_go_both_ways_and_end(by_link: TestClient) -> None:
    assert f'href="/systems/{DATASET}"' in section(by_link, "chains", MODEL)
    assert f'href="/systems/{MODEL}"' in section(by_link, "chains", DATASET)
    circle = {
        name: System.model_validate({"id": name, "type": "model", "owner": "o", "depends_on": on})
        for name, on in {"a": ["b", "x"], "b": ["c"], "c": ["a"], "d": ["c"]}.items()
    }
    assert upstream(circle, "a") == [["b", "x"], ["c"]]
    assert downstream(circle, "c") == [["b", "d"], ["a"]]


def test_what_nobody_watches_is_named(by_link: TestClient) -> None:
    told = words(section(by_link, "unwatched", MODEL))

    assert "No clause in force is on: latency, accuracy, abuse, fallback." in told
    assert "1 outcome matches no decision on record" in told


@pytest.mark.parametrize("name", ["a/b c", "ünï#?%", "<b>x</b>"])
def test_a_name_may_hold_any_letter(context: Context, name: str) -> None:
    context.feed.episodes.take(violation(violation_id="odd", system=name), NOW)
    client = signed_in(context, None)
    page = client.get(f"/systems/{quote(name)}")

    assert page.status_code == 200
    assert "<b>x</b>" not in page.text
    assert f'hx-get="/parts/systems/versions?id={quote(name, safe="")}"' in page.text
    section(client, "versions", name)


def test_an_unknown_name_is_a_404_that_names_near_ones(by_link: TestClient) -> None:
    answer = by_link.get("/systems/refunds-agnet")

    assert answer.status_code == 404
    assert "refunds-agent" in answer.text


def test_all_episodes_of_a_system_are_listed_by_page(by_link: TestClient) -> None:
    page = by_link.get(f"/episodes?system={MODEL}")

    assert EPISODES[0].summary in page.text
    assert "1 in all" in page.text
    older = by_link.get(f"/episodes?system={MODEL}&before={EPISODES[0].opened_at}&after={EPISODES[0].violation_id}")
    assert "There are none on record." in older.text
    assert by_link.get("/episodes?system=refunds-agnet").status_code == 404
    assert by_link.get(f"/episodes?system={MODEL}&before=x").status_code == 422
