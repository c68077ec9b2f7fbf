"""Audit: a decision is found by what one knows of it, and told in the words of the commands."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient
from markupsafe import escape

from board.context import Context
from seamwatch.durations import MINUTE
from seamwatch.instants import format_instant
from sinks.ledger.verified import Verified, keep
from sinks.store.questions import why as whys
from sinks.store.questions.approved import Publications, with_approval
from tests.board.conftest import signed_in
from tests.console.populated import AGENT, MODEL, PEOPLE, STRAY, TRACE, Populated, event
from tests.sinks.samples import NOW

FOUND = "/parts/audit/decisions"
WHY = "/parts/audit/why"
TRAIL = "/parts/audit/trail"


def ids(text: str) -> list[str]:
    names = {event(name): name for name in ("d1", "d2", "d3", "d4", "c1", "c2", "c3")}
    return [names[part.split('"')[0]] for part in text.split("/audit/why/")[1:]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"event": event("d2")}, ["d2"]),
        ({"trace": TRACE}, ["d2", "c3", "c2", "c1", "d1"]),
        ({"subject": "p-81", "cohort": "under-25", "version": "2026.11.3"}, ["d2", "d1"]),
        ({"system": STRAY}, ["d4"]),
        ({"system": f" {AGENT} ", "version": "7"}, ["c3", "c2", "c1"]),
        ({"contract": "eligibility-data-to-decisions@4", "cohort": "under-25"}, ["d2", "d1"]),
        ({"since": format_instant(NOW - 85 * MINUTE), "system": MODEL}, ["d3"]),
        ({"until": format_instant(NOW - 85 * MINUTE)[:19], "system": MODEL}, ["d2", "d1"]),
    ],
)
def test_it_is_found_by_what_is_known_of_it(somebody: TestClient, asked: dict[str, str], expected: list[str]) -> None:
    found = somebody.get(FOUND, params=asked)
    assert sorted(ids(found.text)) == sorted(expected)
    if "trace" not in asked:
        assert ids(found.text) == expected  # the latest first


def test_what_is_nowhere_is_said_with_the_nearest_name(somebody: TestClient) -> None:
    found = somebody.get(FOUND, params={"system": "refunds-agnt"})
    assert "Nothing on record is like that" in found.text
    assert f"did you mean &#39;{AGENT}&#39;" in found.text
    assert somebody.get(FOUND, params={"since": "yesterday"}).status_code == 422


def test_without_a_question_nothing_is_asked(somebody: TestClient) -> None:
    assert "one field is enough" in somebody.get("/audit").text
    assert "/audit/why/" not in somebody.get(FOUND).text


def test_all_of_it_comes_with_the_page_without_a_script(somebody: TestClient) -> None:
    found = somebody.get("/audit", params={"system": AGENT, "whole": True}).text
    assert ids(found) == ["c3", "c2", "c1"]
    assert "seamwatch verify" in found


def test_why_is_told_in_the_words_of_the_command(somebody: TestClient, estate: Populated) -> None:
    found = somebody.get(WHY, params={"id": event("d1")}).text
    decision = whys.decision(estate.store, event("d1"))
    assert decision is not None
    assert f"<b>{whys.said(decision)}</b>" in found
    assert whys.served_by(decision) in found
    allowed = Publications(estate.store, [MODEL]).allowed(decision)
    assert str(escape(whys.allowed_by(with_approval(decision, allowed.approval), allowed.why_not))) in found
    assert f"Mira van den Berg ({PEOPLE[0]})" in found
    assert "scores of cohort under-25 are no longer those that were approved" in found
    lost = somebody.get(WHY, params={"id": event("d4")}).text
    assert "NONE: no published document declared" in lost


def test_attributes_and_arguments_are_for_auditors(context: Context, auditor: TestClient, by_link: TestClient) -> None:
    path = f"{WHY}?id={event('c1')}"
    for client in (auditor, by_link):
        assert "amount: 5" in client.get(path).text
    for person in (PEOPLE[0], PEOPLE[2]):
        found = signed_in(context, person).get(path)
        assert found.status_code == 200
        assert "amount" not in found.text
        assert "shown to auditors only" in found.text


def test_what_an_event_led_to_stands_below_it(somebody: TestClient) -> None:
    found = somebody.get(TRAIL, params={"id": TRACE}).text
    rows = found.split("<tbody>")[1].split("<tr>")[1:]
    lead = {name: row.split('aria-hidden="true">')[1].split("</span>")[0] for name in ("d1", "c1", "c2", "c3")
            for row in rows if f"/audit/why/{event(name)}" in row}  # fmt: skip
    assert lead == {"d1": "", "c1": "├─ ", "c2": "│  └─ ", "c3": ""}
    assert f"{event('c3')} names a parent that is not on record in this trace: {event('nowhere')}" in found


def test_what_is_not_on_record_is_no_page(somebody: TestClient) -> None:
    assert somebody.get(WHY, params={"id": "nothing"}).status_code == 404
    assert somebody.get("/audit/why/nothing?whole=1").status_code == 404
    assert somebody.get("/audit/trail/a/b%20c?whole=1").status_code == 404
    assert "&#39;a/b c&#39; is on record" in somebody.get(TRAIL, params={"id": "a/b c"}).text


@pytest.mark.parametrize(("what", "name"), [("why", event("d1")), ("trail", TRACE), ("trail", "a/b c")])
def test_the_page_stands_before_the_store_has_answered(what: str, name: str, somebody: TestClient) -> None:
    shell = somebody.get(f"/audit/{what}/{name}").text
    part = html.unescape(re.findall('hx-get="(/parts/audit[^"]+)"', shell)[0])
    plain = html.unescape(re.findall('<noscript><p><a href="([^"]+)"', shell)[0])
    assert 'class="skeleton"' in shell
    assert part.startswith(f"/parts/audit/{what}?id=")
    assert somebody.get(plain).status_code == somebody.get(part).status_code
    if somebody.get(part).status_code == 200:
        assert somebody.get(part).text.strip() in somebody.get(plain).text


def test_the_last_verification_on_this_machine_is_told(context: Context) -> None:
    client = signed_in(context, PEOPLE[0])
    assert "Not verified on this machine so far" in client.get("/parts/audit/ledger").text
    keep(context.settings.data, Verified(NOW - 5 * MINUTE, 1_234, 0, {}))
    assert "1,234 rows, all as signed" in client.get("/parts/audit/ledger").text
    keep(context.settings.data, Verified(NOW, 1_234, 2, {}))
    assert "2 found wrong" in client.get("/parts/audit/ledger").text


def test_the_ledger_is_told_with_what_was_not_verified(somebody: TestClient) -> None:
    found = somebody.get("/parts/audit/ledger").text
    assert "what the store says of itself" in found
    assert "every record that is committed is under a signed checkpoint" in found
    row = next(row for row in found.split("<tr>") if "t.inference<" in row)
    assert '<td class="number">4 of 4</td>' in row
    assert "ledger.example.org/t.inference/0" in row


def test_with_the_store_away_each_part_says_so_in_its_place(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get("/audit").status_code == 200
    for path in (f"{FOUND}?system=x", "/parts/audit/ledger"):
        assert client.get(path, headers={"HX-Request": "true"}).status_code == 503
