"""Teams: where the board has a store for a team, its people see that team's systems, and what names themselves."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from fastapi.testclient import TestClient

from board.asking import Stores
from board.context import Context
from board.security.viewer import Viewer
from tests.board.conftest import AUDITOR, signed_in
from tests.console.populated import EPISODES, MODEL, PEOPLE

NOWHERE = "http://team:secret@127.0.0.1:9/nothing"
TEAM = "lending-decisions"
OF_MODEL = [each for each in EPISODES if each.system == MODEL and each.state != "resolved"]
OF_OTHERS = [each for each in EPISODES if each.system != MODEL and each.state != "resolved"]


@pytest.fixture
def parted(context: Context) -> Context:
    """A board with a store for one team, which nobody answers at: what comes from another store shows."""
    shown = replace(context.shown, teams={TEAM: NOWHERE})
    context = replace(context, shown=shown, stores=Stores(shown))
    persons = dict(context.estate.persons)
    persons[PEOPLE[0]] = persons[PEOPLE[0]].model_copy(update={"team": TEAM})
    persons[PEOPLE[1]] = persons[PEOPLE[1]].model_copy(update={"team": "of nobody's store"})
    persons[AUDITOR] = persons[AUDITOR].model_copy(update={"team": TEAM})
    context.feed.estate = replace(context.estate, persons=MappingProxyType(persons))
    return context


def shown_to(client: TestClient) -> set[str]:
    page = client.get("/?whose=all").text
    return {each.violation_id for each in EPISODES if f'id="e-{each.violation_id}"' in page}


def test_there_is_something_to_be_kept_apart() -> None:
    assert OF_MODEL
    assert OF_OTHERS


def test_one_of_a_team_sees_what_is_open_of_its_systems_alone(parted: Context) -> None:
    names = {each.violation_id for each in OF_OTHERS if PEOPLE[0] not in (each.person, each.acknowledged_by)}
    seen = shown_to(signed_in(parted, PEOPLE[0]))

    assert {each.violation_id for each in OF_MODEL} <= seen
    assert not names & seen


def test_one_of_a_team_asks_the_store_of_the_team(parted: Context) -> None:
    client = signed_in(parted, PEOPLE[0])

    assert client.get("/parts/inventory").status_code == 503
    for each in OF_OTHERS:
        if PEOPLE[0] not in (each.person, each.acknowledged_by):
            assert client.get(f"/episodes/{each.violation_id}").status_code == 503, "not by the topics either"
            assert client.get(f"/api/v1/episodes/{each.violation_id}/lateness").status_code == 503


@pytest.mark.parametrize("person", [PEOPLE[1], AUDITOR, None])
def test_all_others_see_all(parted: Context, person: str | None) -> None:
    client = signed_in(parted, person)

    assert shown_to(client) == {each.violation_id for each in (*OF_MODEL, *OF_OTHERS)}
    assert client.get("/parts/inventory").status_code == 200


def test_who_is_named_sees_it_whoever_owns_the_system(parted: Context) -> None:
    other = OF_OTHERS[0]
    parted.feed.episodes.take(replace(other, violation_id="named", person=PEOPLE[0], acknowledged_by=None), 1)

    assert 'id="e-named"' in signed_in(parted, PEOPLE[0]).get("/?whose=all").text


def test_nobody_is_of_a_team_that_has_no_store(context: Context) -> None:
    viewer = Viewer(PEOPLE[0], "oidc", "s", 1)

    assert viewer.team(context.estate.persons, {}) is None
