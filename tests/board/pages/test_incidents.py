"""Incidents on the board: the forms are for who may say it, what is sent is theirs, and what is owed is told."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from board.context import Context
from seamwatch.documents.models import Person
from seamwatch.durations import HOUR
from seamwatch.engine.seams import Seams
from seamwatch.instants import format_instant
from statements import incident
from tests.board.conftest import signed_in
from tests.board.pages.conftest import post
from tests.console.followed import BROKEN, INCIDENT, REVIEWER, attest
from tests.console.populated import PEOPLE, Populated
from tests.sinks.samples import NOW

SECTION = f"/parts/episodes/incident?id={BROKEN.violation_id}"
OWNER, NOBODY = PEOPLE[2], PEOPLE[0]
DECLARED = {"violation": BROKEN.violation_id, "kind": "death", "note": "harm was done", "aware": ""}
SENT = {"violation": BROKEN.violation_id, "stage": "initial", "receipt": "https://example.org/r", "to": "the authority"}
WHY = {"violation": BROKEN.violation_id, "reason": "nobody was harmed"}


def counts(board: Context, event: dict[str, Any]) -> str | None:
    bound = incident.taking(Seams(board.estate), BROKEN, REVIEWER, NOW)
    return bound.clause.why_void(bound.seam, event)


def test_the_forms_are_for_who_may_say_it_and_what_was_said_is_shown(board: Context, store: Populated) -> None:
    found = signed_in(board, REVIEWER).get(SECTION).text
    assert 'action="/incidents"' in found
    assert 'action="/incidents/reports"' not in found, "it is not declared"
    assert "Nobody has declared it" in signed_in(board, NOBODY).get(SECTION).text
    assert "<form" not in signed_in(board, NOBODY).get(SECTION).text
    attest(store, "incident", INCIDENT, person=OWNER)
    found = signed_in(board, REVIEWER).get(SECTION).text
    for path in ("/incidents", "/incidents/reports", "/incidents/withdrawn"):
        assert f'action="{path}"' in found
    assert "due in 14 d" in found
    assert "&lt;harm&gt;" in found
    assert "<form" not in signed_in(board, NOBODY).get(SECTION).text
    page = signed_in(board, OWNER).get(f"/episodes/{BROKEN.violation_id}", params={"whole": True}).text
    assert "Whether it is a serious incident" in page


def test_what_is_said_is_sent_as_the_clause_takes_it(
    board: Context, store: Populated, sent: list[dict[str, Any]]
) -> None:
    client = signed_in(board, OWNER)
    assert post(board, client, "/incidents/reports", SENT).status_code == 409, "it is not declared"
    assert post(board, client, "/incidents/withdrawn", WHY).status_code == 409
    answer = post(board, client, "/incidents", DECLARED)
    assert (answer.status_code, "counts" in answer.text) == (200, True), answer.text
    attest(store, "incident", INCIDENT, person=OWNER)
    for path, fields in (("/incidents/reports", SENT), ("/incidents/withdrawn", WHY), ("/incidents", DECLARED)):
        assert post(board, client, path, fields).status_code == 200
    assert {event["subject"] for event in sent} == {INCIDENT}
    assert {event["person"] for event in sent} == {OWNER}
    assert [counts(board, event) for event in sent] == [None] * 4
    declared, report, withdrawn, again = sent
    assert json.loads(declared["statement"])["aware"] == format_instant(declared["event_time"])
    assert json.loads(again["statement"])["aware"] == format_instant(NOW - HOUR), "as it was declared before"
    assert report["evidence_uri"] == SENT["receipt"]
    assert json.loads(report["statement"])["stage"] == "initial"
    assert json.loads(withdrawn["statement"]) == {"withdrawn": "nobody was harmed"}


def test_what_says_too_little_or_is_for_another_is_refused(board: Context, sent: list[dict[str, Any]]) -> None:
    client = signed_in(board, OWNER)
    for fault, status in (
        ({"note": " "}, 422), ({"kind": "No Kind"}, 422), ({"aware": "soon"}, 422), ({"violation": "0" * 32}, 409),
    ):  # fmt: skip
        assert post(board, client, "/incidents", DECLARED | fault).status_code == status, fault
    assert client.post("/incidents", data=DECLARED).status_code == 403, "it is from no page of ours"
    assert post(board, signed_in(board, None), "/incidents", DECLARED).status_code == 409
    assert sent == []


def test_who_has_keys_signs_in_the_browser(board: Context, sent: list[dict[str, Any]]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    persons = dict(board.estate.persons)
    keys = [{"key_id": "k1", "public": public}]
    persons[REVIEWER] = Person.model_validate({"id": REVIEWER, "name": "Example", "keys": keys})
    board.feed.estate = replace(board.estate, persons=persons)
    client = signed_in(board, REVIEWER)
    assert "has published keys" in post(board, client, "/incidents", DECLARED).text
    (draft,) = post(board, client, "/incidents/drafts", DECLARED).json()
    given = {"draft": draft["draft"], "signature": base64.b64encode(key.sign(draft["bytes"].encode())).decode()}
    assert post(board, signed_in(board, OWNER), "/incidents/signed", given).status_code == 403
    assert post(board, client, "/reviews/signed", given).status_code == 403, "it is no draft of a review"
    assert sent == []
    assert post(board, client, "/incidents/signed", given).status_code == 200
    assert counts(board, sent[0]) is None
    assert counts(board, sent[0] | {"statement": json.dumps({"withdrawn": "x"})}) is not None


def test_what_is_owed_stands_under_compliance(board: Context, store: Populated) -> None:
    client = signed_in(board, NOBODY)
    assert "Nobody has declared" in client.get("/parts/compliance/incidents").text
    attest(store, "incident", INCIDENT)
    attest(store, "incident", f"{BROKEN.contract}#serious/{'0' * 32}", person=OWNER)
    found = client.get("/parts/compliance/incidents").text
    assert "1 to 2 of 2; 0 overdue" in found
    assert "not on record" in found
    assert 'id="incidents-title"' in client.get("/compliance", params={"whole": True}).text
