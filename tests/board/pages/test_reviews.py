"""Reviews on the board: the form is for who reviews, what is sent is theirs, and what is owed is told."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from board.context import Context
from seamwatch.documents.models import Person
from seamwatch.engine.seams import Seams
from statements import review as reviews
from tests.board.conftest import signed_in
from tests.board.pages.conftest import post
from tests.console.followed import BROKEN, REVIEWER, SUBJECT, attest
from tests.console.populated import DATASET, PEOPLE, Populated

SECTION = f"/parts/episodes/followup?id={BROKEN.violation_id}"
STATED = {
    "violation": BROKEN.violation_id, "implied": "data is an hour old", "diverged": "it was two", "cause": "it hung",
    "person": [PEOPLE[0], ""], "due": ["2126-11-02", ""], "what": ["watch it", " "],
}  # fmt: skip


def test_the_form_is_for_who_reviews(board: Context, store: Populated) -> None:
    found = signed_in(board, REVIEWER).get(SECTION).text
    assert 'action="/reviews"' in found
    assert "due in 4 d" in found
    assert 'action="/reviews"' not in signed_in(board, PEOPLE[0]).get(SECTION).text
    attest(store, "follow_up")
    found = signed_in(board, REVIEWER).get(SECTION).text
    assert 'action="/reviews"' not in found, "it is given"
    assert "a job that hung" in found
    assert "ask the &lt;supplier&gt;" in found
    mine = signed_in(board, PEOPLE[0]).get(SECTION).text
    assert mine.count('action="/actions"') == 1
    assert f'value="{SUBJECT}/1"' in mine


def test_a_review_that_is_sent_is_as_the_clause_takes_it(board: Context, sent: list[dict[str, Any]]) -> None:
    answer = post(board, signed_in(board, REVIEWER), "/reviews", STATED)
    assert answer.status_code == 200, answer.text
    assert "counts" in answer.text
    (event,) = sent
    assert (event["person"], event["subject"], event["kind"]) == (REVIEWER, SUBJECT, "follow_up")
    assert json.loads(event["statement"])["actions"] == [
        {"id": "1", "person": PEOPLE[0], "due": "2126-11-02", "what": "watch it"}
    ]
    bound = reviews.asking(Seams(board.estate), BROKEN, REVIEWER)
    assert bound.clause.why_void(bound.seam, event) is None


def test_an_action_is_said_to_be_done(board: Context, sent: list[dict[str, Any]]) -> None:
    fields = {"system": DATASET, "subject": f"{SUBJECT}/1"}
    assert post(board, signed_in(board, PEOPLE[0]), "/actions", fields).status_code == 200
    assert [(e["person"], e["kind"], e["statement"]) for e in sent] == [(PEOPLE[0], "action", None)]


def test_what_says_too_little_is_refused(board: Context, sent: list[dict[str, Any]]) -> None:
    client = signed_in(board, REVIEWER)
    for fault, status in (
        ({"cause": " "}, 422), ({"what": ["watch it"]}, 422), ({"due": ["soon", ""]}, 422),
        ({"violation": "0" * 32}, 409),
    ):  # fmt: skip
        assert post(board, client, "/reviews", STATED | fault).status_code == status, fault
    assert client.post("/reviews", data=STATED).status_code == 403, "it is from no page of ours"
    assert post(board, signed_in(board, None), "/reviews", STATED).status_code == 409
    assert sent == []


def test_who_has_keys_signs_in_the_browser(board: Context, sent: list[dict[str, Any]]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    keys = [{"key_id": "k1", "public": public}]
    persons = dict(board.estate.persons)
    persons[REVIEWER] = Person.model_validate({"id": REVIEWER, "name": "Example", "keys": keys})
    board.feed.estate = replace(board.estate, persons=persons)
    client = signed_in(board, REVIEWER)
    assert "has published keys" in post(board, client, "/reviews", STATED).text
    (draft,) = post(board, client, "/reviews/drafts", STATED).json()
    signature = base64.b64encode(key.sign(draft["bytes"].encode())).decode()
    given = {"draft": draft["draft"], "signature": signature}
    other = base64.b64encode(Ed25519PrivateKey.generate().sign(draft["bytes"].encode())).decode()
    assert post(board, client, "/reviews/signed", given | {"signature": other}).status_code == 403
    assert post(board, signed_in(board, PEOPLE[0]), "/reviews/signed", given).status_code == 403
    assert sent == []
    assert post(board, client, "/reviews/signed", given).status_code == 200
    bound = reviews.asking(Seams(board.estate), BROKEN, REVIEWER)
    assert bound.clause.why_void(bound.seam, sent[0]) is None


def test_what_is_owed_stands_under_compliance(board: Context, store: Populated) -> None:
    client = signed_in(board, PEOPLE[2])
    assert "1 to 1 of 1; 0 overdue" in client.get("/parts/compliance/followups").text
    attest(store, "follow_up")
    found = client.get("/parts/compliance/followups").text
    assert "1 to 2 of 2; 1 overdue" in found
    assert found.count('action="/actions"') == 1
    assert 'id="followups-title"' in client.get("/compliance", params={"whole": True}).text
