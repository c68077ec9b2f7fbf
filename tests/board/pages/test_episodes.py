"""An episode's page: each section as the record has it, less for who may not see all; the topics where that is away."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from board.context import Context
from sinks.ledger.verified import Verified, keep
from tests.board.conftest import signed_in
from tests.console.populated import AGENT, DATASET, EPISODES, MODEL, PEOPLE, event, hexed
from tests.sinks.samples import NOW, violation

DRIFT, OVER, TAKEN = EPISODES
SECTIONS = (
    "timeline", "measured", "events", "touched", "changes", "agreed", "followup", "incident", "earlier", "proof",
)  # fmt: skip


def section(client: TestClient, name: str, violation_id: str) -> str:
    answer = client.get(f"/parts/episodes/{name}?id={quote(violation_id, safe='')}", headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    return answer.text


def words(html: str) -> str:
    """What is read, without tags, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_page_stands_before_its_sections_are_asked_for(without_store: Context) -> None:
    page = signed_in(without_store, PEOPLE[0]).get(f"/episodes/{DRIFT.violation_id}")

    assert page.status_code == 200
    assert f'<h1 id="summary">{DRIFT.summary}</h1>' in page.text
    assert [name for name in SECTIONS if f'hx-get="/parts/episodes/{name}?id={DRIFT.violation_id}"' in page.text] == [
        *SECTIONS
    ]
    assert '<a href="?whole=1">' in page.text
    assert 'value="accept">Acknowledge<' in page.text


def test_whole_it_has_every_section_without_javascript(by_link: TestClient) -> None:
    page = by_link.get(f"/episodes/{DRIFT.violation_id}?whole=1").text

    assert 'class="skeleton"' not in page
    assert "<noscript>" not in page
    assert page.count("<section") == len(SECTIONS)


def test_of_one_that_is_over_the_store_knows(context: Context) -> None:
    context.feed.episodes.over.clear()
    page = signed_in(context, PEOPLE[1]).get(f"/episodes/{OVER.violation_id}").text

    assert OVER.summary in page
    assert "nobody: it is over" in words(page)
    assert 'value="accept"' not in page


def test_an_id_that_nobody_knows_is_told_as_such(by_link: TestClient) -> None:
    answer = by_link.get("/episodes/a/b%20c")

    assert answer.status_code == 404
    assert "no episode a/b c is known" in answer.text


def test_without_the_store_what_the_topics_say_is_shown_and_the_rest_says_why_not(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    page = client.get(f"/episodes/{DRIFT.violation_id}?whole=1")

    assert page.status_code == 200
    assert "The record is out of reach" in page.text
    assert f"delivered to {PEOPLE[0]} by console" in words(page.text)
    # All but what was agreed, of which the text is not published, so that nothing is asked.
    assert page.text.count("cannot be reached") == len(SECTIONS) - 1
    assert client.get("/episodes/of-another-day").status_code == 503


def test_one_that_the_record_lacks_so_far_is_told_by_the_topics(context: Context) -> None:
    context.feed.episodes.take(violation(violation_id="new", system=MODEL, person=PEOPLE[0]), NOW)
    client = signed_in(context, PEOPLE[0])

    assert "The record does not have it yet" in section(client, "timeline", "new")
    assert "It is not on record yet" in section(client, "proof", "new")


def test_the_timeline_is_that_of_why_late(by_link: TestClient) -> None:
    told = words(section(by_link, "timeline", DRIFT.violation_id))

    assert "the breach became true" in told
    assert "Opened 2 h 59 m after it became true" in told
    assert "waited 2 h 59 m" in told


def test_what_an_event_holds_beyond_its_fields_is_for_auditors(
    somebody: TestClient, auditor: TestClient, by_link: TestClient
) -> None:
    for client, sees in ((somebody, False), (auditor, True), (by_link, True)):
        html = section(client, "events", TAKEN.violation_id)
        assert "delete_customer" in html
        assert ("amount" in html) is sees
        assert ("Its bytes" in html) is sees
        assert ("are shown to auditors" in html) is not sees


def test_an_event_leads_to_why_it_was_allowed(by_link: TestClient) -> None:
    html = section(by_link, "events", TAKEN.violation_id)
    (path,) = re.findall(r'href="(/audit/why/[^"]+)"', html)

    assert by_link.get(path).status_code == 200


def test_an_event_that_is_not_on_record_is_named(context: Context) -> None:
    gone = replace(DRIFT.evidence[0], event_id=event("gone"), topic="t.inference")
    context.feed.episodes.take(replace(DRIFT, evidence=(gone,)), NOW + 1)

    assert f"Not on record (yet): {event('gone')}" in words(
        section(signed_in(context, None), "events", DRIFT.violation_id)
    )


def test_what_it_touched_says_what_is_counted(by_link: TestClient) -> None:
    told = words(section(by_link, "touched", OVER.violation_id))

    # The dataset decides nothing; the model that it feeds did: d1 as it became stale, d2 and d3 while it was.
    assert f"Counted is what {MODEL}, {DATASET} decided and called from" in told
    assert f"{MODEL} is fed by {DATASET} 3 1 0" in told


def test_of_a_conversation_only_its_own_calls_count(by_link: TestClient) -> None:
    told = words(section(by_link, "touched", TAKEN.violation_id))

    assert f"in conversation {TAKEN.slice}" in told
    assert AGENT in told


def test_what_changed_before_is_there(by_link: TestClient) -> None:
    told = words(section(by_link, "changes", DRIFT.violation_id))

    assert "CHANGE-2026-11-000042: model another base model" in told
    assert "Version 7 served for the first time" in words(section(by_link, "changes", TAKEN.violation_id))
    assert "Nothing was announced" in words(section(by_link, "changes", OVER.violation_id))


def test_the_text_in_force_and_who_signed_it(context: Context) -> None:
    (agreed,) = context.estate.contracts
    context.feed.episodes.take(replace(DRIFT, contract_digest=agreed.digest), NOW + 1)
    client = signed_in(context, PEOPLE[0])
    told = words(section(client, "agreed", DRIFT.violation_id))

    assert "kind: distribution reference: first: 7d" in told
    assert f"Signed by {PEOPLE[1]} (provider)" in told
    assert "Not signed by nobody named (consumer)" in told
    assert "is not published with this text any more" in section(client, "agreed", TAKEN.violation_id)


def test_what_was_measured_is_drawn_or_said_not_to_be(by_link: TestClient) -> None:
    scores = section(by_link, "measured", DRIFT.violation_id)

    assert "<svg" in scores
    assert f"Scores of {MODEL}" in scores
    assert "calls: least" in section(by_link, "measured", TAKEN.violation_id)
    assert "Age of the newest data" in section(by_link, "measured", OVER.violation_id) or (
        "Nothing was measured" in section(by_link, "measured", OVER.violation_id)
    )


@pytest.mark.parametrize("name", ["earlier", "proof"])
def test_the_other_sections_answer(by_link: TestClient, name: str) -> None:
    expected = {"earlier": "There are none on record.", "proof": "in the ledger"}

    assert expected[name] in section(by_link, name, DRIFT.violation_id)


def test_it_is_told_whether_it_was_verified_on_this_machine(context: Context) -> None:
    client = signed_in(context, None)
    assert "Not verified on this machine so far" in section(client, "proof", DRIFT.violation_id)
    keep(context.settings.data, Verified(NOW, 9, 0, {("t.violations.distribution", 0): 1}))
    assert "; verified then" in section(client, "proof", DRIFT.violation_id)
    keep(context.settings.data, Verified(NOW, 9, 1, {("t.violations.distribution", 0): 1}))
    assert "where something was found wrong" in section(client, "proof", DRIFT.violation_id)
    keep(context.settings.data, Verified(NOW, 9, 0, {("t.violations.distribution", 0): 0}))
    assert "not verified yet: it came later" in section(client, "proof", DRIFT.violation_id)


def test_text_of_others_is_no_markup(context: Context) -> None:
    bad = "<script>alert(1)</script>"
    context.feed.episodes.take(
        violation(violation_id="bad", system=bad, clause=bad, slice=bad, summary=bad, person=bad, contract=bad), NOW
    )
    page = signed_in(context, None).get("/episodes/bad?whole=1").text

    assert bad not in page
    assert "&lt;script&gt;" in page


def test_nobody_is_shown_an_episode_without_signing_in(client: TestClient) -> None:
    assert client.get(f"/episodes/{hexed('drift')}").status_code == 303
    for name in ("state", *SECTIONS):
        answer = client.get(f"/parts/episodes/{name}?id={hexed('drift')}", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.text) == (401, "")


def test_a_section_that_there_is_not_is_a_404(by_link: TestClient) -> None:
    assert by_link.get(f"/parts/episodes/nothing?id={hexed('drift')}").status_code == 404
