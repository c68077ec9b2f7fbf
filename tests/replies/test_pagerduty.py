"""PagerDuty's webhooks: what is signed is relayed once, as the person's; forged, old and foreign calls are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from replies.desk import Answer
from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR
from seamwatch.errors import UnreachableError
from seamwatch.instants import format_instant
from tests.replies.desks import FORMER, VIOLATION, Scene, body_of, incident, now, pagerduty_headers

OTHER = "4f1c2a9b-e0d7-8aaa-8bbb-000000000002"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def call(scene: Scene, content: Any, *secrets: bytes) -> Answer:
    body = body_of(content)
    return scene.desk.pagerduty(body, pagerduty_headers(body, *secrets))


def test_an_acknowledgement_is_the_persons_signed_by_the_relay_with_the_body_as_evidence(scene: Scene) -> None:
    said = incident()
    assert call(scene, said) == Answer(202, "relayed", "it is on record; the judge says whether it counts")
    record = scene.only()
    assert (record["person"], record["answer"], record["of"]) == ("dana@example.org", "accept", "violation")
    assert (record["reference"], record["system"]) == (VIOLATION, "scorer")
    assert (record["relayed_by"], record["key_id"]) == ("replies@example.org", "replies-1")
    assert record["evidence"] == body_of(said).decode()
    assert format_instant(record["event_time"]) == said["event"]["occurred_at"]
    assert scene.counted() == {"relayed": 1}


def test_any_secret_of_a_rotation_holds_beside_signatures_by_others(scene: Scene) -> None:
    assert call(scene, incident(), b"neither of them", FORMER).outcome == "relayed"
    for secrets in ((b"neither of them",), (b"neither", b"nor")):
        assert call(scene, incident(id="02"), *secrets).status == 401
    assert scene.counted() == {"relayed": 1, "wrong_signature": 2}


@pytest.mark.parametrize(
    "header",
    [None, "", "v1=", "v1=,v1=", "v0=abc", "v1=zz", "v1=" + "0" * 64, "v1=é", "sha256=1", "v1=" + "a" * 100_000],
)
def test_a_forged_call_is_refused_whatever_stands_for_its_signature(scene: Scene, header: str | None) -> None:
    headers = {} if header is None else {"x-pagerduty-signature": header}
    answer = scene.desk.pagerduty(body_of(incident()), headers)
    assert (answer.status, answer.outcome, scene.published) == (401, "wrong_signature", [])


def test_a_byte_that_is_changed_voids_the_signature(scene: Scene) -> None:
    body = body_of(incident())
    headers = pagerduty_headers(body)
    assert scene.desk.pagerduty(body.replace(b"PDANA", b"PLEAD"), headers).status == 401
    assert scene.desk.pagerduty(body + b"\n", headers).status == 401
    assert scene.published == []


def test_a_call_that_comes_again_is_the_same_event_also_after_a_restart(scene: Scene) -> None:
    said = incident()
    assert [call(scene, said).outcome for _ in range(3)] == ["relayed", "repeated", "repeated"]
    scene.start()
    assert call(scene, said).status == 202
    first, again = scene.published
    assert first == again
    assert call(scene, incident(id="02")).outcome == "relayed"
    assert len({record["event_id"] for record in scene.published}) == 2


def test_an_old_call_is_refused_though_its_signature_holds(scene: Scene) -> None:
    old = incident(occurred_at=format_instant(now() - DAY - HOUR))
    ahead = incident(occurred_at=format_instant(now() + DAY + HOUR))
    assert [call(scene, said).outcome for said in (old, ahead)] == ["stale", "stale"]
    assert scene.published == []


def test_2xx_only_once_kafka_has_it(scene: Scene) -> None:
    scene.leave()
    said = incident()
    assert call(scene, said).status == 503
    scene.away = None
    assert call(scene, said).status == 202
    assert scene.only()["answer"] == "accept"
    assert scene.counted() == {"unreachable": 1, "relayed": 1}


def test_before_it_is_known_what_is_open_it_is_to_come_again(scene: Scene) -> None:
    scene.known.ready.clear()
    assert call(scene, incident()).status == 503
    scene.known.ready.set()
    assert call(scene, incident()).status == 202


def test_what_no_user_did_acknowledges_nothing(scene: Scene) -> None:
    by_us = incident(agent={"id": "PINTEGRATION", "type": "events_api_v2_inbound_integration_reference"})
    assert [call(scene, said).status for said in (by_us, incident(agent=None))] == [200, 200]
    assert call(scene, incident("triggered")).outcome == "ignored"
    assert call(scene, {"event": {"event_type": "pagey.ping", "data": {"type": "ping"}}}).status == 200
    assert (scene.published, scene.counted()) == ([], {"ignored": 4})


def test_an_identity_is_one_persons_and_known(scene: Scene) -> None:
    stranger: dict[str, Any] = {"agent": {"id": "PSTRANGER", "type": "user_reference"}}
    answer = call(scene, incident(**stranger))
    assert (answer.status, answer.outcome) == (422, "unknown_identity")
    assert "'PSTRANGER' is in no Person document" in answer.said
    people = dict(scene.known.estate.persons)
    lead = people["model.lead@example.org"]
    people[lead.id] = lead.model_copy(update={"identities": {"pagerduty": "PDANA"}})
    scene.known.estate = Estate(persons=people, systems={})
    assert call(scene, incident(id="02")).outcome == "ambiguous_identity"


def test_incidents_that_are_none_of_ours_are_no_failure(scene: Scene) -> None:
    answer = call(scene, incident(data={"incident_key": "a disk is full"}))
    assert (answer.status, answer.outcome) == (200, "unknown_violation")


def test_what_is_over_is_published_and_the_judge_says_so(scene: Scene) -> None:
    scene.known.episode(state="resolved")
    assert call(scene, incident()).outcome == "relayed"


@pytest.mark.parametrize("change", [{"roles": ("operator",)}, {"keys": ()}])
def test_a_relay_that_is_not_published_as_one_relays_nothing(scene: Scene, change: dict[str, Any]) -> None:
    people = dict(scene.known.estate.persons)
    people["replies@example.org"] = people["replies@example.org"].model_copy(update=change)
    scene.known.estate = Estate(persons=people, systems={})
    answer = call(scene, incident())
    assert (answer.status, answer.outcome, scene.published) == (503, "no_relay", [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b'{"event": []}',
        b'{"event": {"event_type": "incident.acknowledged"}}',
        b'{"event": {"event_type": 7}}',
        b'{"event": {"event_type": "\\ud800"}}',
        b"[" * 60_000,
        body_of(incident(occurred_at="yesterday")),
        body_of(incident(occurred_at=None)),
        body_of(incident(id=" ")),
        body_of(incident(data={"id": 7})),
    ],
)
def test_what_is_signed_and_malformed_is_told(scene: Scene, body: bytes) -> None:
    answer = scene.desk.pagerduty(body, pagerduty_headers(body))
    assert (answer.status, answer.outcome, scene.published) == (400, "malformed", [])


def test_taking_back_restarts_the_clock_of_whoever_had_taken_it_on(scene: Scene) -> None:
    after_a_time = incident("unacknowledged", agent=None)
    scene.known.episode(state="acknowledged", acknowledged_by="model.lead@example.org")
    assert call(scene, after_a_time).status == 202
    assert (scene.only()["person"], scene.only()["answer"]) == ("model.lead@example.org", "retract")


def test_it_is_known_who_took_it_on_before_the_judge_has_said_so(scene: Scene) -> None:
    by_lead: dict[str, Any] = {"agent": {"id": "PLEAD", "type": "user_reference"}}
    assert call(scene, incident(**by_lead)).outcome == "relayed"
    assert call(scene, incident("unacknowledged", id="02", agent=None)).outcome == "relayed"
    assert [record["person"] for record in scene.published] == ["model.lead@example.org"] * 2


def test_a_stranger_who_takes_it_back_restarts_the_clock_too(scene: Scene) -> None:
    stranger: dict[str, Any] = {"agent": {"id": "PSTRANGER", "type": "user_reference"}}
    assert call(scene, incident("unacknowledged", **stranger)).outcome == "relayed"
    assert scene.only()["person"] == "dana@example.org", "who has to act"


def test_an_incident_without_a_key_stands_for_its_alerts(tmp_path: Path) -> None:
    keyless: dict[str, Any] = {"data": {"incident_key": None}}
    unasked = Scene(tmp_path / "unasked")
    assert call(unasked, incident(**keyless)).outcome == "no_violation"
    asked = Scene(tmp_path / "asked", keys=lambda _incident: [VIOLATION, OTHER])
    asked.known.episode(OTHER, system="other")
    assert call(asked, incident(**keyless)).outcome == "relayed"
    assert {record["reference"]: record["system"] for record in asked.published} == {
        VIOLATION: "scorer",
        OTHER: "other",
    }

    def away(_incident: str) -> list[str]:
        raise UnreachableError("PagerDuty does not answer")

    assert call(Scene(tmp_path / "away", keys=away), incident(**keyless)).status == 503
    assert call(Scene(tmp_path / "none", keys=lambda _incident: []), incident(**keyless)).status == 200
