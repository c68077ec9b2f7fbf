"""PagerDuty: what its Events API v2 is sent, held to what the API's documentation asks of an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from seamwatch.incidents import ACKNOWLEDGED, RESOLVED
from seamwatch.paging import DELIVERED, Recipient, digest_of
from sinks.channels.services import service_of, unusable
from tests.sinks.channels.standin import Reply, Request, StandIn, standing_in
from tests.sinks.channels.telling import AHEAD, BOARD, page, told
from tests.sinks.samples import NOW, violation

KEY = "samplekeyhere0123456789abcdef0123"
URL = "pagerduty://${SEAMWATCH_CHANNEL_PD}"
ENVIRONMENT = {"SEAMWATCH_CHANNEL_PD": KEY}


class Service:
    """The API as documented: what it refuses, and what becomes of an incident."""

    def __init__(self) -> None:
        self.incidents: dict[str, str] = {}
        self.busy = 0

    def __call__(self, request: Request) -> Reply:
        if self.busy:
            self.busy -= 1
            return Reply(429, {"status": "throttle exceeded"}, {"Retry-After": "0"})
        event = request.json
        if (wrong := _wrong(request, event)) is not None:
            return Reply(400, {"status": "invalid event", "message": "Event object is invalid", "errors": [wrong]})
        state = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}[event["event_action"]]
        if state != "triggered" and event["dedup_key"] not in self.incidents:
            return Reply(202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]})
        self.incidents[event["dedup_key"]] = state
        return Reply(202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]})


def _wrong(request: Request, event: dict[str, Any]) -> str | None:
    if request.path != "/v2/enqueue" or request.headers["content-type"] != "application/json":
        return "where"
    if event.get("routing_key") != KEY or len(event["routing_key"]) > 33:
        return "routing_key"
    if event["event_action"] not in ("trigger", "acknowledge", "resolve") or not 0 < len(event["dedup_key"]) <= 255:
        return "event_action or dedup_key"
    if event["event_action"] != "trigger":
        return None
    said = event["payload"]
    if not 0 < len(said["summary"]) <= 1024 or not said["source"]:
        return "summary or source"
    if said["severity"] not in ("critical", "warning", "error", "info") or not isinstance(said["custom_details"], dict):
        return "severity or custom_details"
    return None if len(request.body) <= 512 << 10 else "size"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def api(service: Service) -> Iterator[StandIn]:
    with standing_in(service) as made:
        yield made


def tell(api: StandIn, what: Any) -> list[str]:
    return [attempt.result for attempt in told((URL,), what, environment=ENVIRONMENT, apis={"pagerduty": api.url})]


def test_an_incident_opens_is_acknowledged_and_is_resolved_as_its_violation_is(api: StandIn, service: Service) -> None:
    seen = []
    for what in (page(), page(ACKNOWLEDGED), page(RESOLVED)):
        assert tell(api, what) == [DELIVERED]
        seen.append(dict(service.incidents))
    assert seen == [{"v0001": "triggered"}, {"v0001": "acknowledged"}, {"v0001": "resolved"}]


def test_an_event_has_what_is_needed_at_two_in_the_morning_as_fields(api: StandIn) -> None:
    tell(api, page())
    event = api.requests[0].json
    assert event["payload"] | {"custom_details": None} == {
        "summary": "credit-feed: credit-feed is 27 h old; agreed are 26 h",
        "source": "credit-feed", "severity": "critical", "component": "credit-feed", "group": "credit-data",
        "class": "freshness", "timestamp": event["payload"]["timestamp"], "custom_details": None,
    }  # fmt: skip
    details = event["payload"]["custom_details"]
    assert details["evidence"] == ["e1"]
    assert (details["runbook"], details["next_person"]) == ("https://example.org/runbook", "bob")
    assert details["deadline"].startswith("20")
    assert event["client_url"] == details["board"] == f"{BOARD}/episodes/v0001"
    assert event["links"] == [{"href": "https://example.org/runbook", "text": "runbook"}]


def test_what_is_too_long_for_the_api_is_cut_and_its_key_stays_one(api: StandIn, service: Service) -> None:
    long = violation(1, summary="x" * 5_000, violation_id="v" * 300)
    assert tell(api, page(of=long)) == [DELIVERED]
    assert tell(api, page(RESOLVED, of=long)) == [DELIVERED]
    assert list(service.incidents.values()) == ["resolved"]


def test_a_service_that_is_busy_is_waited_for(api: StandIn, service: Service) -> None:
    service.busy = 2
    assert tell(api, page()) == [DELIVERED]
    assert len(api.requests) == 3


def test_of_many_each_is_an_incident_of_its_own_and_those_that_were_taken_are_not_sent_again(
    api: StandIn, service: Service
) -> None:
    many = [violation(n) for n in range(6)]

    def until_the_fourth(request: Request) -> Reply:
        if len(api.requests) == 4:
            return Reply(503)
        return service(request)

    api.answer = until_the_fourth
    digest = digest_of(many, Recipient("ann", "Ann"), NOW, BOARD, {v.violation_id: AHEAD for v in many})
    assert tell(api, digest) == [DELIVERED]
    assert set(service.incidents) == {v.violation_id for v in many}
    assert len(api.requests) == 7


def test_what_is_refused_for_good_says_so_and_names_those_that_were_taken(api: StandIn, service: Service) -> None:
    api.answer = lambda request: service(request) if len(api.requests) < 3 else Reply(400)
    many = [violation(n) for n in range(4)]
    (attempt,) = told(
        (URL,), digest_of(many, Recipient("ann", "Ann"), NOW), environment=ENVIRONMENT, apis={"pagerduty": api.url}
    )
    assert attempt.result == f"failed: HTTP 400 from 127.0.0.1:{api.port}"
    assert attempt.taken == set(service.incidents)
    assert len(attempt.taken) == 2
    assert len(api.requests) == 3


def test_the_key_goes_to_no_other_address_than_the_services_own_or_the_operators(api: StandIn) -> None:
    with standing_in() as elsewhere:
        api.answer = lambda _request: Reply(307, None, {"Location": f"{elsewhere.url}/v2/enqueue"})
        (result,) = tell(api, page())
    assert result == f"failed: HTTP 307 from 127.0.0.1:{api.port}"
    assert elsewhere.requests == []


def test_a_url_without_a_key_or_of_no_region_is_known_before_there_is_a_page() -> None:
    assert "lacks the integration key" in str(unusable("pagerduty://"))
    assert unusable("pagerduty://${SEAMWATCH_CHANNEL_PD}?region=eu") is None
    assert unusable(f"pagerduty://{KEY}?region=mars") == "the region of a pagerduty:// URL is us or eu"
    assert service_of(URL).manner.keeps_incidents


def test_a_warning_is_one_and_a_page_of_the_next_person_is_of_the_same_incident(api: StandIn, service: Service) -> None:
    tell(api, page(of=violation(1, severity="warning")))
    assert api.requests[0].json["payload"]["severity"] == "warning"
    tell(api, page(of=replace(violation(1), step=1, person="bob", state="escalated")))
    assert list(service.incidents) == ["v0001"]
