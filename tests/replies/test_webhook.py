"""Signed webhooks: Standard Webhooks' signature, its time, and the small JSON that any service can send."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from replies.desk import Answer
from seamwatch.instants import format_instant
from tests.replies.desks import VIOLATION, Scene, body_of, standard_headers

SAID = {"type": "acknowledged", "violation_id": VIOLATION, "person": "dana@example.org", "note": "on my way"}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def call(scene: Scene, content: Any, **headers: Any) -> Answer:
    body = body_of(content)
    return scene.desk.webhook(body, standard_headers(body, **headers))


def test_a_person_or_an_identity_acknowledges(scene: Scene) -> None:
    sent = int(time.time())
    assert call(scene, SAID, at=sent).status == 202
    record = scene.only()
    assert (record["person"], record["note"], record["event_time"]) == ("dana@example.org", "on my way", sent * 10**6)
    by_identity = {"type": "acknowledged", "violation_id": VIOLATION, "identity": "lead", "service": "chat"}
    assert call(scene, by_identity, name="msg_2").status == 202
    assert scene.published[-1]["person"] == "model.lead@example.org"
    at = format_instant((sent - 60) * 10**6)
    assert call(scene, {**SAID, "type": "unacknowledged", "at": at}, name="msg_3").status == 202
    assert (scene.published[-1]["answer"], scene.published[-1]["event_time"]) == ("retract", (sent - 60) * 10**6)


def test_the_published_vector_of_standard_webhooks_holds(scene: Scene) -> None:
    from base64 import b64decode

    from replies.reply import NotRelayedError
    from replies.verifying import verify_standard

    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body, name, sent = b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
    header = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert verify_standard(body, name, sent, header, (b"another secret", secret), 1_614_265_330.0) == 1_614_265_330
    assert verify_standard(body, name, sent, f"v1,bm8= v1a,x {header}", (secret,), 1_614_265_030.5)
    for wrong in ((body + b" ", name), (body, "msg_other")):
        with pytest.raises(NotRelayedError, match="webhook-signature"):
            verify_standard(*wrong, sent, header, (secret,), 1_614_265_330.0)
    with pytest.raises(NotRelayedError, match="five minutes"):
        verify_standard(body, name, sent, header, (secret,), 1_614_265_631.0)


def test_forged_old_and_nameless_calls_are_refused(scene: Scene) -> None:
    body = body_of(SAID)
    right = standard_headers(body)
    forged = [
        standard_headers(body, secret=b"not the secret"),
        {**right, "webhook-id": "msg_2"},
        {**right, "webhook-timestamp": str(int(right["webhook-timestamp"]) + 1)},
        {**right, "webhook-timestamp": "now"},
        {**right, "webhook-timestamp": "٣"},
        {**right, "webhook-signature": right["webhook-signature"].replace("v1,", "v2,")},
        {name: value for name, value in right.items() if name != "webhook-id"},
        {},
    ]
    assert [scene.desk.webhook(body, headers).status for headers in forged] == [401] * len(forged)
    old = [standard_headers(body, at=time.time() + seconds) for seconds in (-330, 330)]
    assert [scene.desk.webhook(body, headers).outcome for headers in old] == ["stale", "stale"]
    assert scene.published == []
    assert scene.counted("webhook") == {"wrong_signature": len(forged), "stale": 2}


def test_a_call_that_comes_again_counts_once(scene: Scene) -> None:
    body = body_of(SAID)
    headers = standard_headers(body)
    assert [scene.desk.webhook(body, headers).outcome for _ in range(2)] == ["relayed", "repeated"]
    scene.start()
    assert scene.desk.webhook(body, headers).outcome == "relayed"
    assert scene.published[0] == scene.published[1]


@pytest.mark.parametrize(
    ("change", "status", "outcome"),
    [
        ({"type": "resolved"}, 400, "malformed"),
        ({"violation_id": ""}, 400, "malformed"),
        ({"violation_id": "4f1c"}, 404, "unknown_violation"),
        ({"person": None}, 400, "malformed"),
        ({"identity": "UDANA", "service": "slack"}, 400, "malformed"),
        ({"person": None, "identity": "UDANA"}, 400, "malformed"),
        ({"person": "nobody@example.org"}, 422, "unknown_identity"),
        ({"person": None, "identity": "U0", "service": "slack"}, 422, "unknown_identity"),
        ({"note": 7}, 400, "malformed"),
        ({"note": "x" * 2_001}, 400, "malformed"),
        ({"at": "yesterday"}, 400, "malformed"),
        ({"at": 5}, 400, "malformed"),
        ({"at": "2126-01-01T00:00:00Z"}, 400, "stale"),
        ({"at": "2026-01-01T00:00:00Z"}, 400, "stale"),
        ({"answer": "accept"}, 400, "malformed"),
    ],
)
def test_what_it_does_not_take_is_told(scene: Scene, change: dict[str, Any], status: int, outcome: str) -> None:
    answer = call(scene, {**SAID, **change})
    assert (answer.status, answer.outcome, scene.published) == (status, outcome, [])
