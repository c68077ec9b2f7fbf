"""A contract's page: its clauses as they stand, who signed, and what differs between two versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from board.context import Context
from seamwatch.documents import load_folder
from tests.board.conftest import context_over, signed_in
from tests.board.pages.test_episodes import words
from tests.console.populated import DOCUMENTS, EPISODES, MODEL, PEOPLE

NAME = "eligibility-data-to-decisions"


@pytest.fixture
def two_versions(context: Context, tmp_path: Path) -> Context:
    """The same with another version, which is to come, and says otherwise."""
    contract = DOCUMENTS[DOCUMENTS.index("kind: Contract") :]
    later = contract.replace('version: "4"', 'version: "5"\neffective_from: 2090-01-01T00:00:00Z').replace(
        "max_lag: 1h", "max_lag: 3h"
    )
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "all.yaml").write_text(f"{DOCUMENTS}\n---\n{later}")
    estate, problems = load_folder(folder)
    assert estate is not None, problems
    return context_over(context.shown, estate, tmp_path)


def test_its_clauses_stand_with_what_is_open_without_the_store(without_store: Context) -> None:
    page = signed_in(without_store, PEOPLE[0]).get(f"/contracts/{NAME}")
    told = words(page.text)

    assert page.status_code == 200
    assert f"shape-of-scores distribution breach open: {EPISODES[0].summary}" in told
    assert "decisions-on-fresh-features freshness Nothing is open." in told
    assert "kind: freshness of: inference max_lag: 1h" in told
    assert f"Provider data, {PEOPLE[1]} signs" in told
    assert "It has one version only." in told


def test_whole_it_says_who_signed_and_who_has_not(by_link: TestClient) -> None:
    told = words(by_link.get(f"/contracts/{NAME}?whole=1").text)

    assert f"Signed by {PEOPLE[1]} (provider)" in told
    assert "Not signed by nobody named (consumer)" in told
    assert EPISODES[1].summary in told  # over, and on record


def test_whole_it_says_how_fast_what_it_tolerates_is_used_up(by_link: TestClient) -> None:
    told = words(by_link.get(f"/contracts/{NAME}?whole=1").text)

    # No decision of the last hour says how old its data was; a distribution tolerates no share.
    assert f"decisions-on-fresh-features freshness {MODEL} 1 h old ? unknown" in told
    assert "no data on record that tells its age" in told
    assert f"shape-of-scores distribution {MODEL} no tolerance" in told


@pytest.mark.parametrize("path", [f"/contracts/{NAME}", f"/contracts/{NAME}?from=4&to=5"])
def test_what_differs_between_two_versions(two_versions: Context, path: str) -> None:
    told = words(signed_in(two_versions, None).get(path).text)

    assert "loosened clause decisions-on-fresh-features (freshness): max_lag 1h → 3h" in told
    assert f"To be signed by: nobody named (consumer), {PEOPLE[1]} (provider)." in told


def test_turned_round_it_is_tightened(two_versions: Context) -> None:
    told = words(signed_in(two_versions, None).get(f"/contracts/{NAME}?from=5&to=4").text)

    assert "tightened clause decisions-on-fresh-features (freshness): max_lag 3h → 1h" in told
    assert "Nothing differs." in words(signed_in(two_versions, None).get(f"/contracts/{NAME}?from=5&to=5").text)


def test_the_version_in_force_is_shown_unless_another_is_named(two_versions: Context) -> None:
    client = signed_in(two_versions, None)

    assert f"{NAME}@4 </h1>" in client.get(f"/contracts/{NAME}").text.replace("</h1>", " </h1>")
    other = words(client.get(f"/contracts/{NAME}?version=5").text)
    assert "not the version in force, which is 4" in other
    assert client.get(f"/contracts/{NAME}?version=6").status_code == 404
    assert client.get(f"/contracts/{NAME}?from=6&to=4").status_code == 404


@pytest.mark.parametrize("name", ["defaults", "schedule", "suspensions"])
def test_what_is_built_in_has_a_page_too(by_link: TestClient, name: str) -> None:
    page = by_link.get(f"/contracts/{name}?whole=1")

    assert page.status_code == 200
    assert "nobody signs it" in page.text


def test_an_unknown_name_is_a_404_that_names_near_ones(by_link: TestClient) -> None:
    answer = by_link.get("/contracts/eligibility-data-to-decision")

    assert answer.status_code == 404
    assert NAME in answer.text
    assert "is not published any more" in by_link.get("/contracts/agent-pact").text


@pytest.mark.parametrize("name", ["clauses", "signatures", "episodes"])
def test_each_part_answers_alone(somebody: TestClient, client: TestClient, name: str) -> None:
    path = f"/parts/contracts/{name}?id={NAME}"

    assert somebody.get(path, headers={"HX-Request": "true"}).status_code == 200
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 401
