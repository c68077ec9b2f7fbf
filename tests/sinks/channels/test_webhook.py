"""The webhook: signed as Standard Webhooks has it, by its own published example; and as CloudEvents 1.0 has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest

from seamwatch.incidents import AGAIN, RESOLVED
from seamwatch.paging import DELIVERED, Page
from sinks.channels.services import unusable
from sinks.channels.webhook import signed
from tests.sinks.channels.standin import Reply, StandIn, standing_in
from tests.sinks.channels.telling import page, told

SECRET = "whsec_" + base64.b64encode(bytes(range(250, 256)) * 4).decode()
ENVIRONMENT = {"SEAMWATCH_CHANNEL_HOOK": SECRET}


@pytest.fixture
def hook() -> Iterator[StandIn]:
    with standing_in(lambda _request: Reply(204)) as made:
        yield made


def tell(hook: StandIn, what: Page, more: str = "") -> list[str]:
    url = f"webhook://127.0.0.1:{hook.port}/in?secret=${{SEAMWATCH_CHANNEL_HOOK}}{more}"
    return [attempt.result for attempt in told((url,), what, environment=ENVIRONMENT)]


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_signed_over_its_own_bytes_and_its_id_is_the_same_when_it_is_sent_again(hook: StandIn) -> None:
    assert tell(hook, page()) == [DELIVERED]
    assert tell(hook, page()) == [DELIVERED]
    assert tell(hook, page(RESOLVED)) == [DELIVERED]
    first, second, last = hook.requests
    for request in hook.requests:
        signature = request.headers["webhook-signature"].removeprefix("v1,")
        content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        assert base64.b64decode(signature) == hmac.new(key, content, hashlib.sha256).digest()
    assert first.headers["webhook-id"] == second.headers["webhook-id"] != last.headers["webhook-id"]
    assert first.path == "/in"
    assert first.json["type"] == "violation.trigger"
    assert last.json["type"] == "violation.resolved"
    (incident,) = first.json["data"]["incidents"]
    assert (incident["runbook"], incident["evidence"]) == ("https://example.org/runbook", ["e1"])
    assert SECRET not in str(hook.requests)


def test_each_time_that_somebody_is_told_again_is_another_message(hook: StandIn) -> None:
    for body in ("1 m ago", "31 m ago"):
        tell(hook, Page("t", body, "breach", (("v1", 1),), (), AGAIN))
    assert len({request.headers["webhook-id"] for request in hook.requests}) == 2


def test_as_a_cloud_event_it_has_what_the_specification_requires(hook: StandIn) -> None:
    assert tell(hook, page(), "&format=cloudevents") == [DELIVERED]
    (request,) = hook.requests
    assert request.headers["content-type"] == "application/cloudevents+json"
    event = request.json
    assert event.keys() == {"specversion", "id", "source", "type", "time", "datacontenttype", "subject", "data"}
    assert (event["specversion"], event["type"]) == ("1.0", "seamwatch.violation.trigger")
    assert (event["id"], event["subject"]) == (request.headers["webhook-id"], "v0001")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("webhooks://hooks.example.org/in", "lacks its secret"),
        ("webhooks://hooks.example.org/in?secret=hunter2", "24 to 64 bytes in base64"),
        ("webhooks://hooks.example.org/in?secret=${SEAMWATCH_CHANNEL_HOOK}&format=xml", "one of plain, cloudevents"),
        ("webhooks:///in?secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "lacks its host"),
    ],
)
def test_a_url_that_cannot_be_used_is_known_before_there_is_a_page(url: str, why: str) -> None:
    assert why in str(unusable(url))
    assert "hunter2" not in str(unusable(url))


def test_a_secret_that_is_none_sends_nothing(hook: StandIn) -> None:
    url = f"webhook://127.0.0.1:{hook.port}/in?secret=${{SEAMWATCH_CHANNEL_HOOK}}"
    (attempt,) = told((url,), page(), environment={"SEAMWATCH_CHANNEL_HOOK": "hunter2"})
    assert "24 to 64 bytes" in attempt.result
    assert hook.requests == []
