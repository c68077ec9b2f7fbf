"""The inventory: what nobody declared stands first, with a draft that registers it."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi.testclient import TestClient

from seamwatch.documents import load_folder
from tests.console.populated import AGENT, MODEL, PEOPLE, STRAY, Populated


def test_what_nobody_declared_stands_first_and_the_rest_with_its_owner(somebody: TestClient) -> None:
    found = somebody.get("/inventory", params={"whole": True})
    assert found.status_code == 200
    strays, declared = found.text.split('id="declared-title"')
    assert STRAY in strays
    assert AGENT in strays
    assert MODEL not in strays
    row = next(row for row in declared.split("<tr>") if MODEL in row)
    assert PEOPLE[0] in row
    assert '<td class="number">1</td>' in row  # the approval that is in force
    assert ">eligibility-data-to-decisions</a>@4" in row


def test_without_a_script_a_link_leads_to_the_list(somebody: TestClient) -> None:
    found = somebody.get("/inventory").text
    assert STRAY not in found
    assert 'hx-get="/parts/inventory?sort=system&amp;page=1"' in found
    link = re.search(r'<noscript><p><a href="([^"]+)"', found)
    assert link is not None
    assert STRAY in somebody.get(link[1].replace("&amp;", "&")).text


def test_it_is_sorted_by_what_the_address_asks(somebody: TestClient) -> None:
    def order(sort: str) -> list[str]:
        found = somebody.get("/parts/inventory", params={"sort": sort}).text.split('id="declared-title"')[1]
        return re.findall(r'<th scope="row"><a href="/systems/([^"]+)"', found)

    assert order("events")[0] == MODEL
    assert order("system") == sorted(order("events"))
    assert somebody.get("/inventory", params={"sort": "nonsense"}).status_code == 422


def test_the_draft_passes_the_check_once_an_owner_is_chosen(
    somebody: TestClient, estate: Populated, tmp_path: Path
) -> None:
    for system in (STRAY, AGENT):
        shown = somebody.get(f"/inventory/draft/{system}", params={"owner": PEOPLE[1]})
        assert shown.status_code == 200
        assert f"owner: {PEOPLE[1]}" in shown.text
        file = somebody.get("/inventory/draft.yaml", params={"system": system, "owner": PEOPLE[1]})
        assert "attachment" in file.headers["content-disposition"]
        (tmp_path / f"{system}.yaml").write_bytes(file.content)
    (tmp_path / "all.yaml").write_bytes((estate.documents / "all.yaml").read_bytes())
    loaded, problems = load_folder(tmp_path)
    assert loaded is not None, problems
    assert (loaded.systems[STRAY].type, loaded.systems[AGENT].type) == ("model", "agent")
    assert loaded.systems[STRAY].use_cases == ("consumer-credit-eligibility",)


def test_an_owner_whom_nobody_knows_is_refused(somebody: TestClient) -> None:
    found = somebody.get(
        "/inventory/draft.yaml", params={"system": STRAY, "owner": PEOPLE[1].replace("tomas", "tomsa")}
    )
    assert found.status_code == 422
    assert f"did you mean {PEOPLE[1]!r}" in found.text.replace("&#39;", "'")


def test_a_name_that_was_never_seen_is_no_page_and_near_ones_are_told(somebody: TestClient) -> None:
    found = somebody.get("/inventory/draft/price-experiment-of-nobdy")
    assert found.status_code == 404
    assert STRAY in found.text


def test_it_is_closed_to_who_has_not_signed_in(client: TestClient) -> None:
    for path in ("/inventory", f"/inventory/draft/{STRAY}", f"/inventory/draft.yaml?system={STRAY}"):
        assert client.get(path).headers["location"].startswith("/sign-in")


def test_with_the_store_away_the_page_is_there_and_its_list_says_so(without_store: object) -> None:
    from tests.board.conftest import signed_in

    client = signed_in(without_store, PEOPLE[0])  # type: ignore[arg-type]
    assert client.get("/inventory").status_code == 200
    part = client.get("/parts/inventory", headers={"HX-Request": "true"})
    assert part.status_code == 503
    assert "cannot be reached" in part.text
    assert "<html" not in part.text
